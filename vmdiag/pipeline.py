"""examine_vms(): a source becomes cases, lazily and in order, whichever source it is and however they are shown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import reduce
from itertools import chain
from operator import or_

import vmdiag.diagnosis.scenarios
from vmdiag import plugins
from vmdiag.diagnosis.baseline import scale_to_minute
from vmdiag.diagnosis.model import (
    Action,
    Case,
    Diagnosis,
    Evidence,
    Finding,
    OtherVms,
    Recommendation,
    Scenario,
    Stance,
    Verdict,
)
from vmdiag.diagnosis.ranking import diagnose
from vmdiag.diagnosis.shared_outage import compare_fleet
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.diagnosis.traffic_losses import TRAFFIC
from vmdiag.identity import VmId, list_words, matches_any_pattern
from vmdiag.model import Gap, Needs, Record, Series, Signal, Timeline, Transcript, Window, is_unknown_vm
from vmdiag.sources.protocol import Scope, Source, find_latest_time, reading_span

ASKED = "live-migration-datapath"
# What a report draws of the traffic: a terminal line of it, around the incident.
SKETCH_POINTS = 60
SKETCH_BEFORE = timedelta(hours=1)
SKETCH_AFTER = timedelta(hours=3)
# What was not heard matters so long before an onset: the baseline's hour, and the half hour in which a cause can lie.
BEFORE_ONSET = timedelta(minutes=90)
CHECK_NAME = "There is no such VM among those that were looked at: check its name. It was not diagnosed."


@dataclass(slots=True)
class Examination:
    """A run in progress: `cases` come as they are known, `others` is complete when they are exhausted."""

    window: Window
    cases: Iterator[Case]
    gaps: tuple[Gap, ...] = ()
    other_vms: OtherVms = field(default_factory=OtherVms)
    cloud: str | None = None
    order: tuple[VmId, ...] = ()

    @property
    def others(self) -> int:
        """How many VMs were seen that are no case."""
        return self.other_vms.total

    def in_order(self) -> Iterator[Case]:
        """The cases in the order asked for, once all are known."""
        places = {vm: place for place, vm in enumerate(self.order)}
        yield from sorted(self.cases, key=lambda case: places.get(case.vm.id, len(places)))


def load_scenarios() -> dict[str, Scenario]:
    """Every scenario by its id, from the folder's listing."""
    return {
        name: plugins.load(vmdiag.diagnosis.scenarios, name).SCENARIO
        for name in plugins.list_names(vmdiag.diagnosis.scenarios)
    }


def combine_needs() -> Needs:
    """What all scenarios together read."""
    return reduce(or_, (scenario.needs for scenario in load_scenarios().values()))


def examine_vms(
    source: Source,
    scope: Scope,
    *,
    asked: str = ASKED,
    unreachable_since: datetime | time | None = None,
    finished: Iterable[Case] = (),
) -> Examination:
    """Read, assemble, diagnose and compare every VM in scope; what the operator knows is a record like any other.

    `finished` are cases of an earlier run, which are compared and told with the others.
    """
    known = load_scenarios()
    needs = combine_needs()
    reading = source.read(scope, needs)
    run = Examination(
        window=reading.window,
        cases=iter(()),
        gaps=reading.gaps,
        other_vms=OtherVms(quiet=reading.quiet, unread=reading.others - reading.quiet),
        cloud=reading.cloud,
        order=reading.vms,
    )
    meant = frozenset(reading.vms)
    stated = unreachable_since
    if isinstance(stated, time):
        stated = find_latest_time(stated, reading.window.end)
    rivals = [scenario for name, scenario in known.items() if name != asked]
    margin = reading.window.start - reading_span(reading.window, needs).start

    def diagnose_transcripts() -> Iterator[Case]:
        for transcript in reading.transcripts:
            if is_unknown_vm(transcript.gaps):
                yield _build_unknown_case(transcript, reading.window, known[asked])
                continue
            said = stated if scope.vms and transcript.vm.id in meant else None
            timeline = assemble_timeline(_add_operator_word(transcript, said), reading.window, margin)
            yield _build_case(timeline, known[asked], diagnose(timeline, known[asked], rivals))

    def select_asked_for() -> Iterator[Case]:
        # Compared first: what VMs share shows whether they were asked for or not.
        told = _list_finished_vms(scope)
        for case in compare_fleet(chain(finished, diagnose_transcripts())):
            if _is_asked_for(scope, meant | told, case):
                yield case
            else:
                run.other_vms = _count_other_vm(run.other_vms, case)

    run.cases = select_asked_for()
    return run


def _list_finished_vms(scope: Scope) -> frozenset[VmId]:
    """The VMs of an earlier run that are asked for by name."""
    words = frozenset(selector.word for selector in scope.vms)
    patterns = [selector for selector in scope.vms if selector.is_pattern]
    return frozenset(
        vm
        for vm in scope.finished
        if not words.isdisjoint(list_words(vm)) or any(pattern.matches_vm(vm) for pattern in patterns)
    )


