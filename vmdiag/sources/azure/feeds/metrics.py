"""The platform metrics of a VM in one call: traffic, flows, availability, CPU, disk; must not know what a value means.

Source: "REST API: Metrics - List", "Supported metrics for Microsoft.Compute/virtualMachines". They are kept 93 days. A
cloud that does not know one of the names refuses the whole call, so then each kind is asked for alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.completeness import find_continuation
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest, clip_to_retention
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import metrics
from vmdiag.sources.items import IncompleteRead, Item, MalformedRow, PackedMetricPoints, Row

PERMISSIONS = ("Microsoft.Insights/metrics/read",)
SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
RETENTION = timedelta(days=93)
# More than a month by the minute is refused (our judgement: no page states the limit).
SPAN_LIMIT = timedelta(days=30)
# What a collapse is judged by, and what shows that the VM lives meanwhile.
METRIC_NAMES = {
    Signal.TRAFFIC: ("Network In Total", "Inbound Flows"),
    Signal.AVAILABILITY: ("VmAvailabilityMetric",),
    Signal.CPU: ("Percentage CPU",),
    Signal.DISK: ("Disk Read Bytes", "Disk Write Bytes"),
}
# An answer's own span is that of whole minutes; less than that was not asked for ("REST API: Metrics - List": the span
# "may be adjusted in the future and returned back from what was originally requested").
ADJUSTED = timedelta(minutes=5)
# What may be missing in a cloud that lags; the others have been there since 2018.
FALLBACK_NAMES = (
    ("Network In Total",),
    ("Inbound Flows",),
    ("VmAvailabilityMetric",),
    ("Percentage CPU", *METRIC_NAMES[Signal.DISK]),
)


def build_feed_requests(vms: Iterable[VmId], span: Window, now: datetime) -> Iterator[FeedRequest]:
    """One for each VM and month; none for a span of which no point is kept."""
    known = clip_to_retention(span, now, RETENTION)
    if known is None:
        return
    names = tuple(name for each in METRIC_NAMES.values() for name in each)
    for vm in vms:
        for part in _split_span(known):
            fallbacks = tuple(_build_feed_request(vm, each, part, known.start) for each in FALLBACK_NAMES)
            yield _build_feed_request(vm, names, part, known.start, fallbacks)


def build_comparison_requests(spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
    """One for each VM that is to show what happened around others: its traffic alone, over a span of its own."""
    for vm, span in spans.items():
        for part in _split_span(span):
            yield _build_feed_request(vm, METRIC_NAMES[Signal.TRAFFIC][:1], part, span.start)


def build_access_check(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The last minutes of one VM's traffic."""
    del subscription
    last = Window(max(span.start, span.end - timedelta(minutes=10)), span.end)
    return None if vm is None else _build_request(vm, METRIC_NAMES[Signal.TRAFFIC][:1], last)


def _build_feed_request(
    vm: VmId, names: tuple[str, ...], part: Window, since: datetime, fallbacks: tuple[FeedRequest, ...] = ()
) -> FeedRequest:
    return FeedRequest(
        request=_build_request(vm, names, part),
        scope_ids=(vm.key,),
        signals=_signals(names),
        read_items=_read_items,
        unpack_rows=_rows_of(vm, names, part),
        get_row_signals=metrics.identify_signals,
        available_since=since,
        fallbacks=fallbacks,
    )


def _signals(names: tuple[str, ...]) -> tuple[Signal, ...]:
    return tuple(signal for signal, known in METRIC_NAMES.items() if set(known) & set(names))


def _build_request(vm: VmId, names: tuple[str, ...], part: Window) -> Request:
    alone = f" ({names[0]})" if len(names) == 1 else ""
    return Request(
        description=f"metrics of {vm.name}{alone}",
        service="metrics",
        path=f"{vm}/providers/Microsoft.Insights/metrics",
        permission=PERMISSIONS[0],
        params={
            "metricnames": ",".join(names),
            "timespan": f"{part.start:%Y-%m-%dT%H:%M:%SZ}/{part.end:%Y-%m-%dT%H:%M:%SZ}",
            "interval": "PT1M",
            "aggregation": "Total,Average",
        },
        answer_type=metrics.MetricsAnswer,
    )


