"""A service incident, from the activity log or from Resource Health's events, as one; must not know which VMs it hit.

Sources: "Azure Activity Log event schema: Service health category" and "Resource Health REST API: Events". A resolved
incident keeps the time at which it began; the facts say when it ended and when that was told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import brief, facts
from vmdiag.sources.decoding.timestamps import iso, parse
from vmdiag.sources.items import Malformed, Regional


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The words of an incident, still as written."""

    kind: str
    status: str
    title: object
    services: Iterable[str]
    regions: Iterable[str]
    tracking: object
    started: object
    ended: object


def regional(scope: str | None, told: datetime | None, incident: Incident, ref: str) -> Regional:
    """The incident of a subscription, at the time when it began to be felt, else when it was told."""
    if scope is None:
        message = "the incident names no subscription"
        raise Malformed(message)
    started = parse(incident.started)
    at = started or told
    if at is None:
        message = "the incident has no time"
        raise Malformed(message)
    known = facts(
        title=incident.title,
        service=_joined(incident.services),
        regions=_joined(incident.regions),
        tracking=incident.tracking,
        started=iso(started),
        ended=iso(parse(incident.ended)),
        told=iso(told),
    )
    name, status = brief(incident.kind) or "Incident", brief(incident.status)
    record = Record(at=at, signal=Signal.SERVICE, name=name, status=status, facts=known, ref=ref)
    return Regional(scope.rpartition("/")[2], record)


def _joined(names: Iterable[str]) -> str:
    """The names once each, in the order told; no service and no region has a comma in its name."""
    return ",".join(dict.fromkeys(name for name in names if name))
