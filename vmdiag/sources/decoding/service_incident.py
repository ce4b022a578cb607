"""A service incident, from the activity log or from Resource Health's events, as one; must not know which VMs it hit.

Sources: "Azure Activity Log event schema: Service health category" and "Resource Health REST API: Events". A resolved
incident keeps the time at which it began; the facts say when it ended and when that was told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import collect_facts, to_short_text
from vmdiag.sources.decoding.timestamps import format_iso, parse_time
from vmdiag.sources.items import MalformedRow, ServiceIncident


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFields:
    """The words of an incident, still as written."""

    kind: str
    status: str
    title: object
    services: Iterable[str]
    regions: Iterable[str]
    tracking: object
    started: object
    ended: object


def make_service_incident(
    scope: str | None, reported_at: datetime | None, incident: IncidentFields, ref: str
) -> ServiceIncident:
    """The incident of a subscription, at the time when it began to be felt, else when it was told."""
    if scope is None:
        message = "the incident names no subscription"
        raise MalformedRow(message)
    started = parse_time(incident.started)
    at = started or reported_at
    if at is None:
        message = "the incident has no time"
        raise MalformedRow(message)
    known = collect_facts(
        title=incident.title,
        service=_join_unique(incident.services),
        regions=_join_unique(incident.regions),
        tracking=incident.tracking,
        started=format_iso(started),
        ended=format_iso(parse_time(incident.ended)),
        told=format_iso(reported_at),
    )
    name, status = to_short_text(incident.kind) or "Incident", to_short_text(incident.status)
    record = Record(at=at, signal=Signal.SERVICE, name=name, status=status, facts=known, ref=ref)
    return ServiceIncident(scope.rpartition("/")[2], record)


def _join_unique(names: Iterable[str]) -> str:
    """The names once each, in the order told; no service and no region has a comma in its name."""
    return ",".join(dict.fromkeys(name for name in names if name))
