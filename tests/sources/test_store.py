"""What is heard is kept by VM, whatever the order; of a VM by its name alone it goes to the one VM of that name."""

import itertools
from array import array
from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.completeness import MalformedRow
from vmdiag.identity import VmId, make_computer_placeholder, make_name_placeholder
from vmdiag.model import Gap, Kind, Record, Signal, VirtualMachine, Window
from vmdiag.sources.items import (
    UNDATED,
    FeedCoverage,
    Item,
    MetricPoints,
    NetworkChange,
    NetworkLink,
    RecordedGap,
    ServiceIncident,
    VmInventory,
    VmRecord,
)
from vmdiag.sources.store import CACHE_LIMIT, POINTS_LIMIT, ROWS_LIMIT, ItemStore, encode_vm_id
from vmdiag.sources.stored_scope import resolve_placeholders
from vmdiag.values import replace

AT = datetime(2026, 3, 2, 8, 14, tzinfo=UTC)
VM = VmId(subscription="s", resource_group="Shop", name="web-01")
STOPPED = Record(at=UNDATED, signal=Signal.POWER, name="PowerState/stopped")
MIGRATED = Record(at=AT, signal=Signal.HEALTH, name="LiveMigrationSucceeded", facts={"title": "\x1b[31m[bold]"})


def spooled(*items: Item) -> ItemStore:
    spool = ItemStore()
    for item in items:
        spool.add_item(item)
    spool.finish_loading()
    return spool


def told(spool: ItemStore, query: str) -> list[tuple[object, ...]]:
    return list(spool.database.execute(query))


def named(resource_group: str, name: str) -> VmId:
    return replace(VM, resource_group=resource_group, name=name)


def test_spellings_of_one_id_are_one_vm_and_the_one_with_mixed_case_is_shown_whichever_came_first() -> None:
    spellings = [named("SHOP", "WEB-01"), named("shop", "web-01"), named("Shop", "web-01")]

    for order in itertools.permutations(spellings):
        spool = spooled(*(VmRecord(vm, MIGRATED) for vm in order))

        assert str(spool.find_best_spelling(VM)) == str(VM)
        assert encode_vm_id(named("shop", "web")) < encode_vm_id(named("SHOP", "WEB"))
        assert told(spool, "select distinct vm from record") == [(1,)]


def test_what_several_rows_know_of_a_vm_is_put_together_in_any_order() -> None:
    parts = [
        VirtualMachine(id=VM, location="westeurope"),
        VirtualMachine(id=VM, os="linux", network=frozenset({"/NIC"})),
        VirtualMachine(id=VM, location="westeurope", power_state="running"),
        VirtualMachine(id=VM, power_state="deallocated", network=frozenset({"/nic2"})),
    ]

    for order in itertools.permutations(parts):
        spool = spooled(*map(VmInventory, order))

        assert told(spool, "select location, os, size, power from machine") == [
            ("westeurope", "linux", None, "deallocated")
        ]
        assert told(spool, "select resource from passage order by 1") == [("/nic",), ("/nic2",)]


def test_more_rows_than_wait_in_memory_all_arrive() -> None:
    count = ROWS_LIMIT + 7
    spool = spooled(*(VmRecord(VM, replace(MIGRATED, at=AT + timedelta(seconds=each))) for each in range(count)))

    assert told(spool, "select count(*), count(distinct at) from record") == [(count, count)]
    assert spool.newest == AT + timedelta(seconds=count - 1)


