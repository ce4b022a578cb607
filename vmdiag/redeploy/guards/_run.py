"""The guards that look at the run: how many VMs, all at once or one by one, alone, and with consent."""

from collections import defaultdict
from datetime import datetime, timedelta

from vmdiag.diagnosis.service_health import normalize_region
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult
from vmdiag.redeploy.model import Consent, GuardContext, Plan, Population, describe_unknown, format_age

STORM_LEAST = 3
STORM_REGION, STORM_SPAN = 10, timedelta(minutes=15)
# What was redeployed in the region so lately belongs to the same event as the candidates (contract, section 4).
STORM_MEMORY = timedelta(hours=1)
# The day of `--budget` is the last 24 hours: one that began at midnight would allow two redeploys within a minute.
BUDGET_SPAN = timedelta(hours=24)
# From here on times of two machines cannot be compared any more (contract, section 4).
CLOCKS_APART = timedelta(minutes=5)
# Answers tell the time in whole seconds, and are some time under way.
AGREE = timedelta(seconds=30)


def check_count(context: GuardContext) -> GuardResult:
    """No more candidates than the operator allows."""
    policy, population = context.policy, context.population
    limit, noun = f"at most {policy.most} (--max)", "candidate" if population.candidates == 1 else "candidates"
    found = f"{population.candidates} {noun} among {population.vms} VMs"
    return GuardResult(guard="count", passes=population.candidates <= policy.most, limit=limit, found=found)


def check_budget(context: GuardContext) -> GuardResult:
    """No more redeploys within a day than are allowed where nobody looks on."""
    budget, spent = context.policy.budget or 0, context.policy.spent
    limit = f"{budget} within {format_age(BUDGET_SPAN)} (--budget)"
    found = f"{spent} by the journal, whichever run made them"
    return GuardResult(guard="budget", passes=spent < budget, limit=limit, found=found)


def check_storm(context: GuardContext) -> GuardResult:
    """One platform event, not so many broken VMs; what was redeployed there within the hour is part of it."""
    plan, policy, population, now = context.plan, context.policy, context.population, context.now
    limit = (
        f"at most {policy.storm} % of the scope from {STORM_LEAST} VMs on (--storm), and {STORM_REGION} VMs of one "
        f"region within {format_age(STORM_SPAN)}, with what was redeployed there within {format_age(STORM_MEMORY)}"
    )
    if plan.preflight is not None and "recent" in plan.preflight.unread:
        return describe_unknown("storm", limit, plan.preflight, "recent")
    affected = {one.vm for one in population.affected}
    recent = _list_recent_redeploys(plan, now) - affected
    hit, near = len(affected | recent), _count_simultaneous(population, plan.region, len(recent))
    much = hit >= STORM_LEAST and hit * 100 > policy.storm * max(population.vms, hit)
    done = f"; {len(recent)} more redeployed there within {format_age(STORM_MEMORY)}" if recent else ""
    lacking = plan.preflight.recent_unread if plan.preflight is not None else ""
    unseen = f"; others' redeploys: {lacking}" if lacking else ""
    span = f"{format_age(STORM_SPAN)}{done}{unseen}"
    found = f"{len(affected)} of {population.vms} VMs are or may be affected, {near} of one region within {span}"
    return GuardResult(guard="storm", passes=not much and near <= STORM_REGION, limit=limit, found=found)


def check_pace(context: GuardContext) -> GuardResult:
    """One at a time in a subscription, and so never two of an availability set or a proximity group."""
    plan, policy, now = context.plan, context.policy, context.now
    subscription = plan.vm.subscription.lower()
    limit = "one at a time, the next once the former is verified (vmdiag mitigations --resume)"
    others = [each for each in policy.unfinished if each.vm.subscription.lower() == subscription]
    says = "; ".join(f"{each.vm.name}'s, of {format_age(now - each.at)} ago, is not verified" for each in others)
    return GuardResult(guard="pace", passes=not others, limit=limit, found=says or "none is under way")


def check_lock(context: GuardContext) -> GuardResult:
    """No other run redeploys in this subscription from this machine."""
    holder, limit = context.policy.lock_holder, "one run that redeploys in a subscription at a time"
    return GuardResult(guard="lock", passes=holder is None, limit=limit, found=holder or "no other run")


def check_consent(context: GuardContext) -> GuardResult:
    """The operator says yes."""
    words = {
        Consent.GIVEN: (True, "yes"),
        Consent.NEEDLESS: (True, "not needed: --dry-run changes nothing"),
        Consent.ASKABLE: (None, "is asked for at the terminal"),
        Consent.NOBODY: (False, "no terminal to ask at, and no --yes"),
    }
    passes, found = words[context.policy.consent]
    return GuardResult(guard="consent", passes=passes, limit="a typed yes, or --yes", found=found)


def check_clock(context: GuardContext) -> GuardResult:
    """This machine and Azure agree about the time: every limit here is one of time."""
    skew, limit = (
        context.policy.skew,
        f"this machine's clock and Azure's differ by less than {format_age(CLOCKS_APART)}",
    )
    if skew is None:
        found = "Azure's answers tell no time to compare with"
        return GuardResult(guard="clock", passes=False, limit=limit, found=found)
    apart, way = abs(skew), "behind" if skew > timedelta() else "ahead of"
    found = "they agree" if apart < AGREE else f"this machine's is {format_age(apart)} {way} Azure's"
    return GuardResult(guard="clock", passes=apart < CLOCKS_APART, limit=limit, found=found)


def _list_recent_redeploys(plan: Plan, now: datetime) -> set[VmId]:
    """The VMs of the region that were redeployed within the hour; one whose region is not known may be of it."""
    known = plan.preflight.recent if plan.preflight is not None else ()
    return {
        one.vm
        for one in known
        if now - one.at <= STORM_MEMORY
        and (not one.region or not plan.region or normalize_region(one.region) == plan.region)
    }


def _count_simultaneous(population: Population, region: str, recent: int) -> int:
    """The most affected VMs of one region whose losses began within a quarter of an hour.

    In the plan's own region the recently redeployed ones are among them.
    """
    counts: dict[str, int] = {region: recent}
    regions: defaultdict[str, list[datetime]] = defaultdict(list)
    for one in population.affected:
        if one.since is not None:
            regions[normalize_region(one.region)].append(one.since)
    for place, times in regions.items():
        times.sort()
        # By two pointers: a storm may have thousands.
        first, most = 0, 0
        for last, at in enumerate(times):
            while at - times[first] > STORM_SPAN:
                first += 1
            most = max(most, last - first + 1)
        counts[place] = counts.get(place, 0) + most
    return max(counts.values())
