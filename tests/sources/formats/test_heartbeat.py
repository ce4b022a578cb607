"""Rows of `Heartbeat`: signs of life, and what looks like them."""

import pytest

from tests.sources.rows import EXAMPLES, FORMATS, VM, changed, known, read, sampled, vm
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import MalformedRow, is_placeholder, make_computer_placeholder

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
    assert not recognises_row(FORMATS[NAME], row)


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
    "members",
    [
        {"_ResourceId": None, "Computer": ""},
        {"_ResourceId": "web-01"},
        {"TimeGenerated": ""},
        {"TimeGenerated": "1700-01-01T00:00:00Z"},
    ],
)
def test_a_beat_without_vm_or_time_is_malformed(members: dict[str, object]) -> None:
    with pytest.raises(MalformedRow):
        read(NAME, changed(NAME, **members) | {"TimeGenerated": members.get("TimeGenerated", "2026-03-02T08:14:05Z")})


def test_a_beat_without_an_id_is_of_the_vm_whose_computer_is_called_so() -> None:
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId=None, OSType=None)))

    assert beat.vm == make_computer_placeholder("web-01")


def test_a_beat_with_the_parts_of_an_id_needs_no_name() -> None:
    subscription, group = VM.split("/")[2], VM.split("/")[4]
    parts = {"SubscriptionId": subscription, "ResourceGroup": group, "Resource": "WEB-01"}
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId="", OSType=None, Computer="inside", **parts)))

    assert beat.vm == vm()


def test_the_parts_of_another_resources_id_name_no_vm() -> None:
    parts = {"SubscriptionId": "s", "ResourceGroup": "g", "Resource": "m", "ResourceType": "machines"}
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId="", OSType=None, **parts)))

    assert is_placeholder(beat.vm)