def test_more_points_than_wait_in_memory_all_arrive() -> None:
    times = tuple(AT + timedelta(seconds=each) for each in range(POINTS_LIMIT // 2 + 1))
    sampled = MetricPoints(vm=VM, name="in", signal=Signal.TRAFFIC, times=times, values=(1.5,) * len(times))
    spool = spooled(sampled, sampled, sampled)

    found = told(spool, "select times, vals from points")
    assert len(found) > 1
    assert sum(len(array("d", bytes(blob))) for _, blob in found if isinstance(blob, bytes)) == 3 * len(times)


def test_more_vms_than_are_remembered_keep_their_numbers() -> None:
    vms = [replace(VM, name=f"vm-{each}") for each in range(CACHE_LIMIT + 5)]
    spool = spooled(*(VmRecord(vm, MIGRATED) for vm in [*vms, vms[0]]))

    assert told(spool, "select count(*) from machine") == [(len(vms),)]
    assert told(spool, "select count(*) from record group by vm order by 1 desc limit 2") == [(2,), (1,)]


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_cannot_be_is_malformed_and_moves_no_window(year: int) -> None:
    spool = ItemStore()
    record = replace(MIGRATED, at=AT.replace(year=year))
    sampled = MetricPoints(vm=VM, name="in", signal=Signal.TRAFFIC, times=(AT, record.at), values=(1, 2))

    for item in (
        VmRecord(VM, record),
        NetworkChange(resource="/nsg", record=record),
        ServiceIncident("s", record),
        sampled,
    ):
        with pytest.raises(MalformedRow, match="its time cannot be"):
            spool.add_item(item)
    spool.add_item(RecordedGap(VM, Gap(signal=Signal.TRAFFIC, window=Window(AT, record.at), reason="x")))

    assert spool.newest in (None, AT)


def test_an_id_of_a_megabyte_is_no_vm() -> None:
    spool, absurd = ItemStore(), replace(VM, name="x" * 1_000_000)

    with pytest.raises(MalformedRow, match="names no VM"):
        spool.add_item(VmRecord(absurd, MIGRATED))
    spool.add_fault(absurd, Signal.ACTIVITY, "a.json", 1, "no time")
    spool.finish_loading()

    assert told(spool, "select count(*) from machine") == [(0,)]
    assert told(spool, "select scope, place from lack") == [("", "a.json")]


def test_the_end_of_a_recording_is_known_from_what_it_missed() -> None:
    gap = Gap(signal=Signal.HEARTBEAT, window=Window(AT, AT + timedelta(hours=1)), reason="no workspace given")

    assert spooled(VmRecord(VM, MIGRATED), RecordedGap(VM, gap)).newest == AT + timedelta(hours=1)
    assert spooled(MetricPoints(vm=VM, name="in", signal=Signal.TRAFFIC, times=(), values=())).newest is None


RESOURCE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/networkSecurityGroups/N"
COVERAGE = FeedCoverage(signal=Signal.ACTIVITY, scope="/subscriptions/S/resourceGroups/G/")


@pytest.mark.parametrize(
    ("items", "query", "rows"),
    [
        (
            [VmRecord(VM, MIGRATED), VmRecord(VM, STOPPED, is_dated=False)],
            "select at, kind from record order by at",
            [(None, Kind.POWER_STOPPED), (AT.timestamp(), Kind.LIVE_MIGRATION)],
        ),
        (
            [MetricPoints(vm=VM, name="in", signal=Signal.TRAFFIC, times=(), values=())],
            *("select name, length(times) from points", [("in", 0)]),
        ),
        (
            [COVERAGE, replace(COVERAGE, scope=COVERAGE.scope.lower()), COVERAGE],
            *("select scope, partial from covers", [("/subscriptions/s/resourcegroups/g", "")]),
        ),
        (
            [NetworkChange(resource=RESOURCE, record=MIGRATED)],
            "select resource, scope from nearby",
            [(RESOURCE.lower(), "/subscriptions/s/resourcegroups/g")],
        ),
        ([ServiceIncident("/subscriptions/S", MIGRATED)], "select subscription from regional", [("s",)]),
        (
            [NetworkLink("/NIC", frozenset({"/NSG"})), NetworkLink("/nic", frozenset({"/nsg"}))],
            *("select * from link", [("/nic", "/nic"), ("/nic", "/nsg")]),
        ),
    ],
    ids=["what a record means", "a metric without a value", "coverage once", "ids", "subscriptions", "links"],
)
def test_what_was_read_is_kept_once_with_what_it_means_and_by_ids_in_small_letters(
    items: list[Item], query: str, rows: list[tuple[object, ...]]
) -> None:
    assert told(spooled(*items), query) == rows


def test_faults_of_one_file_are_counted_and_the_first_is_told() -> None:
    spool = ItemStore()
    for line in (3, 5, 8):
        spool.add_fault(VM, Signal.ACTIVITY, "a.json", line, f"no time in {line}")
    spool.add_fault(None, Signal.ACTIVITY, "a.json", 9, "not valid JSON")
    spool.finish_loading()

    lacks = [(lack.scope, lack.line, lack.reason, lack.count) for lack in spool.read_incomplete_reads((VM.key,))]
    assert sorted(lacks) == [("", 9, "not valid JSON", 1), (VM.key, 3, "no time in 3", 3)]


def called(name: str = "web-01", group: str = "shop", scale_set: str | None = None) -> VmId:
    return VmId(subscription="s", resource_group=group, name=name, scale_set=scale_set)


def beat(of: VmId) -> MetricPoints:
    return MetricPoints(vm=of, name="Heartbeat", signal=Signal.HEARTBEAT, times=(AT,), values=(1.0,))


def power(of: VmId) -> VmRecord:
    return VmRecord(of, Record(at=UNDATED, signal=Signal.POWER, name="PowerState/running"), is_dated=False)


def placed(*items: Item) -> tuple[ItemStore, list[str]]:
    spool = spooled(*items)
    return spool, list(resolve_placeholders(spool))


def owners(spool: ItemStore, table: str) -> set[object]:
    return {key for (key,) in told(spool, f"select key from {table} join machine on num = vm")}  # noqa: S608 - ours


@pytest.mark.parametrize(
    ("spoken", "meant"),
    [
        (called(), called()),
        (make_name_placeholder("WEB-01"), called()),
        (make_name_placeholder("web-01", "SHOP"), called()),
        (make_name_placeholder("pool_3"), called("3", scale_set="pool")),
        (make_computer_placeholder("web-01"), called()),
        (make_computer_placeholder("web-01.corp.example"), called()),
        (make_computer_placeholder("WINBOX"), called("a-long-windows-name")),
    ],
)
def test_a_name_that_one_vm_has_is_that_vm(spoken: VmId, meant: VmId) -> None:
    others = [VmInventory(VirtualMachine(id=one)) for one in (called("web-02"), called("3", scale_set="other"))]
    computer = VmInventory(VirtualMachine(id=called("a-long-windows-name")), computer="winbox")
    spool, said = placed(power(spoken), beat(spoken), VmInventory(VirtualMachine(id=meant)), computer, *others)

    assert owners(spool, "record") == owners(spool, "points") == {meant.key}
    assert not said
    assert (spool.find_vm_number(spoken) is None) is (spoken != meant)


def test_a_computer_that_is_called_otherwise_is_not_meant_by_its_vms_name() -> None:
    spool, said = placed(
        beat(make_computer_placeholder("web-01")), VmInventory(VirtualMachine(id=called()), computer="inside")
    )

    assert not owners(spool, "points")
    assert said == ["records that name a VM only as web-01 were left out: no VM of that name is in the archive"]


def test_of_two_vms_of_one_name_neither_is_meant_and_both_say_so() -> None:
    twins = [VmInventory(VirtualMachine(id=one)) for one in (called(), called(group="test"))]
    spool, said = placed(power(make_name_placeholder("web-01", "test")), *twins)
    assert (owners(spool, "record"), said) == ({called(group="test").key}, [])  # a group tells them apart

    spool, (told,) = placed(power(make_name_placeholder("web-01")), *twins)
    refused = set(spool.database.execute("select scope, signal from refused"))

    assert not owners(spool, "record")
    assert "2 VMs of that name" in told
    assert refused == {(called().key, "power"), (called(group="test").key, "power")}


def test_what_the_inventory_says_of_a_name_is_kept() -> None:
    spoken = VirtualMachine(
        id=make_name_placeholder("web-01"), os="linux", size="Standard_D2s_v5", power_state="running"
    )
    spool, _ = placed(VmInventory(spoken), VmInventory(VirtualMachine(id=called(), size="Standard_D4s_v5")))

    assert list(spool.database.execute("select os, size, power from machine")) == [
        ("linux", "Standard_D4s_v5", "running")
    ]


def test_hundreds_of_computers_that_nobody_knows_are_told_in_one_sentence() -> None:
    _, (said,) = placed(
        VmInventory(VirtualMachine(id=called())),
        *(beat(make_computer_placeholder(f"pc-{one:03}")) for one in range(200)),
    )

    assert "pc-000, pc-001, pc-002 and 197 others" in said
