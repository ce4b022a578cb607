"""redeploy_affected(): cases become cases with outcomes: planned, reviewed, agreed to, redeployed one by one, proven.

Must not render, nor know how the policy was written. Cases that need no redeploy pass through as they come; an
affected one is held until every case is known, because how many there are decides whether any may be touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import MitigationError, SourceError
from vmdiag.mitigation import Status
from vmdiag.redeploy.follow import FollowedRedeploy, RedeployContext, follow_redeploy
from vmdiag.redeploy.guards import Order, Refusal, is_candidate, review_plans
from vmdiag.redeploy.model import AffectedVm, Consent, Population
from vmdiag.redeploy.preflight import read_preflights
from vmdiag.redeploy.request import build_plan
from vmdiag.redeploy.single_vm import (
    INTERRUPTED,
    WorkflowContext,
    add_journal_redeploys,
    add_mitigation,
    build_planned_case,
    build_refused_case,
    read_journal,
    redeploy_vm,
)
from vmdiag.redeploy.state_folder import hold_exclusive_lock

# So many VMs are looked at closely even where their number alone refuses them: then a plan tells every guard's answer.
FEW = 8


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
            workflow.proposer.show_refusals(refusals)
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
    cloud = workflow.redeploying.source.session.cloud.arm
    try:
        return held.enter_context(hold_exclusive_lock({f"{cloud} {case.vm.id.subscription}" for case in affected}))
    except OSError as error:
        return f"the lock cannot be taken: {error.strerror or error}"


def _review_first(affected: Sequence[Case], population: Population, workflow: WorkflowContext) -> tuple[Refusal, ...]:
    """What the guards say before anything is begun: no order yet, because nothing was read again."""
    context = workflow.redeploying
    if context is None:
        return _list_refusals(review_plans(map(build_plan, affected), workflow.policy, population, workflow.now))
    policy, entries = read_journal(context, workflow.policy)
    first = _list_refusals(review_plans(map(build_plan, affected), policy, population, context.source.session.now))
    near = [one.plan.vm for one in first if not one.against or len(first) <= FEW]
    context.source.session.restart_deadline()
    cloud = context.source.session.cloud.arm
    found = read_preflights(context.source.session, near) if near else {}
    facts = {vm: add_journal_redeploys(entries, vm, one, cloud) for vm, one in found.items()}
    plans = [build_plan(case, facts.get(case.vm.id)) for case in affected]
    return _list_refusals(review_plans(plans, policy, population, context.source.session.now))


def _list_refusals(reviewed: Iterable[Order | Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in reviewed if isinstance(one, Refusal))


def _redeploy_agreed(
    ready: Sequence[Refusal], population: Population, workflow: WorkflowContext, context: RedeployContext
) -> Iterator[Case]:
    workflow.proposer.show_proposals(ready)
    if workflow.policy.consent is Consent.ASKABLE and not workflow.proposer.ask_for_consent(ready):
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
        case = redeploy_vm(one, population, workflow, context)
        done = case.mitigation
        if done is not None and done.status is not Status.REFUSED and done.reachable_again is not True:
            halted = f"{one.plan.vm.name} was not seen to be reachable again ({done.status})"
        yield case


def resume_unfinished(context: RedeployContext) -> Iterator[FollowedRedeploy]:
    """Take up every redeploy of the journal whose end nobody has seen, without asking for another one."""
    cloud = context.source.session.cloud.arm
    open_ = [entry for entry in context.journal.read_entries(context.reporter.warn) if entry.is_open]
    ours = [entry for entry in open_ if entry.cloud == cloud]
    for entry in open_:
        if entry.cloud != cloud:
            says = f"the redeploy is in another cloud: give --cloud {entry.cloud}"
            context.reporter.warn(f"{entry.vm.name}: {says}")
            yield FollowedRedeploy(entry=replace(entry, says=says))
    if ours:
        context.source.sign_in()
    with hold_exclusive_lock({f"{cloud} {entry.vm.subscription}" for entry in ours}) as rival:
        if rival is not None:
            raise MitigationError(rival, "It follows its own redeploys; run again when it has ended.")
        for entry in ours:
            yield (
                FollowedRedeploy(entry=replace(entry, says=INTERRUPTED))
                if context.is_over()
                else follow_redeploy(context, entry)
            )
