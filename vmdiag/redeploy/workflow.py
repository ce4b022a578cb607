"""redeploy_affected(): cases become cases with outcomes: planned, reviewed, agreed to, redeployed one by one, proven.

Cases that need no redeploy pass through as they come; an affected one is held until every case is known, because how
many there are decides whether any may be touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult, Status
from vmdiag.redeploy.context import FollowedRedeploy, RedeployContext, WorkflowContext
from vmdiag.redeploy.follow import RESUME, follow_redeploy
from vmdiag.redeploy.guards import GOOD_FOR, Order, Refusal, is_candidate, review_plans
from vmdiag.redeploy.journal import JournalChangedError, JournalEntry, Step
from vmdiag.redeploy.model import AffectedVm, Consent, Plan, Policy, Population, Preflight, RecentRedeploy, Unfinished
from vmdiag.redeploy.outcome import add_mitigation, build_outcome, build_planned_case, build_refused_case
from vmdiag.redeploy.preflight import read_preflights
from vmdiag.redeploy.request import SendResult, apply_order, build_plan, read_boot_seconds
from vmdiag.redeploy.state_folder import hold_exclusive_lock
from vmdiag.redeploy.verification import describe_normal_signals, explain_unreported, list_witnesses

# So many VMs are looked at closely even where their number alone refuses them: then a plan tells every guard's answer.
FEW = 8
INTERRUPTED = "the run was interrupted"
_JOURNAL_LIMIT = "the intent is on disk before the request"


def redeploy_affected(cases: Iterable[Case], workflow: WorkflowContext) -> Iterator[Case]:
    """The same cases, the affected ones last and with what was done about them."""
    affected: list[Case] = []
    doubtful: list[AffectedVm] = []
    judged = 0
    try:
        for case in cases:
            is_new = case.vm.id not in workflow.earlier
            judged += is_new and _is_judged(case)
            if case.is_affected:
                affected.append(case)
                continue
            if is_new and _is_doubtful(case):
                doubtful.append(_build_affected(case))
            yield case
    except SourceError:
        yield from affected
        raise
    if affected:
        candidates = sum(is_candidate(case, workflow.policy) for case in affected)
        struck = (*map(_build_affected, affected), *doubtful)
        yield from _redeploy_all(affected, Population(vms=judged, affected=struck, candidates=candidates), workflow)


def _is_doubtful(case: Case) -> bool:
    """Whether it was migrated and nobody can say what became of it."""
    return case.diagnosis.verdict is Verdict.INCONCLUSIVE and case.diagnosis.migrated_at is not None


def _is_judged(case: Case) -> bool:
    """Whether it says anything about how many are hit: what could not be read must not look like a healthy VM."""
    return case.diagnosis.verdict is not Verdict.INCONCLUSIVE or _is_doubtful(case)


def _build_affected(case: Case) -> AffectedVm:
    seen = case.diagnosis
    return AffectedVm(vm=case.vm.id, region=case.vm.location or "", since=seen.failed_at or seen.migrated_at)


def _redeploy_all(affected: Sequence[Case], population: Population, workflow: WorkflowContext) -> Iterator[Case]:
    with ExitStack() as held:
        workflow = replace(
            workflow, policy=replace(workflow.policy, lock_holder=_find_lock_holder(affected, workflow, held))
        )
        reviewed = _review_first(affected, population, workflow)
        if workflow.redeploying is not None and workflow.redeploying.is_over():
            yield from (build_planned_case(one, f"not touched: {INTERRUPTED}") for one in reviewed)
            return
        refusals = [one for one in reviewed if one.against]
        if refusals:
            workflow.reporter.show_refusals(refusals)
        yield from map(build_refused_case, refusals)
        ready = [one for one in reviewed if not one.against]
        if workflow.policy.dry_run or workflow.redeploying is None:
            yield from (build_planned_case(one, "it qualifies; --dry-run changes nothing") for one in ready)
        elif ready:
            yield from _redeploy_agreed(ready, population, workflow, workflow.redeploying)


def _find_lock_holder(affected: Sequence[Case], workflow: WorkflowContext, held: ExitStack) -> str | None:
    """Who else redeploys in these subscriptions; none from here on, as long as the locks are held."""
    if workflow.redeploying is None:
        return None
    cloud = workflow.redeploying.session.cloud.arm
    try:
        return held.enter_context(hold_exclusive_lock({f"{cloud} {case.vm.id.subscription}" for case in affected}))
    except OSError as error:
        return f"the lock cannot be taken: {error.strerror or error}"


def _review_first(affected: Sequence[Case], population: Population, workflow: WorkflowContext) -> tuple[Refusal, ...]:
    """What the guards say before anything is begun: no order yet, because nothing was read again."""
    context = workflow.redeploying
    if context is None:
        return _list_refusals(review_plans(map(build_plan, affected), workflow.policy, population, workflow.now))
    policy, entries = _read_journal(context, workflow.policy)
    first = _list_refusals(review_plans(map(build_plan, affected), policy, population, context.session.now))
    near = [one.plan.vm for one in first if not one.against or len(first) <= FEW]
    context.session.restart_deadline()
    cloud = context.session.cloud.arm
    found = read_preflights(context.session, near) if near else {}
    facts = {vm: _add_journal_redeploys(entries, vm, one, cloud) for vm, one in found.items()}
    plans = [build_plan(case, facts.get(case.vm.id)) for case in affected]
    return _list_refusals(review_plans(plans, policy, population, context.session.now))


def _list_refusals(reviewed: Iterable[Order | Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in reviewed if isinstance(one, Refusal))


def _redeploy_agreed(
    ready: Sequence[Refusal], population: Population, workflow: WorkflowContext, context: RedeployContext
) -> Iterator[Case]:
    workflow.reporter.show_proposals(ready)
    if workflow.policy.consent is Consent.ASKABLE and not workflow.reporter.ask_for_consent(ready):
        says = "the answer at the prompt was not yes"
        yield from (add_mitigation(one.plan, Status.DECLINED, says, one.answers) for one in ready)
        return
    workflow = replace(workflow, policy=replace(workflow.policy, consent=Consent.GIVEN))
    halted = ""
    for one in ready:
        halted = halted or (INTERRUPTED if context.is_over() else "")
        if halted:
            yield build_planned_case(one, f"not touched: {halted}")
            continue
        case = _redeploy_vm(one, population, workflow, context)
        done = case.mitigation
        if done is not None and done.status is not Status.REFUSED and done.reachable_again is not True:
            halted = f"{one.plan.vm.name} was not seen to be reachable again ({done.status})"
        yield case


def _redeploy_vm(first: Refusal, population: Population, workflow: WorkflowContext, context: RedeployContext) -> Case:
    """One VM: read again, reviewed again, written down, asked for, followed and proven."""
    while True:
        decided, entries = _review_again(first.plan, population, workflow, context)
        if context.is_over():
            return build_planned_case(first, f"not touched: {INTERRUPTED}")
        if isinstance(decided, Order) and not (expiry := decided.check_expiry(read_boot_seconds())).passes:
            decided = Refusal(plan=decided.plan, answers=(*decided.answers, expiry))
        if isinstance(decided, Refusal):
            workflow.reporter.show_refusals([decided])
            return build_refused_case(decided)
        entry = _build_entry(decided, context)
        try:
            context.journal.record_intent(entry, entries)
        except JournalChangedError:
            continue  # another run began a redeploy meanwhile: it counts for the guards
        except OSError as error:
            found = f"{context.journal.path} cannot be written: {error.strerror or error}"
            return _hold_back(decided, _JOURNAL_LIMIT, found, workflow)
        return _send_request(decided, entry, workflow, context)


def _send_request(order: Order, entry: JournalEntry, workflow: WorkflowContext, context: RedeployContext) -> Case:
    """The request, and what comes of it; the intent is on disk."""
    context.reporter.report_progress(entry.vm, f"asking Azure to redeploy it; if this run is ended, {RESUME}")
    sent = apply_order(order, context.session)
    match sent.reception:
        case SendResult.REFUSED | SendResult.UNSENT | SendResult.HELD:
            entry = context.record_step(entry, Step.VOID, says=sent.says, correlation=sent.correlation)
        case SendResult.ACCEPTED:
            entry = context.record_step(entry, Step.ACCEPTED, operation=sent.operation, correlation=sent.correlation)
        case SendResult.UNHEARD:
            pass  # it may have happened, so it is never asked for again: the traces tell
    if sent.reception is SendResult.HELD:
        if context.is_over():
            return build_planned_case(Refusal(plan=order.plan, answers=order.answers), f"not touched: {INTERRUPTED}")
        expiry = order.check_expiry(read_boot_seconds())
        return _hold_back(order, expiry.limit, sent.says, workflow, guard=expiry.guard)
    context.reporter.report_progress(entry.vm, sent.says)
    if entry.step is Step.VOID:
        return build_outcome(order, FollowedRedeploy(entry=entry, hint=sent.hint), context.session.now)
    if not workflow.policy.waits:
        followed = FollowedRedeploy(entry=replace(entry, says=f"{sent.says}; its end was not waited for"))
        return build_outcome(order, followed, context.session.now)
    followed = follow_redeploy(context, entry)
    return build_outcome(order, followed, context.session.now)


def _hold_back(order: Order, limit: str, found: str, workflow: WorkflowContext, guard: str = "journal") -> Case:
    """An order that is not carried out after all."""
    answer = GuardResult(guard=guard, passes=False, limit=limit, found=found)
    refusal = Refusal(plan=order.plan, answers=(*order.answers, answer))
    workflow.reporter.show_refusals([refusal])
    return build_refused_case(refusal)


def _review_again(
    first: Plan, population: Population, workflow: WorkflowContext, context: RedeployContext
) -> tuple[Order | Refusal, tuple[JournalEntry, ...]]:
    """The guards' last word, on what is so right now, and the journal that they knew."""
    begun = read_boot_seconds()
    last, policy, entries = _read_again(first, workflow, context)
    if read_boot_seconds() - begun > GOOD_FOR and not context.is_over():
        # It took too long, because the process was stopped perhaps.
        last, policy, entries = _read_again(first, workflow, context)
    (reviewed,) = review_plans([last], policy, population, context.session.now)
    return reviewed, entries


