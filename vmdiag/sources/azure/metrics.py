"""The platform metrics of a VM in one call: traffic, flows, availability, CPU, disk; must not know what a value means.

Source: "REST API: Metrics - List", "Supported metrics for Microsoft.Compute/virtualMachines". They are kept 93 days. A
cloud that does not know one of the names refuses the whole call, so then each kind is asked for alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.completeness import continuation
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import Ask, kept
from vmdiag.sources.decoding.envelopes import unpacked
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.formats import metrics
from vmdiag.sources.items import Item, Lack, Malformed, Packed, Row

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
# An answer's own span is that of whole minutes; less than that was not asked for ("REST API: Metrics - List": the span
# "may be adjusted in the future and returned back from what was originally requested").
ADJUSTED = timedelta(minutes=5)
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
    return Ask(
        request=_request(vm, names, part),
        concerns=(vm.key,),
        signals=_signals(names),
        items=_items,
        rows=_rows_of(vm, names, part),
        signals_of=metrics.signals,
        since=since,
        instead=instead,
    )


def _signals(names: tuple[str, ...]) -> tuple[Signal, ...]:
    return tuple(signal for signal, known in READ.items() if set(known) & set(names))


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


def _rows_of(vm: VmId, names: tuple[str, ...], part: Window) -> Callable[[object], Iterator[object]]:
    """How the pages of one answer are read: the metrics, and what of all that was asked for is not among them."""
    held: set[str] = set()

    def rows(page: object) -> Iterator[object]:
        yield from _rows(page)
        held.update(name for owner, name in _named(page) if owner.startswith(f"{vm.key}/"))
        if not _further(page):
            yield from _not_held(vm, [name for name in names if name.lower() not in held], part)
        yield from _not_spanned(vm, names, part, _member(page, "timespan"))

    return rows


def _named(page: object) -> Iterator[tuple[str, str]]:
    """Which metrics of whom an answer holds, in lower case."""
    if isinstance(page, metrics.Answer):
        yield from ((each.id.lower(), each.name.value.lower()) for each in page.value)
        return
    for row in unpacked(page):
        if isinstance(row, dict):
            yield text(row.get("id")).lower(), text(row.get("name")).lower()


def _further(page: object) -> str:
    """Where the rest is."""
    return page.nextLink or "" if isinstance(page, metrics.Answer) else continuation(page)


def _member(page: object, name: str) -> str:
    return text(page.get(name) if isinstance(page, dict) else getattr(page, name, None))


def _not_held(vm: VmId, names: list[str], part: Window) -> Iterator[Lack]:
    """Metrics that were asked for: Azure names every one of them, whether it has a value or not."""
    for signal, known in READ.items():
        lost = [name for name in known if name in names]
        if lost:
            yield _lack(vm, signal, f"the answer does not hold {', '.join(lost)}", part)


def _not_spanned(vm: VmId, names: tuple[str, ...], part: Window, told: str) -> Iterator[Lack]:
    """What of the span was not answered for: Azure may give less than was asked for, and then says so."""
    first, last = (parse(each) for each in (told.partition("/")[0], told.partition("/")[2]))
    if first is None or last is None:
        return
    spans = [Window(part.start, min(first, part.end)), Window(max(last, part.start), part.end)]
    for span in (each for each in spans if each.end - each.start > ADJUSTED):
        for signal in _signals(names):
            reason = f"the answer is of {first:%Y-%m-%d %H:%M}Z to {last:%Y-%m-%d %H:%M}Z only"
            yield _lack(vm, signal, reason, span)


def _lack(vm: VmId, signal: Signal, reason: str, span: Window) -> Lack:
    what = f"metrics of {vm.name}"
    place = f"{what} ({signal})"
    return Lack(signal=signal, scope=vm.key, form=what, place=place, reason=reason, since=span.start, until=span.end)


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
