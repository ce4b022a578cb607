"""compare(): what only shows across VMs, many that lost connectivity within minutes, joins their evidence; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmdiag.diagnosis import Action, Case, Evidence, Recommendation, Stance, Verdict
from vmdiag.model import Kind, Signal

# One fault of a network or a region cuts its VMs off together (contract, section 3).
TOGETHER = timedelta(minutes=5)
# A few VMs may fail together by chance; three others make a pattern (contract, section 3).
MANY = 3
# Only a loss that no cause of its own explains can be part of a shared one.
OWN_CAUSE_UNKNOWN = frozenset({"live-migration-datapath", "unexplained", None})
SHARED = "Look for the shared cause first: a redeploy cures one VM, not an outage of its network or region."


@dataclass(frozen=True, slots=True)
class _Onset:
    at: datetime
    key: str
    places: frozenset[str]
    migrated: bool


def compare(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases again, those that share an outage with unmigrated VMs at most suspected.

    What is not flagged streams through at once; the flagged ones wait for all others, and come last.
    """
    onsets: list[_Onset] = []
    waiting: list[Case] = []
    for case in cases:
        onsets.extend(_onsets(case))
        if case.diagnosis.verdict.is_flagged:
            waiting.append(case)
        else:
            yield case
    onsets.sort(key=lambda onset: (onset.at, onset.key))
    for case in waiting:
        yield _compared(case, onsets)


def _onsets(case: Case) -> Iterator[_Onset]:
    migrations = [event.at for event in case.events if event.kind is Kind.LIVE_MIGRATION]
    for loss in case.diagnosis.losses:
        if loss.explained_by not in OWN_CAUSE_UNKNOWN or Signal.OPERATOR in loss.signals[:1]:
            continue
        onset = loss.interval.start
        migrated = any(timedelta(minutes=-5) <= onset - at <= timedelta(minutes=30) for at in migrations)
        yield _Onset(onset, case.vm.id.key, _places(case), migrated)


def _places(case: Case) -> frozenset[str]:
    """Where a shared cause could be: the VM's virtual networks and its region, or its subscription where unknown."""
    networks = {"/".join(one.split("/")[:9]) for one in case.vm.network if "/microsoft.network/virtualnetworks/" in one}
    region = case.vm.location or f"subscription {case.vm.id.subscription}"
    return frozenset({*networks, region.lower().replace(" ", "")})


def _compared(case: Case, onsets: list[_Onset]) -> Case:
    diagnosis = case.diagnosis
    if diagnosis.failed_at is None:
        return case
    failed_at, places, key = diagnosis.failed_at, _places(case), case.vm.id.key
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
    finding = replace(diagnosis.finding, verdict=Verdict.SUSPECTED, evidence=(*diagnosis.finding.evidence, shared))
    findings = tuple(finding if one.scenario == finding.scenario else one for one in diagnosis.findings)
    advice = diagnosis.recommendation
    if advice.action is Action.REDEPLOY:
        advice = Recommendation(action=Action.INVESTIGATE, says=SHARED, links=advice.links)
    return replace(
        case,
        diagnosis=replace(
            diagnosis, verdict=Verdict.SUSPECTED, finding=finding, findings=findings, recommendation=advice
        ),
    )
