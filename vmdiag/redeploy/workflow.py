"""redeploy_affected(): cases become cases with outcomes: planned, reviewed, agreed to, redeployed one by one, proven.

Cases that need no redeploy pass through as they come; an affected one is held until every case is known, because how
many there are decides whether any may be touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from uuid import uuid4

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult, Status
from vmdiag.redeploy.context import FollowedRedeploy, RedeployContext, WorkflowContext
from vmdiag.redeploy.follow import RESUME, follow_redeploy
from vmdiag.redeploy.guards import BUDGET_SPAN, ORDER_LIFETIME, Order, Refusal, is_candidate, review_plans
from vmdiag.redeploy.journal import JournalChangedError, JournalEntry, Step
from vmdiag.redeploy.locks import hold_exclusive_lock
from vmdiag.redeploy.model import AffectedVm, Consent, KnownRedeploy, Plan, Policy, Population, Preflight
from vmdiag.redeploy.outcome import add_mitigation, build_outcome, build_refused_case
from vmdiag.redeploy.preflight import read_preflights
from vmdiag.redeploy.request import HeldError, apply_order, build_plan, read_boot_seconds
from vmdiag.redeploy.verification import describe_normal_signals, explain_unreported, list_measuring_signals
from vmdiag.values import replace

# So many VMs at most are looked at closely even where their number alone refuses them: so that a plan has every
# guard's answer.
CLOSE_LOOK_LIMIT = 8
INTERRUPTED = "the run was interrupted"


def redeploy_affected(cases: Iterable[Case], workflow: WorkflowContext) -> Iterator[Case]:
    """The same cases, the affected ones last and with what was done about them."""
    affected: list[Case] = []
    hit: list[AffectedVm] = []
    judged = 0
    try:
        for case in cases:
            seen, is_new = case.diagnosis, case.vm.id not in workflow.earlier
            # It was migrated, and nobody can say what became of it.
            is_doubtful = seen.verdict is Verdict.INCONCLUSIVE and seen.migrated_at is not None
            # How many are hit: what could not be read must not look like a healthy VM.
            judged += is_new and (is_doubtful or seen.verdict is not Verdict.INCONCLUSIVE)
            if case.is_affected or (is_new and is_doubtful):
                since = seen.failed_at or seen.migrated_at
                hit.append(AffectedVm(vm=case.vm.id, region=case.vm.location or "", since=since))
            if case.is_affected:
                affected.append(case)
            else:
                yield case
    except SourceError:
        yield from affected
        raise
    if affected:
        candidates = sum(is_candidate(case, workflow.policy) for case in affected)
        population = Population(vms=judged, affected=tuple(hit), candidates=candidates)
        yield from _redeploy_all(affected, population, workflow)


def _redeploy_all(affected: Sequence[Case], population: Population, workflow: WorkflowContext) -> Iterator[Case]:
    """Review them, and redeploy those that pass, while no other run redeploys in their subscriptions."""
    context, holder = workflow.redeploying, None
    with ExitStack() as held:
        if context is not None:
            scopes = {f"{context.session.cloud.arm} {case.vm.id.subscription}" for case in affected}
            try:
                holder = held.enter_context(hold_exclusive_lock(scopes))
            except OSError as error:
                holder = f"the lock cannot be taken: {error.strerror or error}"
        workflow = replace(workflow, policy=replace(workflow.policy, lock_holder=holder))
        reviewed = _review_first(affected, population, workflow)
        if context is not None and context.is_over():
            yield from (add_mitigation(one, Status.PLANNED, f"not touched: {INTERRUPTED}") for one in reviewed)
            return
        refusals, ready = ([one for one in reviewed if bool(one.against) is refused] for refused in (True, False))
        if refusals:
            workflow.reporter.show_refusals(refusals)
        yield from map(build_refused_case, refusals)
        if workflow.policy.dry_run or context is None:
            yield from (add_mitigation(one, Status.PLANNED, "it qualifies; --dry-run changes nothing") for one in ready)
        elif ready:
            yield from _redeploy_agreed(ready, population, workflow, context)


def _review_first(affected: Sequence[Case], population: Population, workflow: WorkflowContext) -> list[Refusal]:
    """What the guards say before anything is begun: no order yet, because nothing was read again."""
    context, policy, now = workflow.redeploying, workflow.policy, workflow.now
    facts: dict[VmId, Preflight] = {}
    if context is not None:
        policy, entries = _read_journal(context, policy)
        reviewed = review_plans(map(build_plan, affected), policy, population, context.session.now)
        is_few = len(reviewed) <= CLOSE_LOOK_LIMIT
        near = [one.plan.vm for one in reviewed if isinstance(one, Refusal) and (is_few or not one.against)]
        context.session.restart_deadline()
        facts = _read_preflights(near, entries, context)
        now = context.session.now
    plans = [build_plan(case, facts.get(case.vm.id)) for case in affected]
    return [one for one in review_plans(plans, policy, population, now) if isinstance(one, Refusal)]


def _redeploy_agreed(
    ready: Sequence[Refusal], population: Population, workflow: WorkflowContext, context: RedeployContext
) -> Iterator[Case]:
    """Redeploy one after another, where the operator agrees, until one does not come back."""
    workflow.reporter.show_proposals(ready)
    if workflow.policy.consent is Consent.ASKABLE and not workflow.reporter.ask_for_consent(ready):
        says = "the answer at the prompt was not yes"
        yield from (add_mitigation(one, Status.DECLINED, says) for one in ready)
        return
    workflow = replace(workflow, policy=replace(workflow.policy, consent=Consent.GIVEN))
    halted = ""
    for one in ready:
        halted = halted or (INTERRUPTED if context.is_over() else "")
        if halted:
            yield add_mitigation(one, Status.PLANNED, f"not touched: {halted}")
            continue
        case = _redeploy_vm(one, population, workflow, context)
        done = case.mitigation
        if done is not None and done.status is not Status.REFUSED and done.reachable_again is not True:
            halted = f"{one.plan.vm.name} was not seen to be reachable again ({done.status})"
        yield case


def _redeploy_vm(first: Refusal, population: Population, workflow: WorkflowContext, context: RedeployContext) -> Case:
    """Read and review one VM again, write the intent down, send the request and follow it to its proof."""
    session = context.session
    while True:
        begun = read_boot_seconds()
        last, policy, entries = _read_again(first.plan, workflow, context)
        if read_boot_seconds() - begun > ORDER_LIFETIME and not context.is_over():
            # It took too long, because the process was stopped perhaps.
            last, policy, entries = _read_again(first.plan, workflow, context)
        (decided,) = review_plans([last], policy, population, session.now)
        if context.is_over():
            return add_mitigation(first, Status.PLANNED, f"not touched: {INTERRUPTED}")
        if isinstance(decided, Refusal):
            return _refuse_plan(decided, workflow)
        expiry = decided.check_expiry(read_boot_seconds())
        if not expiry.passes:
            return _refuse_plan(decided, workflow, expiry)
        entry = JournalEntry(
            id=str(uuid4()),
            vm=last.vm,
            cloud=session.cloud.arm,
            request=last.request,
            at=session.now,
            region=last.region,
            lost_at=last.latest.diagnosis.failed_at,
            migrated_at=last.latest.diagnosis.migrated_at,
            signals=list_measuring_signals(last.latest),
        )
        try:
            context.journal.record_intent(entry, entries)
        except JournalChangedError:
            continue  # another run began a redeploy meanwhile: it counts for the guards
        except OSError as error:
            found = f"{context.journal.path} cannot be written: {error.strerror or error}"
            limit = "the intent is on disk before the request"
            return _refuse_plan(decided, workflow, GuardResult(guard="journal", passes=False, limit=limit, found=found))
        return _send_request(decided, entry, workflow, context)


def _read_again(
    first: Plan, workflow: WorkflowContext, context: RedeployContext
) -> tuple[Plan, Policy, tuple[JournalEntry, ...]]:
    """The plan as things are right now, with the policy and the journal that the guards are to know."""
    case, session, looked_at = first.case, context.session, read_boot_seconds()
    since = min(filter(None, (case.diagnosis.failed_at, case.diagnosis.migrated_at)), default=session.now)
    again, fails, unmeasured = None, None, ""
    well: tuple[str, ...] = ()
    try:
        # What was measured must still be measured; only where nothing was the operator's word stands again.
        again, heard = context.read_vm(case.vm.id, since, None if list_measuring_signals(case) else workflow.stated)
        lost_at = again.diagnosis.failed_at or since
        well, unmeasured = describe_normal_signals(heard, lost_at), explain_unreported(heard, lost_at)
    except SourceError as error:
        fails = error.message
    session.restart_deadline()
    policy, entries = _read_journal(context, workflow.policy)
    facts = _read_preflights([case.vm.id], entries, context)[case.vm.id]
    plan = replace(
        build_plan(case, facts),
        earlier=first.preflight,
        again=again,
        again_fails=fails,
        looked_at=looked_at,
        normal=well,
        unmeasured=unmeasured,
        request=str(uuid4()),
    )
    return plan, policy, entries


def _read_journal(context: RedeployContext, policy: Policy) -> tuple[Policy, tuple[JournalEntry, ...]]:
    """What the journal tells of earlier redeploys; one that cannot be read is as good as another run."""
    policy = replace(policy, skew=context.session.clock.skew)
    try:
        entries = context.journal.read_entries(context.reporter.warn, strict=True)
    except OSError as error:
        holder = f"the journal {context.journal.path} cannot be read: {error.strerror or error}"
        return replace(policy, lock_holder=policy.lock_holder or holder), ()
    unfinished = tuple(KnownRedeploy(vm=entry.vm, at=entry.at) for entry in entries if entry.is_open)
    made = [entry for entry in entries if entry.step is not Step.VOID]
    spent = sum(context.session.now - entry.at < BUDGET_SPAN for entry in made)
    return replace(policy, unfinished=unfinished, spent=spent), entries


def _read_preflights(
    vms: Sequence[VmId], entries: Iterable[JournalEntry], context: RedeployContext
) -> dict[VmId, Preflight]:
    """The facts, and the redeploys of the journal that Azure's log may not show yet, of these VMs and of others."""
    cloud = context.session.cloud.arm
    made = [entry for entry in entries if entry.step is not Step.VOID and entry.cloud == cloud]
    recent = [KnownRedeploy(vm=entry.vm, at=entry.at, region=entry.region) for entry in made]
    return {
        vm: replace(
            facts,
            redeploys=(*facts.redeploys, *(entry.at for entry in made if entry.vm == vm)),
            recent=(*facts.recent, *recent),
        )
        for vm, facts in (read_preflights(context.session, vms) if vms else {}).items()
    }


