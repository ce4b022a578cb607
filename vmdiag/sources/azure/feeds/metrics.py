"""The platform metrics of VMs: traffic, flows, availability, CPU, disk; by the hour over all, then by the minute.

Source: "REST API: Metrics - List", "Supported metrics for Microsoft.Compute/virtualMachines". They are kept 93 days. A
cloud that does not know one of the names refuses the whole call, so then each kind is asked for alone.

Many VMs are asked for at once where the cloud has an endpoint for that ("Metrics Batch - Batch": up to 50 resources of
one subscription, region and type a call), and one by one where it refuses or is not there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, product

from vmdiag.arm.request import Endpoint, Request, get_members
from vmdiag.completeness import MalformedRow, Row, find_continuation, find_missing_part
from vmdiag.errors import BadAnswer, NotAllowed, NotFound, NotSignedIn, Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest, clip_to_retention
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import cut_at, find_text, to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import metrics
from vmdiag.sources.items import HourlyReadings, IncompleteRead, Item, PackedMetricPoints
from vmdiag.values import Struct, replace

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
# The most resources of a batch, the namespace that it asks in, and what makes a batch no answer: each VM is asked then.
BATCH_LIMIT = 50
NAMESPACE = "Microsoft.Compute/virtualMachines"
BATCH_REFUSALS = (BadAnswer, NotAllowed, NotFound, NotSignedIn, Unreachable)
MINUTE_AGGREGATIONS, HOUR_AGGREGATIONS = "Total,Average", "Average,Minimum,Maximum,Total,Count"
# What may be missing in a cloud that lags; the others have been there since 2018.
FALLBACK_NAMES = (
    ("Network In Total",),
    ("Inbound Flows",),
    ("VmAvailabilityMetric",),
    ("Percentage CPU", *METRIC_NAMES[Signal.DISK]),
)


class MetricQuery(Struct, frozen=True, kw_only=True):
    """What is asked of VMs in one call: names, a span, by the minute or by the hour."""

    span: Window
    names: tuple[str, ...] = tuple(chain(*METRIC_NAMES.values()))
    is_hourly: bool = False

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What the names tell of."""
        return tuple(signal for signal, known in METRIC_NAMES.items() if set(known) & set(self.names))

    @property
    def params(self) -> dict[str, str]:
        """What both ways of asking have in common."""
        interval, aggregation = ("PT1H", HOUR_AGGREGATIONS) if self.is_hourly else ("PT1M", MINUTE_AGGREGATIONS)
        return {"metricnames": ",".join(self.names), "interval": interval, "aggregation": aggregation}


class MetricBatch(Struct, frozen=True):
    """VMs that are asked for together, of one subscription: at the endpoint of a region, without one one by one."""

    vms: tuple[VmId, ...]
    region: str = ""


def build_hourly_requests(
    batch: MetricBatch, span: Window, now: datetime, add_readings: Callable[[HourlyReadings], object]
) -> Iterator[FeedRequest]:
    """The metrics by the hour, told to `add_readings`; by the minute where hours are not known.

    None for a span of which no point is kept.
    """
    known = clip_to_retention(span, now, RETENTION)
    if known is None:
        return

    def build_single(vm: VmId, query: MetricQuery, fallbacks: tuple[FeedRequest, ...]) -> FeedRequest:
        single = _build_single_request(vm, query)
        read_items = partial(_read_hours, add_readings)
        return replace(single, read_items=read_items, available_since=known.start, fallbacks=fallbacks)

    query = MetricQuery(span=known, is_hourly=True)
    singles = []
    for vm in batch.vms:
        fallbacks = []
        for names in FALLBACK_NAMES:
            parts = [_build_single_request(vm, MetricQuery(span=part, names=names)) for part in _split_span(known)]
            minutes = tuple(replace(part, available_since=known.start) for part in parts)
            fallbacks.append(build_single(vm, replace(query, names=names), minutes))
        singles.append(build_single(vm, query, tuple(fallbacks)))
    for request in _join_requests(batch, query, singles):
        read_items = partial(_read_hours, add_readings)
        yield replace(request, read_items=read_items, available_since=known.start)


