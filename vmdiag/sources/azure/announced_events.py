"""What Azure has announced to do to a VM, and whether it publishes such announcements at all; must not weigh it.

Sources: "Scheduled Events in Azure Resource Graph" (events of a scale set bear the set's id and name the VMs in
`Resources`; for availability sets that is inferred; to publish takes a feature flag, and a policy on the VM or on the
set that it is in), "REST API: Features - Get".
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.sources.decoding.fields import at, elements, mapping, objects, text
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.items import Row

# Announced events that stop a VM; a freeze does not, and what has ended is no announcement.
STOPPING, OVER = ("redeploy", "reboot", "restart", "preempt", "terminate"), ("completed", "canceled")
FEATURE = "SendScheduledEventsPolicy"
_SETS = ("availabilitySet", "virtualMachineScaleSet")


def sets_of(machine: Row) -> list[str]:
    """The ids of the sets that a VM is in."""
    members = mapping(machine.get("properties"))
    return [found for word in _SETS if (found := text(at(members, word, "id")))]


def policy_request(set_id: str) -> Request:
    """A set, for its policy: a VM of a set cannot carry its own."""
    kind = set_id.lower().rpartition("/providers/microsoft.compute/")[2].partition("/")[0]
    name = "virtualMachineScaleSets" if kind == "virtualmachinescalesets" else "availabilitySets"
    return Request(
        what=f"the set {set_id.rpartition('/')[2]}",
        service="virtual-machine",
        path=set_id,
        permission=f"Microsoft.Compute/{name}/read",
    )


def feature_request(subscription: str) -> Request:
    """Whether a subscription, given by its id, has opted into publishing scheduled events."""
    return Request(
        what=f"the feature {FEATURE}",
        service="features",
        path=f"{subscription}/providers/Microsoft.Features/providers/Microsoft.Compute/features/{FEATURE}",
        permission="Microsoft.Features/providers/features/read",
    )


def is_registered(feature: Row) -> bool:
    """Whether a feature flag is on."""
    return text(at(feature, "properties", "state")).lower() == "registered"


def publishes(members: Row) -> bool:
    """Whether the policy of a VM or set lets its scheduled events be published."""
    targets = at(members, "scheduledEventsPolicy", "scheduledEventsAdditionalPublishingTargets")
    return at(targets, "eventGridAndResourceGraph", "enable") is True


def approves_itself(members: Row) -> bool:
    """Whether a redeploy by a user starts at once, whatever listens inside the guest."""
    return at(members, "scheduledEventsPolicy", "userInitiatedRedeploy", "automaticallyApprove") is True


def announced(vm: VmId, sets: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """What is announced for the VM, by its own events and by those of its sets that name it, or nobody."""
    above = {each.lower() for each in sets}
    for row in rows:
        about = text(row.get("vm")).lower()
        for event in _events(mapping(row.get("properties"))):
            said = _said(event)
            if said and VmId.parse(about) == vm:
                yield said
            elif said and about in above:
                named, whole = _named(event), about.rpartition("/")[2]
                if vm.name.lower() in named:
                    yield said
                elif not named - {whole}:
                    # Which of its VMs are meant is not told: each may be.
                    yield f"{said}, in its set {whole} and without a word of which VMs are meant"


def _named(event: Row) -> set[str]:
    """The names of the VMs that an event of a set is for."""
    names = {text(name).lower().rpartition("/")[2] for name in elements(_folded(event).get("resources"))}
    target = VmId.parse(text(_folded(event).get("targetresourceid")))
    return (names | ({target.name.lower()} if target is not None else set())) - {""}


def window(members: Row, now: datetime) -> Iterator[str]:
    """Planned maintenance as the instance view tells it."""
    told = mapping(at(members, "instanceView", "maintenanceRedeployStatus"))
    start, end = parse(told.get("maintenanceWindowStartTime")), parse(told.get("maintenanceWindowEndTime"))
    if start is not None and end is not None and end > now:
        yield f"planned maintenance from {start:%Y-%m-%d %H:%M}Z to {end:%Y-%m-%d %H:%M}Z"


def _events(properties: Row) -> Iterator[Row]:
    """A scheduled event stands alone, updates in a list."""
    return objects(properties.get("value")) if "value" in properties else iter((properties,))


def _folded(event: Row) -> dict[str, object]:
    return {str(name).lower(): value for name, value in event.items()}


def _said(event: Row) -> str:
    known = {name: text(value) for name, value in _folded(event).items()}
    kind = known.get("eventtype") or known.get("impacttype") or ""
    status = (known.get("eventstatus") or known.get("status") or "").lower()
    if kind.lower() not in STOPPING or status in OVER:
        return ""
    when = parse(known.get("notbefore"))
    return f"Azure has announced a {kind.lower()}" + (f" for {when:%Y-%m-%d %H:%M}Z or later" if when else "")
