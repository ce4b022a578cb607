"""examine_vms(): a source becomes cases, lazily and in order, whichever source it is and however they are shown."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime, time, timedelta
from functools import lru_cache, reduce
from itertools import chain
from operator import or_

import vmdiag.diagnosis.scenarios
from vmdiag import plugins
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
from vmdiag.diagnosis.signals import HEARTBEAT, HEARTBEAT_GAP, list_heartbeats
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.diagnosis.traffic_drops import scale_to_minute
from vmdiag.diagnosis.traffic_losses import TRAFFIC
from vmdiag.identity import VmId, list_words, matches_any_pattern
from vmdiag.model import Gap, Needs, Record, Series, Signal, Timeline, Transcript, Window, is_unknown_vm
from vmdiag.sources.protocol import Reading, Scope, Source, find_latest_time, reading_span
from vmdiag.values import Struct, field, replace

ASKED = "live-migration-datapath"
# What a report draws of the traffic: a terminal line of it, around the incident.
SKETCH_POINTS = 60
SKETCH_BEFORE = timedelta(hours=1)
SKETCH_AFTER = timedelta(hours=3)
# What was not heard matters so long before an onset: the baseline's hour, and the half hour in which a cause can lie.
BEFORE_ONSET = timedelta(minutes=90)
# Of a fleet most VMs lack the same.
SHARED_GAPS = 1_024
CHECK_NAME = "There is no such VM among those that were looked at: check its name. It was not diagnosed."


class Examination(Struct):
    """A run in progress: `cases` come as they are known, `other_vms` is complete when they are exhausted."""

    window: Window
    cases: Iterator[Case] = field(default_factory=lambda: iter(()))
    gaps: tuple[Gap, ...] = ()
    other_vms: OtherVms = field(default_factory=OtherVms)
    cloud: str | None = None
    order: tuple[VmId, ...] = ()

    def sort_cases(self, cases: Iterable[Case]) -> list[Case]:
        """Cases in the order asked for."""
        places = {vm: place for place, vm in enumerate(self.order)}
        return sorted(cases, key=lambda case: places.get(case.vm.id, len(places)))


def load_scenarios() -> dict[str, Scenario]:
    """Every scenario by its id, from the folder's listing."""
    return {name: module.SCENARIO for name, module in plugins.load_all(vmdiag.diagnosis.scenarios).items()}


def combine_needs() -> Needs:
    """What all scenarios together read."""
    return reduce(or_, (scenario.needs for scenario in load_scenarios().values()))


def examine_vms(
    source: Source,
    scope: Scope,
    *,
    unreachable_since: datetime | time | None = None,
    finished: Iterable[Case] = (),
    needs: Needs | None = None,
) -> Examination:
    """Read, assemble, diagnose and compare every VM in scope; what the operator knows is a record like any other.

    `finished` are cases of an earlier run, which are compared and told with the others. `needs` may say that less is
    read than what all scenarios together need: enough to see that nothing is new, and too little to judge a loss by.
    """
    needs = needs or combine_needs()
    reading = source.read(scope, needs)
    run = Examination(
        window=reading.window,
        gaps=reading.gaps,
        other_vms=OtherVms(
            unclear=reading.unclear, quiet=reading.quiet, unread=reading.others - reading.quiet - reading.unclear
        ),
        cloud=reading.cloud,
        order=reading.vms,
    )
    stated = unreachable_since
    if isinstance(stated, time):
        stated = find_latest_time(stated, reading.window.end)
    if not scope.vms:
        stated = None
    run.cases = _select_cases(run, scope, chain(finished, _diagnose_transcripts(reading, needs, stated)))
    return run


def _diagnose_transcripts(reading: Reading, needs: Needs, stated: datetime | None) -> Iterator[Case]:
    """A case for each VM; `stated` is since when those that are meant cannot be reached, in the operator's words."""
    rivals = load_scenarios()
    asked = rivals.pop(ASKED)
    window, meant = reading.window, frozenset(reading.vms)
    margin = window.start - reading_span(window, needs).start
    clip_shared_gap = lru_cache(SHARED_GAPS)(clip_gap)
    for transcript in reading.transcripts:
        if is_unknown_vm(transcript.gaps):
            yield _build_unknown_case(transcript, window, asked)
            continue
        heard = transcript
        if stated is not None and transcript.vm.id in meant:
            said = Record(at=stated, signal=Signal.OPERATOR, name="unreachable", ref="--unreachable-since")
            gaps = tuple(gap for gap in transcript.gaps if gap.signal is not Signal.OPERATOR)
            heard = replace(transcript, records=(*transcript.records, said), gaps=gaps)
        timeline = assemble_timeline(heard, window, margin)
        diagnosis = diagnose(timeline, asked, tuple(rivals.values()))
        # Of what was not heard, that counts which is of the window, or of the time before a loss that reaches into it.
        curve, heartbeats = _sketch_incident(timeline, diagnosis)
        start = min([window.start, *(loss.interval.start - BEFORE_ONSET for loss in diagnosis.losses)])
        yield Case(
            vm=timeline.vm,
            window=window,
            diagnosis=diagnosis,
            gaps=tuple(clip_shared_gap(gap, start) for gap in timeline.gaps if gap.window.end >= start),
            events=timeline.events,
            curve=curve,
            heartbeats=heartbeats,
            scenario=asked,
            latest=find_latest_readings(timeline),
        )


