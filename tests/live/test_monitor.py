"""Connection Monitor's tests, read live of suspects, and Scheduled Events: what they cost, and what lacks without."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.arm import World
from tests.arm.world import AnnouncedEvent
from tests.incidents.corpus import INCIDENT_CLASSES
from tests.incidents.model import Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.live.conftest import AzureStarter, LocalAzure, get_gap_reasons

TESTS = "NWConnectionMonitorTestResult"
PAUSED = "Virtual machine is being paused because of a memory-preserving Live Migration operation."
METRICS_READ = "Microsoft.Insights/metrics/read"
QUERY_READ = "Microsoft.OperationalInsights/workspaces/query/read"


def _stage(name: str = "reached_from_inside_alone", number: int = 1) -> Incident:
    scene = Scene(1, number, datetime(2026, 5, 1, 12, tzinfo=UTC))
    return stage_incident(name, 1, number, scene, INCIDENT_CLASSES[name](scene))


def _build_world(incident: Incident, *denied: str) -> World:
    """The incident where traffic may not be read, so that tests are what tells of a loss."""
    world = World.from_incidents(incident)
    world.denied |= {(action, "/") for action in (METRICS_READ, *denied)}
    return world


def _check(there: LocalAzure, incident: Incident, *options: str) -> dict[str, Any]:
    """The VM's case, where no workspace with heartbeats is looked at."""
    ran, (case,) = there.check_vms(incident.vm, "--workspace", there.arm.world.test_workspace, *options)
    assert ran.code in (0, 1, 3), ran.err
    return case


def _list_test_queries(there: LocalAzure) -> list[str]:
    return [seen.body.decode() for seen in there.arm.list_posts("/query") if TESTS.encode() in seen.body]


def test_a_pair_of_tests_confirms_what_health_alone_leaves_open_though_the_one_who_looks_is_out_of_scope(
    azure: AzureStarter,
) -> None:
    incident = _stage()
    there = azure(_build_world(incident))
    case = _check(there, incident)
    (query,) = _list_test_queries(there)

    assert (case["verdict"], case["losses"][-1]["scope"]) == ("confirmed", incident.label.scope)
    assert "monitor" not in get_gap_reasons(case)
    assert incident.vm.lower() in query
    # Those who look are placed by one more question to Resource Graph, for all of them.
    assert sum("other-prober" in seen.body.decode() for seen in there.arm.list_posts("/resources")) == 1


@pytest.mark.parametrize("way", ["refused", "cut", "unsearched"])
def test_tests_that_were_not_read_whole_make_no_pair_and_are_a_gap_with_its_reason(
    azure: AzureStarter, way: str
) -> None:
    incident = _stage()
    world = _build_world(incident, *([QUERY_READ] if way == "refused" else []))
    world.row_cap = 3 if way == "cut" else world.row_cap
    world.graph = way != "unsearched"
    case = _check(azure(world), incident)
    reason = get_gap_reasons(case)["monitor"]

    told = {"refused": QUERY_READ, "cut": "Azure answered in part", "unsearched": "which connection monitors"}
    assert told[way] in reason
    assert case["verdict"] in ("inconclusive", "suspected")


@pytest.mark.parametrize("shows_policy", [True, False])
def test_scheduled_events_are_asked_for_where_a_vm_publishes_them_and_hint_at_a_migration_that_nobody_dates(
    azure: AzureStarter, *, shows_policy: bool
) -> None:
    world = World.with_one_vm(shows_policy=shows_policy, migrated_ago=None)
    (vm,) = world
    freeze = AnnouncedEvent(vm=vm.id, kind="Freeze", not_before=world.now(), status="Completed", description=PAUSED)
    world.maintenance.append(freeze)
    there = azure(world)
    ran, (case,) = there.check_vms("prod/web-01")
    told = [one["says"] for one in case["findings"][0]["evidence"] if "Scheduled Events" in one["says"]]
    asked = ["maintenanceresources" in seen.body.decode() for seen in there.arm.list_posts("/resources")]

    assert (ran.code, case["verdict"], case["explanation"], case["migrated_at"]) == (0, "clear", "unexplained", None)
    assert (sum(asked), len(told)) == (shows_policy, shows_policy)


def test_without_a_connection_monitor_a_workspace_without_their_table_is_no_gap(azure: AzureStarter) -> None:
    incident = _stage("traffic_lost_after_migration")
    there = azure(World.from_incidents(replace(incident, truth=replace(incident.truth, tests=()))))
    ran, (case,) = there.check_vms(incident.vm)

    assert (ran.err, case["verdict"]) == ("", "confirmed")
    assert len(_list_test_queries(there)) == 1
    assert "monitor" not in get_gap_reasons(case)
