"""The health of a load balancing rule: each backend of its pool, up or down, and why.

Source: "Manage health status" (Azure Load Balancer, 2024-10-30) and its REST operation "Load Balancer Load Balancing
Rules - Health". The answer has no time: it is as new as the archive. A VM that is off gives empty values.
"""

from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import BY_INTERFACE, VmId, make_address_placeholder
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import find_text, parse_parent_id, to_number, to_short_text
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import UNDATED, IncompleteRead, Item, VmRecord

SIGNALS = (Signal.BALANCER,)
LIST_KEY = "loadBalancerBackendAddresses"
SIGNATURES = (Signature(all_of={LIST_KEY}),)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What the balancer says of each backend; a list that is not whole is told."""
    backends = row.get(LIST_KEY)
    if not isinstance(backends, list):
        message = "the answer has no list of backends"
        raise MalformedRow(message)
    told = 0
    for each in backends:
        if not isinstance(each, dict):
            message = "a backend that is no object"
            raise MalformedRow(message)
        reason = to_short_text(each.get("reason"))
        interface, address = find_text(each, "networkInterfaceIPConfigurationId"), find_text(each, "ipAddress")
        told += 1
        if not reason or not (interface or address):
            continue  # a VM that is off
        owner = VmId(subscription=BY_INTERFACE, resource_group="?", name=parse_parent_id(interface))
        record = Record(
            at=UNDATED, signal=Signal.BALANCER, name=reason, status=to_short_text(each.get("state")), ref=ref
        )
        yield VmRecord(owner if interface else make_address_placeholder(address), record, is_dated=False)
    total = (to_number(row.get("up")) or 0) + (to_number(row.get("down")) or 0)
    if total > told:
        yield IncompleteRead(
            signal=Signal.BALANCER,
            scope="",
            form="balancer-health",
            place=ref.rpartition(":")[0] or ref,
            reason=f"{total:.0f} backends are counted, and {told} are named",
            lowers_verdict=False,  # of whom is not named nothing is concluded, and who is named is told whole
        )
