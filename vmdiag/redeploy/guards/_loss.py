"""The guards that look at what is wrong: the verdict, whether it still holds, and whether Azure is at work itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from vmdiag.diagnosis.model import Case, State, Verdict
from vmdiag.diagnosis.service_health import concerns_vm, find_incident_end
from vmdiag.mitigation import GuardResult
from vmdiag.model import Kind, Signal, Window
from vmdiag.redeploy.model import GuardContext, Plan, Policy, describe_unknown, format_age
from vmdiag.redeploy.verification import MEASURED, find_last_reading, list_measuring_signals, list_unread_gaps

FRESH = timedelta(minutes=15)
# Two readings of one loss may date its begin a few minutes apart, as late records come in.
SAME_LOSS = timedelta(minutes=20)
# A cause that competes lies from so long before the onset to so long after it; its record comes up to 20 minutes late
# (contract, section 3; "Azure Monitor activity log": 3 to 20 minutes).
RIVALS_BEFORE, RIVALS_AFTER, LOG_WHOLE = timedelta(minutes=30), timedelta(minutes=2), timedelta(minutes=20)


def check_verdict(context: GuardContext) -> GuardResult:
    """Confirmed, or suspected where the operator says so, of the loss that is open now, on evidence of minutes ago."""
    plan, policy, now = context.plan, context.policy, context.now
    verdicts, case, word = list_accepted_verdicts(policy), plan.latest, ""
    found, loss = case.diagnosis.verdict, case.diagnosis.loss
    known = loss.channels if loss is not None else ()
    times = (
        # A word is as old as what it states.
        channel.interval.start
        if channel.signal is Signal.OPERATOR
        else channel.interval.end or find_last_reading(case, channel.signal)
        for channel in [one for one in known if one.signal in MEASURED] or known
    )
    seen = max(filter(None, times), default=None)
    open_losses = [one for one in case.diagnosis.losses if one.interval.is_open]
    old = "no sign of it is dated" if seen is None else f"the newest sign of the loss is {format_age(now - seen)} old"
    if not list_measuring_signals(plan.case) and not policy.include_suspected:
        stated = loss is not None and Signal.OPERATOR in loss.signals
        shown = "which only the operator's word shows" if stated else "which nothing measures right now"
        word = f", {shown} (--include-suspected)"
    elif any(one.explained_by != case.diagnosis.finding.scenario for one in open_losses[-1:]):
        word = ", and the loss that is open now is not the migration's"
    limit = f"{' or '.join(verdicts)}, evidence at most {format_age(FRESH)} old"
    passes = found in verdicts and seen is not None and now - seen <= FRESH and not word
    return GuardResult(guard="verdict", passes=passes, limit=limit, found=f"{found}, {old}{word}")


def check_persistence(context: GuardContext) -> GuardResult:
    """The loss still goes on, measured, when it is read again right before the request, by feeds that are whole."""
    plan, policy, now = context.plan, context.policy, context.now
    passes: bool | None = None
    if not policy.is_live:
        passes, found = False, "an archive cannot be read again, and of other sources than 'azure' none is"
    elif plan.again_fails is not None:
        passes, found = False, f"it could not be read again: {plan.again_fails}"
    elif plan.again is None:
        found = "is read again right before the request"
    else:
        against = next(_list_objections(plan, plan.again, policy, now), "")
        passes, found = not against, against or f"it goes on at {plan.again.window.end:%H:%M:%S}Z"
    limit = "the loss goes on at a second look, measured, with the feeds that decide read whole"
    return GuardResult(guard="persistence", passes=passes, limit=limit, found=found)


def check_service_event(context: GuardContext) -> GuardResult:
    """No service incident of the region is active, and Azure has not scheduled to move or reboot the VM itself."""
    plan, now = context.plan, context.now
    name, limit = "service event", "no active incident of the region, no redeploy or reboot scheduled"
    facts, case = plan.preflight, plan.latest
    if list_unread_gaps(case, Signal.SERVICE):
        return GuardResult(guard=name, passes=False, limit=limit, found="service incidents could not be read")
    told = [
        *_list_active_incidents(case, now),
        *((*facts.incidents, *(facts.scheduled or ())) if facts is not None else ()),
    ]
    if told:
        return GuardResult(guard=name, passes=False, limit=limit, found=told[0])
    if facts is None:
        return describe_unknown(name, limit, None, "")
    for topic in ("incidents", "scheduled"):
        if topic in facts.unread:
            return describe_unknown(name, limit, facts, topic)
    calm = "nothing scheduled" if facts.scheduled is not None else "this cloud does not tell what is scheduled"
    if facts.scheduled is not None and facts.announces is False:
        calm = "scheduled events are not opted in, so nothing tells what is scheduled"
    return GuardResult(guard=name, passes=True, limit=limit, found=f"no incident, {calm}")


def list_accepted_verdicts(policy: Policy) -> tuple[Verdict, ...]:
    """The verdicts that may be acted on."""
    return (Verdict.CONFIRMED, Verdict.SUSPECTED) if policy.include_suspected else (Verdict.CONFIRMED,)


def _list_objections(plan: Plan, again: Case, policy: Policy, now: datetime) -> Iterator[str]:
    """What keeps the second look from showing that it goes on."""
    seen, lost_at = again.diagnosis, again.diagnosis.failed_at or now
    if not seen.verdict.is_flagged or seen.state is not State.OPEN:
        back = f" since {seen.recovered_at:%H:%M}Z" if seen.recovered_at else ""
        yield f"at a second look the VM is {seen.verdict}, {seen.state or 'without a loss'}{back}"
    if abs(lost_at - (plan.case.diagnosis.failed_at or lost_at)) > SAME_LOSS:
        yield f"at a second look it is another loss, since {lost_at:%H:%M}Z"
    measured = [at for signal in list_measuring_signals(again) if (at := find_last_reading(again, signal)) is not None]
    if not any(at > lost_at for at in measured):
        yield "nothing that was measured since shows it"
    if plan.normal and not policy.include_suspected:
        yield f"a strong channel is normal: {plan.normal[0]}"
    yield from _list_half_read_feeds(again, lost_at)
    unread = [gap.reason for gap in list_unread_gaps(again, Signal.TRAFFIC)]
    unread += [plan.unmeasured] if plan.unmeasured and Signal.TRAFFIC not in list_measuring_signals(again) else []
    if unread and not policy.include_suspected:
        # An agent falls silent on healthy VMs, too, and traffic that was low an hour ago may be back since: what alone
        # could deny the loss has to have been read to the end.
        yield f"traffic, which alone could deny it, was not read: {unread[0]}"
    whole = lost_at + LOG_WHOLE + RIVALS_AFTER
    if now < whole:
        yield f"the activity log may still lack the cause until {whole:%H:%M}Z"


# The strong channels and the migration's own feed: of a half answer the other half may hold what denies the loss.
# Traffic is measured by the hour before.
DECIDING = (Signal.TRAFFIC, Signal.HEARTBEAT, Signal.HEALTH)
BASELINE = timedelta(hours=1)
# Both at zero show a guest that is dead, and no loss of the network's: one of them that was read whole can deny that.
WORK = frozenset({Signal.CPU, Signal.DISK})


def _list_half_read_feeds(case: Case, lost_at: datetime) -> Iterator[str]:
    """Feeds that decide and were read in part, whether they show the loss or might have denied it."""
    begun = min(lost_at, case.diagnosis.migrated_at or lost_at)
    since = Window(begun, case.window.end)
    cut = {gap.signal for gap in case.gaps if gap.cut and gap.window.overlaps_window(since)}
    deciding = {*DECIDING, *(WORK if cut >= WORK else ())}
    for gap in case.gaps:
        before = BASELINE if gap.signal is Signal.TRAFFIC else timedelta()
        span = Window(begun - before, case.window.end)
        if gap.signal is Signal.ACTIVITY:
            span = Window(lost_at - RIVALS_BEFORE, lost_at + RIVALS_AFTER)
            if gap.counts_as_unread and gap.window.overlaps_window(span):
                yield f"the activity log was not read whole around the loss: {gap.reason}"
        elif gap.cut and gap.signal in deciding and gap.window.overlaps_window(span):
            yield f"{gap.signal} was read in part: {gap.reason}"


def _list_active_incidents(case: Case, now: datetime) -> Iterator[str]:
    for event in case.events:
        if (
            event.kind is Kind.SERVICE_INCIDENT
            and concerns_vm(case.vm, event)
            and find_incident_end(event, case.events) > now
        ):
            yield event.says
        if event.kind is Kind.PRECURSOR and event.at >= (case.diagnosis.failed_at or now):
            yield f"{event.says} ({event.at:%Y-%m-%d %H:%M}Z)"
