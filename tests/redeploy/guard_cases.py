"""A VM that every guard lets pass, and what makes each guard alone refuse it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.timeline_builders import case
from vmdiag.identity import VmId
from vmdiag.model import Event, Gap, Kind, Signal, Window
from vmdiag.redeploy.model import (
    Circumstances,
    Consent,
    Hardware,
    Plan,
    Policy,
    Population,
    RecentRedeploy,
    Struck,
    Unfinished,
)
from vmdiag.redeploy.request import plan

LOST = "12:00 live-migration\n12:03 traffic-lost\ncpu active\nuntil 14:00"
NOW = datetime(2026, 3, 2, 14, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BORN = datetime(2025, 6, 1, tzinfo=UTC)
SAME = Hardware(vm_id="2c5f", created_at=BORN, size="Standard_D4s_v5")
FINE = Circumstances(
    power="running",
    provisioning="succeeded",
    changed_at=BORN,
    hardware=SAME,
    locks=(),
    scheduled=(),
    announces=True,
    may_redeploy=True,
)


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


def hit(vms: int, *, of: int, **how: Any) -> Asked:
    """So many VMs of so many are hit."""
    return replace(ready(), population=Population(vms=of, struck=struck(vms, **how), candidates=1))


def recent(count: int, *, region: str = "westeurope", ago: timedelta = HOUR / 2) -> tuple[RecentRedeploy, ...]:
    """So many redeploys of others."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"db-{number:02}") for number in range(count))
    return tuple(RecentRedeploy(vm=vm, at=NOW - ago, region=region) for vm in vms)


def _earlier(**was: Any) -> Asked:
    asked = ready()
    before = replace(FINE, hardware=replace(SAME, **was))
    return replace(asked, plan=replace(asked.plan, earlier=before))


def _explained_by_another() -> Asked:
    asked = ready()
    diagnosis = asked.plan.case.diagnosis
    losses = tuple(replace(loss, explained_by="network-change") for loss in diagnosis.losses)
    one = replace(asked.plan.case, diagnosis=replace(diagnosis, losses=losses))
    return replace(asked, plan=plan(one, FINE, again=one))


def _another_loss() -> Asked:
    asked = ready()
    diagnosis, later = asked.plan.case.diagnosis, timedelta(minutes=21)
    assert diagnosis.failed_at is not None
    losses = tuple(
        replace(loss, interval=replace(loss.interval, start=loss.interval.start + later)) for loss in diagnosis.losses
    )
    moved = replace(diagnosis, failed_at=diagnosis.failed_at + later, losses=losses)
    return replace(asked, plan=replace(asked.plan, again=replace(asked.plan.case, diagnosis=moved)))


def _gap(signal: Signal, ended: int, begun: int, *, cut: bool = False) -> Asked:
    return with_gap(Gap(signal=signal, window=Window(_ago(begun), _ago(ended)), reason="half", cut=cut, partial=cut))


def _ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def with_gap(gap: Gap) -> Asked:
    """A second look at which something was not heard."""
    asked = ready()
    again = replace(asked.plan.case, gaps=(*asked.plan.case.gaps, gap))
    return replace(asked, plan=replace(asked.plan, again=again))


