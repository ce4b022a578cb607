"""compare_fleet(): what only shows across VMs: many that lost connectivity within minutes; pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.diagnosis.model import UNEXPLAINED, Action, Case, Evidence, Recommendation, Stance, Strength, Verdict
from vmdiag.model import Kind, Signal
from vmdiag.values import Struct, replace

# One fault of a network or a region cuts its VMs off together (contract, section 3).
TOGETHER = timedelta(minutes=5)
# A few VMs may fail together by chance; three others make a pattern (contract, section 3).
MANY = 3
OPERATOR_AND_AGENT = frozenset({Signal.OPERATOR, Signal.HEARTBEAT})
# What looks from elsewhere, all the time or when it is asked: what fails on the way fails for all.
TESTS = frozenset({Signal.MONITOR, Signal.PROOF})
SILENCE = "Many agents fell silent at once: look at their workspace and the way there before this VM."
SOURCE = "The same source lost other VMs, too: look at it and at what lies on its way before this VM."
SHARED = "Look for the shared cause first: a redeploy cures one VM, not an outage of its network or region."


class _Onset(Struct, frozen=True):
    at: datetime
    key: str
    places: frozenset[str]
    migrated: bool


def compare_fleet(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases again, those that share an outage with unmigrated VMs at most suspected.

    What is not flagged streams through at once; the flagged ones wait for all others, and come last.
    """
    onsets: list[_Onset] = []
    silences: list[_Onset] = []
    tests: list[_Onset] = []
    waiting: list[Case] = []
    for case in cases:
        found, channels = case.diagnosis, [one for loss in case.diagnosis.losses for one in loss.channels]
        for loss in found.losses:
            # Only a loss that no cause of its own explains can be part of a shared one.
            is_explained = loss.explained_by not in (found.finding.scenario, UNEXPLAINED, None)
            if not is_explained and Signal.OPERATOR not in loss.signals[:1]:
                onsets.append(_build_onset(case, loss.interval.start))
        tests += [
            replace(_build_onset(case, one.interval.start), places=frozenset({one.observer}))
            for one in channels
            if one.observer
        ]
        # When its agent fell silent, whatever is made of it.
        shown = [one.interval.start for one in channels if one.signal is Signal.HEARTBEAT]
        silent_at = found.silent_since or max(shown, default=None)
        if silent_at is not None:
            silences.append(_build_onset(case, silent_at))
        if found.verdict.is_flagged or found.finding.if_shared is not None:
            waiting.append(case)
        else:
            yield case
    onsets.sort(key=lambda onset: (onset.at, onset.key))
    for case in waiting:
        lowered = _lower_shared_silence(_lower_shared_outage(case, onsets), silences)
        yield _lower_shared_tests(lowered, tests)


def _build_onset(case: Case, at: datetime) -> _Onset:
    moved = [event.at for event in case.events if event.kind is Kind.LIVE_MIGRATION]
    is_migrated = any(timedelta(minutes=-5) <= at - one <= timedelta(minutes=30) for one in moved)
    return _Onset(at, case.vm.id.key, _list_places(case), is_migrated)


def _list_places(case: Case) -> frozenset[str]:
    """Where a shared cause could be: the VM's virtual networks and its region, or its subscription where unknown."""
    networks = {"/".join(one.split("/")[:9]) for one in case.vm.network if "/microsoft.network/virtualnetworks/" in one}
    region = case.vm.location or f"subscription {case.vm.id.subscription}"
    return frozenset({*networks, region.lower().replace(" ", "")})


