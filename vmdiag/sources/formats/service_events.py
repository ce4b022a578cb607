"""Items of Resource Health's service events: incidents and maintenance of regions.

Source: "REST API: Events - List By Subscription Id".
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_resource_id, find_text, iter_objects, parse_subscription, to_mapping
from vmdiag.sources.decoding.health_status import IncidentFields, make_service_incident
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import FeedCoverage, Item

SIGNALS = (Signal.SERVICE,)
EVENT_TYPE = re.compile(r"(?i)(?:/providers/)?microsoft\.resourcehealth/events")  # some versions have the prefix
INCIDENT_TYPE = "serviceissue"


def has_event_properties(row: Row) -> bool:
    """Whether an item is built like an event."""
    said = to_mapping(row.get("properties"))
    return "eventType" in said and ("eventSource" in said or "impact" in said)


SIGNATURES = (
    Signature(kind=EVENT_TYPE),
    Signature(all_of={"properties"}, kind=re.compile(""), condition=has_event_properties),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The incident, and that the feed was read; maintenance and advice say no more than that."""
    said = to_mapping(row.get("properties"))
    where = parse_subscription(find_resource_id(row.get("id")))
    if where is not None:
        yield FeedCoverage(signal=Signal.SERVICE, scope=where)
    kind = find_text(said, "eventType")
    if kind.lower() != INCIDENT_TYPE:
        return
    impacts = list(iter_objects(said.get("impact")))
    regions = [region for impact in impacts for region in iter_objects(impact.get("impactedRegions"))]
    incident = IncidentFields(
        kind=kind,
        status=find_text(said, "status"),
        title=said.get("title"),
        services=[find_text(impact, "impactedService") for impact in impacts],
        regions=[find_text(region, "impactedRegion") for region in regions],
        tracking=find_text(row, "name") or said.get("trackingId"),
        started=said.get("impactStartTime"),
        ended=said.get("impactMitigationTime"),
    )
    yield make_service_incident(where, parse_time(said.get("lastUpdateTime")), incident, ref)