def _read_again(
    first: Plan, workflow: WorkflowContext, context: RedeployContext
) -> tuple[Plan, Policy, tuple[JournalEntry, ...]]:
    case, session, looked_at = first.case, context.session, read_boot_seconds()
    since = min(filter(None, (case.diagnosis.failed_at, case.diagnosis.migrated_at)), default=session.now)
    again, fails = None, None
    well: tuple[str, ...] = ()
    unmeasured = ""
    try:
        # What was measured must still be measured; only where nothing was the operator's word stands again.
        again, heard = context.read_vm(case.vm.id, since, None if list_witnesses(case) else workflow.stated)
        lost_at = again.diagnosis.failed_at or since
        well, unmeasured = describe_normal_signals(heard, lost_at), explain_unreported(heard, lost_at)
    except SourceError as error:
        fails = error.message
    session.restart_deadline()
    policy, entries = _read_journal(context, workflow.policy)
    facts = _add_journal_redeploys(
        entries, case.vm.id, read_preflights(session, [case.vm.id])[case.vm.id], session.cloud.arm
    )
    last = build_plan(case, facts, again, fails, str(uuid4()))
    return (
        replace(last, earlier=first.preflight, looked_at=looked_at, normal=well, unmeasured=unmeasured),
        policy,
        entries,
    )


