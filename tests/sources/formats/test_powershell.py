"""What Az PowerShell's objects say as JSON, and what ConvertTo-Json made unreadable."""

from datetime import UTC, datetime

import pytest

from tests.sources.reading import FORMATS, changed, covered, heard, known, read, sampled, snapshots, vm
from tests.sources.rows import EXAMPLES, GROUP, HEALTH, VM
from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import make_name_placeholder
from vmdiag.model import Kind, Signal
from vmdiag.sources.formats.powershell_activity_log import identify_signals
from vmdiag.sources.items import VmRecord

LOG, METRICS, MACHINE = "powershell-activity-log", "powershell-metrics", "powershell-virtual-machine"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
BARE = dict.fromkeys(("EventDataId", "Id", "EventName", "Properties", "SubmissionTimestamp"))


def health(**members: object) -> dict[str, object]:
    """A health event as -DetailedOutput gives it, in German."""
    words = {"Category": "Ressourcenintegrit\u00e4t", "OperationName": "Integrit\u00e4tsereignis"}
    return changed(LOG, **{**words, "Authorization": None, "Properties": {"Content": HEALTH}, **members})


def whole(**members: object) -> dict[str, object]:
    """A PSVirtualMachine as `Get-AzVM -Status` lists it."""
    return {
        "ResourceGroupName": "shop",
        "Id": VM,
        "VmId": "v",
        "Name": "web-01",
        "Type": "Microsoft.Compute/virtualMachines",
        "Location": "westeurope",
        "HardwareProfile": {"VmSize": "Standard_D2s_v5"},
        "NetworkProfile": {"NetworkInterfaces": [{"Id": "nic-1"}]},
        "OSProfile": {"ComputerName": "inside"},
        "StorageProfile": {"OsDisk": {"OsType": 1}},
        "PowerState": "VM deallocated",
        **members,
    }


def test_an_operation_is_known_by_its_authorization_in_any_language() -> None:
    (record,) = heard(read(LOG, EXAMPLES[LOG]))

    assert (record.at, record.name) == (AT, "Microsoft.Compute/virtualMachines/restart/action")
    assert interpret_record(record.signal, record.name, record.status, record.facts) is Kind.RESTART


def test_an_operation_that_failed_is_known_by_its_code_in_any_language() -> None:
    (failed,) = heard(read(LOG, changed(LOG, Status="Fehler", SubStatus="Bad Request (HTTP-Statuscode: 400)")))
    (accepted,) = heard(read(LOG, changed(LOG, Status="Accepted", SubStatus="x (4000)")))

    assert interpret_record(failed.signal, failed.name, failed.status, failed.facts) is Kind.OTHER
    assert accepted.status == "Accepted"


PAIR = {"LocalizedValue": "Ressourcenintegrit\u00e4t", "Value": "ResourceHealth"}  # of older releases


@pytest.mark.parametrize("row", [health(), health(Category=PAIR)])
def test_a_health_event_is_known_by_its_properties_in_any_language(row: dict[str, object]) -> None:
    state, note = heard(read(LOG, row))
    assert (state.status, note.name) == ("Available", "LiveMigrationSucceeded")


def test_a_log_without_details_says_that_it_can_show_no_migration() -> None:
    items = read(LOG, changed(LOG, **BARE))

    assert covered(items) == {
        Signal.ACTIVITY: None,
        Signal.HEALTH: "Get-AzActivityLog without -DetailedOutput has no properties: "
        "a live migration cannot be seen in it",
    }
    assert [record.name for record in heard(items)] == ["Microsoft.Compute/virtualMachines/restart/action"]
    # It is of what its authorization names.
    of_vm = heard(read(LOG, changed(LOG, **BARE, ResourceId=None)))
    assert [record.facts["resource"] for record in of_vm] == [VM.lower()]


