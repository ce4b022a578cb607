"""The platform metrics of a VM in one call: traffic, flows, availability, CPU, disk; must not know what a value means.

Source: "REST API: Metrics - List", "Supported metrics for Microsoft.Compute/virtualMachines". They are kept 93 days. A
cloud that does not know one of the names refuses the whole call, so then each kind is asked for alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources._items import Item, Malformed, Packed, Row
from vmdiag.sources.archive import metrics
from vmdiag.sources.archive._envelopes import unpacked
from vmdiag.sources.azure._ask import Ask, kept

PERMISSIONS = ("Microsoft.Insights/metrics/read",)
SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
REACH = timedelta(days=93)
# More than a month by the minute is refused (our judgement: no page states the limit).
SLICE = timedelta(days=30)
# What a collapse is judged by, and what shows that the VM lives meanwhile.
READ = {
    Signal.TRAFFIC: ("Network In Total", "Inbound Flows"),
    Signal.AVAILABILITY: ("VmAvailabilityMetric",),
    Signal.CPU: ("Percentage CPU",),
    Signal.DISK: ("Disk Read Bytes", "Disk Write Bytes"),
}
# What may be missing in a cloud that lags; the others have been there since 2018.
NEWER = (("Network In Total",), ("Inbound Flows",), ("VmAvailabilityMetric",), ("Percentage CPU", *READ[Signal.DISK]))


def asks(vms: Iterable[VmId], span: Window, now: datetime) -> Iterator[Ask]:
    """One for each VM and month; none for a span of which no point is kept."""
    known = kept(span, now, REACH)
    if known is None:
        return
    names = tuple(name for each in READ.values() for name in each)
    for vm in vms:
        for part in _slices(known):
            instead = tuple(_ask(vm, each, part, known.start) for each in NEWER)
            yield _ask(vm, names, part, known.start, instead)


def witness_asks(spans: Mapping[VmId, Window]) -> Iterator[Ask]:
    """One for each VM that is to show what happened around others: its traffic alone, over a span of its own."""
    for vm, span in spans.items():
        for part in _slices(span):
            yield _ask(vm, READ[Signal.TRAFFIC][:1], part, span.start)


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The last minutes of one VM's traffic."""
    del subscription
    last = Window(max(span.start, span.end - timedelta(minutes=10)), span.end)
    return None if vm is None else _request(vm, READ[Signal.TRAFFIC][:1], last)


def _ask(vm: VmId, names: tuple[str, ...], part: Window, since: datetime, instead: tuple[Ask, ...] = ()) -> Ask:
    signals = tuple(signal for signal, known in READ.items() if set(known) & set(names))
    return Ask(
        request=_request(vm, names, part),
        concerns=(vm.key,),
        signals=signals,
        items=_items,
        rows=_rows,
        signals_of=metrics.signals,
        since=since,
        instead=instead,
    )


def _request(vm: VmId, names: tuple[str, ...], part: Window) -> Request:
    alone = f" ({names[0]})" if len(names) == 1 else ""
    return Request(
        what=f"metrics of {vm.name}{alone}",
        service="metrics",
        path=f"{vm}/providers/Microsoft.Insights/metrics",
        permission=PERMISSIONS[0],
        params={
            "metricnames": ",".join(names),
            "timespan": f"{part.start:%Y-%m-%dT%H:%M:%SZ}/{part.end:%Y-%m-%dT%H:%M:%SZ}",
            "interval": "PT1M",
            "aggregation": "Total,Average",
        },
        shape=metrics.Answer,
    )


def _rows(page: object) -> Iterator[object]:
    """The metrics of an answer; where it is as usual, packed: many answers wait for their turn together."""
    if not isinstance(page, metrics.Answer):
        yield from unpacked(page)
        return
    for each in page.value:
        try:
            yield from map(Packed.of, metrics.typed_items(each))
        except Malformed as fault:
            yield fault


def _items(row: Packed | Row, ref: str) -> Iterator[Item]:
    return iter((row,)) if isinstance(row, Packed) else metrics.items(row, ref)


def _slices(span: Window) -> Iterator[Window]:
    start = span.start
    while start < span.end:
        end = min(span.end, start + SLICE)
        yield Window(start, end)
        start = end