def _lower_shared_outage(case: Case, onsets: list[_Onset]) -> Case:
    at, advice = case.diagnosis.failed_at, case.diagnosis.recommendation
    if at is None:
        return case
    others, unmigrated = _count_together(onsets, _list_places(case), at, but=case.vm.id.key)
    if others < MANY or unmigrated * 2 <= others:
        return case
    says = (
        f"{others} other VMs of the same network or region lost connectivity within 5 minutes, "
        f"{unmigrated} of them not migrated: a shared cause is likelier"
    )
    shared = Evidence(stance=Stance.AGAINST, signal=Signal.TRAFFIC, says=says, at=at)
    if advice.action is Action.REDEPLOY:
        advice = Recommendation(action=Action.INVESTIGATE, says=SHARED, links=advice.links)
    return _replace_verdict(case, Verdict.SUSPECTED, shared, advice)


def _lower_shared_silence(case: Case, silences: list[_Onset]) -> Case:
    """A VM of which only a silent agent, and perhaps the operator, tells, where most that fell silent stayed."""
    diagnosis, channels = case.diagnosis, case.diagnosis.loss.channels if case.diagnosis.loss else ()
    at, verdict = diagnosis.silent_since, diagnosis.finding.if_shared
    if verdict is None:
        pieces = diagnosis.finding.evidence
        is_normal = any(one.stance is Stance.AGAINST and one.signal is Signal.TRAFFIC for one in pieces)
        silent = [one.interval.start for one in channels if one.signal is Signal.HEARTBEAT]
        is_alone = is_normal and {one.signal for one in channels} <= OPERATOR_AND_AGENT
        at, verdict = silent[0] if silent and is_alone else None, Verdict.INCONCLUSIVE
    if at is None:
        return case
    agents, unmigrated = _count_together(silences, _list_places(case), at)
    if unmigrated * 2 <= agents:
        return case
    says = f"{agents - 1} other agents fell silent within 5 minutes, {unmigrated} of VMs that were not migrated"
    shared = Evidence(stance=Stance.AGAINST, signal=Signal.HEARTBEAT, says=says, at=at)
    return _replace_verdict(case, verdict, shared, Recommendation(action=Action.INVESTIGATE, says=SILENCE))


def _lower_shared_tests(case: Case, tests: list[_Onset]) -> Case:
    """A VM that fails the tests of a source from which VMs that were not migrated fail, too, since the same minutes."""
    if not case.diagnosis.verdict.is_flagged or case.diagnosis.loss is None:
        return case
    shown = [one for one in case.diagnosis.loss.channels if one.strength is not Strength.WEAK]
    for one in shown:
        own = frozenset({one.observer}) if one.observer and one.signal in TESTS else frozenset()
        _, unmigrated = _count_together(tests, own, one.interval.start, but=case.vm.id.key)
        if unmigrated:
            # What else shows the loss stands for itself.
            is_alone = {each.signal for each in shown} <= TESTS | {Signal.OPERATOR}
            verdict = Verdict.INCONCLUSIVE if is_alone else Verdict.SUSPECTED
            says = (
                f"{unmigrated} VMs that were not migrated are not reached from {one.observer} since the same 5 minutes"
            )
            shared = Evidence(stance=Stance.AGAINST, signal=one.signal, says=says, at=one.interval.start)
            return _replace_verdict(case, verdict, shared, Recommendation(action=Action.INVESTIGATE, says=SOURCE))
    return case


def _count_together(onsets: list[_Onset], places: frozenset[str], at: datetime, but: str = "") -> tuple[int, int]:
    """How many VMs of some places were lost within minutes of an instant, and how many of them were not migrated."""
    near = [one for one in onsets if abs(one.at - at) <= TOGETHER and one.places & places and one.key != but]
    together = {one.key: one.migrated for one in near}
    return len(together), sum(not migrated for migrated in together.values())


def _replace_verdict(case: Case, verdict: Verdict, piece: Evidence, advice: Recommendation) -> Case:
    diagnosis = case.diagnosis
    finding = replace(diagnosis.finding, verdict=verdict, evidence=(*diagnosis.finding.evidence, piece))
    findings = tuple(finding if one.scenario == finding.scenario else one for one in diagnosis.findings)
    changed = replace(diagnosis, verdict=verdict, finding=finding, findings=findings, recommendation=advice)
    return replace(case, diagnosis=changed)
