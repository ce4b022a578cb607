"""survey(): what must be known of VMs before they are redeployed, read right now; must not weigh it.

Source: "REST API: Virtual Machines - Get".
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from vmdiag.arm.session import Session
from vmdiag.diagnosis.event_kinds import EVICTABLE
from vmdiag.diagnosis.service_health import in_region
from vmdiag.errors import BadAnswer, NotAllowed, NotFound
from vmdiag.identity import VmId
from vmdiag.redeploy import write_history
from vmdiag.redeploy.model import Circumstances, Hardware, RecentRedeploy
from vmdiag.redeploy.preflight_answers import Answers, gather
from vmdiag.sources.azure import announced_events, permissions
from vmdiag.sources.azure.feed_request import group_of, subscription_of
from vmdiag.sources.decoding.fields import at, brief, elements, mapping, objects, text
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.formats.service_events import INCIDENT
from vmdiag.sources.items import Malformed, Row

# The first api-versions whose answers have the fields that guards look at ("REST API: Virtual Machines", by version).
FIRST_TOLD = {"managedBy": "2023-09-01", "scheduledEventsPolicy": "2024-03-01", "timeCreated": "2021-11-01"}


def survey(session: Session, vms: Sequence[VmId]) -> dict[VmId, Circumstances]:
    """The circumstances of each VM; what could not be read is told in them, never raised."""
    now = session.now
    answers = gather(session, vms, now)
    untold = [name for name, first in FIRST_TOLD.items() if session.version("virtual-machine") < first]
    return {vm: _circumstances(vm, answers, now, untold) for vm in vms}


def _circumstances(vm: VmId, answers: Answers, now: datetime, untold: Sequence[str]) -> Circumstances:
    unread = dict(_unread(vm, answers))
    machine = answers.one("vm", vm.key)
    if not machine:
        unread.setdefault("vm", "Azure's answer is empty")
    members = mapping(machine.get("properties"))
    log = [*(answers.of("log", vm.key) or ()), *(answers.of("log", group_of(vm)) or ())]
    try:
        entries = list(write_history.writes(vm, log))
    except Malformed as fault:
        entries, unread["log"] = [], f"a record of the log has {fault.reason}"
    recent, recent_unread = _recent(vm, answers, unread)
    above = announced_events.sets_of(machine)
    is_whole = bool(machine) and all(answers.of("set", each.lower()) is not None for each in above)
    carriers = [members, *(mapping(answers.one("set", each.lower()).get("properties")) for each in above)]
    power, provisioning, changed_at = states(machine)
    return Circumstances(
        power=power or None,
        provisioning=provisioning or None,
        changed_at=changed_at,
        hardware=_hardware(members),
        ephemeral=text(at(members, "storageProfile", "osDisk", "diffDiskSettings", "option")).lower() == "local",
        tags={str(name).lower(): text(value) for name, value in mapping(machine.get("tags")).items()},
        managed_by=text(machine.get("managedBy")) or None,
        narrow=tuple(_narrow(machine)),
        address=_address(vm, answers.of("network", "")),
        address_unread=_address_unread(vm, answers),
        approves_itself=any(map(announced_events.approves_itself, carriers)),
        locks=_locked(vm, answers),
        unread_locks=tuple(_unread_locks(vm, answers)),
        untold=tuple(untold),
        incidents=tuple(_incidents(machine, answers.of("incidents", subscription_of(vm)))),
        scheduled=_scheduled(vm, machine, answers.of("maintenance", ""), now),
        announces=_announces(vm, carriers, answers, is_told="scheduledEventsPolicy" not in untold and is_whole),
        may_redeploy=permissions.allows(answers.of("permissions", vm.key), permissions.REDEPLOY),
        redeploys=tuple(sorted(write_history.redeploys(entries))),
        writes=tuple(
            sorted({(entry.at, entry.operation.lower().rpartition("virtualmachines/")[2]) for entry in entries})
        ),
        recent=recent,
        recent_unread=recent_unread,
        unread=unread,
    )


def _unread(vm: VmId, answers: Answers) -> Iterator[tuple[str, str]]:
    """What has to be read and was not, by topic, and why."""
    for topic, key in (
        ("vm", ("vm", vm.key)),
        ("log", ("log", vm.key)),
        ("log", ("log", group_of(vm))),
        ("incidents", ("incidents", subscription_of(vm))),
        ("scheduled", ("maintenance", "")),
    ):
        # Where the cloud has no such feed at all, to wait for it would be for nothing.
        is_lacking = topic == "scheduled" and _is_unknown_table(answers)
        if answers.of(*key) is None and not is_lacking:
            yield topic, answers.why_not(*key)


def _is_unknown_table(answers: Answers) -> bool:
    """Whether this cloud has no Resource Graph, or one without the table: it takes other queries, and not this one."""
    error = answers.errors.get(("maintenance", ""))
    others = answers.of("network", "") is not None
    return isinstance(error, NotFound) or (others and isinstance(error, BadAnswer) and "(400" in error.message)


def _recent(vm: VmId, answers: Answers, unread: dict[str, str]) -> tuple[tuple[RecentRedeploy, ...], str]:
    """The subscription's redeploys of late; where the whole log is not allowed to be read, those of the VM's group."""
    key = ("recent", subscription_of(vm))
    rows, error = answers.of(*key), answers.errors.get(key)
    if rows is None and not isinstance(error, NotAllowed):
        unread["recent"] = answers.why_not(*key)
    known = rows if rows is not None else answers.of("log", group_of(vm)) or []
    places = {text(row.get("id")).lower(): text(row.get("location")) for row in answers.of("regions", "") or ()}
    try:
        found = tuple(write_history.recent(known, places))
    except Malformed as fault:
        found, unread["recent"] = (), f"a record of the log has {fault.reason}"
    return found, "" if error is None else error.message


def _announces(vm: VmId, carriers: Sequence[Row], answers: Answers, *, is_told: bool) -> bool | None:
    """Whether scheduled events of the VM are published; `None` where that is not told."""
    feature = answers.of("feature", subscription_of(vm))
    known = [announced_events.is_registered(mapping(row)) for row in feature or ()]
    if is_told:
        known.append(any(map(announced_events.publishes, carriers)))
    if not all(known):
        return False
    return True if len(known) > 1 else None


def _hardware(members: Row) -> Hardware:
    return Hardware(
        vm_id=text(members.get("vmId")).lower() or None,
        created_at=parse(members.get("timeCreated")),
        size=text(at(members, "hardwareProfile", "vmSize")) or None,
        priority=text(members.get("priority")) or None,
    )


def states(machine: Row) -> tuple[str, str, datetime | None]:
    """Power state and provisioning state of a VM, in lower case, empty where not told, and when the latter began."""
    members = mapping(machine.get("properties"))
    statuses = list(objects(at(members, "instanceView", "statuses")))
    codes = [(text(each.get("code")).lower(), parse(each.get("time"))) for each in statuses]
    power = next((code.partition("/")[2] for code, _ in codes if code.startswith("powerstate/")), "")
    changed = next((when for code, when in codes if code.startswith("provisioningstate/")), None)
    return power, text(members.get("provisioningState")).lower(), changed


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


def _address_unread(vm: VmId, answers: Answers) -> str:
    """Why it is not known whether the VM has an address to lose; empty where it is."""
    rows = answers.of("network", "")
    if rows is None:
        return answers.why_not("network", "")
    mine = [row for row in rows if VmId.parse(text(row.get("vm"))) == vm]
    if not mine:
        return "its network interfaces are not shown to this sign-in"
    hidden = any(text(row.get("public")) and not text(row.get("allocation")) for row in mine)
    return "its public address is not shown to this sign-in" if hidden else ""


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


def _levels(vm: VmId) -> Iterator[tuple[str, str]]:
    yield "VM", vm.key
    yield "resource group", group_of(vm)
    yield "subscription", subscription_of(vm)


def _unread_locks(vm: VmId, answers: Answers) -> Iterator[str]:
    """The levels whose own list could not be read; the group's is asked only where the subscription's was not."""
    for level, key in _levels(vm):
        asked = level != "resource group" or ("locks", key) in answers.errors
        if asked and (("locks", key) in answers.errors or answers.of("locks", key) is None):
            yield level


def _locked(vm: VmId, answers: Answers) -> tuple[str, ...] | None:
    """The locks on the VM and on what it lies in, of those lists that could be read."""
    lists = [answers.of("locks", key) for _, key in _levels(vm)]
    if all(rows is None for rows in lists):
        return None
    found = {}
    for row in (row for rows in lists for row in rows or ()):
        scope, _, name = text(row.get("id")).lower().partition("/providers/microsoft.authorization/locks/")
        if name and f"{vm.key}/".startswith(f"{scope}/"):
            found[scope, name] = f"the {text(at(row, 'properties', 'level'))} lock {name}"
    return tuple(found.values())


def _scheduled(vm: VmId, machine: Row, rows: list[Row] | None, now: datetime) -> tuple[str, ...] | None:
    found = list(announced_events.window(mapping(machine.get("properties")), now))
    found += announced_events.announced(vm, announced_events.sets_of(machine), rows or ())
    return tuple(found) if found or rows is not None else None
