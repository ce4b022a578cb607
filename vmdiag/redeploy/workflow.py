"""treat(): cases become cases with outcomes: planned, reviewed, agreed to, redeployed one by one, and proven.

Must not render, nor know how the policy was written. Cases that need no treatment pass through as they come; an
affected one is held until every case is known, because how many there are decides whether any may be touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import MitigationError, SourceError
from vmdiag.mitigation import Status
from vmdiag.redeploy.follow import Attended, Ward, attend
from vmdiag.redeploy.guards import Order, Refusal, qualifies, review
from vmdiag.redeploy.model import Consent, Population, Struck
from vmdiag.redeploy.preflight import survey
from vmdiag.redeploy.request import plan
from vmdiag.redeploy.single_vm import INTERRUPTED, Room, known, planned, redeploy, refused, told, with_journal
from vmdiag.redeploy.state_folder import alone

# So many VMs are looked at closely even where their number alone refuses them: then a plan tells every guard's answer.
FEW = 8


def treat(cases: Iterable[Case], room: Room) -> Iterator[Case]:
    """The same cases, the affected ones last and with what was done about them."""
    affected: list[Case] = []
    doubtful: list[Struck] = []
    judged = 0
    try:
        for case in cases:
            is_new = case.vm.id not in room.earlier
            judged += is_new and _is_judged(case)
            if case.is_affected:
                affected.append(case)
                continue
            if is_new and _is_doubtful(case):
                doubtful.append(_struck(case))
            yield case
    except SourceError:
        yield from affected
        raise
    if affected:
        candidates = sum(qualifies(case, room.policy) for case in affected)
        struck = (*map(_struck, affected), *doubtful)
        yield from _treated(affected, Population(vms=judged, struck=struck, candidates=candidates), room)


def _is_doubtful(case: Case) -> bool:
    """Whether it was migrated and nobody can say what became of it."""
    return case.diagnosis.verdict is Verdict.INCONCLUSIVE and case.diagnosis.migrated_at is not None


def _is_judged(case: Case) -> bool:
    """Whether it says anything about how many are hit: what could not be read must not look like a healthy VM."""
    return case.diagnosis.verdict is not Verdict.INCONCLUSIVE or _is_doubtful(case)


def _struck(case: Case) -> Struck:
    seen = case.diagnosis
    return Struck(vm=case.vm.id, region=case.vm.location or "", since=seen.failed_at or seen.migrated_at)


def _treated(affected: Sequence[Case], population: Population, room: Room) -> Iterator[Case]:
    with ExitStack() as held:
        room = replace(room, policy=replace(room.policy, rival=_rival(affected, room, held)))
        reviewed = _reviewed(affected, population, room)
        if room.ward is not None and room.ward.is_over():
            yield from (planned(one, f"not touched: {INTERRUPTED}") for one in reviewed)
            return
        refusals = [one for one in reviewed if one.against]
        if refusals:
            room.proposer.refuse(refusals)
        yield from map(refused, refusals)
        ready = [one for one in reviewed if not one.against]
        if room.policy.dry_run or room.ward is None:
            yield from (planned(one, "it qualifies; --dry-run changes nothing") for one in ready)
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
    policy, deeds = known(ward, room.policy)
    first = _refusals(review(map(plan, affected), policy, population, ward.source.session.now))
    near = [one.plan.vm for one in first if not one.against or len(first) <= FEW]
    ward.source.session.begin()
    cloud = ward.source.session.cloud.arm
    found = survey(ward.source.session, near) if near else {}
    facts = {vm: with_journal(deeds, vm, one, cloud) for vm, one in found.items()}
    plans = [plan(case, facts.get(case.vm.id)) for case in affected]
    return _refusals(review(plans, policy, population, ward.source.session.now))


def _refusals(reviewed: Iterable[Order | Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in reviewed if isinstance(one, Refusal))


def _agreed(ready: Sequence[Refusal], population: Population, room: Room, ward: Ward) -> Iterator[Case]:
    room.proposer.propose(ready)
    if room.policy.consent is Consent.ASKABLE and not room.proposer.agrees(ready):
        says = "the answer at the prompt was not yes"
        yield from (told(one.plan, Status.DECLINED, says, one.answers) for one in ready)
        return
    room = replace(room, policy=replace(room.policy, consent=Consent.GIVEN))
    halted = ""
    for one in ready:
        halted = halted or (INTERRUPTED if ward.is_over() else "")
        if halted:
            yield planned(one, f"not touched: {halted}")
            continue
        case = redeploy(one, population, room, ward)
        done = case.mitigation
        if done is not None and done.status is not Status.REFUSED and done.reachable_again is not True:
            halted = f"{one.plan.vm.name} was not seen to be reachable again ({done.status})"
        yield case


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
