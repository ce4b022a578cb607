"""The guards that look at the run: how many VMs, all at once or one by one, alone, and with consent.

Must not know a VM's state.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from vmdiag.guard._words import ago
from vmdiag.mitigation import Answer
from vmdiag.plan import Consent, Plan, Policy, Population

STORM_SHARE, STORM_LEAST = 0.2, 3
STORM_REGION, STORM_SPAN = 10, timedelta(minutes=15)


def count(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """No more candidates than the operator thought of."""
    del plan, now
    noun = "candidate" if population.candidates == 1 else "candidates"
    return Answer(
        guard="count",
        passes=population.candidates <= policy.most,
        limit=f"at most {policy.most} (--max)",
        found=f"{population.candidates} {noun} among {population.vms} VMs",
    )


def storm(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """One platform event, not so many broken VMs."""
    del plan, policy, now
    hit, near = len(population.struck), _together(population)
    much = hit >= STORM_LEAST and hit > STORM_SHARE * population.vms
    return Answer(
        guard="storm",
        passes=not much and near <= STORM_REGION,
        limit=f"at most {STORM_SHARE:.0%} of the scope from {STORM_LEAST} VMs on, and {STORM_REGION} VMs of one "
        f"region within {ago(STORM_SPAN)}",
        found=f"{hit} of {population.vms} VMs are or may be affected, {near} of one region within {ago(STORM_SPAN)}",
    )


def pace(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """One at a time in a subscription, and so never two of an availability set or a proximity group."""
    del population
    subscription = plan.vm.subscription.lower()
    others = [each for each in policy.unfinished if each.vm.subscription.lower() == subscription]
    return Answer(
        guard="pace",
        passes=not others,
        limit="one at a time, the next once the former is verified (vmdiag mitigations --resume)",
        found="; ".join(f"{each.vm.name}'s, of {ago(now - each.since)} ago, is not verified" for each in others)
        or "none is under way",
    )


def lock(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """No other run redeploys in this subscription from this machine."""
    del plan, population, now
    limit = "one run that redeploys in a subscription at a time"
    return Answer(guard="lock", passes=policy.rival is None, limit=limit, found=policy.rival or "no other run")


def consent(plan: Plan, policy: Policy, population: Population, now: datetime) -> Answer:
    """The operator says yes."""
    del plan, population, now
    words = {
        Consent.GIVEN: (True, "yes"),
        Consent.NEEDLESS: (True, "not needed: --dry-run changes nothing"),
        Consent.ASKABLE: (None, "is asked for at the terminal"),
        Consent.NOBODY: (False, "no terminal to ask at, and no --yes"),
    }
    passes, found = words[policy.consent]
    return Answer(guard="consent", passes=passes, limit="a typed yes, or --yes", found=found)


def _together(population: Population) -> int:
    """The most affected VMs of one region whose losses began within a quarter of an hour."""
    regions: defaultdict[str, list[datetime]] = defaultdict(list)
    for one in population.struck:
        if one.since is not None:
            regions[one.region].append(one.since)
    return max(map(_nearest, regions.values()), default=0)


def _nearest(times: list[datetime]) -> int:
    """The most that lie within the span, by two pointers: a storm may have thousands."""
    times.sort()
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] > STORM_SPAN:
            first += 1
        most = max(most, last - first + 1)
    return most
