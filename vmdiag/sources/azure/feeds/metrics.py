"""The platform metrics of a VM in one call: traffic, flows, availability, CPU, disk.

Source: "REST API: Metrics - List", "Supported metrics for Microsoft.Compute/virtualMachines". They are kept 93 days. A
cloud that does not know one of the names refuses the whole call, so then each kind is asked for alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain, product

from vmdiag.arm.request import Request, get_members
from vmdiag.completeness import find_continuation
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest, clip_to_retention
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import metrics
from vmdiag.sources.items import IncompleteRead, Item, PackedMetricPoints
from vmdiag.sources.rows import MalformedRow, Row

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
    names = tuple(chain(*METRIC_NAMES.values()))
    for vm, part in product(vms, _split_span(known)):
        fallbacks = tuple(_build_feed_request(vm, each, part, known.start) for each in FALLBACK_NAMES)
        yield _build_feed_request(vm, names, part, known.start, fallbacks)


def build_comparison_requests(spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
    """One for each VM that is to show what happened around others: its traffic alone, over a span of its own."""
    for vm, span in spans.items():
        for part in _split_span(span):
            yield _build_feed_request(vm, METRIC_NAMES[Signal.TRAFFIC][:1], part, span.start)


def build_access_check(_subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The last minutes of one VM's traffic."""
    last = Window(max(span.start, span.end - timedelta(minutes=10)), span.end)
    return None if vm is None else _build_request(vm, METRIC_NAMES[Signal.TRAFFIC][:1], last)


def _build_feed_request(
    vm: VmId, names: tuple[str, ...], part: Window, since: datetime, fallbacks: tuple[FeedRequest, ...] = ()
) -> FeedRequest:
    return FeedRequest(
        request=_build_request(vm, names, part),
        scope_ids=(vm.key,),
        signals=_find_signals(names),
        read_items=_read_items,
        unpack_rows=_build_unpacker(vm, names, part),
        get_row_signals=metrics.identify_signals,
        available_since=since,
        fallbacks=fallbacks,
    )


def _find_signals(names: tuple[str, ...]) -> tuple[Signal, ...]:
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


def _build_unpacker(vm: VmId, names: tuple[str, ...], part: Window) -> Callable[[object], Iterator[object]]:
    """How the pages of one answer are read: the metrics, and what of all that was asked for is not among them."""
    held: set[str] = set()

    def unpack_rows(page: object) -> Iterator[object]:
        for owner, name, row in _list_metrics(page):
            if owner.lower().startswith(f"{vm.key}/"):
                held.add(name.lower())
            yield row
        if not find_continuation(get_members(page)):
            # Azure names every metric that was asked for, whether it has a value or not.
            for signal, known in METRIC_NAMES.items():
                if lost := [name for name in known if name in names and name.lower() not in held]:
                    yield _build_gap(vm, signal, f"the answer does not hold {', '.join(lost)}", part)
        yield from _find_unanswered_spans(vm, names, part, to_text(get_members(page).get("timespan")))

    return unpack_rows


def _list_metrics(page: object) -> Iterator[tuple[str, str, object]]:
    """The metrics of an answer by id and name; where it is as usual, packed: many answers wait for their turn."""
    if not isinstance(page, metrics.MetricsAnswer):
        for row in unpack_document(page):
            members = get_members(row)
            yield to_text(members.get("id")), to_text(members.get("name")), row
        return
    for each in page.value:
        rows: Iterator[object] = map(PackedMetricPoints.pack_points, metrics.decode_typed_metric(each))
        try:
            yield from ((each.id, each.name.value, row) for row in rows)
        except MalformedRow as fault:
            yield each.id, each.name.value, fault


def _find_unanswered_spans(vm: VmId, names: tuple[str, ...], part: Window, answered: str) -> Iterator[IncompleteRead]:
    """What of the span was not answered for: Azure may give less than was asked for, and then says so."""
    first, last = map(parse_time, answered.partition("/")[::2])
    if first is None or last is None:
        return
    spans = (Window(part.start, min(first, part.end)), Window(max(last, part.start), part.end))
    lost = [span for span in spans if span.end - span.start > ADJUSTED]
    for span, signal in product(lost, _find_signals(names)):
        yield _build_gap(vm, signal, f"the answer is of {first:%Y-%m-%d %H:%M}Z to {last:%Y-%m-%d %H:%M}Z only", span)


def _build_gap(vm: VmId, signal: Signal, reason: str, span: Window) -> IncompleteRead:
    what = f"metrics of {vm.name}"
    place = f"{what} ({signal})"
    return IncompleteRead(
        signal=signal, scope=vm.key, form=what, place=place, reason=reason, since=span.start, until=span.end
    )


def _read_items(row: PackedMetricPoints | Row, ref: str) -> Iterator[Item]:
    return iter((row,)) if isinstance(row, PackedMetricPoints) else metrics.decode_row(row, ref)


def _split_span(span: Window) -> Iterator[Window]:
    start = span.start
    while start < span.end:
        yield Window(start, min(span.end, start + SPAN_LIMIT))
        start += SPAN_LIMIT
