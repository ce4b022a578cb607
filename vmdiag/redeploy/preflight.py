"""read_preflights(): what must be known of VMs before they are redeployed, read right now.

Source: "REST API: Virtual Machines - Get".
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_words import EVICTABLE
from vmdiag.diagnosis.service_health import is_in_region
from vmdiag.errors import BadAnswer, NotAllowed, NotFound
from vmdiag.identity import VmId
from vmdiag.mitigation import REDEPLOY_ACTION
from vmdiag.redeploy import write_history
from vmdiag.redeploy.model import Hardware, KnownRedeploy, Preflight
from vmdiag.redeploy.preflight_answers import PreflightAnswers, read_answers
from vmdiag.sources.azure.feed_request import get_group_id, get_subscription_id
from vmdiag.sources.azure.feeds import announced_events, permissions
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_list, to_mapping, to_short_text, to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats.service_events import INCIDENT_TYPE
from vmdiag.sources.formats.virtual_machine import iter_statuses
from vmdiag.values import replace

# The first api-versions whose answers have the fields that guards look at ("REST API: Virtual Machines", by version).
FIELD_VERSIONS = {"managedBy": "2023-09-01", "scheduledEventsPolicy": "2024-03-01", "timeCreated": "2021-11-01"}
PLACEMENT_MEMBERS = {
    "availabilitySet": "the availability set",
    "proximityPlacementGroup": "the proximity placement group",
    "host": "the dedicated host",
    "hostGroup": "the dedicated host group",
    "virtualMachineScaleSet": "the scale set",
}


def read_preflights(session: Session, vms: Sequence[VmId]) -> dict[VmId, Preflight]:
    """The facts of each VM; what could not be read is told in them, never raised."""
    now = session.now
    answers = read_answers(session, vms, now)
    untold = [name for name, first in FIELD_VERSIONS.items() if session.api_versions["virtual-machine"] < first]
    return {vm: _build_preflight(vm, answers, now, untold) for vm in vms}


def _build_preflight(vm: VmId, answers: PreflightAnswers, now: datetime, untold: Sequence[str]) -> Preflight:
    machine, unread = answers.get_resource("vm", vm.key), _explain_unread(vm, answers)
    log = [*(answers.get_rows("log", vm.key) or ()), *(answers.get_rows("log", get_group_id(vm)) or ())]
    try:
        entries = list(write_history.list_writes(vm, log))
    except MalformedRow as fault:
        entries, unread["log"] = [], f"a record of the log has {fault.reason}"
    recent, recent_unread = _list_recent_redeploys(vm, answers, unread)
    set_ids = announced_events.list_set_ids(machine)
    is_whole = bool(machine) and all(answers.get_rows("set", each.lower()) is not None for each in set_ids)
    holders = [machine, *(answers.get_resource("set", each.lower()) for each in set_ids)]
    policies = [to_mapping(holder.get("properties")) for holder in holders]
    feature = answers.get_rows("feature", get_subscription_id(vm)) or ()
    published = [announced_events.is_feature_registered(to_mapping(row)) for row in feature]
    if is_whole and "scheduledEventsPolicy" not in untold:
        published.append(any(map(announced_events.has_publishing_policy, policies)))
    locks, unread_locks = _read_locks(vm, answers)
    address, address_unread = _read_address(vm, answers)
    maintenance = answers.get_rows("maintenance", "")
    scheduled = (
        *announced_events.describe_maintenance_window(policies[0], now),
        *announced_events.describe_scheduled_events(vm, set_ids, maintenance or ()),
    )
    return replace(
        _read_machine(machine),
        address=address,
        address_unread=address_unread,
        approves_itself=any(map(announced_events.has_automatic_approval, policies)),
        locks=locks,
        unread_locks=unread_locks,
        untold=tuple(untold),
        incidents=tuple(_list_active_incidents(machine, answers.get_rows("incidents", get_subscription_id(vm)))),
        scheduled=scheduled if scheduled or maintenance is not None else None,
        announces=len(published) > 1 or None if all(published) else False,
        may_redeploy=permissions.allows_action(answers.get_rows("permissions", vm.key), REDEPLOY_ACTION),
        redeploys=tuple(sorted(write_history.list_redeploy_times(entries))),
        writes=tuple(sorted({(each.at, each.operation.lower().rpartition("virtualmachines/")[2]) for each in entries})),
        recent=recent,
        recent_unread=recent_unread,
        unread=unread,
    )


def _read_machine(machine: Row) -> Preflight:
    """What the VM's own resource tells."""
    members = to_mapping(machine.get("properties"))
    view = to_mapping(members.get("instanceView"))
    codes = [(code.lower(), parse_time(status.get("time"))) for code, status in iter_statuses(view)]
    disk = to_text(get_path(members, "storageProfile", "osDisk", "diffDiskSettings", "option")).lower()
    narrow = [f"zone {to_text(zone)}" for zone in to_list(machine.get("zones"))]
    for word, title in PLACEMENT_MEMBERS.items():
        name = to_text(get_path(members, word, "id")).rpartition("/")[2]
        narrow += [f"{title} {name}"] if name else []
    priority = to_text(members.get("priority"))
    return Preflight(
        power=next((code.partition("/")[2] for code, _ in codes if code.startswith("powerstate/")), "") or None,
        provisioning=to_text(members.get("provisioningState")).lower() or None,
        changed_at=next((when for code, when in codes if code.startswith("provisioningstate/")), None),
        hardware=Hardware(
            vm_id=to_text(members.get("vmId")).lower() or None,
            created_at=parse_time(members.get("timeCreated")),
            size=to_text(get_path(members, "hardwareProfile", "vmSize")) or None,
            priority=priority or None,
        ),
        ephemeral=disk == "local",
        tags={str(name).lower(): to_text(value) for name, value in to_mapping(machine.get("tags")).items()},
        managed_by=to_text(machine.get("managedBy")) or None,
        narrow=(*narrow, *(["spot capacity"] if priority.lower() in EVICTABLE else [])),
    )


