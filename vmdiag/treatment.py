"""treat(): cases become cases with outcomes: planned, reviewed, agreed to, redeployed one by one, and proven.

Must not render, nor know how the policy was written. Cases that need no treatment pass through as they come; an
affected one is held until every case is known, because how many there are decides whether any may be touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from vmdiag.advice import advise_after, advise_refused
from vmdiag.aftercare import RESUME, Attendant, Attended, Ward, attend
from vmdiag.diagnosis import Case, Verdict
from vmdiag.errors import MitigationError, SourceError
from vmdiag.guard import Order, Refusal, qualifies, review
from vmdiag.identity import VmId
from vmdiag.journal import Deed, Step, alone
from vmdiag.mitigation import Answer, Circumstances, Mitigation, Status
from vmdiag.mitigations.redeploy import Reception, apply, plan
from vmdiag.plan import Consent, Plan, Policy, Population, Struck, Unfinished
from vmdiag.recovery import witnesses
from vmdiag.sources.azure._circumstances import survey

# So many VMs are looked at closely even where their number alone refuses them: then a plan tells every guard's answer.
FEW = 8
INTERRUPTED = "the run was interrupted"


class Proposer(Attendant, Protocol):
    """Who is shown what is about to be done, and asked."""

    def propose(self, plans: Sequence[Plan]) -> None:
        """Show the plans, and what they cost."""
        ...

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why."""
        ...

    def agrees(self, plans: Sequence[Plan]) -> bool:
        """Whether the operator types yes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where treatment takes place: `ward` is `None` for an archive, of which nothing can be redeployed.

    `stated` is since when the operator says that the VMs cannot be reached.
    """

    proposer: Proposer
    policy: Policy
    now: datetime
    ward: Ward | None = None
    stated: datetime | None = None


def treat(cases: Iterable[Case], room: Room) -> Iterator[Case]:
    """The same cases, the affected ones last and with what was done about them."""
    affected: list[Case] = []
    doubtful: list[Struck] = []
    seen = 0
    try:
        for case in cases:
            seen += 1
            if case.is_affected:
                affected.append(case)
                continue
            if case.diagnosis.verdict is Verdict.INCONCLUSIVE and case.diagnosis.migrated_at is not None:
                doubtful.append(_struck(case))
            yield case
    except SourceError:
        yield from affected
        raise
    if affected:
        candidates = sum(qualifies(case, room.policy) for case in affected)
        struck = (*map(_struck, affected), *doubtful)
        yield from _treated(affected, Population(vms=seen, struck=struck, candidates=candidates), room)


def _struck(case: Case) -> Struck:
    seen = case.diagnosis
    return Struck(vm=case.vm.id, region=case.vm.location or "", since=seen.failed_at or seen.migrated_at)


def _treated(affected: Sequence[Case], population: Population, room: Room) -> Iterator[Case]:
    with ExitStack() as held:
        room = replace(room, policy=replace(room.policy, rival=_rival(affected, room, held)))
        reviewed = _reviewed(affected, population, room)
        if room.ward is not None and room.ward.is_over():
            yield from (_planned(one, f"not touched: {INTERRUPTED}") for one in reviewed)
            return
        refusals = [one for one in reviewed if one.against]
        if refusals:
            room.proposer.refuse(refusals)
        yield from map(_refused, refusals)
        ready = [one for one in reviewed if not one.against]
        if room.policy.dry_run or room.ward is None:
            yield from (_planned(one, "it qualifies; --dry-run changes nothing") for one in ready)
        elif ready:
            yield from _agreed(ready, population, room, room.ward)


def _rival(affected: Sequence[Case], room: Room, held: ExitStack) -> str | None:
    """Who else redeploys in these subscriptions; none from here on, as long as the locks are held."""
    if room.ward is None:
        return None
    cloud = room.ward.source.session.cloud.arm
    try:
        return held.enter_context(alone({f"{cloud} {case.vm.id.subscription}" for case in affected}))
    except OSError as error:
        return f"the lock cannot be taken: {error.strerror or error}"


