"""The corpus keeps its promises, and vmdiag keeps its own on the corpus."""

import gzip
import inspect
import json
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.quality import Measured, measure
from tests.incidents.corpus import BLOCK_SIZE, INCIDENT_CLASSES, generate_batches, generate_incidents
from tests.incidents.model import FLAGGED, Incident, Series

SEED = 7
COUNT = 1000
FORMS = frozenset({
    "activity-cli", "activity-rest", "activity-single", "storage-pt1h", "event-hub", "azureactivity-api",
    "azureactivity-cli", "azureactivity-csv", "heartbeat-api", "heartbeat-cli", "heartbeat-csv", "azuremetrics-api",
    "azuremetrics-cli", "azuremetrics-csv", "healthresources-objects", "healthresources-table",
    "healthresourcechanges-objects", "healthresourcechanges-table", "resourcechanges-objects",
    "resourcechanges-table", "resources-objects", "resources-table", "availability-statuses", "service-events",
    "event-grid", "cloud-events", "metrics-rest", "metrics-cli", "metrics-refused", "vm-rest", "vm-cli", "portal-csv",
    "nwconnectionmonitortestresult-api", "nwconnectionmonitortestresult-cli", "nwconnectionmonitortestresult-csv",
    "probe-metrics", "rule-health",
})  # fmt: skip
SCENARIOS = frozenset({
    "live-migration-datapath", "user-stop", "guest-restart", "guest-crash", "host-failure", "planned-maintenance",
    "storage-offline", "spot-eviction", "network-change", "service-incident", "accelerated-networking",
    "platform-network",
})  # fmt: skip
TRAFFIC = ("Network In Total", "Inbound Flows")
CLEAN = frozenset({
    "quiet_vm", "clean_migration", "tcp_tails", "vf_swap_dip", "short_health_flap", "agent_not_ready",
    "pause_with_missing_points", "holes_in_normal_traffic", "planned_freeze_without_migration",
    "failed_migration_harmless", "unavailable_but_traffic_normal", "clean_by_traffic_without_health_history",
    "partial_pause", "fall_to_two_thirds", "two_short_falls", "silent_agent", "silent_agent_long_after_migration",
    "silent_agents_of_a_workspace", "silent_agents_and_a_migration", "healthy_migration_stamped_twice",
    "migration_repeated_minutes_later", "unknown_note_and_nothing_lost", "restart_before_a_clean_migration",
    "resized_after_migration", "short_window_on_a_quiet_vm", "clean_in_coarse_points", "migration_of_minutes_ago",
    "clean_migration_with_witnesses", "only_other_networks_cut", "balancer_probe_only",
})  # fmt: skip
LOOK_ALIKES = frozenset({
    "connections_that_died", "egress_only", "appliance_in_the_path", "port_down_seen_from_outside",
})  # fmt: skip
CUSTOMER = frozenset({
    "user_stop", "user_stop_after_migration", "stopped_from_inside", "deallocated_then_started",
    "restart_never_came_back", "resize_never_came_back", "rebuilt_between", "deleted_and_recreated",
    "network_change_after_migration", "short_window_on_a_stopped_vm", "short_window_behind_a_change",
    "stop_with_late_records", "restart_stamped_late",
})  # fmt: skip


LOST_BEFORE = frozenset({"earlier_outage_in_the_hour", "change_that_ended_an_earlier_loss", "migration_between_pieces"})


@cache
def corpus() -> tuple[Incident, ...]:
    """Every class three times."""
    return tuple(generate_incidents(SEED, 3 * len(INCIDENT_CLASSES)))


pytestmark = pytest.mark.xdist_group("corpus")
"""In one process, so that the corpus is made and judged once."""


@cache
def measured() -> Measured:
    """One run of the program over the whole corpus, for all bars."""
    return measure(SEED, COUNT)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    again = list(generate_incidents(SEED, len(INCIDENT_CLASSES)))
    assert again == list(corpus()[: len(INCIDENT_CLASSES)])
    assert all(
        one.files != other.files for one, other in zip(again, generate_incidents(SEED + 1, len(again)), strict=True)
    )


def test_there_are_many_classes_and_each_says_what_happens() -> None:
    assert len(INCIDENT_CLASSES) >= 25
    assert all(inspect.getdoc(function) for function in INCIDENT_CLASSES.values())
    assert set(INCIDENT_CLASSES) >= CLEAN | CUSTOMER | LOOK_ALIKES


def test_every_scenario_explains_some_incident() -> None:
    assert {name for each in corpus() for name in each.label.explanation} >= SCENARIOS


