"""Items of Resource Health's service events: incidents and maintenance of regions; must not know which VMs they hit.

Source: "REST API: Events - List By Subscription Id".
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_resource_id, iter_objects, parse_subscription, to_mapping, to_text
from vmdiag.sources.decoding.health_status import IncidentFields, make_service_incident
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.items import FeedCoverage, Item, Row

SIGNALS = (Signal.SERVICE,)

EVENT_TYPE = "microsoft.resourcehealth/events"
INCIDENT_TYPE = "serviceissue"


def recognises_row(row: Row) -> bool:
    """An item of that type (some versions put `/providers/` before it), or one built like an event."""
    kind = to_text(row.get("type")).lower()
    if kind:
        return kind.removeprefix("/providers/") == EVENT_TYPE
    said = to_mapping(row.get("properties"))
    return "eventType" in said and ("eventSource" in said or "impact" in said)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The incident, and that the feed was read; maintenance and advice say no more than that."""
    said = to_mapping(row.get("properties"))
    where = parse_subscription(find_resource_id(row.get("id")))
    if where is not None:
        yield FeedCoverage(signal=Signal.SERVICE, scope=where)
    kind = to_text(said.get("eventType"))
    if kind.lower() != INCIDENT_TYPE:
        return
    impacts = list(iter_objects(said.get("impact")))
    incident = IncidentFields(
        kind=kind,
        status=to_text(said.get("status")),
        title=said.get("title"),
        services=[to_text(impact.get("impactedService")) for impact in impacts],
        regions=[
            to_text(region.get("impactedRegion"))
            for impact in impacts
            for region in iter_objects(impact.get("impactedRegions"))
        ],
        tracking=to_text(row.get("name")) or said.get("trackingId"),
        started=said.get("impactStartTime"),
        ended=said.get("impactMitigationTime"),
    )
    yield make_service_incident(where, parse_time(said.get("lastUpdateTime")), incident, ref)
