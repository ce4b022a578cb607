"""One VM's redeploy: read again, reviewed again, written down, asked for once, followed; must not choose VMs."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from vmdiag.diagnosis.model import Case
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import Answer, Mitigation, Status
from vmdiag.redeploy import boot_clock
from vmdiag.redeploy.follow import RESUME, Attendant, Attended, Ward, attend
from vmdiag.redeploy.guards import GOOD_FOR, Order, Refusal, is_rebuilt, review
from vmdiag.redeploy.journal import Deed, JournalChangedError, Step
from vmdiag.redeploy.model import Circumstances, Plan, Policy, Population, RecentRedeploy, Unfinished
from vmdiag.redeploy.next_step import advise_after, advise_refused
from vmdiag.redeploy.preflight import survey
from vmdiag.redeploy.request import Reception, apply, plan
from vmdiag.redeploy.verification import SETTLES, normal, unreported, witnesses

INTERRUPTED = "the run was interrupted"
_JOURNAL_LIMIT = "the intent is on disk before the request"


class Proposer(Attendant, Protocol):
    """Who is shown what is about to be done, and asked."""

    def propose(self, proposals: Sequence[Refusal]) -> None:
        """Show what is to be done, why, and what it costs: nothing refuses it, and some guards were not asked yet."""
        ...

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why."""
        ...

    def agrees(self, proposals: Sequence[Refusal]) -> bool:
        """Whether the operator types yes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where treatment takes place: `ward` is `None` for an archive, of which nothing can be redeployed.

    `stated` is since when the operator says that the VMs cannot be reached; `earlier` are the VMs whose cases come from
    an earlier report and were not looked at in this run.
    """

    proposer: Proposer
    policy: Policy
    now: datetime
    ward: Ward | None = None
    stated: datetime | None = None
    earlier: Collection[VmId] = ()


def redeploy(first: Refusal, population: Population, room: Room, ward: Ward) -> Case:
    """One VM: read again, reviewed again, written down, asked for, followed and proven."""
    while True:
        decided, deeds = _ordered(first.plan, population, room, ward)
        if ward.is_over():
            return planned(first, f"not touched: {INTERRUPTED}")
        if isinstance(decided, Order) and not (expiry := decided.expiry(boot_clock.seconds())).passes:
            decided = Refusal(plan=decided.plan, answers=(*decided.answers, expiry))
        if isinstance(decided, Refusal):
            room.proposer.refuse([decided])
            return refused(decided)
        deed = _deed(decided, ward)
        try:
            ward.journal.intend(deed, deeds)
        except JournalChangedError:
            continue  # another run began a redeploy meanwhile: it counts for the guards
        except OSError as error:
            found = f"{ward.journal.path} cannot be written: {error.strerror or error}"
            return _held_back(decided, _JOURNAL_LIMIT, found, room)
        return _asked_for(decided, deed, room, ward)


def _asked_for(order: Order, deed: Deed, room: Room, ward: Ward) -> Case:
    """The request, and what comes of it; the intent is on disk."""
    ward.attendant.tell(deed.vm, f"asking Azure to redeploy it; if this run is ended, {RESUME}")
    sent = apply(order, ward.source.session)
    match sent.reception:
        case Reception.REFUSED | Reception.UNSENT | Reception.HELD:
            deed = ward.note(deed, Step.VOID, says=sent.says, correlation=sent.correlation)
        case Reception.ACCEPTED:
            deed = ward.note(deed, Step.ACCEPTED, operation=sent.operation, correlation=sent.correlation)
        case Reception.UNHEARD:
            pass  # it may have happened, so it is never asked for again: the traces tell
    if sent.reception is Reception.HELD:
        if ward.is_over():
            return planned(Refusal(plan=order.plan, answers=order.answers), f"not touched: {INTERRUPTED}")
        expiry = order.expiry(boot_clock.seconds())
        return _held_back(order, expiry.limit, sent.says, room, guard=expiry.guard)
    ward.attendant.tell(deed.vm, sent.says)
    if deed.step is Step.VOID:
        return _outcome(order, Attended(deed=deed, hint=sent.hint))
    if not room.policy.waits:
        return _outcome(order, Attended(deed=replace(deed, says=f"{sent.says}; its end was not waited for")))
    return _outcome(order, attend(ward, deed))


def _held_back(order: Order, limit: str, found: str, room: Room, guard: str = "journal") -> Case:
    """An order that is not carried out after all."""
    answer = Answer(guard=guard, passes=False, limit=limit, found=found)
    refusal = Refusal(plan=order.plan, answers=(*order.answers, answer))
    room.proposer.refuse([refusal])
    return refused(refusal)


def _ordered(first: Plan, population: Population, room: Room, ward: Ward) -> tuple[Order | Refusal, tuple[Deed, ...]]:
    """The guards' last word, on what is so right now, and the journal that they knew."""
    begun = boot_clock.seconds()
    last, policy, deeds = _look_again(first, room, ward)
    if boot_clock.seconds() - begun > GOOD_FOR and not ward.is_over():
        # It took too long, because the process was stopped perhaps.
        last, policy, deeds = _look_again(first, room, ward)
    (reviewed,) = review([last], policy, population, ward.source.session.now)
    return reviewed, deeds