def test_every_wire_form_occurs_plain_or_packed() -> None:
    assert {file.form for each in corpus() for file in each.files} == FORMS
    assert any(file.path.endswith(".gz") for each in corpus() for file in each.files)


def test_no_label_leaves_open_whether_the_vm_is_flagged() -> None:
    labels = [label for each in corpus() for label in (each.label, *each.bystanders.values())]
    assert all(label.verdict <= FLAGGED or not label.verdict & FLAGGED for label in labels)


def test_every_incident_has_files_and_a_subscription_of_its_own() -> None:
    subscriptions = [each.vm.split("/")[2] for each in corpus()]
    assert len(set(subscriptions)) == len(subscriptions)
    assert all(each.files for each in corpus())


def test_nothing_happens_after_the_end_of_the_window() -> None:
    for each in corpus():
        truth = each.truth
        times = [*(note.at for note in truth.annotations), *(changed.at for changed in truth.health)]
        times += [operation.at + operation.duration for operation in truth.operations]
        times += [at for beats in truth.beats.values() for at in beats]
        assert max(times) <= each.until, each.name


def test_traffic_is_gone_where_a_label_says_so_and_there_where_it_does_not() -> None:
    """At most 5 % of the median of the 60 minutes before; back within 15 where nothing was lost.

    An earlier loss inside those minutes spoils so simple a median.
    """
    for each in corpus():
        collapsed = each.label.is_flagged and each.label.extent == "full" and each.name not in LOST_BEFORE
        for series in (series for series in each.truth.series if series.vm == each.vm):
            if series.name in TRAFFIC:
                assert _longest_collapse(series) >= 11 if collapsed else True, each.name
                assert _longest_collapse(series) < 15 if each.name in CLEAN else True, each.name


def _longest_collapse(series: Series) -> int:
    longest = current = 0
    for minute, value in enumerate(series.values):
        before = [known for known in series.values[max(0, minute - current - 60) : minute - current] if known]
        if value is None or minute < 60:
            continue
        current = current + 1 if value <= 0.05 * median(before) else 0
        longest = max(longest, current)
    return longest


def test_json_files_are_json() -> None:
    for each in corpus()[: len(INCIDENT_CLASSES)]:
        for file in each.files:
            content = gzip.decompress(file.content) if file.path.endswith(".gz") else file.content
            name = file.path.removesuffix(".gz")
            if name.endswith("PT1H.json"):
                assert all(json.loads(line) for line in content.splitlines())
            elif name.endswith(".json"):
                assert json.loads(content)


def test_a_batch_has_one_end_one_region_each_and_one_operator(tmp_path: Path) -> None:
    for batch in generate_batches(SEED, 2 * BLOCK_SIZE):
        assert {each.until for each in batch.incidents} == {batch.until}
        assert {each.since for each in batch.incidents} == {batch.since}
        assert len({each.truth.machines[0].location for each in batch.incidents}) == len(batch.incidents)
        assert batch.unreachable_since is None or len(batch.incidents) == 1
        batch.write_files(tmp_path)
    assert any(tmp_path.rglob("PT1H.json*"))


def test_every_run_gives_a_report_with_every_vm_in_it() -> None:
    assert measured().failures == ()
    assert measured().vms >= COUNT
    assert [pair for pair in measured().confusion if pair[1] == "absent"] == []


def test_what_is_flagged_is_affected_and_what_is_affected_is_flagged() -> None:
    assert measured().strangers == ()
    assert measured().flagged.precision >= 0.995
    assert measured().flagged.recall >= 0.995


def test_clean_migrations_and_customers_acts_are_never_flagged() -> None:
    assert measured().false_alarms(CLEAN | CUSTOMER | LOOK_ALIKES) == ()


@pytest.mark.parametrize(
    "field", ["verdict", "explanation", "state", "migrated_at", "failed_at", "action", "extent", "scope"]
)
def test_the_report_agrees_with_the_labels(field: str) -> None:
    wrong = [each for each in measured().differences if each.field == field]
    assert measured().accuracy[field] >= 0.985, wrong[:20]


def test_onsets_are_dated_to_the_minute() -> None:
    assert measured().failed_at_error <= 60


def test_no_class_is_judged_wrongly_as_a_whole() -> None:
    """A bar over all incidents would not notice a class that fails: most VMs of each agree in every field."""
    assert [name for name, score in measured().classes.items() if score.whole < 0.8 * score.vms] == []
    assert set(measured().classes) == set(INCIDENT_CLASSES)


def test_simple_rules_are_clearly_worse() -> None:
    for score in measured().baselines.values():
        assert min(score.precision, score.recall) < 0.5
