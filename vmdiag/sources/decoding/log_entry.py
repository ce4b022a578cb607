"""An entry of the activity log, freed of its wire form, and what it says; must not know the forms it comes in.

Sources: "Azure Activity Log event schema" (categories), "Categories in the Azure Activity log". The API, the exports,
Log Analytics, alerts and the portal's CSV tell the same entries in five forms.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, VirtualMachine
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import brief, facts, mapping, objects, text
from vmdiag.sources.decoding.resource_ids import carrier, scope, subscription, vm_itself, vm_of_health
from vmdiag.sources.decoding.service_incident import Incident, regional
from vmdiag.sources.items import Covers, Dated, Heard, Item, Known, Nearby

LOG_LEAVES_OUT = "the activity log does not show every live migration"

FEEDS: Mapping[str, Signal | None] = {
    "administrative": Signal.ACTIVITY,
    # The words of exports before 2018 for Administrative.
    "write": Signal.ACTIVITY,
    "action": Signal.ACTIVITY,
    "delete": Signal.ACTIVITY,
    "resourcehealth": Signal.HEALTH,
    "servicehealth": Signal.SERVICE,
    "policy": None,
    "alert": None,
    "recommendation": None,
    "autoscale": None,
    "security": None,
}
SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
# What other providers write concerns no VM's network.
PROVIDERS = frozenset({"microsoft.compute", "microsoft.network", "microsoft.classiccompute"})
SHORT = 300  # characters of a failure's message; the rest is advice and links
# Refusals name who was refused, and from which address; a private one is a machine's.
PERSONAL = re.compile(
    r"@|\bclient\b|\bobject id\b|\buser\b"
    r"|\b(?!10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, in Azure's words."""

    at: datetime
    resource: str
    operation: str
    status: str
    category: str
    substatus: str = ""
    correlation: str = ""
    event: str = ""
    properties: Mapping[str, object] = field(default_factory=dict)


def folded(category: str) -> str:
    """A category without letter case and blanks: `Resource Health`, `ResourceHealth`."""
    return category.replace(" ", "").lower()


def feed(category: str, operation: str) -> Signal | None:
    """Which feed an entry belongs to; `None` for those that say nothing of VMs.

    The operation decides first: exports and alerts leave the category out, and older ones call everything Action.
    """
    lower = operation.lower()
    if lower.startswith("microsoft.resourcehealth/healthevent/"):
        return Signal.HEALTH
    if lower.startswith("microsoft.servicehealth/"):
        return Signal.SERVICE
    if lower.startswith("microsoft.authorization/policies/"):
        return None  # a policy that looks at a VM bears the VM's own id
    return FEEDS.get(folded(category)) if category else Signal.ACTIVITY


def signals(category: str, operation: str) -> tuple[Signal, ...]:
    """The feeds that an entry may belong to of which no more is known; none where it says nothing of VMs."""
    if not (category or operation):
        return SIGNALS
    found = feed(category, operation)
    provider, marked, _ = operation.lower().partition("/")
    if found is None or (found is Signal.ACTIVITY and marked and provider not in PROVIDERS):
        return ()
    return (found,) if operation or found is not Signal.ACTIVITY else SIGNALS


def items(entry: Entry, ref: str) -> Iterator[Item]:
    """What an entry says, and that the log was read."""
    where = scope(entry.resource)
    if where is not None:
        yield from covers(where)
    vm = VmId.parse(entry.resource)
    if vm is not None:
        # Seen, even if all that was logged is a policy that looked at it.
        yield Known(VirtualMachine(id=vm))
    telling = False
    for item in said(entry, ref):
        telling = True
        yield item
    if not telling:
        yield Dated(entry.at)


@lru_cache(maxsize=1024)  # one group's entries in turn
def covers(where: str) -> tuple[Covers, ...]:
    """That the log of a group or subscription was read."""
    return (
        Covers(signal=Signal.ACTIVITY, scope=where),
        Covers(signal=Signal.HEALTH, scope=where, partial=LOG_LEAVES_OUT),
        Covers(signal=Signal.SERVICE, scope=subscription(where) or where),
    )


def said(entry: Entry, ref: str) -> Iterator[Item]:
    """What an entry says of a VM, of its network or of its region."""
    match feed(entry.category, entry.operation):
        case Signal.HEALTH:
            vm = vm_of_health(entry.resource)  # load balancers and domains have health events as well
            if vm is not None:
                told = {
                    **entry.properties,
                    "eventName": entry.event,
                    "stage": entry.status or entry.properties.get("stage"),
                }
                yield from health_status.understood(vm, entry.at, told, ref)
        case Signal.SERVICE:
            yield regional(subscription(entry.resource), entry.at, _incident(entry), ref)
        case Signal.ACTIVITY:
            yield from _administrative(entry, ref)
        case _:
            return


def _administrative(entry: Entry, ref: str) -> Iterator[Item]:
    operation = entry.operation.lower()
    vm = vm_itself(entry.resource)
    if vm is not None and "/extensions/" not in operation:
        yield Heard(vm, _record(entry, ref))
    near = carrier(entry.resource)
    # A network manager changes nothing until its configuration is committed.
    if near is not None and ("/networkmanagers/" not in near or operation.endswith("/commit/action")):
        yield Nearby(resource=near, record=_record(entry, ref))


def _record(entry: Entry, ref: str) -> Record:
    known = facts(
        correlation=entry.correlation,
        resource=entry.resource.lower(),
        substatus=entry.substatus,
        message=_failure(entry) if entry.status.lower().startswith("fail") else "",
    )
    name, status = brief(entry.operation), brief(entry.status)
    return Record(at=entry.at, signal=Signal.ACTIVITY, name=name, status=status, facts=known, ref=ref)


def _failure(entry: Entry) -> str:
    """Why an operation failed, shortly: `statusMessage` holds the answer's body as a string of JSON."""
    body = mapping(entry.properties.get("statusMessage"))
    error = mapping(body.get("error")) or body
    code, message = text(error.get("code")), text(error.get("message"))
    if PERSONAL.search(message):
        message = ""
    return ": ".join(part for part in (code, message) if part)[:SHORT]


def _incident(entry: Entry) -> Incident:
    """The incident's words: `impactedServices` is a list in a string of JSON, and titles may be in any language."""
    told = entry.properties
    hit = list(objects(told.get("impactedServices")))
    regions = [text(region.get("RegionName")) for service in hit for region in objects(service.get("ImpactedRegions"))]
    return Incident(
        kind=text(told.get("incidentType")),
        status=entry.status or text(told.get("stage")),
        title=text(told.get("defaultLanguageTitle")) or text(told.get("title")),
        services=[text(service.get("ServiceName")) for service in hit] or [text(told.get("service"))],
        regions=regions or [text(told.get("region"))],
        tracking=told.get("trackingId"),
        started=told.get("impactStartTime"),
        ended=told.get("impactMitigationTime"),
    )


def inner(properties: object) -> Mapping[str, object]:
    """The API's properties within those of an export, which may nest them, or be a string of JSON."""
    outer = mapping(properties)
    return mapping(outer.get("eventProperties")) or outer