def clip_gap(gap: Gap, start: datetime) -> Gap:
    """A gap from this time on."""
    return replace(gap, window=Window(max(gap.window.start, start), gap.window.end))


def _build_unknown_case(transcript: Transcript, window: Window, asked: Scenario) -> Case:
    """The case of a VM that is not there: nothing of it is judged."""
    reason = next(gap.reason for gap in transcript.gaps if is_unknown_vm((gap,)))
    missing = Evidence(stance=Stance.MISSING, signal=Signal.ACTIVITY, says=reason)
    finding = Finding(scenario=asked.id, verdict=Verdict.INCONCLUSIVE, evidence=(missing,))
    diagnosis = Diagnosis(
        verdict=Verdict.INCONCLUSIVE,
        finding=finding,
        findings=(finding,),
        recommendation=Recommendation(action=Action.INVESTIGATE, says=CHECK_NAME),
    )
    return Case(vm=transcript.vm, window=window, diagnosis=diagnosis, gaps=transcript.gaps, scenario=asked)


def _select_cases(run: Examination, scope: Scope, cases: Iterable[Case]) -> Iterator[Case]:
    """The cases that were asked for; the others are counted.

    They are compared first: what VMs share shows whether they were asked for or not.
    """
    words = frozenset(selector.word for selector in scope.vms)
    patterns = [selector for selector in scope.vms if selector.is_pattern]
    names = words - {pattern.word for pattern in patterns}
    meant = {
        vm
        for vm in scope.finished
        if not words.isdisjoint(list_words(vm)) or any(pattern.matches_vm(vm) for pattern in patterns)
    }.union(run.order)
    for case in compare_fleet(cases):
        diagnosis, others = case.diagnosis, run.other_vms
        if _is_asked_for(scope, meant, case):
            yield replace(case, is_named=not names.isdisjoint(list_words(case.vm.id)))
        elif diagnosis.migrated_at or diagnosis.losses:
            run.other_vms = replace(others, troubled=others.troubled + 1)
        elif diagnosis.verdict is Verdict.CLEAR:
            run.other_vms = replace(others, clear=others.clear + 1)
        else:
            run.other_vms = replace(others, unclear=others.unclear + 1)


def _is_asked_for(scope: Scope, meant: AbstractSet[VmId], case: Case) -> bool:
    """With nothing named, a VM is a case when a loss reaches or may reach into the window, or it was migrated in it.

    So is one that was migrated before it and perhaps never came back. Names were made out by the source: the same word
    may mean a VM elsewhere, which is only there to be compared with.
    """
    if scope.vms or scope.lists_none:
        return case.vm.id in meant
    if scope.groups and not matches_any_pattern(scope.groups, case.vm.id.resource_group):
        return False
    diagnosis, migrated_at = case.diagnosis, case.diagnosis.migrated_at
    is_migrated = migrated_at is not None and (migrated_at in case.window or diagnosis.verdict is not Verdict.CLEAR)
    return bool(scope.everything or scope.groups or scope.tags or diagnosis.losses or is_migrated)


def find_latest_readings(timeline: Timeline) -> dict[Signal, datetime]:
    """When each metric was last heard."""
    ends = sorted((series.times[-1], series.signal) for series in timeline.series.values() if series.times)
    return {signal: at for at, signal in ends}


def _sketch_incident(timeline: Timeline, diagnosis: Diagnosis) -> tuple[Series | None, Series | None]:
    """The traffic around the incident, and heartbeats a minute, thinned to the columns that a report draws.

    `None` where nothing happened or nothing was measured; a stretch that was not read or not yet told is left out.
    """
    about = diagnosis.migrated_at or diagnosis.failed_at
    if about is None:
        return None, None
    end = min(timeline.window.end, max(about, diagnosis.recovered_at or diagnosis.failed_at or about) + SKETCH_AFTER)
    start = min(about, diagnosis.failed_at or about) - SKETCH_BEFORE
    step = (end - start) / SKETCH_POINTS
    slots = [Window(start + slot * step, start + (slot + 1) * step) for slot in range(SKETCH_POINTS) if step]
    curve = next((timeline.series[name] for name in TRAFFIC if name in timeline.series), None)
    if curve is not None and curve.times and slots:
        scale = scale_to_minute(curve, len(curve.times))
        points: dict[datetime, float] = {}
        for slot in slots:
            first = bisect_left(curve.times, slot.start)
            last = bisect_right(curve.times, slot.end) if slot is slots[-1] else bisect_left(curve.times, slot.end)
            if first < last:
                points[slot.start] = scale * sum(curve.values[first:last]) / (last - first)
        curve = replace(curve, times=tuple(points), values=tuple(points.values()))
    else:
        curve = None
    times = list_heartbeats(timeline)
    is_silent = bool(times) and timeline.window.end - times[-1] >= HEARTBEAT_GAP
    told = Window(times[0], timeline.window.end if is_silent else times[-1]) if times else None
    seen = [slot for slot in slots if told and slot.start in told and not timeline.is_unread(Signal.HEARTBEAT, slot)]
    if not seen:
        return curve, None
    counts = (bisect_left(times, slot.end) - bisect_left(times, slot.start) for slot in seen)
    minutes = (seen[0].end - seen[0].start) / timedelta(minutes=1)
    values = tuple(count / minutes for count in counts)
    starts = tuple(slot.start for slot in seen)
    return curve, Series(name=HEARTBEAT, signal=Signal.HEARTBEAT, times=starts, values=values)
