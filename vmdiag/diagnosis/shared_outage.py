"""compare_fleet(): what only shows across VMs: many that lost connectivity within minutes; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmdiag.diagnosis.model import Action, Case, Evidence, Recommendation, Stance, Verdict
from vmdiag.model import Kind, Signal

# One fault of a network or a region cuts its VMs off together (contract, section 3).
TOGETHER = timedelta(minutes=5)
# A few VMs may fail together by chance; three others make a pattern (contract, section 3).
MANY = 3
# Only a loss that no cause of its own explains can be part of a shared one.
OWN_CAUSE_UNKNOWN = frozenset({"live-migration-datapath", "unexplained", None})
BEATS = frozenset({Signal.HEARTBEAT})
OPERATOR_AND_AGENT = frozenset({Signal.OPERATOR, Signal.HEARTBEAT})
SILENCE = "Many agents fell silent at once: look at their workspace and the way there before this VM."
SHARED = "Look for the shared cause first: a redeploy cures one VM, not an outage of its network or region."


@dataclass(frozen=True, slots=True)
class _Onset:
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
    waiting: list[Case] = []
    for case in cases:
        onsets.extend(_list_onsets(case))
        silences.extend(_list_silences(case))
        if case.diagnosis.verdict.is_flagged or case.diagnosis.finding.if_shared is not None:
            waiting.append(case)
        else:
            yield case
    onsets.sort(key=lambda onset: (onset.at, onset.key))
    for case in waiting:
        yield _lower_shared_silence(_lower_shared_outage(case, onsets), silences)


def _list_onsets(case: Case) -> Iterator[_Onset]:
    for loss in case.diagnosis.losses:
        if loss.explained_by not in OWN_CAUSE_UNKNOWN or Signal.OPERATOR in loss.signals[:1]:
            continue
        onset = loss.interval.start
        yield _Onset(onset, case.vm.id.key, _list_places(case), _is_migrated(case, onset))


def _list_silences(case: Case) -> Iterator[_Onset]:
    """When a VM's agent fell silent, whatever is made of it."""
    shown = [one.interval.start for loss in case.diagnosis.losses for one in loss.channels if one.signal in BEATS]
    at = case.diagnosis.silent_since or max(shown, default=None)
    if at is not None:
        yield _Onset(at, case.vm.id.key, _list_places(case), _is_migrated(case, at))


def _is_migrated(case: Case, onset: datetime) -> bool:
    migrations = [event.at for event in case.events if event.kind is Kind.LIVE_MIGRATION]
    return any(timedelta(minutes=-5) <= onset - at <= timedelta(minutes=30) for at in migrations)


def _lower_shared_silence(case: Case, silences: list[_Onset]) -> Case:
    """A VM of which only a silent agent, and perhaps the operator, tells, where most that fell silent stayed."""
    at, verdict = _find_silence(case), case.diagnosis.finding.if_shared or Verdict.INCONCLUSIVE
    if at is None:
        return case
    places = _list_places(case)
    together = {one.key: one for one in silences if abs(one.at - at) <= TOGETHER and one.places & places}
    unmigrated = sum(1 for one in together.values() if not one.migrated)
    if unmigrated * 2 <= len(together):
        return case
    says = f"{len(together) - 1} other agents fell silent within 5 minutes, {unmigrated} of VMs that were not migrated"
    shared = Evidence(stance=Stance.AGAINST, signal=Signal.HEARTBEAT, says=says, at=at)
    return _replace_verdict(case, verdict, shared, Recommendation(action=Action.INVESTIGATE, says=SILENCE))


def _find_silence(case: Case) -> datetime | None:
    """When the agent fell silent of a VM of which nothing else tells but the operator; `None` where more does."""
    diagnosis, loss = case.diagnosis, case.diagnosis.loss
    if diagnosis.finding.if_shared is not None:
        return diagnosis.silent_since
    normal = any(one.stance is Stance.AGAINST and one.signal is Signal.TRAFFIC for one in diagnosis.finding.evidence)
    if loss is None or not normal or not {one.signal for one in loss.channels} <= OPERATOR_AND_AGENT:
        return None
    return next((one.interval.start for one in loss.channels if one.signal in BEATS), None)


def _replace_verdict(case: Case, verdict: Verdict, piece: Evidence, advice: Recommendation) -> Case:
    diagnosis = case.diagnosis
    finding = replace(diagnosis.finding, verdict=verdict, evidence=(*diagnosis.finding.evidence, piece))
    findings = tuple(finding if one.scenario == finding.scenario else one for one in diagnosis.findings)
    changed = replace(diagnosis, verdict=verdict, finding=finding, findings=findings, recommendation=advice)
    return replace(case, diagnosis=changed)


def _list_places(case: Case) -> frozenset[str]:
    """Where a shared cause could be: the VM's virtual networks and its region, or its subscription where unknown."""
    networks = {"/".join(one.split("/")[:9]) for one in case.vm.network if "/microsoft.network/virtualnetworks/" in one}
    region = case.vm.location or f"subscription {case.vm.id.subscription}"
    return frozenset({*networks, region.lower().replace(" ", "")})


def _lower_shared_outage(case: Case, onsets: list[_Onset]) -> Case:
    diagnosis = case.diagnosis
    if diagnosis.failed_at is None:
        return case
    failed_at, places, key = diagnosis.failed_at, _list_places(case), case.vm.id.key
    together = {
        onset.key: onset
        for onset in onsets
        if abs(onset.at - failed_at) <= TOGETHER and onset.places & places and onset.key != key
    }
    unmigrated = sum(1 for onset in together.values() if not onset.migrated)
    if len(together) < MANY or unmigrated * 2 <= len(together):
        return case
    shared = Evidence(
        stance=Stance.AGAINST,
        signal=Signal.TRAFFIC,
        says=f"{len(together)} other VMs of the same network or region lost connectivity within 5 minutes, "
        f"{unmigrated} of them not migrated: a shared cause is likelier",
        at=failed_at,
    )
    advice = diagnosis.recommendation
    if advice.action is Action.REDEPLOY:
        advice = Recommendation(action=Action.INVESTIGATE, says=SHARED, links=advice.links)
    return _replace_verdict(case, Verdict.SUSPECTED, shared, advice)
