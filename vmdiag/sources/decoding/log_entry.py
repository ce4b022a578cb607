"""An entry of the activity log, freed of its wire form, what it says, and what portals call operations.

Sources: "Azure Activity Log event schema" (categories), "Categories in the Azure Activity log"; of the names of
operations the `localizedValue` of recorded events, and "Azure resource provider operations". The API, the exports, Log
Analytics, alerts and the portal's CSV tell the same entries in five forms. A portal in another language shows other
names of operations; those stay as they are.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from vmdiag.completeness import MalformedRow
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, VirtualMachine
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import (
    collect_facts,
    find_resource_id,
    find_text,
    iter_objects,
    parse_health_vm,
    parse_network_id,
    parse_scope,
    parse_subscription,
    parse_vm_id,
    to_mapping,
    to_short_text,
)
from vmdiag.sources.decoding.health_status import IncidentFields, make_service_incident
from vmdiag.sources.items import FeedCoverage, Item, NetworkChange, ObservedTime, VmInventory, VmRecord
from vmdiag.values import Struct, field

_VM = "Microsoft.Compute/virtualMachines"
_NET = "Microsoft.Network"

VM_ACTIONS = {
    "start": "start",
    "restart": "restart",
    "power off": "powerOff",
    "stop": "powerOff",
    "deallocate": "deallocate",
    "redeploy": "redeploy",
    "reapply": "reapply",
    "reimage": "reimage",
    "generalize": "generalize",
    "capture": "capture",
    "run command on": "runCommand",
    "perform maintenance on": "performMaintenance",
    "simulate eviction of": "simulateEviction",
    "live migrate": "liveMigration",
}
RESOURCE_TYPES = {
    "virtual machine": _VM,
    "virtual machine extension": f"{_VM}/extensions",
    "application gateway": f"{_NET}/applicationGateways",
    "azure firewall": f"{_NET}/azureFirewalls",
    "firewall policy": f"{_NET}/firewallPolicies",
    "load balancer": f"{_NET}/loadBalancers",
    "nat gateway": f"{_NET}/natGateways",
    "network interface": f"{_NET}/networkInterfaces",
    "network security group": f"{_NET}/networkSecurityGroups",
    "public ip address": f"{_NET}/publicIPAddresses",
    "route": f"{_NET}/routeTables/routes",
    "route table": f"{_NET}/routeTables",
    "security rule": f"{_NET}/networkSecurityGroups/securityRules",
    "virtual network": f"{_NET}/virtualNetworks",
    "virtual network gateway": f"{_NET}/virtualNetworkGateways",
    "virtual network peering": f"{_NET}/virtualNetworks/virtualNetworkPeerings",
    "virtual network subnet": f"{_NET}/virtualNetworks/subnets",
}
HEALTH_EVENTS = ("Activated", "Updated", "Resolved", "InProgress", "Pending")

BY_DISPLAY_NAME = {
    **{f"{words} virtual machine": f"{_VM}/{action}/action" for words, action in VM_ACTIONS.items()},
    **{f"create or update {words}": f"{kind}/write" for words, kind in RESOURCE_TYPES.items()},
    **{f"delete {words}": f"{kind}/delete" for words, kind in RESOURCE_TYPES.items()},
    **{f"health event {verb.lower()}": f"Microsoft.Resourcehealth/healthevent/{verb}/action" for verb in HEALTH_EVENTS},
}


def find_operation_name(written: str) -> str:
    """Resource Manager's name of an operation that is told by its display name; any other text as it is."""
    return BY_DISPLAY_NAME.get(written.lower(), written)


LOG_INCOMPLETE = "the activity log does not show every live migration"