def _explain_unread(vm: VmId, answers: PreflightAnswers) -> dict[str, str]:
    """Why what has to be read was not, by topic."""
    keys = (
        ("vm", ("vm", vm.key)),
        ("log", ("log", vm.key)),
        ("log", ("log", get_group_id(vm))),
        ("incidents", ("incidents", get_subscription_id(vm))),
        ("scheduled", ("maintenance", "")),
    )
    unread = {topic: answers.get_failure_reason(*key) for topic, key in keys if answers.get_rows(*key) is None}
    if "vm" not in unread and not answers.get_resource("vm", vm.key):
        unread["vm"] = "Azure's answer is empty"
    # A cloud has no Resource Graph, or one without the table: it takes other queries, and not this one. To wait for it
    # would be for nothing.
    error, others = answers.errors.get(("maintenance", "")), answers.get_rows("network", "")
    if isinstance(error, NotFound) or (others is not None and isinstance(error, BadAnswer) and "(400" in error.message):
        unread.pop("scheduled", None)
    return unread


def _list_recent_redeploys(
    vm: VmId, answers: PreflightAnswers, unread: dict[str, str]
) -> tuple[tuple[KnownRedeploy, ...], str]:
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


def _read_address(vm: VmId, answers: PreflightAnswers) -> tuple[str | None, str]:
    """A public address that the VM may lose, and why it is not known whether it has one."""
    rows = answers.get_rows("network", "")
    if rows is None:
        return None, answers.get_failure_reason("network", "")
    mine = [row for row in rows if VmId.parse(to_text(row.get("vm"))) == vm]
    if not mine:
        return None, "its network interfaces are not shown to this sign-in"
    hidden = any(to_text(row.get("public")) and not to_text(row.get("allocation")) for row in mine)
    dynamic = (to_text(row.get("address")) for row in mine if to_text(row.get("allocation")).lower() == "dynamic")
    return next(dynamic, None), "its public address is not shown to this sign-in" if hidden else ""


def _list_active_incidents(machine: Row, rows: Iterable[Row] | None) -> Iterator[str]:
    """The incidents that go on in the VM's region, of whichever service: what is measured may be wrong, too."""
    for row in rows or ():
        said = to_mapping(row.get("properties"))
        is_active = to_text(said.get("status")).lower() != "resolved"
        if is_active and to_text(said.get("eventType")).lower() == INCIDENT_TYPE:
            regions = [
                to_text(region.get("impactedRegion"))
                for impact in iter_objects(said.get("impact"))
                for region in iter_objects(impact.get("impactedRegions"))
                if to_text(region.get("status")).lower() != "resolved"
            ]
            if is_in_region(to_text(machine.get("location")) or None, regions) is not False:
                yield f"the service incident {to_text(row.get('name'))} goes on: {to_short_text(said.get('title'))}"


def _read_locks(vm: VmId, answers: PreflightAnswers) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The locks on the VM and on what it lies in, of those lists that could be read, and the levels that were not."""
    keys = {"VM": vm.key, "resource group": get_group_id(vm), "subscription": get_subscription_id(vm)}
    lists = {level: answers.get_rows("locks", key) for level, key in keys.items()}
    failed = {level for level, key in keys.items() if ("locks", key) in answers.errors}
    # The group's list is asked only where the subscription's was not answered.
    unread = failed | {level for level, rows in lists.items() if rows is None and level != "resource group"}
    found = {}
    for row in (row for rows in lists.values() for row in rows or ()):
        scope, _, name = to_text(row.get("id")).lower().partition("/providers/microsoft.authorization/locks/")
        if name and f"{vm.key}/".startswith(f"{scope}/"):
            found[scope, name] = f"the {to_text(get_path(row, 'properties', 'level'))} lock {name}"
    is_known = any(rows is not None for rows in lists.values())
    return tuple(found.values()) if is_known else None, tuple(level for level in keys if level in unread)
