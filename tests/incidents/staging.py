"""From a told story to an incident: the truth, the noise around it, and the files somebody exported."""

import gzip
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.incidents.measurements import choose_first_minute, generate_heartbeats, generate_series
from tests.incidents.model import GroundTruth, HealthChange, Incident, Label, Operation, VisibleFacts, WireFile
from tests.incidents.scene import Scene
from tests.incidents.wire import (
    activity_log,
    event_grid,
    exports,
    log_analytics,
    metrics,
    resource_graph,
    resource_health,
    virtual_machine,
)
from tests.incidents.wire.log_entry import build_log_entries

_Writer = Callable[[], list[WireFile]]

_ACTIVITY_FORMS = (
    activity_log.write_cli_array,
    activity_log.write_rest_pages,
    activity_log.write_single_events,
    exports.write_storage_blobs,
    exports.write_event_hub_messages,
    log_analytics.write_activity_table,
)


def stage_incident(name: str, seed: int, index: int, scene: Scene, label: Label) -> Incident:
    """The scene after its story was told, as an incident with its files."""
    truth = _build_truth(scene)
    in_log, in_health = _choose_migration_feeds(scene)
    files, shown = _write_files(scene, truth, in_log=in_log, in_health=in_health)
    return Incident(
        name=name,
        seed=seed,
        index=index,
        until=scene.until,
        vm=scene.vm,
        label=label,
        truth=truth,
        visible_facts=shown,
        files=tuple(_compress_sometimes(scene.rng, file) for file in files),
        bystanders=dict(scene.bystanders),
        unreachable_since=scene.unreachable_since,
        since=scene.since,
    )


def _build_truth(scene: Scene) -> GroundTruth:
    start = choose_first_minute(scene)
    return GroundTruth(
        until=scene.until,
        annotations=tuple(sorted(scene.annotations, key=lambda note: note.at)),
        health=tuple(sorted(scene.health, key=lambda changed: changed.at)),
        operations=tuple(sorted([*scene.operations, *_generate_noise(scene)], key=lambda operation: operation.at)),
        issues=tuple(scene.issues),
        series=generate_series(scene, start),
        beats=generate_heartbeats(scene, start),
        machines=tuple(scene.machines),
    )


def _generate_noise(scene: Scene) -> list[Operation]:
    """What always goes on in a resource group: audits on the VM's own id, extensions, keys, other VMs."""
    rng, root = scene.rng, scene.resource_group_id
    usual = (
        ("Microsoft.Authorization/policies/auditIfNotExists/action", scene.vm, "Policy"),
        ("Microsoft.Compute/virtualMachines/extensions/write", f"{scene.vm}/extensions/AzureMonitorAgent", ""),
        (
            "Microsoft.Storage/storageAccounts/listKeys/action",
            f"{root}/providers/Microsoft.Storage/storageAccounts/logs{rng.randint(10, 99)}",
            "",
        ),
        ("Microsoft.KeyVault/vaults/write", f"{root}/providers/Microsoft.KeyVault/vaults/keys", ""),
        (
            "Microsoft.Compute/virtualMachines/extensions/write",
            f"{root}/providers/Microsoft.Compute/virtualMachines/jump01/extensions/CustomScript",
            "",
        ),
    )
    # The first and the last lie at the ends of the export, so that nothing suggests it was cut.
    times = [
        scene.choose_time_before_end(700, 720),
        scene.choose_time_before_end(1, 4),
        *(scene.choose_time_before_end(5, 700) for _ in range(rng.randint(2, 5))),
    ]
    chosen = [(at, rng.choice(usual), timedelta(seconds=rng.uniform(1, 50))) for at in times]
    return [
        Operation(at=at, target=target, name=name, duration=length, category=category or "Administrative")
        for at, (name, target, category), length in chosen
    ]


def _choose_migration_feeds(scene: Scene) -> tuple[bool, bool]:
    """The activity log does not show every migration; one feed that was read shows it, or both do."""
    feeds = scene.plan.feeds
    if scene.plan.migrations_in_both:
        return True, True
    if {"activity", "health"} <= feeds and scene.plan.health_states:
        return scene.rng.choice(((True, True), (True, False), (False, True), (False, True)))
    return "activity" in feeds, "health" in feeds


def _remove_migrations(truth: GroundTruth) -> GroundTruth:
    kept = tuple(note for note in truth.annotations if not note.name.startswith("LiveMigration"))
    return replace(truth, annotations=kept)