FEEDS_BY_CATEGORY: Mapping[str, Signal | None] = {
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
VM_PROVIDERS = frozenset({"microsoft.compute", "microsoft.network", "microsoft.classiccompute"})
MESSAGE_LENGTH = 300  # characters of a failure's message; the rest is advice and links
# Refusals name who was refused, and from which address; a private one is a machine's.
PERSONAL_DATA = re.compile(
    r"@|\bclient\b|\bobject id\b|\buser\b"
    r"|\b(?!10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)


class LogEntry(Struct, frozen=True, kw_only=True):
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


def fold_category(category: str) -> str:
    """A category without letter case and blanks: `Resource Health`, `ResourceHealth`."""
    return category.replace(" ", "").lower()


def find_feed(category: str, operation: str) -> Signal | None:
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
    return FEEDS_BY_CATEGORY.get(fold_category(category)) if category else Signal.ACTIVITY


def list_possible_signals(category: str, operation: str) -> tuple[Signal, ...]:
    """The feeds that an entry may belong to of which no more is known; none where it says nothing of VMs."""
    if not (category or operation):
        return SIGNALS
    found = find_feed(category, operation)
    provider, marked, _ = operation.lower().partition("/")
    if found is None or (found is Signal.ACTIVITY and marked and provider not in VM_PROVIDERS):
        return ()
    return (found,) if operation or found is not Signal.ACTIVITY else SIGNALS


def decode_entry(entry: LogEntry, ref: str) -> Iterator[Item]:
    """What an entry says, and that the log was read."""
    where = parse_scope(entry.resource)
    if where is not None:
        yield from list_coverage(where)
    vm = VmId.parse(entry.resource)
    if vm is not None:
        # Seen, even if all that was logged is a policy that looked at it.
        yield VmInventory(VirtualMachine(id=vm))
    item = None
    for item in decode_entry_content(entry, ref):
        yield item
    if item is None:
        yield ObservedTime(entry.at)


@lru_cache(maxsize=1024)  # one group's entries in turn
def list_coverage(where: str) -> tuple[FeedCoverage, ...]:
    """That the log of a group or subscription was read."""
    return (
        FeedCoverage(signal=Signal.ACTIVITY, scope=where),
        FeedCoverage(signal=Signal.HEALTH, scope=where, partial=LOG_INCOMPLETE),
        FeedCoverage(signal=Signal.SERVICE, scope=parse_subscription(where) or where),
    )


# An id of a group's resource that is neither a VM's nor a network's, as nearly all are.
OTHER_RESOURCE = re.compile(
    r"(/subscriptions/[^/]++/resourcegroups/[^/]++)/providers(?:/(?!virtualmachines/|microsoft\.network/)[^/\s]++)++"
)


def find_silent_parent(parent: str) -> str | None:
    """The group of whatever is right below a part of an id, where that is no VM, whichever single word its name is."""
    found = OTHER_RESOURCE.fullmatch(f"{parent}/x".lower())
    return found[1] if found else None


def find_silent_scope(resource: str) -> str | None:
    """The group or subscription of a resource of which an entry shows no more than that its log was read."""
    parent, _, name = resource.rpartition("/")
    if name.split() == [name] and (scope := find_silent_parent(parent)):
        return scope
    try:
        target = find_resource_id(resource)
    except MalformedRow:
        return None
    tells = VmId.parse(target) or parse_health_vm(target) or parse_network_id(target)
    return None if tells else parse_scope(target)


def is_silent_kind(operation: str, category: str) -> bool:
    """Whether an entry of this kind tells only of the resource that it names."""
    is_known = bool(operation) and fold_category(category) in FEEDS_BY_CATEGORY
    return is_known and find_feed(category, operation) is not Signal.SERVICE


def cover_scope(identifier: str, signal: Signal, partial: str | None = None) -> Iterator[FeedCoverage]:
    """That a feed of the group or subscription of an id was read."""
    where = parse_scope(identifier)
    if where is not None:
        yield FeedCoverage(signal=signal, scope=where, partial=partial)


def decode_entry_content(entry: LogEntry, ref: str) -> Iterator[Item]:
    """What an entry says of a VM, of its network or of its region."""
    match find_feed(entry.category, entry.operation):
        case Signal.HEALTH:
            vm = parse_health_vm(entry.resource)  # load balancers and domains have health events as well
            if vm is not None:
                stage = entry.status or entry.properties.get("stage")
                named = {**entry.properties, "eventName": entry.event, "stage": stage}
                yield from health_status.decode_health_event(vm, entry.at, named, ref)
        case Signal.SERVICE:
            # `impactedServices` is a list in a string of JSON, and titles may be in any language.
            told = entry.properties
            hit = list(iter_objects(told.get("impactedServices")))
            regions = [
                find_text(region, "RegionName")
                for service in hit
                for region in iter_objects(service.get("ImpactedRegions"))
            ]
            incident = IncidentFields(
                kind=find_text(told, "incidentType"),
                status=entry.status or find_text(told, "stage"),
                title=find_text(told, "defaultLanguageTitle") or find_text(told, "title"),
                services=[find_text(service, "ServiceName") for service in hit] or [find_text(told, "service")],
                regions=regions or [find_text(told, "region")],
                tracking=told.get("trackingId"),
                started=told.get("impactStartTime"),
                ended=told.get("impactMitigationTime"),
            )
            yield make_service_incident(parse_subscription(entry.resource), entry.at, incident, ref)
        case Signal.ACTIVITY:
            operation = entry.operation.lower()
            vm, near = parse_vm_id(entry.resource), parse_network_id(entry.resource)
            if vm is not None and "/extensions/" not in operation:
                yield VmRecord(vm, _make_record(entry, ref))
            # A network manager changes nothing until its configuration is committed.
            if near is not None and ("/networkmanagers/" not in near or operation.endswith("/commit/action")):
                yield NetworkChange(resource=near, record=_make_record(entry, ref))
        case _:
            return


def _make_record(entry: LogEntry, ref: str) -> Record:
    message = ""
    if entry.status.lower().startswith("fail"):
        # `statusMessage` holds the answer's body as a string of JSON.
        body = to_mapping(entry.properties.get("statusMessage"))
        error = to_mapping(body.get("error")) or body
        code, words = find_text(error, "code"), find_text(error, "message")
        message = ": ".join(filter(None, (code, "" if PERSONAL_DATA.search(words) else words)))
    known = collect_facts(
        correlation=entry.correlation,
        resource=entry.resource.lower(),
        substatus=entry.substatus,
        message=message[:MESSAGE_LENGTH],
    )
    name, status = to_short_text(entry.operation), to_short_text(entry.status)
    return Record(at=entry.at, signal=Signal.ACTIVITY, name=name, status=status, facts=known, ref=ref)


def unwrap_properties(properties: object) -> Mapping[str, object]:
    """The API's properties within those of an export, which may nest them, or be a string of JSON."""
    outer = to_mapping(properties)
    return to_mapping(outer.get("eventProperties")) or outer
