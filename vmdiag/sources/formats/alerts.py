"""Activity-log alerts as webhooks and action groups deliver them.

Sources: "Webhooks for Azure activity log alerts" (`data.context.activityLog`) and "Common alert schema"
(`data.essentials`, `data.alertContext`; of a metric alert `alertContext.condition.allOf[]`).
"""

from collections.abc import Iterator
from datetime import timedelta

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    find_text,
    get_path,
    iter_objects,
    parse_vm_id,
    to_list,
    to_mapping,
    to_number,
)
from vmdiag.sources.decoding.metric_names import find_metric
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature, activity_log, metrics
from vmdiag.sources.items import Item, MetricPoints

SIGNALS = log_entry.SIGNALS
# The aggregations over a window that tell what each of its minutes was.
UNIFORM_AGGREGATES = frozenset({("average", 0.0), ("average", 1.0), ("maximum", 0.0), ("minimum", 1.0)})
LONGEST_WINDOW = timedelta(days=1)  # of a metric alert's rule
MINUTE = timedelta(minutes=1)
SERVICES_OF_THE_LOG = ("activity log", "resource health", "service health")
SINGLE_EVENTS_ONLY = "an alert tells single events, and only those that its rule looks for"


def has_context(row: Row) -> bool:
    """Whether an entry of the log, or the common schema's two halves, stand in `data` or bare."""
    body = _unwrap_data(row)
    return "alertContext" in body or "activityLog" in to_mapping(body.get("context"))


SIGNATURES = (Signature(one_of={"data", "alertContext", "context"}, condition=has_context),)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What the entry within says, or the metric of the VM's availability; other alerts say nothing."""
    body = _unwrap_data(row)
    event = to_mapping(get_path(body, "context", "activityLog"))
    context, essentials = to_mapping(body.get("alertContext")), to_mapping(body.get("essentials"))
    service = find_text(essentials, "monitoringService").lower()
    if not event and ("operationName" in context or service.startswith(SERVICES_OF_THE_LOG)):
        # The common schema leaves to the essentials what an entry is about, and maybe when.
        event = {
            "resourceId": next(iter(to_list(essentials.get("alertTargetIDs"))), None),
            "eventTimestamp": essentials.get("firedDateTime"),
            **{key: value for key, value in context.items() if value is not None},
        }
    if event:
        entry = activity_log.decode_log_entry(event)
        yield from log_entry.cover_scope(entry.resource, Signal.HEALTH, SINGLE_EVENTS_ONLY)
        yield from log_entry.decode_entry_content(entry, ref)
        return
    # The minutes of the alert's window over which the VM was available, or was not.
    condition = to_mapping(context.get("condition"))
    targets = to_list(essentials.get("alertTargetIDs"))
    for criterion in iter_objects(condition.get("allOf")):
        metric, value = find_metric(find_text(criterion, "metricName")), to_number(criterion.get("metricValue"))
        if metric is None or metric.signal is not Signal.AVAILABILITY or value is None:
            continue
        vm = parse_vm_id(find_resource_id(metrics.find_dimension(criterion.get("dimensions")), *targets[:1]))
        # Of any other figure nobody can say which minute it was.
        if vm is not None and (find_text(criterion, "timeAggregation").lower(), value) in UNIFORM_AGGREGATES:
            start = require_time(vm, condition.get("windowStartTime"))
            end = min(require_time(vm, condition.get("windowEndTime")), start + LONGEST_WINDOW)
            times = tuple(start + count * MINUTE for count in range(-((start - end) // MINUTE)))
            values = (float(value),) * len(times)
            yield MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)


def _unwrap_data(row: Row) -> Row:
    data = row.get("data")
    return data if isinstance(data, dict) else row
