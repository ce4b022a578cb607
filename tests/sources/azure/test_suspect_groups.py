"""Suspects are read in groups: by place, each as large as another, and what was found for one group stays known."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import cast

from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.identity import VmId
from vmdiag.model import VirtualMachine, Window
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure._heartbeat_reading import NAMED_LIMIT, HeartbeatReading
from vmdiag.sources.azure._metric_reading import MetricReading
from vmdiag.sources.items import VmInventory
from vmdiag.sources.protocol import VmFilter, Watcher
from vmdiag.sources.store import ItemStore

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPAN = Window(NOW - timedelta(days=4), NOW)


def make_vms(subscription: str, count: int) -> list[VmId]:
    path = f"/subscriptions/{subscription}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines"
    return [cast("VmId", VmId.parse(f"{path}/web-{number:03d}")) for number in range(count)]


def read_heartbeats(*given: str) -> HeartbeatReading:
    return HeartbeatReading(lambda *_: iter(()), given, SPAN, 8)


def ask_search(vms: Iterable[VmId]) -> str:
    (request,) = read_heartbeats().build_search(VmFilter(groups=("prod",)), (), vms)
    return str(request.request.body)


def test_those_of_a_place_are_asked_for_together_in_groups_of_a_size_and_few_of_many_places_share_one() -> None:
    session, store = Session(AzureSettings(), lambda: NOW, threading.Event()), ItemStore()
    reader = FeedReader(session, store, cast("Watcher", None))
    vms = [*make_vms("a", 26), *make_vms("b", 3), *make_vms("c", 1)]
    for vm in vms:
        store.add_item(VmInventory(VirtualMachine(id=vm, location="westeurope")))
    groups = MetricReading(session, reader, store, SPAN, NOW, ()).group_vms(vms, 24)

    assert [[vm.subscription for vm in group] for group in groups] == [["a"] * 13, ["a"] * 13 + ["b"] * 3 + ["c"]]
    assert [vm for group in groups for vm in group] == vms


def test_a_given_workspace_is_that_of_those_who_were_read_before_too() -> None:
    first, second = make_vms("a", 1), make_vms("b", 1)
    reading = read_heartbeats("w")
    sent = [*reading.build_requests(first), *reading.build_requests(second), *reading.build_requests(first)]

    assert [one.scope_ids for one in sent] == [(first[0].key,), (second[0].key,)]
    assert reading.has_workspace(first[0])
    assert reading.has_workspace(second[0])


def test_where_agents_write_to_is_asked_of_suspects_by_their_ids_and_of_very_many_by_what_is_in_scope() -> None:
    assert "/web-001" in ask_search(make_vms("a", 2))
    assert "'prod'" not in ask_search(make_vms("a", 2))
    assert "/web-001" not in (asked := ask_search(make_vms("a", NAMED_LIMIT + 1)))
    assert "prod" in asked
