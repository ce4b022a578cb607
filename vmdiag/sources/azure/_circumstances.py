"""survey(): what must be known of VMs before they are redeployed, read right now; must not weigh it.

Sources: "REST API: Virtual Machines - Get", "Management Locks - List At Resource Level" and "- List At Subscription
Level", "Permissions - List For Resource", "Activity Logs - List", "Scheduled Events in Azure Resource Graph". Whether a
resource's list of locks holds those from above no page says, so the subscription's list is read, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from vmdiag import kql
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import NotFound, SourceError
from vmdiag.identity import VmId
from vmdiag.incidents import in_region
from vmdiag.mitigation import Circumstances
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources._items import Malformed, Row
from vmdiag.sources.archive import activity_log as wire
from vmdiag.sources.archive._fields import at, brief, elements, mapping, objects, text
from vmdiag.sources.archive._log_entry import Entry, feed
from vmdiag.sources.archive._times import parse
from vmdiag.sources.archive.service_events import INCIDENT
from vmdiag.sources.azure import _graph, _rights, activity_log, service_events, virtual_machine
from vmdiag.sources.azure._ask import group_of, subscription_of
from vmdiag.sources.azure._crew import Crew, Piece
from vmdiag.sources.azure._rows import listed, single
from vmdiag.vocabulary import EVICTABLE, VM_TYPES, Phase, interpret, phase

# The guards count redeploys of a week, and a customer's write for half an hour, whose record may be late.
WEEK, LATELY = timedelta(days=7), timedelta(minutes=45)
# An incident of which nothing was said for so long is over, whatever its status (our judgement).
MONTH = timedelta(days=30)
LOCKS = "Microsoft.Authorization/locks/read"
# What does nothing to a VM, though it is a POST.
HARMLESS = ("retrievebootdiagnosticsdata/action", "instanceview/action", "assesspatches/action")
# Announced events that stop a VM; a freeze does not, and what has ended is no announcement.
STOPPING, OVER = ("redeploy", "reboot", "restart", "preempt", "terminate"), ("completed", "canceled")

Key = tuple[str, str]


@dataclass(slots=True)
class Answers:
    """What came back, by topic and whom it concerns."""

    rows: dict[Key, list[Row]] = field(default_factory=dict)
    errors: dict[Key, SourceError] = field(default_factory=dict)

    def of(self, topic: str, whom: str) -> list[Row] | None:
        """The rows; `None` where they could not be read to their end: the missing page may hold what forbids it."""
        return self.rows.get((topic, whom))

    def why_not(self, topic: str, whom: str) -> str:
        """Why they could not be read."""
        error = self.errors.get((topic, whom))
        return "interrupted before it was read" if error is None else error.message


def survey(session: Session, vms: Sequence[VmId]) -> dict[VmId, Circumstances]:
    """The circumstances of each VM; what could not be read is told in them, never raised."""
    now = session.now
    answers = Answers()
    crew: Crew[Key, list[Row]] = Crew(session.access.jobs)
    asked = dict(_questions(vms, now))
    for key, request in asked.items():
        crew.add(key, partial(_heard, session, key, request))
    for result in crew.results(lambda: session.is_over):
        if isinstance(result, Piece):
            answers.rows[result.key] = result.value
        elif isinstance(result.error, SourceError):
            answers.errors[result.key] = result.error
        elif result.error is not None:
            raise result.error
    return {vm: _circumstances(vm, answers, now) for vm in vms}


def _questions(vms: Sequence[VmId], now: datetime) -> Iterator[tuple[Key, Request]]:
    week, lately, month = Window(now - WEEK, now), Window(now - LATELY, now), Window(now - MONTH, now)
    who = kql.Who(ids=tuple(sorted(vm.key for vm in vms)))
    subscriptions = {vm.subscription for vm in vms}
    yield ("maintenance", ""), _graph.request("announced maintenance", kql.maintenance(who), subscriptions)
    yield ("network", ""), _graph.request("the VMs' networks", kql.passages(who), subscriptions)
    for vm in vms:
        yield ("vm", vm.key), virtual_machine.request(vm)
        yield ("permissions", vm.key), _rights.request(str(vm), vm.name)
        yield ("locks", vm.key), _locks(str(vm), vm.name)
        yield ("locks", subscription_of(vm)), _locks(subscription_of(vm), vm.subscription)
        yield ("incidents", subscription_of(vm)), service_events.request(vm.subscription, month)
        yield ("log", vm.key), activity_log.request(subscription_of(vm), week, vm=vm)
        yield ("log", group_of(vm)), activity_log.request(group_of(vm), lately)


def _locks(scope: str, name: str) -> Request:
    path = f"{scope}/providers/Microsoft.Authorization/locks"
    return Request(what=f"locks of {name}", service="locks", path=path, permission=LOCKS)


def _heard(session: Session, key: Key, request: Request) -> Iterator[list[Row]]:
    """All of an answer at once; in another thread."""
    yield [single(session, request)] if key[0] == "vm" else listed(session, request)


def _circumstances(vm: VmId, answers: Answers, now: datetime) -> Circumstances:
    unread = {
        topic: answers.why_not(*key)
        for topic, key in (
            ("vm", ("vm", vm.key)),
            ("log", ("log", vm.key)),
            ("log", ("log", group_of(vm))),
            ("incidents", ("incidents", subscription_of(vm))),
            ("scheduled", ("maintenance", "")),
        )
        if answers.of(*key) is None
    }
    if isinstance(answers.errors.get(("maintenance", "")), NotFound):
        # The cloud has no such feed at all: to wait for it would be for nothing.
        del unread["scheduled"]
    rows = answers.of("vm", vm.key) or []
    machine = mapping(rows[0]) if rows else {}
    if not machine:
        unread.setdefault("vm", "Azure's answer is empty")
    members = mapping(machine.get("properties"))
    log = [*(answers.of("log", vm.key) or ()), *(answers.of("log", group_of(vm)) or ())]
    try:
        entries = list(_entries(vm, log))
    except Malformed as fault:
        entries, unread["log"] = [], f"a record of the log has {fault.reason}"
    power, provisioning = states(machine)
    return Circumstances(
        power=power or None,
        provisioning=provisioning or None,
        ephemeral=text(at(members, "storageProfile", "osDisk", "diffDiskSettings", "option")).lower() == "local",
        tags={str(name).lower(): text(value) for name, value in mapping(machine.get("tags")).items()},
        managed_by=text(machine.get("managedBy")) or None,
        narrow=tuple(_narrow(machine)),
        address=_address(vm, answers.of("network", "")),
        approves_itself=at(members, "scheduledEventsPolicy", "userInitiatedRedeploy", "automaticallyApprove") is True,
        locks=_locked(vm, answers),
        incidents=tuple(_incidents(machine, answers.of("incidents", subscription_of(vm)))),
        scheduled=_scheduled(vm, members, answers.of("maintenance", ""), now),
        may_redeploy=_rights.allows(answers.of("permissions", vm.key), _rights.REDEPLOY),
        redeploys=tuple(sorted(_redeploys(entries))),
        writes=tuple(
            sorted({(entry.at, entry.operation.lower().rpartition("virtualmachines/")[2]) for entry in entries})
        ),
        unread=unread,
    )


def states(machine: Row) -> tuple[str, str]:
    """Power state and provisioning state of a VM with its instance view, in lower case; empty where not told."""
    members = mapping(machine.get("properties"))
    codes = [text(each.get("code")).lower() for each in objects(at(members, "instanceView", "statuses"))]
    power = next((code.partition("/")[2] for code in codes if code.startswith("powerstate/")), "")
    return power, text(members.get("provisioningState")).lower()


def _narrow(machine: Row) -> Iterator[str]:
    members = mapping(machine.get("properties"))
    for zone in elements(machine.get("zones")):
        yield f"zone {text(zone)}"
    for word, title in NARROWING.items():
        name = text(at(members, word, "id")).rpartition("/")[2]
        if name:
            yield f"{title} {name}"
    if text(members.get("priority")).lower() in EVICTABLE:
        yield "spot capacity"


NARROWING = {
    "availabilitySet": "the availability set",
    "proximityPlacementGroup": "the proximity placement group",
    "host": "the dedicated host",
    "hostGroup": "the dedicated host group",
    "virtualMachineScaleSet": "the scale set",
}


def _address(vm: VmId, rows: Iterable[Row] | None) -> str | None:
    """A public address that the VM may lose."""
    mine = (row for row in rows or () if VmId.parse(text(row.get("vm"))) == vm)
    return next((text(row.get("address")) for row in mine if text(row.get("allocation")).lower() == "dynamic"), None)


def _incidents(machine: Row, rows: Iterable[Row] | None) -> Iterator[str]:
    """The incidents that go on in the VM's region, of whichever service: what is measured may be wrong, too."""
    for row in rows or ():
        said = mapping(row.get("properties"))
        is_active = text(said.get("status")).lower() != "resolved"
        if is_active and text(said.get("eventType")).lower() == INCIDENT:
            regions = [text(region.get("impactedRegion")) for region in _impacted(said)]
            if in_region(text(machine.get("location")) or None, regions) is not False:
                yield f"the service incident {text(row.get('name'))} goes on: {brief(said.get('title'))}"