def _build_entry(order: Order, context: RedeployContext) -> JournalEntry:
    diagnosis, session = order.plan.latest.diagnosis, context.session
    return JournalEntry(
        id=str(uuid4()),
        vm=order.plan.vm,
        cloud=session.cloud.arm,
        request=order.plan.request,
        at=session.now,
        region=order.plan.region,
        lost_at=diagnosis.failed_at,
        migrated_at=diagnosis.migrated_at,
        signals=list_witnesses(order.plan.latest),
    )


def _read_journal(context: RedeployContext, policy: Policy) -> tuple[Policy, tuple[JournalEntry, ...]]:
    """What the journal tells of earlier redeploys; one that cannot be read is as good as a rival."""
    try:
        entries = context.journal.read_entries(context.reporter.warn, strict=True)
    except OSError as error:
        holder = f"the journal {context.journal.path} cannot be read: {error.strerror or error}"
        return replace(policy, lock_holder=policy.lock_holder or holder, skew=context.session.clock.skew), ()
    unfinished = tuple(Unfinished(vm=entry.vm, since=entry.at) for entry in entries if entry.is_open)
    return replace(policy, unfinished=unfinished, skew=context.session.clock.skew), entries


def _add_journal_redeploys(entries: Iterable[JournalEntry], vm: VmId, facts: Preflight, cloud: str) -> Preflight:
    """The facts, and the redeploys that the log may not show yet, of this VM and of others."""
    made = [entry for entry in entries if entry.step is not Step.VOID and entry.cloud == cloud]
    ours = tuple(entry.at for entry in made if entry.vm == vm)
    recent = tuple(RecentRedeploy(vm=entry.vm, at=entry.at, region=entry.region) for entry in made)
    return replace(facts, redeploys=(*facts.redeploys, *ours), recent=(*facts.recent, *recent))
