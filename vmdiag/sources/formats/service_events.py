"""Items of Resource Health's service events: incidents and maintenance of regions; must not know which VMs they hit.

Source: "REST API: Events - List By Subscription Id".
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import mapping, objects, text
from vmdiag.sources.decoding.resource_ids import resource, subscription
from vmdiag.sources.decoding.service_incident import Incident, regional
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.items import Covers, Item, Row

SIGNALS = (Signal.SERVICE,)

KIND = "microsoft.resourcehealth/events"
INCIDENT = "serviceissue"


def recognises(row: Row) -> bool:
    """An item of that type (some versions put `/providers/` before it), or one built like an event."""
    kind = text(row.get("type")).lower()
    if kind:
        return kind.removeprefix("/providers/") == KIND
    said = mapping(row.get("properties"))
    return "eventType" in said and ("eventSource" in said or "impact" in said)


def items(row: Row, ref: str) -> Iterator[Item]:
    """The incident, and that the feed was read; maintenance and advice say no more than that."""
    said = mapping(row.get("properties"))
    where = subscription(resource(row.get("id")))
    if where is not None:
        yield Covers(signal=Signal.SERVICE, scope=where)
    kind = text(said.get("eventType"))
    if kind.lower() != INCIDENT:
        return
    impacts = list(objects(said.get("impact")))
    incident = Incident(
        kind=kind,
        status=text(said.get("status")),
        title=said.get("title"),
        services=[text(impact.get("impactedService")) for impact in impacts],
        regions=[
            text(region.get("impactedRegion"))
            for impact in impacts
            for region in objects(impact.get("impactedRegions"))
        ],
        tracking=text(row.get("name")) or said.get("trackingId"),
        started=said.get("impactStartTime"),
        ended=said.get("impactMitigationTime"),
    )
    yield regional(where, parse(said.get("lastUpdateTime")), incident, ref)
