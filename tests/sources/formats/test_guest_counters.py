"""Counters from inside the guest: read, and never taken for the traffic of the host's port."""

import pytest

from tests.sources.rows import EXAMPLES, TIME, VM, changed, known, read, sampled, vm
from vmdiag.model import Signal
from vmdiag.sources.items import IncompleteRead, make_computer_placeholder

NAME = "guest-counters"


def perf(**members: object) -> dict[str, object]:
    whole = {
        "TimeGenerated": TIME,
        "Computer": "web-01",
        "ObjectName": "Network Adapter",
        "CounterName": "Bytes Received/sec",
        "InstanceName": "Microsoft Hyper-V Network Adapter",
        "CounterValue": "512.5",
        "_ResourceId": VM.lower(),
    }
    return {**whole, **members}


@pytest.mark.parametrize("row", [EXAMPLES[NAME], perf()])
def test_a_network_counter_has_a_name_of_its_own_and_says_that_it_is_no_traffic(row: dict[str, object]) -> None:
    items = read(NAME, row)
    (series,) = sampled(items)
    (said,) = [item for item in items if isinstance(item, IncompleteRead)]

    assert (series.vm, series.name, series.values) == (vm(), "Guest Bytes Received/sec", (512.5,))
    assert series.signal is Signal.AGENT
    assert "Network In Total" in said.reason
    assert not said.lowers_verdict


@pytest.mark.parametrize(
    "row",
    [
        changed(NAME, Namespace="Processor", Name="UtilizationPercentage"),
        changed(NAME, Namespace="LogicalDisk", Name="ReadBytesPerSecond"),
        perf(ObjectName="Memory", CounterName="Available MBytes"),
        perf(CounterName="Packets/sec"),
        perf(CounterValue="n/a"),
    ],
)
def test_another_counter_says_only_that_there_is_such_a_vm(row: dict[str, object]) -> None:
    items = read(NAME, row)

    assert [item.vm.id for item in known(items)] == [vm()]
    assert len(items) == 1


def test_a_counter_without_an_id_is_of_the_vm_whose_computer_is_called_so() -> None:
    (series,) = sampled(read(NAME, perf(_ResourceId="")))
    assert series.vm == make_computer_placeholder("web-01")