def _impacted(said: Row) -> Iterator[Row]:
    """The regions of an incident that still have it."""
    regions = (region for impact in objects(said.get("impact")) for region in objects(impact.get("impactedRegions")))
    return (region for region in regions if text(region.get("status")).lower() != "resolved")


def _locked(vm: VmId, answers: Answers) -> tuple[str, ...] | None:
    """The locks on the VM and on what it lies in, of those lists that could be read."""
    lists = [answers.of("locks", key) for key in (vm.key, subscription_of(vm))]
    if all(rows is None for rows in lists):
        return None
    found = {}
    for row in (row for rows in lists for row in rows or ()):
        scope, _, name = text(row.get("id")).lower().partition("/providers/microsoft.authorization/locks/")
        if name and f"{vm.key}/".startswith(f"{scope}/"):
            found[scope, name] = f"the {text(at(row, 'properties', 'level'))} lock {name}"
    return tuple(found.values())


def _scheduled(vm: VmId, members: Row, rows: list[Row] | None, now: datetime) -> tuple[str, ...] | None:
    found = list(_window(members, now))
    for row in rows or ():
        if VmId.parse(text(row.get("vm"))) == vm:
            properties = mapping(row.get("properties"))
            found += [said for each in _events(properties) if (said := _announced(each))]
    return tuple(found) if found or rows is not None else None