def _rows_of(vm: VmId, names: tuple[str, ...], part: Window) -> Callable[[object], Iterator[object]]:
    """How the pages of one answer are read: the metrics, and what of all that was asked for is not among them."""
    held: set[str] = set()

    def rows(page: object) -> Iterator[object]:
        yield from _unpack_rows(page)
        held.update(name for owner, name in _named(page) if owner.startswith(f"{vm.key}/"))
        if not _further(page):
            yield from _not_held(vm, [name for name in names if name.lower() not in held], part)
        yield from _not_spanned(vm, names, part, _member(page, "timespan"))

    return rows


def _named(page: object) -> Iterator[tuple[str, str]]:
    """Which metrics of whom an answer holds, in lower case."""
    if isinstance(page, metrics.MetricsAnswer):
        yield from ((each.id.lower(), each.name.value.lower()) for each in page.value)
        return
    for row in unpack_document(page):
        if isinstance(row, dict):
            yield to_text(row.get("id")).lower(), to_text(row.get("name")).lower()


def _further(page: object) -> str:
    """Where the rest is."""
    return page.nextLink or "" if isinstance(page, metrics.MetricsAnswer) else find_continuation(page)


def _member(page: object, name: str) -> str:
    return to_text(page.get(name) if isinstance(page, dict) else getattr(page, name, None))


def _not_held(vm: VmId, names: list[str], part: Window) -> Iterator[IncompleteRead]:
    """Metrics that were asked for: Azure names every one of them, whether it has a value or not."""
    for signal, known in METRIC_NAMES.items():
        lost = [name for name in known if name in names]
        if lost:
            yield _lack(vm, signal, f"the answer does not hold {', '.join(lost)}", part)


def _not_spanned(vm: VmId, names: tuple[str, ...], part: Window, told: str) -> Iterator[IncompleteRead]:
    """What of the span was not answered for: Azure may give less than was asked for, and then says so."""
    first, last = (parse_time(each) for each in (told.partition("/")[0], told.partition("/")[2]))
    if first is None or last is None:
        return
    spans = [Window(part.start, min(first, part.end)), Window(max(last, part.start), part.end)]
    for span in (each for each in spans if each.end - each.start > ADJUSTED):
        for signal in _signals(names):
            reason = f"the answer is of {first:%Y-%m-%d %H:%M}Z to {last:%Y-%m-%d %H:%M}Z only"
            yield _lack(vm, signal, reason, span)


def _lack(vm: VmId, signal: Signal, reason: str, span: Window) -> IncompleteRead:
    what = f"metrics of {vm.name}"
    place = f"{what} ({signal})"
    return IncompleteRead(
        signal=signal, scope=vm.key, form=what, place=place, reason=reason, since=span.start, until=span.end
    )


def _unpack_rows(page: object) -> Iterator[object]:
    """The metrics of an answer; where it is as usual, packed: many answers wait for their turn together."""
    if not isinstance(page, metrics.MetricsAnswer):
        yield from unpack_document(page)
        return
    for each in page.value:
        try:
            yield from map(PackedMetricPoints.pack_points, metrics.decode_typed_metric(each))
        except MalformedRow as fault:
            yield fault


def _read_items(row: PackedMetricPoints | Row, ref: str) -> Iterator[Item]:
    return iter((row,)) if isinstance(row, PackedMetricPoints) else metrics.decode_row(row, ref)


def _split_span(span: Window) -> Iterator[Window]:
    start = span.start
    while start < span.end:
        end = min(span.end, start + SPAN_LIMIT)
        yield Window(start, end)
        start = end
