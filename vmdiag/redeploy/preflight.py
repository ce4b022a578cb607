"""read_preflights(): what must be known of VMs before they are redeployed, read right now; must not weigh it.

Source: "REST API: Virtual Machines - Get".
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from vmdiag.arm.session import Session
from vmdiag.diagnosis.event_words import EVICTABLE
from vmdiag.diagnosis.service_health import is_in_region
from vmdiag.errors import BadAnswer, NotAllowed, NotFound
from vmdiag.identity import VmId
from vmdiag.redeploy import write_history
from vmdiag.redeploy.model import Hardware, Preflight, RecentRedeploy
from vmdiag.redeploy.preflight_answers import PreflightAnswers, read_answers
from vmdiag.sources.azure.feed_request import get_group_id, get_subscription_id
from vmdiag.sources.azure.feeds import announced_events, permissions
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_list, to_mapping, to_short_text, to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats.service_events import INCIDENT_TYPE
from vmdiag.sources.items import MalformedRow, Row

# The first api-versions whose answers have the fields that guards look at ("REST API: Virtual Machines", by version).
FIELD_VERSIONS = {"managedBy": "2023-09-01", "scheduledEventsPolicy": "2024-03-01", "timeCreated": "2021-11-01"}


def read_preflights(session: Session, vms: Sequence[VmId]) -> dict[VmId, Preflight]:
    """The circumstances of each VM; what could not be read is told in them, never raised."""
    now = session.now
    answers = read_answers(session, vms, now)
    untold = [name for name, first in FIELD_VERSIONS.items() if session.api_versions["virtual-machine"] < first]
    return {vm: _build_preflight(vm, answers, now, untold) for vm in vms}


def _build_preflight(vm: VmId, answers: PreflightAnswers, now: datetime, missing_fields: Sequence[str]) -> Preflight:
    unread = dict(_list_unread_topics(vm, answers))
    machine = answers.get_resource("vm", vm.key)
    if not machine:
        unread.setdefault("vm", "Azure's answer is empty")
    members = to_mapping(machine.get("properties"))
    log = [*(answers.get_rows("log", vm.key) or ()), *(answers.get_rows("log", get_group_id(vm)) or ())]
    try:
        entries = list(write_history.list_writes(vm, log))
    except MalformedRow as fault:
        entries, unread["log"] = [], f"a record of the log has {fault.reason}"
    recent, recent_unread = _list_recent_redeploys(vm, answers, unread)
    set_ids = announced_events.list_set_ids(machine)
    is_whole = bool(machine) and all(answers.get_rows("set", each.lower()) is not None for each in set_ids)
    policy_holders = [
        members,
        *(to_mapping(answers.get_resource("set", each.lower()).get("properties")) for each in set_ids),
    ]
    power, provisioning, changed_at = read_states(machine)
    return Preflight(
        power=power or None,
        provisioning=provisioning or None,
        changed_at=changed_at,
        hardware=_read_hardware(members),
        ephemeral=to_text(get_path(members, "storageProfile", "osDisk", "diffDiskSettings", "option")).lower()
        == "local",
        tags={str(name).lower(): to_text(value) for name, value in to_mapping(machine.get("tags")).items()},
        managed_by=to_text(machine.get("managedBy")) or None,
        narrow=tuple(_list_placement_limits(machine)),
        address=_find_dynamic_address(vm, answers.get_rows("network", "")),
        address_unread=_address_unread(vm, answers),
        approves_itself=any(map(announced_events.has_automatic_approval, policy_holders)),
        locks=_list_locks(vm, answers),
        unread_locks=tuple(_list_unread_locks(vm, answers)),
        untold=tuple(missing_fields),
        incidents=tuple(_list_active_incidents(machine, answers.get_rows("incidents", get_subscription_id(vm)))),
        scheduled=_list_scheduled_events(vm, machine, answers.get_rows("maintenance", ""), now),
        announces=_has_published_events(
            vm, policy_holders, answers, has_policies="scheduledEventsPolicy" not in missing_fields and is_whole
        ),
        may_redeploy=permissions.allows_action(answers.get_rows("permissions", vm.key), permissions.REDEPLOY_ACTION),
        redeploys=tuple(sorted(write_history.list_redeploy_times(entries))),
        writes=tuple(
            sorted({(entry.at, entry.operation.lower().rpartition("virtualmachines/")[2]) for entry in entries})
        ),
        recent=recent,
        recent_unread=recent_unread,
        unread=unread,
    )


def _list_unread_topics(vm: VmId, answers: PreflightAnswers) -> Iterator[tuple[str, str]]:
    """What has to be read and was not, by topic, and why."""
    for topic, key in (
        ("vm", ("vm", vm.key)),
        ("log", ("log", vm.key)),
        ("log", ("log", get_group_id(vm))),
        ("incidents", ("incidents", get_subscription_id(vm))),
        ("scheduled", ("maintenance", "")),
    ):
        # Where the cloud has no such feed at all, to wait for it would be for nothing.
        is_lacking = topic == "scheduled" and _is_table_missing(answers)
        if answers.get_rows(*key) is None and not is_lacking:
            yield topic, answers.get_failure_reason(*key)


def _is_table_missing(answers: PreflightAnswers) -> bool:
    """Whether this cloud has no Resource Graph, or one without the table: it takes other queries, and not this one."""
    error = answers.errors.get(("maintenance", ""))
    others = answers.get_rows("network", "") is not None
    return isinstance(error, NotFound) or (others and isinstance(error, BadAnswer) and "(400" in error.message)


def _list_recent_redeploys(
    vm: VmId, answers: PreflightAnswers, unread: dict[str, str]
) -> tuple[tuple[RecentRedeploy, ...], str]:
    """The subscription's redeploys of late; where the whole log is not allowed to be read, those of the VM's group."""
    key = ("recent", get_subscription_id(vm))
    rows, error = answers.get_rows(*key), answers.errors.get(key)
    if rows is None and not isinstance(error, NotAllowed):
        unread["recent"] = answers.get_failure_reason(*key)
    known = rows if rows is not None else answers.get_rows("log", get_group_id(vm)) or []
    regions = {
        to_text(row.get("id")).lower(): to_text(row.get("location")) for row in answers.get_rows("regions", "") or ()
    }
    try:
        found = tuple(write_history.list_recent_redeploys(known, regions))
    except MalformedRow as fault:
        found, unread["recent"] = (), f"a record of the log has {fault.reason}"
    return found, "" if error is None else error.message


def _has_published_events(
    vm: VmId, policy_holders: Sequence[Row], answers: PreflightAnswers, *, has_policies: bool
) -> bool | None:
    """Whether scheduled events of the VM are published; `None` where that is not told."""
    feature = answers.get_rows("feature", get_subscription_id(vm))
    known = [announced_events.is_feature_registered(to_mapping(row)) for row in feature or ()]
    if has_policies:
        known.append(any(map(announced_events.has_publishing_policy, policy_holders)))
    if not all(known):
        return False
    return True if len(known) > 1 else None


def _read_hardware(members: Row) -> Hardware:
    return Hardware(
        vm_id=to_text(members.get("vmId")).lower() or None,
        created_at=parse_time(members.get("timeCreated")),
        size=to_text(get_path(members, "hardwareProfile", "vmSize")) or None,
        priority=to_text(members.get("priority")) or None,
    )


def read_states(machine: Row) -> tuple[str, str, datetime | None]:
    """Power state and provisioning state of a VM, in lower case, empty where not told, and when the latter began."""
    members = to_mapping(machine.get("properties"))
    statuses = list(iter_objects(get_path(members, "instanceView", "statuses")))
    codes = [(to_text(each.get("code")).lower(), parse_time(each.get("time"))) for each in statuses]
    power = next((code.partition("/")[2] for code, _ in codes if code.startswith("powerstate/")), "")
    changed = next((when for code, when in codes if code.startswith("provisioningstate/")), None)
    return power, to_text(members.get("provisioningState")).lower(), changed


def _list_placement_limits(machine: Row) -> Iterator[str]:
    members = to_mapping(machine.get("properties"))
    for zone in to_list(machine.get("zones")):
        yield f"zone {to_text(zone)}"
    for word, title in PLACEMENT_MEMBERS.items():
        name = to_text(get_path(members, word, "id")).rpartition("/")[2]
        if name:
            yield f"{title} {name}"
    if to_text(members.get("priority")).lower() in EVICTABLE:
        yield "spot capacity"


PLACEMENT_MEMBERS = {
    "availabilitySet": "the availability set",
    "proximityPlacementGroup": "the proximity placement group",
    "host": "the dedicated host",
    "hostGroup": "the dedicated host group",
    "virtualMachineScaleSet": "the scale set",
}


def _find_dynamic_address(vm: VmId, rows: Iterable[Row] | None) -> str | None:
    """A public address that the VM may lose."""
    mine = (row for row in rows or () if VmId.parse(to_text(row.get("vm"))) == vm)
    return next(
        (to_text(row.get("address")) for row in mine if to_text(row.get("allocation")).lower() == "dynamic"), None
    )


def _address_unread(vm: VmId, answers: PreflightAnswers) -> str:
    """Why it is not known whether the VM has an address to lose; empty where it is."""
    rows = answers.get_rows("network", "")
    if rows is None:
        return answers.get_failure_reason("network", "")
    mine = [row for row in rows if VmId.parse(to_text(row.get("vm"))) == vm]
    if not mine:
        return "its network interfaces are not shown to this sign-in"
    hidden = any(to_text(row.get("public")) and not to_text(row.get("allocation")) for row in mine)
    return "its public address is not shown to this sign-in" if hidden else ""


def _list_active_incidents(machine: Row, rows: Iterable[Row] | None) -> Iterator[str]:
    """The incidents that go on in the VM's region, of whichever service: what is measured may be wrong, too."""
    for row in rows or ():
        said = to_mapping(row.get("properties"))
        is_active = to_text(said.get("status")).lower() != "resolved"
        if is_active and to_text(said.get("eventType")).lower() == INCIDENT_TYPE:
            regions = [to_text(region.get("impactedRegion")) for region in _list_impacted_regions(said)]
            if is_in_region(to_text(machine.get("location")) or None, regions) is not False:
                yield f"the service incident {to_text(row.get('name'))} goes on: {to_short_text(said.get('title'))}"


