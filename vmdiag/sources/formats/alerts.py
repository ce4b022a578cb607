"""Activity-log alerts as webhooks and action groups deliver them; must not know what the entry inside means.

Sources: "Webhooks for Azure activity log alerts" (`data.context.activityLog`) and "Common alert schema"
(`data.essentials`, `data.alertContext`; of a metric alert `alertContext.condition.allOf[]`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import at, elements, mapping, number, objects, text
from vmdiag.sources.decoding.metric_names import known
from vmdiag.sources.decoding.resource_ids import resource, scope, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.formats import activity_log
from vmdiag.sources.items import Covers, Item, Row, Sampled

SIGNALS = log_entry.SIGNALS
# The aggregations over a window that tell what each of its minutes was.
UNIFORM = frozenset({("average", 0.0), ("average", 1.0), ("maximum", 0.0), ("minimum", 1.0)})
LONGEST_WINDOW = timedelta(days=1)  # of a metric alert's rule
SINGLE = "an alert tells single events, and only those that its rule looks for"


def recognises(row: Row) -> bool:
    """An alert has a context with an entry of the log, or the common schema's two halves, in `data` or bare."""
    body = _body(row)
    return "alertContext" in body or "activityLog" in mapping(body.get("context"))


def items(row: Row, ref: str) -> Iterator[Item]:
    """What the entry within says, or the metric of the VM's availability; other alerts say nothing."""
    body = _body(row)
    event = mapping(at(body, "context", "activityLog")) or _common(body)
    if not event:
        yield from _availability(body)
        return
    entry = activity_log.entry(event)
    where = scope(entry.resource)
    if where is not None:
        yield Covers(signal=Signal.HEALTH, scope=where, partial=SINGLE)
    yield from log_entry.said(entry, ref)


def _body(row: Row) -> Mapping[str, object]:
    data = row.get("data")
    return data if isinstance(data, dict) else row


def _common(body: Mapping[str, object]) -> Mapping[str, object]:
    """The entry of the common schema, which leaves to the essentials what it is about, and maybe when."""
    context = mapping(body.get("alertContext"))
    essentials = mapping(body.get("essentials"))
    service = text(essentials.get("monitoringService")).lower()
    if "operationName" not in context and not service.startswith(("activity log", "resource health", "service health")):
        return {}
    targets = elements(essentials.get("alertTargetIDs"))
    return {
        "resourceId": targets[0] if targets else None,
        "eventTimestamp": essentials.get("firedDateTime"),
        **{key: value for key, value in context.items() if value is not None},
    }


def _availability(body: Mapping[str, object]) -> Iterator[Item]:
    """The minutes of an alert's window over which the VM was available, or was not."""
    condition = mapping(at(body, "alertContext", "condition"))
    targets = elements(at(body, "essentials", "alertTargetIDs"))
    for criterion in objects(condition.get("allOf")):
        metric, value = known(text(criterion.get("metricName"))), number(criterion.get("metricValue"))
        if metric is None or metric.signal is not Signal.AVAILABILITY or value is None:
            continue
        named = [text(one.get("value")) for one in objects(criterion.get("dimensions")) if _is_resource(one)]
        vm = vm_itself(resource(*named, *targets[:1]))
        # Of any other figure nobody can say which minute it was.
        if vm is not None and (text(criterion.get("timeAggregation")).lower(), value) in UNIFORM:
            times = tuple(_minutes(vm, condition))
            yield Sampled(
                vm=vm, name=metric.name, signal=metric.signal, times=times, values=(float(value),) * len(times)
            )


def _is_resource(dimension: Mapping[str, object]) -> bool:
    return text(dimension.get("name")).lower() == "microsoft.resourceid"


def _minutes(vm: VmId, condition: Mapping[str, object]) -> Iterator[datetime]:
    start = first(vm, condition.get("windowStartTime"))
    end = min(first(vm, condition.get("windowEndTime")), start + LONGEST_WINDOW)
    while start < end:
        yield start
        start += timedelta(minutes=1)
