"""How well vmdiag judges the labelled corpus: `python -m tests.benchmarks.quality --seed N --count N`."""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from tests.conftest import COMMAND
from tests.incidents.corpus import BLOCK_SIZE, generate_batches
from tests.incidents.model import FLAGGED, TOLERANCE, Batch, ExpectedTime, Incident, Label

ABSENT = "absent"
"""Got instead of a verdict where the report has no case for the VM."""

Case = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a rule that flags VMs did; VMs whose label is not flagged must not be flagged."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the flagged that are affected; 1 where nothing was flagged."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the affected that were flagged."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How one class of incidents was judged, neighbours included."""

    flagged: Score
    vms: int
    whole: int
    """VMs that agree with their label in every field that is compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which the report and the label do not agree."""

    name: str
    index: int
    vm: str
    field: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All figures of one run over the corpus."""

    vms: int
    confusion: Mapping[tuple[str, str], int]
    """(expected, got) verdicts; the expected one is written `a|b` where the contract leaves it open."""
    flagged: Score
    accuracy: Mapping[str, float]
    """Share of VMs in which a field agrees with its label, for each field that is compared."""
    differences: tuple[Difference, ...]
    classes: Mapping[str, ClassScore]
    failed_at_error: float
    """Median distance of the onset from its label in seconds, where both have one."""
    strangers: tuple[str, ...]
    """VMs flagged that have no label, such as those only named in unrelated events."""
    baselines: Mapping[str, Score]
    failures: tuple[str, ...]
    """Runs that gave no report, with what they printed."""

    def false_alarms(self, names: Iterable[str]) -> tuple[Difference, ...]:
        """Differences of verdict in these classes in which something was flagged."""
        wanted = frozenset(names)
        return tuple(
            each for each in self.differences if each.name in wanted and each.field == "verdict" and each.got in FLAGGED
        )


@dataclass(slots=True)
class _Tally:
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    flags: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    class_flags: dict[str, Counter[tuple[bool, bool]]] = field(default_factory=lambda: defaultdict(Counter))
    whole: Counter[str] = field(default_factory=Counter)
    onset_errors: list[float] = field(default_factory=list)


def measure(seed: int, count: int, size: int = BLOCK_SIZE) -> Measured:
    """Write the corpus batch by batch, run the installed command on each, and compare with the labels."""
    tally = _Tally()
    simple: dict[str, Counter[tuple[bool, bool]]] = {name: Counter() for name in BASELINES}
    strangers: list[str] = []
    failures: list[str] = []
    for batch, report in _reports(seed, count, size):
        if isinstance(report, str):
            failures.append(report)
        cases = {} if isinstance(report, str) else report
        known = set()
        for incident in batch.incidents:
            for vm, label in ((incident.vm, incident.label), *incident.bystanders.items()):
                known.add(vm.lower())
                _compare(tally, incident, vm, label, cases.get(vm.lower()))
            for name, rule in BASELINES.items():
                simple[name][incident.label.is_flagged, rule(incident)] += 1
        strangers += [vm for vm, case in cases.items() if vm not in known and case.get("verdict") in FLAGGED]
    return Measured(
        vms=tally.compared["verdict"],
        confusion=dict(tally.confusion),
        flagged=_score(tally.flags, more_wrong=len(strangers)),
        accuracy={name: tally.agreed[name] / number for name, number in tally.compared.items()},
        differences=tuple(tally.differences),
        classes={name: _class_score(tally, name) for name in sorted(tally.class_flags)},
        failed_at_error=median(tally.onset_errors or [0.0]),
        strangers=tuple(strangers),
        baselines={name: _score(flags) for name, flags in simple.items()},
        failures=tuple(failures),
    )


def annotation_and_outage(incident: Incident) -> bool:
    """The first simple rule: a live-migration annotation, and health Unavailable within an hour after it."""
    shown = incident.visible_facts
    down = [changed.at for changed in shown.health if changed.after == "Unavailable"]
    return any(timedelta() <= at - migrated <= timedelta(hours=1) for migrated in shown.migrations for at in down)


def running_after_unplanned_outage(incident: Incident) -> bool:
    """The second simple rule: running, health Available again, before that Unavailable, unplanned."""
    shown = incident.visible_facts
    if shown.power != "running" or not shown.health:
        return False
    latest = shown.health[-1]
    cause = shown.health[-2].cause if len(shown.health) > 1 else ""
    return latest.after == "Available" and latest.before == "Unavailable" and cause == "PlatformInitiated"


BASELINES = {
    "annotation and Unavailable within an hour": annotation_and_outage,
    "running, Available, unplanned Unavailable before": running_after_unplanned_outage,
}


def _score(flags: Mapping[tuple[bool, bool], int], more_wrong: int = 0) -> Score:
    """From counts of (affected, flagged)."""
    return Score(
        right=flags.get((True, True), 0),
        wrong=flags.get((False, True), 0) + more_wrong,
        missed=flags.get((True, False), 0),
    )


def _class_score(tally: _Tally, name: str) -> ClassScore:
    flags = tally.class_flags[name]
    return ClassScore(flagged=_score(flags), vms=flags.total(), whole=tally.whole[name])


def _reports(seed: int, count: int, size: int) -> Iterator[tuple[Batch, dict[str, Case] | str]]:
    """Each batch with its cases by VM id in lower case, or with what the command said instead."""
    with tempfile.TemporaryDirectory(prefix="incidents-") as name, ThreadPoolExecutor(_AT_ONCE) as pool:
        running: deque[tuple[Batch, Future[dict[str, Case] | str]]] = deque()
        for batch in generate_batches(seed, count, size):
            running.append((batch, pool.submit(_judge, Path(name), batch)))
            while len(running) > _AT_ONCE:
                first, future = running.popleft()
                yield first, future.result()
        for batch, future in running:
            yield batch, future.result()


_AT_ONCE = 2
"""Runs of the command at a time; little more than so many batches are held in memory and on disk."""


def _judge(root: Path, batch: Batch) -> dict[str, Case] | str:
    folder = root / f"{batch.incidents[0].index:06d}"
    batch.write_files(folder)
    # What the operator states concerns named VMs; all others are judged together.
    who = ["--all"] if batch.unreachable_since is None else [incident.vm for incident in batch.incidents]
    source = ["--source", str(folder), "--until", batch.until.isoformat()]
    command = [str(COMMAND), "check", *who, *source, "-o", "json"]
    if batch.unreachable_since is not None:
        command += ["--unreachable-since", batch.unreachable_since.isoformat()]
    if batch.since is not None:
        command += ["--since", batch.since]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        shutil.rmtree(folder)
    cases = _cases(ended.stdout)
    if cases is None:
        return f"incidents from {batch.incidents[0].index}: exit code {ended.returncode}: {ended.stderr[-2000:]}"
    return cases


def _cases(text: str) -> dict[str, Case] | None:
    """The cases of a report by id; None where it is none."""
    try:
        report: object = json.loads(text)
    except ValueError:
        return None
    if not isinstance(report, dict) or not isinstance(report.get("cases"), list):
        return None
    return {str(case["vm"]["id"]).lower(): case for case in report["cases"]}


def _compare(tally: _Tally, incident: Incident, vm: str, label: Label, case: Case | None) -> None:
    """Field by field; a case that is absent differs in its verdict only."""
    verdict = ABSENT if case is None else str(case.get("verdict"))
    tally.flags[label.is_flagged, verdict in FLAGGED] += 1
    tally.class_flags[incident.name][label.is_flagged, verdict in FLAGGED] += 1
    tally.confusion["|".join(sorted(label.verdict)), verdict] += 1
    checks: list[tuple[str, bool, object, object]] = [("verdict", verdict in label.verdict, label.verdict, verdict)]
    if case is not None:
        for name, wanted in (("explanation", label.explanation), ("state", label.state)):
            checks.append((name, case.get(name) in wanted, wanted, case.get(name)))
        for name, when in (("migrated_at", label.migrated_at), ("failed_at", label.failed_at)):
            if when != "any":
                checks.append((name, _is_near(when, case.get(name)), when, case.get(name)))
        if label.extent != "any":
            extent = _read_latest_loss(case, "extent")
            checks.append(("extent", extent == label.extent, label.extent, extent))
        if label.scope != "any":
            scope = _read_latest_loss(case, "scope")
            checks.append(("scope", scope == label.scope, label.scope, scope))
        advice = case.get("recommendation")
        action = advice.get("action") if isinstance(advice, dict) else None
        if label.action is not None:
            checks.append(("action", action in label.action, label.action, action))
        distances = _distances(label.failed_at, case.get("failed_at"))
        tally.onset_errors += [distance.total_seconds() for distance in distances]
    tally.whole[incident.name] += all(agrees for _, agrees, _, _ in checks)
    for name, agrees, expected, got in checks:
        tally.compared[name] += 1
        tally.agreed[name] += agrees
        if not agrees:
            tally.differences.append(Difference(incident.name, incident.index, vm, name, _told(expected), _told(got)))


def _is_near(wanted: ExpectedTime, got: object) -> bool:
    distances = _distances(wanted, got)
    return distances[0] <= TOLERANCE if distances else wanted is None and got is None


def _distances(wanted: ExpectedTime, got: object) -> list[timedelta]:
    """How far a time lies from its label; nothing where one of them is none."""
    if not isinstance(wanted, datetime) or not isinstance(got, str):
        return []
    return [abs(datetime.fromisoformat(got).astimezone(UTC) - wanted)]


def _read_latest_loss(case: Case, name: str) -> object:
    losses = case.get("losses")
    return losses[-1].get(name) if isinstance(losses, list) and losses else None


def _told(value: object) -> str:
    if isinstance(value, frozenset):
        return "|".join(sorted(str(each) for each in value))
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _lines(measured: Measured, seed: int) -> Iterator[str]:
    """The figures as text."""
    yield f"{measured.vms} VMs, seed {seed}"
    yield "\nverdicts (expected -> got)"
    for (expected, got), number in sorted(measured.confusion.items()):
        yield f"  {expected:24} -> {got:14} {number:5}"
    yield "\nflagged                                              precision  recall  right wrong missed"
    for name, score in {"vmdiag": measured.flagged, **measured.baselines}.items():
        shares = f"{score.precision:9.4f} {score.recall:7.4f}"
        yield f"  {name:50} {shares}  {score.right:5} {score.wrong:5} {score.missed:6}"
    yield "\nclass                                         precision  recall  right wrong missed   agrees"
    for name, judged in measured.classes.items():
        score = judged.flagged
        counts = f"{score.right:5} {score.wrong:5} {score.missed:6}"
        yield f"  {name:43} {score.precision:9.4f} {score.recall:7.4f}  {counts}  {judged.whole:4}/{judged.vms}"
    yield "\nagreement"
    for name, share in measured.accuracy.items():
        yield f"  {name:14} {share:7.4f}"
    yield f"  failed_at, median error: {measured.failed_at_error:.0f} s"
    yield "\ndifferences"
    for each in sorted(measured.differences, key=lambda each: (each.name, each.index, each.vm)):
        vm = each.vm.rsplit("/", 1)[-1]
        yield f"  {each.name} {seed}/{each.index} {vm} {each.field}: expected {each.expected}, got {each.got}"
    for vm in measured.strangers:
        yield f"  flagged without a label: {vm}"
    for failure in measured.failures:
        yield f"  no report: {failure}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    print("\n".join(_lines(measure(arguments.seed, arguments.count), arguments.seed)))


if __name__ == "__main__":
    main()
