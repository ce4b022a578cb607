"""Activity-log alerts as webhooks and action groups deliver them; must not know what the entry inside means.

Sources: "Webhooks for Azure activity log alerts" (`data.context.activityLog`) and "Common alert schema"
(`data.essentials`, `data.alertContext`).
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal
from vmdiag.sources._items import Covers, Item, Row
from vmdiag.sources.archive import _log_entry, activity_log
from vmdiag.sources.archive._fields import at, elements, mapping, text
from vmdiag.sources.archive._ids import scope

SIGNALS = _log_entry.SIGNALS

SINGLE = "an alert tells single events, and only those that its rule looks for"


def recognises(row: Row) -> bool:
    """An alert has a context with an entry of the log, or the common schema's two halves, in `data` or bare."""
    body = _body(row)
    return "alertContext" in body or "activityLog" in mapping(body.get("context"))


def items(row: Row, ref: str) -> Iterator[Item]:
    """What the entry within says; alerts of metrics and log queries say nothing."""
    body = _body(row)
    event = mapping(at(body, "context", "activityLog")) or _common(body)
    if not event:
        return
    entry = activity_log.entry(event)
    where = scope(entry.resource)
    if where is not None:
        yield Covers(signal=Signal.HEALTH, scope=where, partial=SINGLE)
    yield from _log_entry.said(entry, ref)


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