def build_minute_requests(batch: MetricBatch, spans: Iterable[Window], names: Iterable[str]) -> Iterator[FeedRequest]:
    """Some metrics by the minute, over spans."""
    for span in spans:
        query = MetricQuery(span=span, names=tuple(names))
        singles = [replace(_build_single_request(vm, query), span=span) for vm in batch.vms]
        yield from (replace(request, span=span) for request in _join_requests(batch, query, singles))


def build_comparison_requests(batch: MetricBatch, span: Window) -> Iterator[FeedRequest]:
    """Of VMs that are to show what happened around others the traffic alone."""
    for part in _split_span(span):
        query = MetricQuery(names=METRIC_NAMES[Signal.TRAFFIC][:1], span=part)
        singles = [replace(_build_single_request(vm, query), available_since=span.start) for vm in batch.vms]
        yield from _join_requests(batch, query, singles)


def build_access_check(_subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The last minutes of one VM's traffic."""
    last = Window(max(span.start, span.end - timedelta(minutes=10)), span.end)
    names = METRIC_NAMES[Signal.TRAFFIC][:1]
    return None if vm is None else _build_request(vm, MetricQuery(names=names, span=last))


def _build_single_request(vm: VmId, query: MetricQuery) -> FeedRequest:
    return FeedRequest(
        request=_build_request(vm, query),
        scope_ids=(vm.key,),
        signals=query.signals,
        read_items=_read_items,
        unpack_rows=_build_unpacker((vm,), query),
        get_row_signals=metrics.identify_signals,
    )


def _build_request(vm: VmId, query: MetricQuery) -> Request:
    alone = f" ({query.names[0]})" if len(query.names) == 1 else ""
    return Request(
        description=f"metrics of {vm.name}{alone}",
        service="metrics",
        path=f"{vm}/providers/Microsoft.Insights/metrics",
        permission=PERMISSIONS[0],
        params={
            **query.params,
            "timespan": f"{query.span.start:%Y-%m-%dT%H:%M:%SZ}/{query.span.end:%Y-%m-%dT%H:%M:%SZ}",
        },
        answer_type=metrics.MetricsAnswer,
    )


def _join_requests(batch: MetricBatch, query: MetricQuery, singles: Sequence[FeedRequest]) -> Iterator[FeedRequest]:
    """One request for all where their region's endpoint is asked, with those of each as what to do where it refuses."""
    if not batch.region:
        yield from singles
        return
    request = Request(
        description=f"metrics of {len(batch.vms)} VMs in {batch.region}",
        service="metrics-batch",
        path=f"/subscriptions/{batch.vms[0].subscription}/metrics:getBatch",
        permission=PERMISSIONS[0],
        params={
            **query.params,
            "metricnamespace": NAMESPACE,
            "starttime": f"{query.span.start:%Y-%m-%dT%H:%M:%SZ}",
            "endtime": f"{query.span.end:%Y-%m-%dT%H:%M:%SZ}",
        },
        # In lower case, as its reference says.
        body={"resourceids": [str(vm) for vm in batch.vms]},
        endpoint=Endpoint.METRICS,
        region=batch.region,
        answer_type=metrics.BatchAnswer,
    )
    yield replace(
        singles[0],
        request=request,
        scope_ids=tuple(vm.key for vm in batch.vms),
        unpack_rows=_build_unpacker(batch.vms, query),
        list_member="values",
        fallbacks=tuple(singles),
        fallback_errors=BATCH_REFUSALS,
    )


def _build_unpacker(vms: Sequence[VmId], query: MetricQuery) -> Callable[[object], Iterator[object]]:
    """How the pages of one answer are read: the metrics, and what of all that was asked for is not among them."""
    held: set[tuple[str, str]] = set()

    def unpack_rows(page: object) -> Iterator[object]:
        # The answers of one VM each: the page itself, or those of a batch.
        values = get_members(page).get("values")
        for answer in values if isinstance(values, list) else (page,):
            for owner, name, row in _list_metrics(answer, query):
                held.add((cut_at(owner.lower(), metrics.METRIC_PROVIDER), name.lower()))
                yield row
            yield from _find_answered_less(vms, query, get_members(answer), is_batched=answer is not page)
        if not find_continuation(get_members(page)):
            # Azure names every metric that was asked for, whether it has a value or not.
            for vm, (signal, known) in product(vms, METRIC_NAMES.items()):
                asked = [name for name in known if name in query.names]
                if lost := [name for name in asked if (vm.key, name.lower()) not in held]:
                    yield _build_gap(vm, signal, f"the answer does not hold {', '.join(lost)}", query.span)

    return unpack_rows


def _list_metrics(answer: object, query: MetricQuery) -> Iterator[tuple[str, str, object]]:
    """The metrics of an answer by id and name; where it is as usual, packed: many answers wait for their turn."""
    if not isinstance(answer, metrics.MetricsAnswer | metrics.BatchedMetrics):
        for row in unpack_document(answer):
            members = get_members(row)
            yield to_text(members.get("id")), find_text(members, "name"), row
        return
    for each in answer.value:
        try:
            try:
                decoded = metrics.decode_hourly_metric(each) if query.is_hourly else metrics.decode_typed_metric(each)
                rows: list[object] = list(decoded)
            except metrics.UNUSUAL:
                # Something is odd in its points, which costs only itself when they are read plainly.
                rows = [each.build_plain_row()]
        except MalformedRow as fault:
            rows = [fault]
        for one in rows:
            yield each.id, each.name.value, one


def _find_answered_less(
    vms: Sequence[VmId], query: MetricQuery, members: Mapping[str, object], *, is_batched: bool
) -> Iterator[IncompleteRead]:
    """What of the span was not answered for: Azure may give less than was asked for, and then says so."""
    owner = to_text(members.get("resourceid")).lower()
    concerned = [vm for vm in vms if not is_batched or vm.key == owner]
    # Beside the whole of a plain answer whoever reads its pages looks.
    if is_batched and (lack := find_missing_part(members, 0)):
        for vm, signal in product(concerned or vms, query.signals):
            yield _build_gap(vm, signal, lack.reason, query.span)
    ends = to_text(members.get("timespan")).partition("/")[::2]
    first, last = (parse_time(end) for end in (ends if any(ends) else map(members.get, ("starttime", "endtime"))))
    if first is None or last is None:
        return
    part = query.span
    spans = (Window(part.start, min(first, part.end)), Window(max(last, part.start), part.end))
    lost = [span for span in spans if span.end - span.start > ADJUSTED]
    for vm, span, signal in product(concerned, lost, query.signals):
        yield _build_gap(vm, signal, f"the answer is of {first:%Y-%m-%d %H:%M}Z to {last:%Y-%m-%d %H:%M}Z only", span)


def _build_gap(vm: VmId, signal: Signal, reason: str, span: Window) -> IncompleteRead:
    what = f"metrics of {vm.name}"
    place = f"{what} ({signal})"
    return IncompleteRead(
        signal=signal, scope=vm.key, form=what, place=place, reason=reason, since=span.start, until=span.end
    )


def _read_items(row: PackedMetricPoints | Row, ref: str) -> Iterator[Item]:
    return iter((row,)) if isinstance(row, PackedMetricPoints) else metrics.decode_row(row, ref)


def _read_hours(add_readings: Callable[[HourlyReadings], object], row: HourlyReadings | Row, _: str) -> Iterator[Item]:
    for one in (row,) if isinstance(row, HourlyReadings) else metrics.decode_hourly_row(row):
        add_readings(one)
    return iter(())


def _split_span(span: Window) -> Iterator[Window]:
    start = span.start
    while start < span.end:
        yield Window(start, min(span.end, start + SPAN_LIMIT))
        start += SPAN_LIMIT