def _write_files(
    scene: Scene, truth: GroundTruth, *, in_log: bool, in_health: bool
) -> tuple[list[WireFile], VisibleFacts]:
    rng, feeds = scene.rng, scene.plan.feeds
    for_log = truth if in_log else _remove_migrations(truth)
    for_health = truth if in_health else _remove_migrations(truth)
    writers: dict[str, _Writer] = {
        "activity": lambda: _write_activity_files(scene, for_log),
        "csv": lambda: exports.write_portal_csv(build_log_entries(rng, for_log)),
        "health": lambda: _write_health_files(scene, for_health),
        "metrics": lambda: _write_metric_files(scene, truth),
        "heartbeat": lambda: log_analytics.write_heartbeat_table(rng, truth.beats),
        "machine": lambda: _write_machine_files(scene),
        "service": lambda: resource_health.write_service_events(list(truth.issues)),
    }
    files = [file for feed, writer in writers.items() if feed in feeds for file in writer()]
    if scene.plan.metrics_refused:
        files += metrics.write_refusal()
    if scene.plan.config_changes:
        changes = [each for each in truth.operations if each.name.startswith("Microsoft.Network/")]
        files += resource_graph.write_resource_changes(rng, changes)
    return files, _select_visible_facts(scene, truth, visible=(in_log or in_health))


def _write_activity_files(scene: Scene, truth: GroundTruth) -> list[WireFile]:
    """One form of the log, sometimes two: the same events, so that a reader must fold them."""
    forms = (log_analytics.write_activity_table,) if "heartbeat" in scene.plan.feeds else _ACTIVITY_FORMS
    entries = build_log_entries(scene.rng, truth)
    twice = len(forms) > 1 and scene.rng.random() < 0.15
    return [file for form in scene.rng.sample(forms, k=2 if twice else 1) for file in form(scene.rng, entries)]


def _write_health_files(scene: Scene, truth: GroundTruth) -> list[WireFile]:
    """Availability history, Resource Graph's change history, or both, and sometimes events as pushed."""
    rng = scene.rng
    if not scene.plan.health_states:
        return resource_graph.write_health_changes(rng, truth, states=False)
    files: list[WireFile] = []
    how = rng.choice(("history", "changes", "both"))
    if how != "changes":
        files += resource_health.write_availability_history(rng, truth)
    if how != "history":
        files += resource_graph.write_health_changes(rng, truth)
    if rng.random() < 0.2:
        files += resource_graph.write_current_health(rng, truth)
    if rng.random() < 0.2:
        files += event_grid.write_health_events(rng, truth)
    return files


def _write_metric_files(scene: Scene, truth: GroundTruth) -> list[WireFile]:
    if scene.rng.random() < 0.06 and scene.plan.grain == 1:
        # A row a point with full names is ten times as long as the API's answer, so it is written seldom.
        return log_analytics.write_metrics_table(scene.rng, list(truth.series))
    return metrics.write_metrics_files(scene.rng, list(truth.series), scene.region, scene.plan.grain)


def _write_machine_files(scene: Scene) -> list[WireFile]:
    rng, machines = scene.rng, list(scene.machines)
    forms = scene.plan.machine_forms or rng.choice((("vm",), ("resources",), ("vm", "resources")))
    files: list[WireFile] = []
    if "vm" in forms:
        files += virtual_machine.write_vm_files(rng, machines)
    if "resources" in forms:
        files += resource_graph.write_resources(rng, machines)
    return files


def _select_visible_facts(scene: Scene, truth: GroundTruth, *, visible: bool) -> VisibleFacts:
    """What the two simple rules may know of the first VM."""
    feeds = scene.plan.feeds
    migrations = [note.at for note in truth.annotations if note.vm == scene.vm and note.name.startswith("LiveM")]
    health: list[HealthChange] = []
    if feeds & {"activity", "health"}:
        health = [changed for changed in truth.health if changed.vm == scene.vm]
    if "health" not in feeds:
        health = [changed for changed in health if "Unknown" not in (changed.before, changed.after)]
    return VisibleFacts(
        migrations=tuple(migrations) if visible else (),
        health=tuple(health),
        power=scene.get_machine(scene.vm).power if "machine" in feeds else None,
    )


def _compress_sometimes(rng: random.Random, file: WireFile) -> WireFile:
    """Exports are often packed; a fixed time in the header keeps the bytes the same."""
    if rng.random() < 0.9:
        return file
    return replace(file, path=f"{file.path}.gz", content=gzip.compress(file.content, compresslevel=1, mtime=0))