def _list_impacted_regions(said: Row) -> Iterator[Row]:
    """The regions of an incident that still have it."""
    regions = (
        region for impact in iter_objects(said.get("impact")) for region in iter_objects(impact.get("impactedRegions"))
    )
    return (region for region in regions if to_text(region.get("status")).lower() != "resolved")


def _list_lock_scopes(vm: VmId) -> Iterator[tuple[str, str]]:
    yield "VM", vm.key
    yield "resource group", get_group_id(vm)
    yield "subscription", get_subscription_id(vm)


def _list_unread_locks(vm: VmId, answers: PreflightAnswers) -> Iterator[str]:
    """The levels whose own list could not be read; the group's is asked only where the subscription's was not."""
    for level, key in _list_lock_scopes(vm):
        asked = level != "resource group" or ("locks", key) in answers.errors
        if asked and (("locks", key) in answers.errors or answers.get_rows("locks", key) is None):
            yield level


def _list_locks(vm: VmId, answers: PreflightAnswers) -> tuple[str, ...] | None:
    """The locks on the VM and on what it lies in, of those lists that could be read."""
    lists = [answers.get_rows("locks", key) for _, key in _list_lock_scopes(vm)]
    if all(rows is None for rows in lists):
        return None
    found = {}
    for row in (row for rows in lists for row in rows or ()):
        scope, _, name = to_text(row.get("id")).lower().partition("/providers/microsoft.authorization/locks/")
        if name and f"{vm.key}/".startswith(f"{scope}/"):
            found[scope, name] = f"the {to_text(get_path(row, 'properties', 'level'))} lock {name}"
    return tuple(found.values())


def _list_scheduled_events(vm: VmId, machine: Row, rows: list[Row] | None, now: datetime) -> tuple[str, ...] | None:
    found = list(announced_events.describe_maintenance_window(to_mapping(machine.get("properties")), now))
    found += announced_events.describe_scheduled_events(vm, announced_events.list_set_ids(machine), rows or ())
    return tuple(found) if found or rows is not None else None
