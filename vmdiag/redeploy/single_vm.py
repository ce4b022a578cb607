"""One VM's redeploy: read again, reviewed again, written down, asked for once, followed; must not choose VMs."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from vmdiag.diagnosis.model import Case, Diagnosis, State
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult, Mitigation, Status
from vmdiag.redeploy import boot_clock
from vmdiag.redeploy.follow import RESUME, FollowedRedeploy, RedeployContext, Reporter, follow_redeploy
from vmdiag.redeploy.guards import GOOD_FOR, Order, Refusal, is_rebuilt, review_plans
from vmdiag.redeploy.journal import JournalChangedError, JournalEntry, Step
from vmdiag.redeploy.model import Plan, Policy, Population, Preflight, RecentRedeploy, Unfinished
from vmdiag.redeploy.next_step import recommend_after_redeploy, recommend_after_refusal
from vmdiag.redeploy.preflight import read_preflights
from vmdiag.redeploy.request import SendResult, apply_order, build_plan
from vmdiag.redeploy.verification import SETTLES, describe_normal_signals, explain_unreported, list_witnesses

INTERRUPTED = "the run was interrupted"
_JOURNAL_LIMIT = "the intent is on disk before the request"


class ConsentReporter(Reporter, Protocol):
    """Who is shown what is about to be done, and asked."""

    def show_proposals(self, proposals: Sequence[Refusal]) -> None:
        """Show what is to be done, why, and what it costs: nothing refuses it, and some guards were not asked yet."""
        ...

    def show_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why."""
        ...

    def ask_for_consent(self, proposals: Sequence[Refusal]) -> bool:
        """Whether the operator types yes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowContext:
    """What a run of redeploys works with: `redeploying` is `None` for an archive, of which nothing can be redeployed.

    `stated` is since when the operator says that the VMs cannot be reached; `earlier` are the VMs whose cases come from
    an earlier report and were not looked at in this run.
    """

    proposer: ConsentReporter
    policy: Policy
    now: datetime
    redeploying: RedeployContext | None = None
    stated: datetime | None = None
    earlier: Collection[VmId] = ()


def redeploy_vm(first: Refusal, population: Population, workflow: WorkflowContext, context: RedeployContext) -> Case:
    """One VM: read again, reviewed again, written down, asked for, followed and proven."""
    while True:
        decided, entries = _review_again(first.plan, population, workflow, context)
        if context.is_over():
            return build_planned_case(first, f"not touched: {INTERRUPTED}")
        if isinstance(decided, Order) and not (expiry := decided.check_expiry(boot_clock.read_seconds())).passes:
            decided = Refusal(plan=decided.plan, answers=(*decided.answers, expiry))
        if isinstance(decided, Refusal):
            workflow.proposer.show_refusals([decided])
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
    sent = apply_order(order, context.source.session)
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
        expiry = order.check_expiry(boot_clock.read_seconds())
        return _hold_back(order, expiry.limit, sent.says, workflow, guard=expiry.guard)
    context.reporter.report_progress(entry.vm, sent.says)
    if entry.step is Step.VOID:
        return _build_outcome(order, FollowedRedeploy(entry=entry, hint=sent.hint), context.source.session.now)
    if not workflow.policy.waits:
        followed = FollowedRedeploy(entry=replace(entry, says=f"{sent.says}; its end was not waited for"))
        return _build_outcome(order, followed, context.source.session.now)
    followed = follow_redeploy(context, entry)
    return _build_outcome(order, followed, context.source.session.now)


def _hold_back(order: Order, limit: str, found: str, workflow: WorkflowContext, guard: str = "journal") -> Case:
    """An order that is not carried out after all."""
    answer = GuardResult(guard=guard, passes=False, limit=limit, found=found)
    refusal = Refusal(plan=order.plan, answers=(*order.answers, answer))
    workflow.proposer.show_refusals([refusal])
    return build_refused_case(refusal)


def _review_again(
    first: Plan, population: Population, workflow: WorkflowContext, context: RedeployContext
) -> tuple[Order | Refusal, tuple[JournalEntry, ...]]:
    """The guards' last word, on what is so right now, and the journal that they knew."""
    begun = boot_clock.read_seconds()
    last, policy, entries = _read_again(first, workflow, context)
    if boot_clock.read_seconds() - begun > GOOD_FOR and not context.is_over():
        # It took too long, because the process was stopped perhaps.
        last, policy, entries = _read_again(first, workflow, context)
    (reviewed,) = review_plans([last], policy, population, context.source.session.now)
    return reviewed, entries


def _read_again(
    first: Plan, workflow: WorkflowContext, context: RedeployContext
) -> tuple[Plan, Policy, tuple[JournalEntry, ...]]:
    case, session, looked_at = first.case, context.source.session, boot_clock.read_seconds()
    since = min(filter(None, (case.diagnosis.failed_at, case.diagnosis.migrated_at)), default=session.now)
    again, fails = None, None
    well: tuple[str, ...] = ()
    unmeasured = ""
    try:
        # What was measured must still be measured; only where nothing was the operator's word stands again.
        again, heard = context.read_again(case.vm.id, since, None if list_witnesses(case) else workflow.stated)
        lost_at = again.diagnosis.failed_at or since
        well, unmeasured = describe_normal_signals(heard, lost_at), explain_unreported(heard, lost_at)
    except SourceError as error:
        fails = error.message
    session.restart_deadline()
    policy, entries = read_journal(context, workflow.policy)
    facts = add_journal_redeploys(
        entries, case.vm.id, read_preflights(session, [case.vm.id])[case.vm.id], session.cloud.arm
    )
    last = build_plan(case, facts, again, fails, str(uuid4()))
    return (
        replace(last, earlier=first.preflight, looked_at=looked_at, normal=well, unmeasured=unmeasured),
        policy,
        entries,
    )


