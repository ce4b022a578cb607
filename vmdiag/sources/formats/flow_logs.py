"""Flow logs of virtual networks and of network security groups, as storage holds them: an hour and interface a file.

Sources: "Virtual network flow logs" (13 fields a tuple, times in milliseconds), "Flow logging for network security
groups" (8 fields in version 1, 13 in version 2, times in seconds; retired in 2027), "Read flow logs". Which unit a time
has is told by its size, for Microsoft's own samples mix them. `NX_SW_NOT_READY` says that the host's network stack is
not ready for an interface and drops packets. Whose an interface is its address on the link tells.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_words import HOST_STACK, PRIVATE_FLOWS, PUBLIC_FLOWS
from vmdiag.identity import make_address_placeholder
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_text, get_path, iter_objects, to_list, to_number
from vmdiag.sources.formats import Signature
from vmdiag.sources.formats.connection_monitor import is_private_address
from vmdiag.sources.items import Item, MetricPoints

SIGNALS = (Signal.FLOWS,)
CATEGORY = re.compile(r"(?i)flowlogflowevent|networksecuritygroupflowevent")


def holds_records(row: Row) -> bool:
    """Whether a record only holds others of this form, as in the page's own sample."""
    return any(CATEGORY.fullmatch(find_text(each, "category")) for each in iter_objects(row.get("records")))


SIGNATURES = (
    Signature(all_of={"time", "category", "macAddress"}, kind=CATEGORY, kind_keys=("category",)),
    Signature(all_of={"records"}, none_of={"time"}, condition=holds_records),
)
NOT_READY = "NX_SW_NOT_READY"
MILLISECONDS = 10**11  # seconds of the year 5138
MINUTE = 60
# Fields of a tuple: the least of version 1, and where the states and counts stand in the longer ones.
SHORT, LONG = 8, 13
INBOUND = "I"


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """By the minute: the share of flows that the host's stack was ready for, and how many were answered, from where."""
    if "records" in row:
        # One level, as there is: what lies deeper is no record.
        for inner in iter_objects(row["records"]):
            yield from decode_row({key: value for key, value in inner.items() if key != "records"}, ref)
        return
    vm = make_address_placeholder(re.sub(r"[^0-9A-Fa-f]", "", find_text(row, "macAddress")).lower())
    is_network = "flowRecords" in row
    flows = get_path(row, *(("flowRecords", "flows") if is_network else ("properties", "flows")))
    if not isinstance(flows, list):
        message = "a record without its list of flows"
        raise MalformedRow(message, vm)
    key = "flowGroups" if is_network else "flows"
    groups = [group for flow in iter_objects(flows) for group in iter_objects(flow.get(key))]
    totals: Counter[int] = Counter()
    ready: Counter[int] = Counter()
    answered: dict[str, Counter[int]] = {PUBLIC_FLOWS: Counter(), PRIVATE_FLOWS: Counter()}
    lost = 0
    for each in (one for group in groups for one in to_list(group.get("flowTuples"))):
        fields = each.split(",") if isinstance(each, str) else []
        at = to_number(fields[0].strip()) if len(fields) in (SHORT, LONG) else None
        if at is None or at <= 0:
            lost += 1
            continue
        minute = int(at / (1000 if at > MILLISECONDS else 1) // MINUTE)
        totals[minute] += 1
        ready[minute] += not (is_network and fields[8].strip().upper() == NOT_READY)
        # Answered: packets went both ways since the flow's last tuple; version 1 does not say.
        is_answered = len(fields) == LONG and all((to_number(fields[at].strip()) or 0) > 0 for at in (-4, -2))
        if is_answered and fields[6].strip().upper() == INBOUND:
            answered[PRIVATE_FLOWS if is_private_address(fields[1]) else PUBLIC_FLOWS][minute] += 1
    minutes = sorted(totals)
    shares = {HOST_STACK: [ready[one] / totals[one] for one in minutes]} if is_network else {}
    counts = {name: [float(found[one]) for one in minutes] for name, found in answered.items()}
    times = tuple(datetime.fromtimestamp(one * MINUTE, UTC) for one in minutes)
    for name, values in {**shares, **counts}.items():
        yield MetricPoints(vm=vm, name=name, signal=Signal.FLOWS, times=times, values=tuple(values))
    if lost:  # what could be read was given out
        message = f"{lost} flows cannot be read"
        raise MalformedRow(message, vm)
