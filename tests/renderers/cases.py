"""The few cases that every format renders; must not depend on how a diagnosis is made."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from vmdiag.diagnosis.model import (
    Action,
    Attribution,
    Case,
    Diagnosis,
    Evidence,
    Finding,
    Header,
    Loss,
    OtherVms,
    Recommendation,
    Scenario,
    SignalLoss,
    Stance,
    State,
    Strength,
    Verdict,
)
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult, Mitigation, Status
from vmdiag.model import Event, Gap, Interval, Kind, Needs, Series, Signal, VirtualMachine, Window
from vmdiag.renderers import Report
from vmdiag.values import replace

END = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=14), END)
MIGRATED = datetime(2026, 3, 2, 8, 14, 5, tzinfo=UTC)
LOST = datetime(2026, 3, 2, 8, 16, tzinfo=UTC)
BACK = datetime(2026, 3, 2, 9, 1, tzinfo=UTC)
LINUX = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/redeploy-to-new-node-linux"

SCENARIO = Scenario(
    id="live-migration-datapath",
    title="The network path is dead after a live migration",
    page="",
    needs=Needs(triggers=frozenset(), margin=timedelta()),
    detect=lambda timeline: Finding(scenario=timeline.vm.id.name, verdict=Verdict.CLEAR),
    remedies=("redeploy",),
    examples=(),
    code="NetworkDatapathLiveMigrationSerializationError",
    clouds=("public", "usgovernment", "usnat", "ussec"),
)


def make_machine(name: str, os: str | None = "linux", group: str = "prod") -> VirtualMachine:
    """A VM with an inventory."""
    subscription = "11111111-2222-3333-4444-555555555555"
    return VirtualMachine(
        id=VmId(subscription=subscription, resource_group=group, name=name),
        location="westeurope",
        os=os,
        size="Standard_D4s_v5",
        power_state="running",
    )


def make_curve(lost: datetime | None = LOST, back: datetime | None = None) -> Series:
    """Two hours before the end and more: traffic that stops with the loss."""
    times = tuple(END - timedelta(hours=4) + timedelta(minutes=2 * step) for step in range(121))
    usual = (910_000.0, 1_240_000.0, 1_020_000.0, 1_180_000.0, 870_000.0)
    values = tuple(
        0.0 if lost and at >= lost and (back is None or at < back) else usual[number % 5]
        for number, at in enumerate(times)
    )
    return Series(name="Network In Total", signal=Signal.TRAFFIC, times=times, values=values)


def make_heartbeats(lost: datetime | None = LOST) -> Series:
    """One a minute in the same stretches as the traffic, until they end."""
    times = make_curve().times[::3]
    return Series(
        name="Heartbeat",
        signal=Signal.HEARTBEAT,
        times=times,
        values=tuple(0.0 if lost and at >= lost else 1.0 for at in times),
    )


def _make_evidence_for(signal: Signal, at: datetime, says: str, ref: str | None = None) -> Evidence:
    return Evidence(stance=Stance.FOR, signal=signal, at=at, says=says, ref=ref)


MIGRATION = _make_evidence_for(Signal.HEALTH, MIGRATED, "Azure live-migrated the VM", "health.json:12")
SILENCE = _make_evidence_for(
    Signal.TRAFFIC, LOST, "Network In Total fell from 1.0 MB a minute to nothing and stayed there"
)
NO_HEARTBEAT = _make_evidence_for(Signal.HEARTBEAT, LOST, "no heartbeat since 08:16:00, one a minute before")
NO_CHANGE = Evidence(
    stance=Stance.AGAINST, signal=Signal.AVAILABILITY, at=END, says="the platform calls the VM available"
)
NO_PROBE = Evidence(stance=Stance.MISSING, signal=Signal.PROBE, says="no connection was tried from outside")
MIGRATION_EVENT = Event(at=MIGRATED, kind=Kind.LIVE_MIGRATION, signal=Signal.HEALTH, says="Azure live-migrated the VM")
REDEPLOY_EVENT = Event(
    at=BACK, kind=Kind.REDEPLOY, signal=Signal.ACTIVITY, says="alice@example.com redeployed the VM",
    blur=timedelta(minutes=1),
)  # fmt: skip
REDEPLOY_ADVICE = Recommendation(
    action=Action.REDEPLOY,
    says="Redeploy the VM: it moves to another host, where its network port is built anew.",
    links=(LINUX,),
)


def _make_loss(start: datetime, end: datetime | None, *signals: Signal, by: str | None = SCENARIO.id) -> Loss:
    interval = Interval(start, end)
    channels = tuple(
        SignalLoss(signal=signal, strength=Strength.STRONG, interval=interval, says=f"{signal} is silent")
        for signal in signals
    )
    return Loss(interval=interval, channels=channels, explained_by=by)


def _make_diagnosis(  # noqa: PLR0913 - the knobs of a test
    verdict: Verdict,
    *evidence: Evidence,
    losses: tuple[Loss, ...] = (),
    state: State | None = None,
    explanation: str | None = SCENARIO.id,
    advice: Recommendation = REDEPLOY_ADVICE,
    migrated: datetime | None = MIGRATED,
    rivals: tuple[Finding, ...] = (),
) -> Diagnosis:
    last = losses[-1].interval if losses else None
    blames = (
        (Attribution(loss=last, verdict=verdict, cause_at=migrated),)
        if verdict.is_flagged and last and migrated
        else ()
    )
    finding = Finding(
        scenario=SCENARIO.id, verdict=verdict, evidence=evidence, blames=blames, cause_at=migrated
    )  # fmt: skip
    return Diagnosis(
        verdict=verdict,
        finding=finding,
        findings=(finding, *rivals),
        losses=losses,
        explanation=explanation,
        state=state,
        migrated_at=migrated,
        failed_at=last.start if last else None,
        recovered_at=last.end if last else None,
        recommendation=advice,
    )


def _make_case(vm: VirtualMachine, diagnosis: Diagnosis, **more: Any) -> Case:
    return Case(vm=vm, window=WINDOW, diagnosis=diagnosis, scenario=SCENARIO, **more)


def make_confirmed_case() -> Case:
    """A Linux VM, lost to two strong channels and still lost."""
    return _make_case(
        make_machine("web-01"),
        _make_diagnosis(
            Verdict.CONFIRMED, SILENCE, MIGRATION, NO_HEARTBEAT, NO_CHANGE, NO_PROBE,
            losses=(_make_loss(LOST, None, Signal.TRAFFIC, Signal.HEARTBEAT),), state=State.OPEN,
        ),
        gaps=(Gap(signal=Signal.AGENT, window=WINDOW, reason="the instance view holds no history", partial=True),),
        events=(
            MIGRATION_EVENT,
            Event(
                at=LOST + timedelta(minutes=6), kind=Kind.AGENT_NOT_READY, signal=Signal.AGENT,
                says="the VM agent does not answer",
            ),
        ),
        curve=make_curve(),
        heartbeats=make_heartbeats(),
    )  # fmt: skip


def make_suspected_case() -> Case:
    """A Windows VM that only its health status calls lost."""
    unwell = _make_evidence_for(Signal.HEALTH, LOST + timedelta(minutes=3), "Unavailable for 1 h 41 min and still so")
    return _make_case(
        make_machine("sql-02", "windows", "rg-payments-production-westeurope"),
        _make_diagnosis(
            Verdict.SUSPECTED, MIGRATION, unwell,
            losses=(_make_loss(LOST + timedelta(minutes=3), None, Signal.HEALTH),), state=State.OPEN,
        ),
        gaps=(Gap(signal=Signal.TRAFFIC, window=WINDOW, reason="no permission to read metrics (403)"),),
        events=(MIGRATION_EVENT,),
    )  # fmt: skip


def make_recovered_case() -> Case:
    """Lost and back by itself."""
    nothing = Recommendation(action=Action.NONE, says="The VM is reachable again.")
    return _make_case(
        make_machine("api-03"),
        _make_diagnosis(
            Verdict.CONFIRMED, MIGRATION, SILENCE, NO_HEARTBEAT,
            losses=(_make_loss(LOST, BACK, Signal.TRAFFIC, Signal.HEARTBEAT),), state=State.RECOVERED, advice=nothing,
        ),
        events=(MIGRATION_EVENT,),
        curve=make_curve(back=BACK),
    )  # fmt: skip


def make_escalated_case() -> Case:
    """Redeployed and still dead."""
    advice = Recommendation(
        action=Action.ESCALATE,
        says="A redeploy did not bring the VM back: open a support ticket with the block below.",
        links=("https://learn.microsoft.com/azure/azure-portal/supportability/how-to-create-azure-support-request",),
    )
    return replace(
        make_confirmed_case(),
        vm=make_machine("cache-04", None),
        events=(MIGRATION_EVENT, REDEPLOY_EVENT),
        diagnosis=replace(make_confirmed_case().diagnosis, recommendation=advice),
    )


def make_inconclusive_case() -> Case:
    """Lost for six minutes: too early."""
    start = END - timedelta(minutes=6)
    early = Evidence(
        stance=Stance.MISSING, signal=Signal.TRAFFIC, at=start,
        says="the loss is 6 minutes old, and clients of a healthy migration may retry for up to 20 minutes",
    )  # fmt: skip
    advice = Recommendation(action=Action.WAIT, says="Look again after 10:09:00 UTC.")
    return _make_case(
        make_machine("job-05"),
        _make_diagnosis(
            Verdict.INCONCLUSIVE, replace(MIGRATION, at=start - timedelta(minutes=1)), early,
            losses=(_make_loss(start, None, Signal.TRAFFIC, by=None),), state=State.OPEN, advice=advice,
            explanation=None,
            migrated=start - timedelta(minutes=1),
        ),
        curve=make_curve(start),
    )  # fmt: skip


def make_clear_case() -> Case:
    """Stopped by its owner."""
    absent = Evidence(stance=Stance.AGAINST, signal=Signal.HEALTH, says="no live migration of the VM was seen")
    stop = Finding(
        scenario="user-stop",
        verdict=Verdict.CONFIRMED,
        evidence=(_make_evidence_for(Signal.ACTIVITY, LOST, "bob@example.com deallocated the VM"),),
        blames=(Attribution(loss=Interval(LOST, None), verdict=Verdict.CONFIRMED, cause_at=LOST),),
        cause_at=LOST,
    )
    return _make_case(
        replace(make_machine("batch-06"), power_state="deallocated"),
        _make_diagnosis(
            Verdict.CLEAR, absent, losses=(_make_loss(LOST, None, Signal.POWER, by="user-stop"),), state=State.OPEN,
            explanation="user-stop", migrated=None, rivals=(stop,),
            advice=Recommendation(action=Action.INVESTIGATE, says="Start the VM if it should run."),
        ),
    )  # fmt: skip


def make_hostile_case(text: str) -> Case:
    """The confirmed case with this text wherever a stranger may write."""
    case = make_confirmed_case()
    finding = replace(
        case.diagnosis.finding,
        evidence=tuple(Evidence(stance=s, signal=Signal.HEALTH, at=LOST, says=text, ref=text) for s in Stance),
    )
    return replace(
        case,
        vm=VirtualMachine(
            id=VmId(subscription=text, resource_group=text, name=text),
            location=text, os=text, size=text, power_state=text,
        ),
        diagnosis=replace(
            case.diagnosis, finding=finding, findings=(finding,),
            recommendation=Recommendation(action=Action.ESCALATE, says=text, links=(text, f"https://{text}")),
        ),
        gaps=(Gap(signal=Signal.HEARTBEAT, window=WINDOW, reason=text),),
        events=(Event(at=LOST, kind=Kind.OTHER, signal=Signal.ACTIVITY, says=text, ref=text),),
        curve=replace(make_curve(), name=text),
        mitigation=Mitigation(
            status=Status.REFUSED, says=text, operation=text, correlation=text, request=text, loses=(text,),
            risks=(text,),
            guards=(GuardResult(guard="count", passes=False, limit=text, found=text),),
        ),
    )  # fmt: skip


def make_report(cases: Iterable[Case], *, others: int = 0, cloud: str = "public", gaps: tuple[Gap, ...] = ()) -> Report:
    """A run with these cases."""
    header = Header(source="azure", cloud=cloud, window=WINDOW, generated_at=END, gaps=gaps)
    return Report(header=header, cases=tuple(cases), others=OtherVms(clear=others))


CASE_BUILDERS = {
    "confirmed": make_confirmed_case,
    "suspected": make_suspected_case,
    "recovered": make_recovered_case,
    "escalate": make_escalated_case,
    "inconclusive": make_inconclusive_case,
    "clear": make_clear_case,
}


def make_fleet() -> list[Case]:
    """All of them, out of order."""
    names = ("clear", "inconclusive", "suspected", "recovered", "confirmed", "escalate")
    return [CASE_BUILDERS[name]() for name in names]