def _build_entry(order: Order, context: RedeployContext) -> JournalEntry:
    diagnosis, session = order.plan.latest.diagnosis, context.source.session
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


def read_journal(context: RedeployContext, policy: Policy) -> tuple[Policy, tuple[JournalEntry, ...]]:
    """What the journal tells of earlier redeploys; one that cannot be read is as good as a rival."""
    try:
        entries = context.journal.read_entries(context.reporter.warn, strict=True)
    except OSError as error:
        holder = f"the journal {context.journal.path} cannot be read: {error.strerror or error}"
        return replace(policy, lock_holder=policy.lock_holder or holder, skew=context.source.session.clock_skew), ()
    unfinished = tuple(Unfinished(vm=entry.vm, since=entry.at) for entry in entries if entry.is_open)
    return replace(policy, unfinished=unfinished, skew=context.source.session.clock_skew), entries


def add_journal_redeploys(entries: Iterable[JournalEntry], vm: VmId, facts: Preflight, cloud: str) -> Preflight:
    """The facts, and the redeploys that the log may not show yet, of this VM and of others."""
    made = [entry for entry in entries if entry.step is not Step.VOID and entry.cloud == cloud]
    ours = tuple(entry.at for entry in made if entry.vm == vm)
    recent = tuple(RecentRedeploy(vm=entry.vm, at=entry.at, region=entry.region) for entry in made)
    return replace(facts, redeploys=(*facts.redeploys, *ours), recent=(*facts.recent, *recent))


def _build_outcome(order: Order, followed: FollowedRedeploy, now: datetime) -> Case:
    """The case as it was seen last, with what was done about it and what to do now."""
    done = replace(followed.entry.mitigation, guards=order.answers, loses=order.plan.loses, risks=order.plan.risks)
    seen = followed.case
    case = seen if seen is not None and seen.diagnosis.verdict.is_flagged else order.plan.latest
    advice = recommend_after_redeploy(done, followed.hint, now)
    return replace(case, mitigation=done, diagnosis=replace(_keep_verdict(order, case, done), recommendation=advice))


def _keep_verdict(order: Order, case: Case, done: Mitigation) -> Diagnosis:
    """How things stand now, under the verdict that was acted on: what is read afterwards is not about that loss alone.

    A loss that was proven to be over has ended, also one that comes and goes, of which a report waits for half an hour.
    """
    acted, now = order.plan.latest.diagnosis, case.diagnosis
    kept = replace(
        now,
        verdict=acted.verdict,
        finding=acted.finding,
        findings=acted.findings,
        explanation=acted.explanation,
        migrated_at=acted.migrated_at,
        failed_at=acted.failed_at,
    )
    if now.loss is None:
        return kept
    began, loss = now.loss.interval.start, now.loss
    if done.started_at is None or began <= done.started_at:
        loss = replace(loss, explained_by=acted.explanation)
    if done.reachable_again and now.state is State.OPEN:
        ended = max(done.finished_at or case.window.end, began)
        loss = replace(loss, interval=replace(loss.interval, end=ended))
        kept = replace(kept, state=State.REDEPLOYED, recovered_at=ended)
    return replace(kept, losses=(*now.losses[:-1], loss))


def build_refused_case(one: Refusal) -> Case:
    """The case of a VM that guards keep from being redeployed, with what to do instead."""
    case, seen = add_mitigation(one.plan, Status.REFUSED, one.says, one.answers), one.plan.latest.diagnosis
    # A redeploy that left the VM down began for the loss before: what is lost since is its doing.
    lost = min(filter(None, (seen.failed_at, *(blame.loss.start for blame in seen.finding.blames))), default=None)
    facts, now = one.plan.preflight, one.plan.latest.window.end
    since = [at for at in facts.redeploys if lost is not None and at >= lost] if facts is not None else []
    if facts is not None and facts.changed_at is not None and (since or is_rebuilt(facts, lost)):
        # The provisioning state tells when it ended.
        since.append(facts.changed_at)
    is_fresh = any(now - at < SETTLES for at in since)
    advice = recommend_after_refusal(
        [answer.guard for answer in one.against], facts, redeployed=bool(since), is_fresh=is_fresh
    )
    if advice is None:
        return case
    return replace(case, diagnosis=replace(case.diagnosis, recommendation=advice))


def build_planned_case(one: Refusal, says: str) -> Case:
    """The case of a VM that qualifies, or qualified, and was not touched."""
    return add_mitigation(one.plan, Status.PLANNED, says, one.answers)


def add_mitigation(one: Plan, status: Status, says: str, answers: tuple[GuardResult, ...] = ()) -> Case:
    """The case with what was decided about it."""
    done = Mitigation(status=status, says=says, guards=answers, loses=one.loses, risks=one.risks)
    return replace(one.case, mitigation=done)
