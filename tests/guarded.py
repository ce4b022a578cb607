"""A VM that every guard lets pass, and what makes each guard alone refuse it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stories import case
from vmdiag.identity import VmId
from vmdiag.mitigation import Circumstances
from vmdiag.mitigations.redeploy import plan
from vmdiag.model import Event, Kind, Signal
from vmdiag.plan import Consent, Plan, Policy, Population, Struck, Unfinished

LOST = "12:00 live-migration\n12:03 traffic-lost\ncpu active\nuntil 14:00"
NOW = datetime(2026, 3, 2, 14, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINE = Circumstances(power="running", provisioning="succeeded", locks=(), scheduled=(), may_redeploy=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All that the guards are asked with."""

    plan: Plan
    policy: Policy
    population: Population
    now: datetime = NOW

    def facts(self, **changes: Any) -> "Asked":
        """With other circumstances."""
        return replace(self, plan=replace(self.plan, facts=replace(self.plan.facts or FINE, **changes)))

    def rules(self, **changes: Any) -> "Asked":
        """With another policy."""
        return replace(self, policy=replace(self.policy, **changes))


def struck(count: int, *, region: str = "westeurope", apart: timedelta = HOUR) -> tuple[Struck, ...]:
    """So many affected VMs, the plan's own first."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"web-{number:02}") for number in range(1, count + 1))
    return tuple(Struck(vm=vm, region=region, since=NOW - apart * number) for number, vm in enumerate(vms))


def told(story: str, facts: Circumstances = FINE) -> Asked:
    """A story read twice with the same result, an agreeing operator, and one VM of ten hit."""
    found = case(story)
    return Asked(
        plan=plan(found, facts, again=found),
        policy=Policy(consent=Consent.GIVEN),
        population=Population(vms=10, struck=struck(1), candidates=1),
    )


def ready() -> Asked:
    """The VM that every guard lets pass."""
    return told(LOST)


def _named(vm: VmId) -> Asked:
    asked = ready()
    one = replace(asked.plan.case, vm=replace(asked.plan.case.vm, id=vm))
    return replace(asked, plan=plan(one, FINE, again=one))


def _again(story: str) -> Asked:
    asked = ready()
    return replace(asked, plan=replace(asked.plan, again=case(story)))


def _hit(vms: int, *, of: int, **how: Any) -> Asked:
    return replace(ready(), population=Population(vms=of, struck=struck(vms, **how), candidates=1))


def incident(region: str = "westeurope", ended: datetime | None = None) -> Asked:
    """An incident of a region's network, ten minutes old, seen at the second look."""
    facts = {"regions": region, "service": "Virtual Network", "tracking": "ABC-1"}
    if ended is not None:
        facts["ended"] = ended.isoformat()
    begun = NOW - timedelta(minutes=10)
    event = Event(at=begun, kind=Kind.SERVICE_INCIDENT, signal=Signal.SERVICE, says="an incident", facts=facts)
    base = ready().plan
    again = replace(base.case, events=(*base.case.events, event))
    return replace(ready(), plan=replace(base, again=again))


SCALE_SET = VmId(subscription="s", resource_group="prod", name="0", scale_set="pool")
NODE = VmId(subscription="s", resource_group="MC_shop_aks_westeurope", name="aks-1")
OTHER = VmId(subscription="S", resource_group="test", name="db-01")

# By guard, everything that makes it refuse, and it alone.
BLOCKED: dict[str, dict[str, Callable[[], Asked]]] = {
    "verdict": {
        "suspected": lambda: told("12:00 live-migration\n12:03 traffic-lost\nuntil 14:00"),
        "old evidence": lambda: replace(ready(), now=NOW + timedelta(minutes=16)),
    },
    "persistence": {
        "back meanwhile": lambda: _again(f"{LOST}\n13:50 traffic-back"),
        "unreadable": lambda: replace(ready(), plan=replace(ready().plan, again=None, again_fails="throttled")),
        "an archive": lambda: ready().rules(is_live=False),
    },
    "state": {
        "deallocated": lambda: ready().facts(power="deallocated"),
        "starting": lambda: ready().facts(power="starting"),
        "power unknown": lambda: ready().facts(power=None),
        "updating": lambda: ready().facts(provisioning="updating"),
        "failed": lambda: ready().facts(provisioning="failed"),
        "locked": lambda: ready().facts(locks=("the CanNotDelete lock keep",)),
    },
    "data": {"ephemeral": lambda: ready().facts(ephemeral=True)},
    "owner": {
        "scale set": lambda: _named(SCALE_SET),
        "AKS group": lambda: _named(NODE),
        "AKS tag": lambda: ready().facts(tags={"aks-managed-poolname": "pool"}),
        "old AKS tag": lambda: ready().facts(tags={"orchestrator": "Kubernetes:1.20"}),
        "protected": lambda: ready().facts(tags={"vmdiag-protect": ""}),
        "managed": lambda: ready().facts(managed_by="/subscriptions/s/providers/x"),
    },
    "permission": {"reader": lambda: ready().facts(may_redeploy=False)},
    "count": {
        "two": lambda: replace(ready(), population=Population(vms=10, struck=struck(2), candidates=2)),
    },
    "storm": {
        "three of ten": lambda: _hit(3, of=10),
        "eleven at once": lambda: _hit(11, of=10_000, apart=timedelta(minutes=1)),
    },
    "service event": {
        "incident": incident,
        "incident of an unknown region": lambda: incident(""),
        "incident of the region": lambda: ready().facts(incidents=("the service incident VT60-LPZ goes on",)),
        "the host is to be left": lambda: told(LOST.replace("cpu", "12:30 degraded-host\ncpu")),
        "scheduled": lambda: ready().facts(scheduled=("Azure has announced a redeploy",)),
    },
    "repeat": {
        "five hours ago": lambda: ready().facts(redeploys=(NOW - 5 * HOUR,)),
        "twice in a week": lambda: ready().facts(redeploys=(NOW - 50 * HOUR, NOW - 100 * HOUR)),
        "in this loss": lambda: ready().facts(redeploys=(NOW - HOUR,)),
    },
    "grace": {"written": lambda: ready().facts(writes=((NOW - timedelta(minutes=29), "extensions/write"),))},
    "pace": {"unfinished": lambda: ready().rules(unfinished=(Unfinished(vm=OTHER, since=NOW - HOUR),))},
    "lock": {"rival": lambda: ready().rules(rival="another run")},
    "consent": {"nobody": lambda: ready().rules(consent=Consent.NOBODY)},
}