def _reviewed(affected: Sequence[Case], population: Population, room: Room) -> tuple[Refusal, ...]:
    """What the guards say before anything is begun: no order yet, because nothing was read again."""
    ward = room.ward
    if ward is None:
        return _refusals(review(map(plan, affected), room.policy, population, room.now))
    policy, deeds = _known(ward, room.policy)
    first = _refusals(review(map(plan, affected), policy, population, ward.source.session.now))
    near = [one.plan.vm for one in first if not one.against or len(first) <= FEW]
    ward.source.session.begin()
    facts = {vm: _with(deeds, vm, one) for vm, one in survey(ward.source.session, near).items()} if near else {}
    plans = [plan(case, facts.get(case.vm.id)) for case in affected]
    return _refusals(review(plans, policy, population, ward.source.session.now))


def _refusals(reviewed: Iterable[Order | Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in reviewed if isinstance(one, Refusal))


def _known(ward: Ward, policy: Policy) -> tuple[Policy, tuple[Deed, ...]]:
    """What the journal tells of earlier redeploys; one that cannot be read is as good as a rival."""
    try:
        deeds = ward.journal.deeds(ward.attendant.warn, strict=True)
    except OSError as error:
        rival = f"the journal {ward.journal.path} cannot be read: {error.strerror or error}"
        return replace(policy, rival=policy.rival or rival), ()
    unfinished = tuple(Unfinished(vm=deed.vm, since=deed.at) for deed in deeds if deed.is_open)
    return replace(policy, unfinished=unfinished), deeds


def _with(deeds: Iterable[Deed], vm: VmId, facts: Circumstances) -> Circumstances:
    """The facts, and the redeploys that the log may not show yet."""
    ours = tuple(deed.at for deed in deeds if deed.vm == vm and deed.step is not Step.VOID)
    return replace(facts, redeploys=(*facts.redeploys, *ours))


def _agreed(ready: Sequence[Refusal], population: Population, room: Room, ward: Ward) -> Iterator[Case]:
    plans = [one.plan for one in ready]
    room.proposer.propose(plans)
    if room.policy.consent is Consent.ASKABLE and not room.proposer.agrees(plans):
        says = "the answer at the prompt was not yes"
        yield from (_told(one.plan, Status.DECLINED, says, one.answers) for one in ready)
        return
    room = replace(room, policy=replace(room.policy, consent=Consent.GIVEN))
    halted = ""
    for one in ready:
        halted = halted or (INTERRUPTED if ward.is_over() else "")
        if halted:
            yield _planned(one, f"not touched: {halted}")
            continue
        case = _redeployed(one, population, room, ward)
        done = case.mitigation
        if done is not None and done.status is not Status.REFUSED and done.reachable_again is not True:
            halted = f"{one.plan.vm.name} was not seen to be reachable again ({done.status})"
        yield case


def _redeployed(first: Refusal, population: Population, room: Room, ward: Ward) -> Case:
    """One VM: read again, reviewed again, written down, asked for, followed and proven."""
    order = _ordered(first.plan, population, room, ward)
    if ward.is_over():
        return _planned(first, f"not touched: {INTERRUPTED}")
    if isinstance(order, Refusal):
        room.proposer.refuse([order])
        return _refused(order)
    deed = _deed(order, ward)
    try:
        ward.journal.intend(deed)
    except OSError as error:
        found = f"{ward.journal.path} cannot be written: {error.strerror or error}"
        answer = Answer(guard="journal", passes=False, limit="the intent is on disk before the request", found=found)
        refusal = Refusal(plan=order.plan, answers=(*order.answers, answer))
        room.proposer.refuse([refusal])
        return _refused(refusal)
    ward.attendant.tell(deed.vm, f"asking Azure to redeploy it; if this run is ended, {RESUME}")
    sent = apply(order, ward.source.session)
    match sent.reception:
        case Reception.REFUSED | Reception.UNSENT:
            deed = ward.note(deed, Step.VOID, says=sent.says, correlation=sent.correlation)
        case Reception.ACCEPTED:
            deed = ward.note(deed, Step.ACCEPTED, operation=sent.operation, correlation=sent.correlation)
        case Reception.UNHEARD:
            pass  # it may have happened, so it is never asked for again: the traces tell
    ward.attendant.tell(deed.vm, sent.says)
    if deed.step is Step.VOID:
        return _outcome(order, Attended(deed=deed, hint=sent.hint))
    if not room.policy.waits:
        return _outcome(order, Attended(deed=replace(deed, says=f"{sent.says}; its end was not waited for")))
    return _outcome(order, attend(ward, deed))


def _ordered(first: Plan, population: Population, room: Room, ward: Ward) -> Order | Refusal:
    """The guards' last word, on what is so right now."""
    case, session = first.case, ward.source.session
    since = min(filter(None, (case.diagnosis.failed_at, case.diagnosis.migrated_at)), default=session.now)
    again, fails = None, None
    try:
        # What was measured must still be measured; only where nothing was the operator's word stands again.
        again = ward.look(case.vm.id, since, None if witnesses(case) else room.stated)
    except SourceError as error:
        fails = error.message
    session.begin()
    policy, deeds = _known(ward, room.policy)
    facts = _with(deeds, case.vm.id, survey(session, [case.vm.id])[case.vm.id])
    last = plan(case, facts, again, fails, str(uuid4()))
    (reviewed,) = review([last], policy, population, session.now)
    return reviewed


def _deed(order: Order, ward: Ward) -> Deed:
    diagnosis, session = order.plan.latest.diagnosis, ward.source.session
    return Deed(
        id=str(uuid4()),
        vm=order.plan.vm,
        cloud=session.cloud.arm,
        request=order.plan.request,
        at=session.now,
        lost_at=diagnosis.failed_at,
        migrated_at=diagnosis.migrated_at,
        signals=witnesses(order.plan.latest),
    )


def resume(ward: Ward) -> Iterator[Attended]:
    """Take up every redeploy of the journal whose end nobody has seen, without asking for another one."""
    cloud = ward.source.session.cloud.arm
    open_ = [deed for deed in ward.journal.deeds(ward.attendant.warn) if deed.is_open]
    ours = [deed for deed in open_ if deed.cloud == cloud]
    for deed in open_:
        if deed.cloud != cloud:
            says = f"the redeploy is in another cloud: give --cloud {deed.cloud}"
            ward.attendant.warn(f"{deed.vm.name}: {says}")
            yield Attended(deed=replace(deed, says=says))
    if ours:
        ward.source.sign_in()
    with alone({f"{cloud} {deed.vm.subscription}" for deed in ours}) as rival:
        if rival is not None:
            raise MitigationError(rival, "It follows its own redeploys; run again when it has ended.")
        for deed in ours:
            yield Attended(deed=replace(deed, says=INTERRUPTED)) if ward.is_over() else attend(ward, deed)


def _outcome(order: Order, attended: Attended) -> Case:
    """The case as it was seen last, with what was done about it and what to do now."""
    done = replace(attended.deed.mitigation, guards=order.answers, loses=order.plan.loses, risks=order.plan.risks)
    seen = attended.case
    case = seen if seen is not None and seen.diagnosis.verdict.is_flagged else order.plan.latest
    advice = advise_after(done, attended.hint)
    return replace(case, mitigation=done, diagnosis=replace(case.diagnosis, recommendation=advice))


def _refused(one: Refusal) -> Case:
    case, lost = _told(one.plan, Status.REFUSED, one.says, one.answers), one.plan.latest.diagnosis.failed_at
    known = one.plan.facts.redeploys if one.plan.facts is not None else ()
    again = lost is not None and any(at >= lost for at in known)
    advice = advise_refused([answer.guard for answer in one.against], one.plan.facts, redeployed=again)
    if advice is None:
        return case
    return replace(case, diagnosis=replace(case.diagnosis, recommendation=advice))


def _planned(one: Refusal, says: str) -> Case:
    return _told(one.plan, Status.PLANNED, says, one.answers)


def _told(one: Plan, status: Status, says: str, answers: tuple[Answer, ...] = ()) -> Case:
    done = Mitigation(status=status, says=says, guards=answers, loses=one.loses, risks=one.risks)
    return replace(one.case, mitigation=done)