@pytest.mark.parametrize("category", ["ResourceHealth", "Ressourcenintegrit\u00e4t"])
def test_a_health_event_without_details_was_heard_and_not_understood(category: str) -> None:
    with pytest.raises(MalformedRow, match="-DetailedOutput") as told:
        read(LOG, changed(LOG, **BARE, Authorization=None, Category=category))
    assert told.value.vm == vm()


def test_a_health_event_that_does_not_even_say_whose_it_is_is_not_passed_over() -> None:
    nobody = changed(LOG, **BARE, Authorization=None, Category="ResourceHealth", ResourceId=None)
    balancer = f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"

    with pytest.raises(MalformedRow, match="-DetailedOutput") as told:
        read(LOG, nobody)
    assert told.value.vm is None
    assert not heard(read(LOG, {**nobody, "ResourceId": balancer}))


def test_an_entry_is_of_one_feed_also_where_it_cannot_be_used() -> None:
    cut = "System.Collections.Generic.Dictionary`2[System.String,System.String]"

    assert identify_signals(EXAMPLES[LOG]) == (Signal.ACTIVITY,)
    assert identify_signals(health(Properties={"Content": cut})) == (Signal.HEALTH,)
    assert identify_signals(health(Properties={"Content": {"incidentType": "Incident"}})) == (Signal.SERVICE,)


@pytest.mark.parametrize(
    "written",
    [
        "/Date(1772439245123)/",
        "/Date(1772439245123+0100)/",
        {"value": "/Date(1772439245123)/", "DisplayHint": 2, "DateTime": "Montag, 2. M\u00e4rz 2026 09:14:05"},
        "2026-03-02T09:14:05.123+01:00",
        "2026-03-02T08:14:05.123Z",
    ],
)
def test_both_powershells_times_are_one_instant(written: object) -> None:
    (record,) = heard(read(LOG, changed(LOG, EventTimestamp=written)))
    assert record.at == AT.replace(microsecond=123000)


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00", "/Date(-62135568000000)/", "/Date(999999999999999999)/"])
def test_a_time_that_is_none_is_no_time(never: str) -> None:
    with pytest.raises(MalformedRow, match="time"):
        read(LOG, changed(LOG, EventTimestamp=never, Id=None))


def test_a_metric_that_was_cut_is_a_gap_of_its_own_signal() -> None:
    cut = changed(METRICS, Data=["Microsoft.Azure.Commands.Insights.OutputClasses.PSMetricValue"], Timeseries=None)

    assert FORMATS[METRICS].identify_signals(cut) == (Signal.TRAFFIC,)
    assert FORMATS[METRICS].identify_signals({**cut, "Name": {"Value": "OS Disk Queue Depth"}}) == ()
    assert sampled(read(METRICS, EXAMPLES[METRICS])) == sampled(read("metrics", EXAMPLES["metrics"]))


def test_a_view_is_of_the_vm_of_its_group_and_name() -> None:
    items = read(MACHINE, EXAMPLES[MACHINE])

    assert {item.vm for item in items if isinstance(item, VmRecord)} == {make_name_placeholder("web-01", "shop")}
    assert [(state.signal, state.name) for state in snapshots(items)] == [
        (Signal.POWER, "PowerState/running"),
        (Signal.AGENT, "ProvisioningState/Unavailable"),
    ]


def test_a_list_of_vms_is_an_inventory() -> None:
    items = read(MACHINE, whole())
    (machine,) = known(items)

    assert machine.vm.id == vm()
    assert (machine.vm.os, machine.vm.size, machine.vm.power_state) == ("linux", "Standard_D2s_v5", "deallocated")
    assert machine.vm.network == {"nic-1"}
    assert machine.computer == "inside"
    # A system may be the number of its word.
    systems = {0: "windows", "Windows": "windows", "Linux": "linux", None: None}
    rows = (whole(StorageProfile={"OsDisk": {"OsType": written}}) for written in systems)
    assert [one.vm.os for row in rows for one in known(read(MACHINE, row))] == list(systems.values())
