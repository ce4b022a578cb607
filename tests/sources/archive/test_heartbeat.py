"""Rows of `Heartbeat`: signs of life, and what looks like them."""

import pytest

from tests.sources.archive._rows import EXAMPLES, FORMATS, changed, known, read, sampled, vm
from vmdiag.model import Signal
from vmdiag.sources._items import Malformed

NAME = "heartbeat"


@pytest.mark.parametrize(
    "row",
    [
        {"TimeGenerated": "x", "Computer": "c", "Type": "Syslog", "OSType": "Linux"},
        {"TimeGenerated": "x", "Computer": "c", "CounterName": "% Processor Time"},
        {"TimeGenerated": "x", "Computer": "c", "Category": "Application"},
        {"Computer": "c", "Category": "Azure Monitor Agent"},
    ],
)
def test_another_tables_row_is_no_heartbeat(row: dict[str, object]) -> None:
    assert not FORMATS[NAME].recognises(row)


def test_a_beat_is_a_point_of_one_and_knows_the_system() -> None:
    items = read(NAME, EXAMPLES[NAME])
    (beat,) = sampled(items)

    assert (beat.vm, beat.name, beat.signal, beat.values) == (vm(), "Heartbeat", Signal.HEARTBEAT, (1.0,))
    assert [item.vm.os for item in known(items)] == ["linux"]


def test_the_table_may_say_its_name() -> None:
    assert sampled(read(NAME, changed(NAME, Type="Heartbeat", Category="Other", OSType=None)))


def test_a_computer_outside_azure_is_nobodys_vm() -> None:
    elsewhere = changed(NAME, _ResourceId="", ComputerEnvironment="Non-Azure")
    arc = changed(NAME, _ResourceId="/subscriptions/s/resourceGroups/g/providers/Microsoft.HybridCompute/machines/m")

    assert not read(NAME, elsewhere)
    assert not read(NAME, arc)


@pytest.mark.parametrize(
    "members", [{"_ResourceId": None}, {"TimeGenerated": ""}, {"TimeGenerated": "1700-01-01T00:00:00Z"}]
)
def test_a_beat_without_vm_or_time_is_malformed(members: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        read(NAME, changed(NAME, **members) | {"TimeGenerated": members.get("TimeGenerated", "2026-03-02T08:14:05Z")})
