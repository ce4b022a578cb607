"""What was heard of a VM by its name alone goes to the VM of that name, and to nobody where that is not one."""

from datetime import UTC, datetime

import pytest

from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, VirtualMachine
from vmdiag.sources.archive._archive import resolve_placeholders
from vmdiag.sources.items import (
    UNDATED,
    Item,
    MetricPoints,
    VmInventory,
    VmRecord,
    make_computer_placeholder,
    make_name_placeholder,
)
from vmdiag.sources.store import ItemStore

AT = datetime(2026, 3, 2, 8, 14, tzinfo=UTC)


def vm(name: str = "web-01", group: str = "shop", scale_set: str | None = None) -> VmId:
    return VmId(subscription="s", resource_group=group, name=name, scale_set=scale_set)


def beat(of: VmId) -> MetricPoints:
    return MetricPoints(vm=of, name="Heartbeat", signal=Signal.HEARTBEAT, times=(AT,), values=(1.0,))


def power(of: VmId) -> VmRecord:
    return VmRecord(of, Record(at=UNDATED, signal=Signal.POWER, name="PowerState/running"), is_dated=False)


def placed(*items: Item) -> tuple[ItemStore, list[str]]:
    spool = ItemStore()
    for item in items:
        spool.add_item(item)
    spool.finish_loading()
    return spool, list(resolve_placeholders(spool))


def owners(spool: ItemStore, table: str) -> set[object]:
    rows = spool.database.execute(f"select key from {table} join machine on num = vm")  # noqa: S608 - ours
    return {key for (key,) in rows}


@pytest.mark.parametrize(
    ("spoken", "meant"),
    [
        (vm(), vm()),
        (make_name_placeholder("WEB-01"), vm()),
        (make_name_placeholder("web-01", "SHOP"), vm()),
        (make_name_placeholder("pool_3"), vm("3", scale_set="pool")),
        (make_computer_placeholder("web-01"), vm()),
        (make_computer_placeholder("web-01.corp.example"), vm()),
        (make_computer_placeholder("WINBOX"), vm("a-long-windows-name")),
    ],
)
def test_a_name_that_one_vm_has_is_that_vm(spoken: VmId, meant: VmId) -> None:
    others = [VmInventory(VirtualMachine(id=one)) for one in (vm("web-02"), vm("3", scale_set="other"))]
    computer = VmInventory(VirtualMachine(id=vm("a-long-windows-name")), computer="winbox")
    spool, said = placed(power(spoken), beat(spoken), VmInventory(VirtualMachine(id=meant)), computer, *others)

    assert owners(spool, "record") == owners(spool, "points") == {meant.key}
    assert not said
    assert (spool.find_vm_number(spoken) is None) is (spoken != meant)


def test_a_computer_that_is_called_otherwise_is_not_meant_by_its_vms_name() -> None:
    spool, said = placed(
        beat(make_computer_placeholder("web-01")), VmInventory(VirtualMachine(id=vm()), computer="inside")
    )

    assert not owners(spool, "points")
    assert said == ["records that name a VM only as web-01 were left out: no VM of that name is in the archive"]


def test_of_two_vms_of_one_name_neither_is_meant_and_both_say_so() -> None:
    twins = [VmInventory(VirtualMachine(id=one)) for one in (vm(), vm(group="test"))]
    spool, said = placed(power(make_name_placeholder("web-01", "test")), *twins)
    assert (owners(spool, "record"), said) == ({vm(group="test").key}, [])  # a group tells them apart

    spool, (told,) = placed(power(make_name_placeholder("web-01")), *twins)
    refused = set(spool.database.execute("select scope, signal from refused"))

    assert not owners(spool, "record")
    assert "2 VMs of that name" in told
    assert refused == {(vm().key, "power"), (vm(group="test").key, "power")}


def test_what_the_inventory_says_of_a_name_is_kept() -> None:
    spoken = VirtualMachine(
        id=make_name_placeholder("web-01"), os="linux", size="Standard_D2s_v5", power_state="running"
    )
    spool, _ = placed(VmInventory(spoken), VmInventory(VirtualMachine(id=vm(), size="Standard_D4s_v5")))

    assert list(spool.database.execute("select os, size, power from machine")) == [
        ("linux", "Standard_D4s_v5", "running")
    ]


def test_hundreds_of_computers_that_nobody_knows_are_told_in_one_sentence() -> None:
    _, (said,) = placed(
        VmInventory(VirtualMachine(id=vm())), *(beat(make_computer_placeholder(f"pc-{one:03}")) for one in range(200))
    )

    assert "pc-000, pc-001, pc-002 and 197 others" in said