def _send_request(order: Order, entry: JournalEntry, workflow: WorkflowContext, context: RedeployContext) -> Case:
    """Send the request, whose intent is on disk, and tell what came of it."""
    context.reporter.report_progress(entry.vm, f"asking Azure to redeploy it; if this run is ended, {RESUME}")
    try:
        sent = apply_order(order, context.session)
    except HeldError as held:
        context.record_step(entry, Step.VOID, says=str(held), correlation=None)
        if context.is_over():
            return add_mitigation(order, Status.PLANNED, f"not touched: {INTERRUPTED}")
        expiry = order.check_expiry(read_boot_seconds())
        return _refuse_plan(order, workflow, replace(expiry, passes=False, found=str(held)))
    if sent.step is not Step.INTENDED:  # else it may have happened, so it is never asked for again: the traces tell
        facts = {"says": sent.says} if sent.step is Step.VOID else {"operation": sent.operation}
        entry = context.record_step(entry, sent.step, **facts, correlation=sent.correlation)
    context.reporter.report_progress(entry.vm, sent.says)
    if entry.step is Step.VOID:
        followed = FollowedRedeploy(entry=entry, hint=sent.hint)
    elif not workflow.policy.waits:
        followed = FollowedRedeploy(entry=replace(entry, says=f"{sent.says}; its end was not waited for"))
    else:
        followed = follow_redeploy(context, entry)
    return build_outcome(order, followed, context.session.now)


def _refuse_plan(decided: Order | Refusal, workflow: WorkflowContext, *against: GuardResult) -> Case:
    """A plan that is not carried out after all, for what the guards said or for something more."""
    refusal = Refusal(plan=decided.plan, answers=(*decided.answers, *against))
    workflow.reporter.show_refusals([refusal])
    return build_refused_case(refusal)
