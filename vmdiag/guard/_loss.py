"""The guards that look at what is wrong: the verdict, whether it still holds, and whether Azure is at work itself.

Must not know the other VMs of the run.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from vmdiag.diagnosis import Case, State, Verdict
from vmdiag.guard._words import ago, unknown
from vmdiag.incidents import concerns, end_of
from vmdiag.mitigation import Answer
from vmdiag.model import Kind, Signal
from vmdiag.plan import Plan, Policy, Population
from vmdiag.recovery import heard, silences

FRESH = timedelta(minutes=15)
# Two readings of one loss may date its begin a few minutes apart, as late records come in.
SAME_LOSS = timedelta(minutes=20)


def verdict(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """Confirmed, or suspected where the operator says so, on evidence of minutes ago."""
    del population
    verdicts, seen = wanted(policy), _newest(plan.latest)
    found = plan.latest.diagnosis.verdict
    old = "no sign of it is dated" if seen is None else f"the newest sign of the loss is {ago(now - seen)} old"
    return Answer(
        guard="verdict",
        passes=found in verdicts and seen is not None and now - seen <= FRESH,
        limit=f"{' or '.join(verdicts)}, evidence at most {ago(FRESH)} old",
        found=f"{found}, {old}",
    )


def persistence(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """The loss still goes on when it is read again right before the request."""
    del population, now
    before = plan.case.diagnosis.failed_at
    passes: bool | None = None
    if not policy.is_live:
        passes, found = False, "an archive cannot be read again"
    elif plan.again_fails is not None:
        passes, found = False, f"it could not be read again: {plan.again_fails}"
    elif plan.again is None:
        found = "is read again right before the request"
    else:
        passes, found = _goes_on(plan.again, before)
    return Answer(guard="persistence", passes=passes, limit="the loss goes on at a second look", found=found)


def service_event(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """No service incident of the region is active, and Azure has not scheduled to move or reboot the VM itself."""
    del policy, population
    name, limit = "service event", "no active incident of the region, no redeploy or reboot scheduled"
    facts, case = plan.facts, plan.latest
    if silences(case, Signal.SERVICE):
        return Answer(guard=name, passes=False, limit=limit, found="service incidents could not be read")
    told = [*_active(case, now), *((*facts.incidents, *(facts.scheduled or ())) if facts is not None else ())]
    if told:
        return Answer(guard=name, passes=False, limit=limit, found=told[0])
    if facts is None:
        return unknown(name, limit, None, "")
    for topic in ("incidents", "scheduled"):
        if topic in facts.unread:
            return unknown(name, limit, facts, topic)
    calm = "nothing scheduled" if facts.scheduled is not None else "this cloud does not tell what is scheduled"
    return Answer(guard=name, passes=True, limit=limit, found=f"no incident, {calm}")


def _newest(case: Case) -> datetime | None:
    """The newest instant at which one of its channels showed the loss."""
    loss = case.diagnosis.loss
    channels = loss.channels if loss is not None else ()
    times = (channel.interval.end or heard(case, channel.signal) for channel in channels)
    return max(filter(None, times), default=None)


def wanted(policy: Policy) -> tuple[Verdict, ...]:
    """The verdicts that may be acted on."""
    return (Verdict.CONFIRMED, Verdict.SUSPECTED) if policy.include_suspected else (Verdict.CONFIRMED,)


def _goes_on(again: Case, before: datetime | None) -> tuple[bool, str]:
    now = again.diagnosis
    if not now.verdict.is_flagged or now.state is not State.OPEN or now.failed_at is None:
        back = f" since {now.recovered_at:%H:%M}Z" if now.recovered_at else ""
        return False, f"at a second look the VM is {now.verdict}, {now.state or 'without a loss'}{back}"
    if before is not None and abs(now.failed_at - before) > SAME_LOSS:
        return False, f"at a second look it is another loss, since {now.failed_at:%H:%M}Z"
    return True, f"it goes on at {again.window.end:%H:%M:%S}Z"


def _active(case: Case, now: datetime) -> Iterator[str]:
    for event in case.events:
        if event.kind is Kind.SERVICE_INCIDENT and concerns(case.vm, event) and end_of(event, case.events) > now:
            yield event.says
        if event.kind is Kind.PRECURSOR and event.at >= (case.diagnosis.failed_at or now):
            yield f"{event.says} ({event.at:%Y-%m-%d %H:%M}Z)"
