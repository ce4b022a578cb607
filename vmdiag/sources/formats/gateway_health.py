"""The health of an Application Gateway's backends: each server of its pools, up or down, and what its probe met.

Sources: "REST API: Application Gateways - Backend Health" (`Unknown`, `Up`, `Down`, `Partial`, `Draining`),
"Troubleshoot backend health issues in Application Gateway" (2024-03-08), where the words are Healthy and Unhealthy and
the details of a probe stand. A wrong status, body or certificate means that the VM answered. The answer has no time.
"""

from collections.abc import Iterator
from itertools import chain

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import ADDRESS_LENGTH, BY_INTERFACE, VmId, make_address_placeholder
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import find_text, get_path, iter_objects, parse_parent_id, to_short_text, to_text
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import UNDATED, Item, VmRecord

SIGNALS = (Signal.BALANCER,)
LIST_KEY = "backendAddressPools"
# A gateway or balancer itself has such a list, too, and an id.
SIGNATURES = (Signature(all_of={LIST_KEY}, none_of={"id"}),)
STATES = {"up": "Up", "healthy": "Up", "down": "Down", "unhealthy": "Down"}
# Of the details of a probe that failed: the connection had been made.
ANSWERED = ("http response", "certificate", "status code")


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What the gateway says of each server; nothing where it says neither up nor down."""
    if not isinstance(row.get(LIST_KEY), list):
        message = "the answer has no list of pools"
        raise MalformedRow(message)
    settings = (iter_objects(pool.get("backendHttpSettingsCollection")) for pool in iter_objects(row.get(LIST_KEY)))
    for server in chain.from_iterable(iter_objects(one.get("servers")) for one in chain.from_iterable(settings)):
        health, address = to_short_text(server.get("health")), find_text(server, "address")[:ADDRESS_LENGTH]
        interface = to_text(get_path(server, "ipConfiguration", "id"))
        state = STATES.get(health.lower(), "")
        if not state or not (interface or address):
            continue
        met = find_text(server, "healthProbeLog").lower()
        was_answered = state == "Down" and any(words in met for words in ANSWERED)
        owner = VmId(subscription=BY_INTERFACE, resource_group="?", name=parse_parent_id(interface))
        record = Record(
            at=UNDATED,
            signal=Signal.BALANCER,
            name=f"Gateway_{state}{'_Answered' if was_answered else ''}",
            status=health,
            ref=ref,
        )
        yield VmRecord(owner if interface else make_address_placeholder(address), record, is_dated=False)
