"""What was done to a VM lately, as the activity log tells it, and which redeploys there were nearby.

Source: "REST API: Activity Logs - List"; that an entry of a failed phase is no deed of its own is inferred.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from vmdiag.completeness import Row
from vmdiag.diagnosis.event_kinds import Phase, find_phase, interpret_record
from vmdiag.diagnosis.event_words import VM_TYPES
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal
from vmdiag.redeploy.model import KnownRedeploy
from vmdiag.sources.decoding.log_entry import LogEntry, find_feed
from vmdiag.sources.formats import activity_log as wire

# What does nothing to a VM, though it is a POST.
READ_ONLY_ACTIONS = ("retrievebootdiagnosticsdata/action", "instanceview/action", "assesspatches/action")


def list_writes(vm: VmId, rows: Iterable[Row]) -> Iterator[LogEntry]:
    """What was done to the VM or to its extensions, and did not fail; raises `MalformedRow`."""
    for row in rows:
        entry = wire.decode_log_entry(row)
        operation = entry.operation.lower()
        about = f"{entry.resource.lower()}/".startswith(f"{vm.key}/") and operation.startswith(VM_TYPES)
        is_write = find_feed(entry.category, operation) is Signal.ACTIVITY and not operation.endswith(
            (*READ_ONLY_ACTIONS, "/read")
        )
        if about and is_write and find_phase(entry.status) is not Phase.FAILED:
            yield entry


def list_redeploy_times(entries: Iterable[LogEntry]) -> Iterator[datetime]:
    """When each redeploy was asked for: an operation's first record."""
    first: dict[str, datetime] = {}
    for entry in entries:
        if _is_redeploy(entry):
            key = entry.correlation or f"{entry.at}"
            first[key] = min(entry.at, first.get(key, entry.at))
    return iter(first.values())


def list_recent_redeploys(rows: Iterable[Row], regions: Mapping[str, str]) -> Iterator[KnownRedeploy]:
    """The redeploys of any VM, the newest of each; `regions` by the VM's id in lower case; raises `MalformedRow`."""
    newest: dict[VmId, datetime] = {}
    for vm, at in find_redeployed_vms(rows):
        newest[vm] = max(at, newest.get(vm, at))
    for vm, at in newest.items():
        yield KnownRedeploy(vm=vm, at=at, region=regions.get(vm.key, ""))


def find_redeployed_vms(rows: Iterable[Row]) -> Iterator[tuple[VmId, datetime]]:
    """Whom the log's records of redeploys name, and when; raises `MalformedRow`."""
    for row in rows:
        entry = wire.decode_log_entry(row)
        vm = VmId.parse(entry.resource)
        if vm is not None and _is_redeploy(entry) and find_phase(entry.status) is not Phase.FAILED:
            yield vm, entry.at


def _is_redeploy(entry: LogEntry) -> bool:
    return interpret_record(Signal.ACTIVITY, entry.operation, entry.status, {}) is Kind.REDEPLOY