def _count_other_vm(others: OtherVms, case: Case) -> OtherVms:
    """One more that was judged and is not told."""
    if case.diagnosis.migrated_at or case.diagnosis.losses:
        return replace(others, troubled=others.troubled + 1)
    if case.diagnosis.verdict is Verdict.CLEAR:
        return replace(others, clear=others.clear + 1)
    return replace(others, unclear=others.unclear + 1)


def _build_unknown_case(transcript: Transcript, window: Window, asked: Scenario) -> Case:
    """The case of a VM that is not there: nothing of it is judged."""
    reason = next(gap.reason for gap in transcript.gaps if is_unknown_vm((gap,)))
    missing = Evidence(stance=Stance.MISSING, signal=Signal.ACTIVITY, says=reason)
    finding = Finding(scenario=asked.id, verdict=Verdict.INCONCLUSIVE, evidence=(missing,))
    diagnosis = Diagnosis(
        verdict=Verdict.INCONCLUSIVE,
        finding=finding,
        findings=(finding,),
        losses=(),
        explanation=None,
        state=None,
        migrated_at=None,
        failed_at=None,
        recovered_at=None,
        recommendation=Recommendation(action=Action.INVESTIGATE, says=CHECK_NAME),
    )
    return Case(vm=transcript.vm, window=window, diagnosis=diagnosis, gaps=transcript.gaps, scenario=asked)


def _add_operator_word(transcript: Transcript, unreachable_since: datetime | None) -> Transcript:
    if unreachable_since is None:
        return transcript
    said = Record(at=unreachable_since, signal=Signal.OPERATOR, name="unreachable", ref="--unreachable-since")
    gaps = tuple(gap for gap in transcript.gaps if gap.signal is not Signal.OPERATOR)
    return replace(transcript, records=(*transcript.records, said), gaps=gaps)


def _is_asked_for(scope: Scope, meant: frozenset[VmId], case: Case) -> bool:
    """With nothing named, a VM is a case when it was migrated in the window, or a loss reaches or may reach into it.

    Names were made out by the source: the same word may mean a VM elsewhere, which is only there to be compared with.
    """
    if scope.vms or scope.lists_none:
        return case.vm.id in meant
    if scope.groups and not matches_any_pattern(scope.groups, case.vm.id.resource_group):
        return False
    named = scope.everything or scope.groups or scope.tags
    return bool(named or case.diagnosis.losses or _is_migrated(case))


def _is_migrated(case: Case) -> bool:
    """Whether it was migrated in the window, or before it and perhaps never came back."""
    migrated_at = case.diagnosis.migrated_at
    return migrated_at is not None and (migrated_at in case.window or case.diagnosis.verdict is not Verdict.CLEAR)


def _build_case(timeline: Timeline, asked: Scenario, diagnosis: Diagnosis) -> Case:
    return Case(
        vm=timeline.vm,
        window=timeline.window,
        diagnosis=diagnosis,
        gaps=tuple(_list_case_gaps(timeline, diagnosis)),
        events=timeline.events,
        curve=_sketch_curve(timeline, diagnosis),
        scenario=asked,
        latest=find_latest_readings(timeline),
    )


def _list_case_gaps(timeline: Timeline, diagnosis: Diagnosis) -> Iterator[Gap]:
    """What was not heard of the window, and of the time before the onset of a loss that reaches into it."""
    onsets = [loss.interval.start - BEFORE_ONSET for loss in diagnosis.losses]
    start = min([timeline.window.start, *onsets])
    for gap in timeline.gaps:
        if gap.window.end >= start:
            yield replace(gap, window=Window(max(gap.window.start, start), gap.window.end))


def find_latest_readings(timeline: Timeline) -> dict[Signal, datetime]:
    """When each metric was last heard."""
    heard: dict[Signal, datetime] = {}
    for series in timeline.series.values():
        if series.times:
            heard[series.signal] = max(series.times[-1], heard.get(series.signal, series.times[-1]))
    return heard


def _sketch_curve(timeline: Timeline, diagnosis: Diagnosis) -> Series | None:
    """The traffic around the incident, thinned to what a line of text can show; `None` where nothing happened."""
    about = diagnosis.migrated_at or diagnosis.failed_at
    series = next((timeline.series[name] for name in TRAFFIC if name in timeline.series), None)
    if about is None or series is None or not series.times:
        return None
    end = min(timeline.window.end, max(about, diagnosis.recovered_at or diagnosis.failed_at or about) + SKETCH_AFTER)
    start = min(about, diagnosis.failed_at or about) - SKETCH_BEFORE
    step = (end - start) / SKETCH_POINTS
    if step <= timedelta():
        return None
    slots: dict[int, list[float]] = {}
    for at, value in zip(series.times, series.values, strict=True):
        if start <= at <= end:
            slots.setdefault(min(SKETCH_POINTS - 1, (at - start) // step), []).append(value)
    scale = scale_to_minute(series, len(series.times))
    points = [(start + slot * step, scale * sum(values) / len(values)) for slot, values in sorted(slots.items())]
    return replace(series, times=tuple(at for at, _ in points), values=tuple(value for _, value in points))