def young(minutes: int) -> Asked:
    """A loss that began so long ago."""
    asked = told(f"13:38 live-migration\n13:39 traffic-lost\ncpu active\nuntil 14:{minutes - 21:02}")
    # So soon it is suspected at most.
    asked = asked.rules(include_suspected=True)
    return replace(asked, now=datetime(2026, 3, 2, 13, 39, tzinfo=UTC) + timedelta(minutes=minutes))


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
        "another loss is open": _explained_by_another,
    },
    "persistence": {
        "back meanwhile": lambda: _again(f"{LOST}\n13:50 traffic-back"),
        "unreadable": lambda: replace(ready(), plan=replace(ready().plan, again=None, again_fails="throttled")),
        "an archive": lambda: ready().rules(is_live=False),
        "another loss": _another_loss,
        "a strong channel is normal": lambda: replace(ready(), plan=replace(ready().plan, normal=("beats come",))),
        "the deciding feed cut": lambda: _gap(Signal.TRAFFIC, 30, 90, cut=True),
        "the annotations cut": lambda: _gap(Signal.HEALTH, 30, 90, cut=True),
        "the log unread around the loss": lambda: _gap(Signal.ACTIVITY, 117, 140),
        "the log cut after the loss": lambda: _gap(Signal.ACTIVITY, 100, 116, cut=True),
        "the log may come yet": lambda: young(21),
    },
    "state": {
        "deallocated": lambda: ready().facts(power="deallocated"),
        "starting": lambda: ready().facts(power="starting"),
        "power unknown": lambda: ready().facts(power=None),
        "updating": lambda: ready().facts(provisioning="updating"),
        "failed": lambda: ready().facts(provisioning="failed"),
        "locked": lambda: ready().facts(locks=("the CanNotDelete lock keep",)),
        "another VM by now": lambda: _earlier(vm_id="7a1b"),
        "made again": lambda: _earlier(created_at=BORN - HOUR),
        "made after the loss": lambda: ready().facts(hardware=replace(SAME, created_at=NOW - HOUR)),
        "resized": lambda: _earlier(size="Standard_D2s_v5"),
        "another priority": lambda: _earlier(priority="Spot"),
        "another OS disk": lambda: replace(ready(), plan=replace(ready().plan, earlier=replace(FINE, ephemeral=True))),
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
        "three of ten": lambda: hit(3, of=10),
        "eleven at once": lambda: hit(11, of=10_000, apart=timedelta(minutes=1)),
        "two others redeployed": lambda: hit(1, of=1).facts(recent=recent(2)),
        "ten others redeployed": lambda: hit(1, of=10_000).facts(recent=recent(10)),
        "two others redeployed who knows where": lambda: hit(1, of=1).facts(recent=recent(2, region="")),
        "the log unread": lambda: ready().facts(unread={"recent": "429"}),
    },
    "service event": {
        "incident": incident,
        "incidents unread": lambda: with_gap(
            Gap(signal=Signal.SERVICE, window=ready().plan.case.window, reason="refused")
        ),
        "incident of an unknown region": lambda: incident(""),
        "incident of the region": lambda: ready().facts(incidents=("the service incident VT60-LPZ goes on",)),
        "the host is to be left": lambda: told(LOST.replace("cpu", "12:30 degraded-host\ncpu")),
        "scheduled": lambda: ready().facts(scheduled=("Azure has announced a redeploy",)),
    },
    "repeat": {
        "five hours ago": lambda: ready().facts(redeploys=(NOW - 5 * HOUR,)),
        "twice in a week": lambda: ready().facts(redeploys=(NOW - 50 * HOUR, NOW - 100 * HOUR)),
        "in this loss": lambda: ready().facts(redeploys=(NOW - HOUR,)),
        "rebuilt by nobody knows whom": lambda: ready().facts(changed_at=NOW - HOUR),
        "rebuilt at another time than the write": lambda: ready().facts(
            changed_at=NOW - HOUR, writes=((NOW - HOUR - timedelta(minutes=4), "write"),)
        ),
    },
    "grace": {"written": lambda: ready().facts(writes=((NOW - timedelta(minutes=29), "extensions/write"),))},
    "pace": {"unfinished": lambda: ready().rules(unfinished=(Unfinished(vm=OTHER, since=NOW - HOUR),))},
    "lock": {"rival": lambda: ready().rules(rival="another run")},
    "clock": {
        "ahead": lambda: ready().rules(skew=-timedelta(minutes=5)),
        "behind": lambda: ready().rules(skew=timedelta(minutes=5)),
        "not told": lambda: ready().rules(skew=None),
    },
    "consent": {"nobody": lambda: ready().rules(consent=Consent.NOBODY)},
}