def _events(properties: Row) -> Iterator[Row]:
    """A scheduled event stands alone, updates in a list."""
    return objects(properties.get("value")) if "value" in properties else iter((properties,))


def _announced(event: Row) -> str:
    known = {str(name).lower(): text(value) for name, value in event.items()}
    kind = known.get("eventtype") or known.get("impacttype") or ""
    status = (known.get("eventstatus") or known.get("status") or "").lower()
    if kind.lower() not in STOPPING or status in OVER:
        return ""
    when = parse(known.get("notbefore"))
    return f"Azure has announced a {kind.lower()}" + (f" for {when:%Y-%m-%d %H:%M}Z or later" if when else "")


def _window(members: Row, now: datetime) -> Iterator[str]:
    """Planned maintenance as the instance view tells it."""
    told = mapping(at(members, "instanceView", "maintenanceRedeployStatus"))
    start, end = parse(told.get("maintenanceWindowStartTime")), parse(told.get("maintenanceWindowEndTime"))
    if start is not None and end is not None and end > now:
        yield f"planned maintenance from {start:%Y-%m-%d %H:%M}Z to {end:%Y-%m-%d %H:%M}Z"


def _entries(vm: VmId, rows: Iterable[Row]) -> Iterator[Entry]:
    """What was done to the VM or to its extensions, and did not fail; raises `Malformed`."""
    for row in rows:
        entry = wire.entry(row)
        operation = entry.operation.lower()
        about = f"{entry.resource.lower()}/".startswith(f"{vm.key}/") and operation.startswith(VM_TYPES)
        is_deed = feed(entry.category, operation) is Signal.ACTIVITY and not operation.endswith((*HARMLESS, "/read"))
        if about and is_deed and phase(entry.status) is not Phase.FAILED:
            yield entry


def _redeploys(entries: Iterable[Entry]) -> Iterator[datetime]:
    """When each redeploy was asked for: an operation's first record."""
    first: dict[str, datetime] = {}
    for entry in entries:
        if interpret(Signal.ACTIVITY, entry.operation, entry.status, {}) is Kind.REDEPLOY:
            key = entry.correlation or f"{entry.at}"
            first[key] = min(entry.at, first.get(key, entry.at))
    return iter(first.values())