def _look_again(first: Plan, room: Room, ward: Ward) -> tuple[Plan, Policy, tuple[Deed, ...]]:
    case, session, looked_at = first.case, ward.source.session, boot_clock.seconds()
    since = min(filter(None, (case.diagnosis.failed_at, case.diagnosis.migrated_at)), default=session.now)
    again, fails = None, None
    well: tuple[str, ...] = ()
    unmeasured = ""
    try:
        # What was measured must still be measured; only where nothing was the operator's word stands again.
        again, heard = ward.look(case.vm.id, since, None if witnesses(case) else room.stated)
        lost_at = again.diagnosis.failed_at or since
        well, unmeasured = normal(heard, lost_at), unreported(heard, lost_at)
    except SourceError as error:
        fails = error.message
    session.begin()
    policy, deeds = known(ward, room.policy)
    facts = with_journal(deeds, case.vm.id, survey(session, [case.vm.id])[case.vm.id], session.cloud.arm)
    last = plan(case, facts, again, fails, str(uuid4()))
    return replace(last, earlier=first.facts, looked_at=looked_at, normal=well, unmeasured=unmeasured), policy, deeds


def _deed(order: Order, ward: Ward) -> Deed:
    diagnosis, session = order.plan.latest.diagnosis, ward.source.session
    return Deed(
        id=str(uuid4()),
        vm=order.plan.vm,
        cloud=session.cloud.arm,
        request=order.plan.request,
        at=session.now,
        region=order.plan.region,
        lost_at=diagnosis.failed_at,
        migrated_at=diagnosis.migrated_at,
        signals=witnesses(order.plan.latest),
    )


def known(ward: Ward, policy: Policy) -> tuple[Policy, tuple[Deed, ...]]:
    """What the journal tells of earlier redeploys; one that cannot be read is as good as a rival."""
    try:
        deeds = ward.journal.deeds(ward.attendant.warn, strict=True)
    except OSError as error:
        rival = f"the journal {ward.journal.path} cannot be read: {error.strerror or error}"
        return replace(policy, rival=policy.rival or rival, skew=ward.source.session.skew), ()
    unfinished = tuple(Unfinished(vm=deed.vm, since=deed.at) for deed in deeds if deed.is_open)
    return replace(policy, unfinished=unfinished, skew=ward.source.session.skew), deeds


def with_journal(deeds: Iterable[Deed], vm: VmId, facts: Circumstances, cloud: str) -> Circumstances:
    """The facts, and the redeploys that the log may not show yet, of this VM and of others."""
    made = [deed for deed in deeds if deed.step is not Step.VOID and deed.cloud == cloud]
    ours = tuple(deed.at for deed in made if deed.vm == vm)
    recent = tuple(RecentRedeploy(vm=deed.vm, at=deed.at, region=deed.region) for deed in made)
    return replace(facts, redeploys=(*facts.redeploys, *ours), recent=(*facts.recent, *recent))


def _outcome(order: Order, attended: Attended) -> Case:
    """The case as it was seen last, with what was done about it and what to do now."""
    done = replace(attended.deed.mitigation, guards=order.answers, loses=order.plan.loses, risks=order.plan.risks)
    seen = attended.case
    case = seen if seen is not None and seen.diagnosis.verdict.is_flagged else order.plan.latest
    advice = advise_after(done, attended.hint)
    return replace(case, mitigation=done, diagnosis=replace(case.diagnosis, recommendation=advice))


def refused(one: Refusal) -> Case:
    """The case of a VM that guards keep from being redeployed, with what to do instead."""
    case, seen = told(one.plan, Status.REFUSED, one.says, one.answers), one.plan.latest.diagnosis
    # A redeploy that left the VM down began for the loss before: what is lost since is its doing.
    lost = min(filter(None, (seen.failed_at, *(blame.loss.start for blame in seen.finding.blames))), default=None)
    facts, now = one.plan.facts, one.plan.latest.window.end
    since = [at for at in facts.redeploys if lost is not None and at >= lost] if facts is not None else []
    if facts is not None and facts.changed_at is not None and (since or is_rebuilt(facts, lost)):
        # The provisioning state tells when it ended.
        since.append(facts.changed_at)
    is_fresh = any(now - at < SETTLES for at in since)
    advice = advise_refused([answer.guard for answer in one.against], facts, redeployed=bool(since), is_fresh=is_fresh)
    if advice is None:
        return case
    return replace(case, diagnosis=replace(case.diagnosis, recommendation=advice))


def planned(one: Refusal, says: str) -> Case:
    """The case of a VM that qualifies, or qualified, and was not touched."""
    return told(one.plan, Status.PLANNED, says, one.answers)


def told(one: Plan, status: Status, says: str, answers: tuple[Answer, ...] = ()) -> Case:
    """The case with what was decided about it."""
    done = Mitigation(status=status, says=says, guards=answers, loses=one.loses, risks=one.risks)
    return replace(one.case, mitigation=done)
