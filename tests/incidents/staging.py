"""From a told story to an incident: its series and heartbeats, the noise around it, the files somebody exported."""

import gzip
import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.incidents.model import GroundTruth, HealthChange, Incident, Label, Operation, Series, VisibleFacts, WireFile
from tests.incidents.scene import NOT_REPORTED, Scene, TrafficDip
from tests.incidents.wire import (
    activity_log,
    exports,
    log_analytics,
    metrics,
    resource_graph,
    resource_health,
    virtual_machine,
)
from tests.incidents.wire.log_entry import build_log_entries

MINUTE = timedelta(minutes=1)
TRAFFIC_METRICS = (("Network In Total", "total", "Bytes"), ("Inbound Flows", "average", "Count"))
VITAL_METRICS = (
    ("Percentage CPU", "average", "Percent"),
    ("Disk Write Bytes", "total", "Bytes"),
    ("VmAvailabilityMetric", "average", "Count"),
)
_LEVELS = {
    # Lowest and highest usual value; a busy VM stays above the 10 kB and 2 flows of a usable baseline.
    "Network In Total": (2e4, 5e8),
    "Inbound Flows": (5.0, 3000.0),
    "Percentage CPU": (3.0, 60.0),
    "Disk Write Bytes": (1e5, 1e8),
    "VmAvailabilityMetric": (1.0, 1.0),
}
_IDLE = {"Network In Total": (200.0, 4000.0), "Inbound Flows": (0.2, 0.9)}


def choose_first_minute(scene: Scene) -> datetime:
    """The series begin well before the story: a baseline needs the 60 minutes before the loss."""
    day = scene.until - timedelta(days=1)
    known = [dip.start for dip in scene.dips] + [note.at for note in scene.annotations if note.at > day]
    start = min([*known, scene.until - timedelta(hours=2)]) - timedelta(minutes=scene.rng.uniform(85, 130))
    start -= timedelta(hours=scene.plan.hours_before)
    return start.replace(second=0, microsecond=0)


def generate_series(scene: Scene, start: datetime) -> tuple[Series, ...]:
    """Each VM's metrics at PT1M, up to the end of the window."""
    rng, plan = scene.rng, scene.plan
    traffic = rng.choice((TRAFFIC_METRICS[:1], TRAFFIC_METRICS[1:], TRAFFIC_METRICS))
    alive = _choose_vital_metrics(scene)
    minutes = (scene.until - start) // MINUTE
    holes = plan.holes if plan.holes >= 0 else rng.choice((0.0, 0.0, 0.01, 0.03))
    # Of recorded windows half end with one or two points not there yet.
    tail = 0 if plan.whole_tail else rng.randint(0, 2)
    ranges = {**_LEVELS, **(_IDLE if plan.idle else {})}
    series = []
    for machine in scene.machines:
        dips = [dip for dip in scene.dips if dip.vm == machine.vm]
        missing = {minute for minute in range(minutes) if minute >= minutes - tail or rng.random() < holes}
        for name, aggregation, unit in [*traffic, *alive]:
            usual = math.exp(rng.uniform(*map(math.log, ranges[name])))
            shares = [_compute_share(start + minute * MINUTE, dips, name) for minute in range(minutes)]
            values = _generate_values(scene, name, usual, start, shares)
            end = scene.until if name in _IDLE else plan.vital_metrics_until or scene.until
            lasting = (end - start) // MINUTE
            kept = tuple(
                None if minute in missing or minute >= lasting else value for minute, value in enumerate(values)
            )
            series.append(
                Series(vm=machine.vm, name=name, aggregation=aggregation, unit=unit, start=start, values=kept)
            )
    return tuple(series)


def _choose_vital_metrics(scene: Scene) -> list[tuple[str, str, str]]:
    """The metrics that show whether the machine lives."""
    if not scene.plan.alive:
        return []
    chosen = scene.rng.sample(VITAL_METRICS, k=scene.rng.choice((1, 1, 2, 3)))
    wanted = scene.plan.vital_metrics
    return chosen if wanted is None else [each for each in VITAL_METRICS if each[0] in wanted]


def _choose_noise(scene: Scene, name: str) -> float:
    if name == "VmAvailabilityMetric":
        return 0.0
    usual = scene.rng.uniform(0.1, 0.5)
    return usual if scene.plan.noise is None else min(usual, scene.plan.noise)


def _generate_values(scene: Scene, name: str, level: float, start: datetime, shares: list[float]) -> list[float | None]:
    """Log-normal noise on a daily shape, times the share that each minute has."""
    rng, noise = scene.rng, _choose_noise(scene, name)
    values: list[float | None] = []
    for minute, share in enumerate(shares):
        if share == NOT_REPORTED:
            values.append(None)
            continue
        at = start + minute * MINUTE
        hours = at.hour + at.minute / 60
        daily = 1 + (0.25 * math.sin((hours - 6) / 24 * math.tau) if noise else 0.0)
        # What is left after a collapse is noise of probes; nothing may blow it up beyond its level.
        wobble = rng.lognormvariate(0, noise) if share > 0.05 or not noise else rng.uniform(0.5, 1.0)
        value = level * daily * wobble * share
        if name == "Percentage CPU":
            value = min(value, 100.0)
        values.append(float(round(value)) if name.endswith(("Total", "Bytes")) else round(value, 3))
    return values


def _compute_share(at: datetime, dips: list[TrafficDip], name: str) -> float:
    """How much of the usual the minute from `at` on shows; a dip over part of it counts in part."""
    share = 1.0
    for dip in dips:
        end = dip.end or datetime.max.replace(tzinfo=at.tzinfo)
        covered = (min(end, at + MINUTE) - max(dip.start, at)) / MINUTE
        if covered <= 0:
            continue
        if dip.level == NOT_REPORTED:
            return NOT_REPORTED
        if name in _IDLE or not dip.alive:
            share = min(share, 1 - min(covered, 1.0) * (1 - dip.level))
    return share


def generate_heartbeats(scene: Scene, start: datetime) -> dict[str, tuple[datetime, ...]]:
    """A heartbeat a minute from every VM while it can reach the workspace."""
    beats = {}
    for machine in scene.machines:
        dips = [dip for dip in scene.dips if dip.vm == machine.vm]
        first = start + timedelta(seconds=scene.rng.uniform(0, 59))
        times = [first + minute * MINUTE for minute in range((scene.until - first) // MINUTE + 1)]
        silent = [
            (dip.start, dip.end or scene.until + MINUTE)
            for dip in dips
            if (dip.level <= 0.05 if dip.silent is None else dip.silent)
        ]
        beats[machine.vm] = tuple(at for at in times if not any(start <= at < end for start, end in silent))
    return beats


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
        probes=tuple(scene.probes),
        tests=tuple(scene.tests),
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
    if scene.tests:
        files += log_analytics.write_test_table(rng, scene.tests, scene.until)
    files += metrics.write_probe_files(scene.probes, scene.machines, scene.until)
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
        files += resource_health.write_health_events(rng, truth)
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
        power=scene.machines[0].power if "machine" in feeds else None,
    )


def _compress_sometimes(rng: random.Random, file: WireFile) -> WireFile:
    """Exports are often packed; a fixed time in the header keeps the bytes the same."""
    if rng.random() < 0.9:
        return file
    return replace(file, path=f"{file.path}.gz", content=gzip.compress(file.content, compresslevel=1, mtime=0))
