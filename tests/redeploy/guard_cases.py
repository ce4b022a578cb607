"""A VM that every guard lets pass, and what makes each guard alone refuse it."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.timeline_builders import make_case
from vmdiag.identity import VmId
from vmdiag.model import Event, Gap, Kind, Signal, Window
from vmdiag.redeploy.guards import Order, review_plans
from vmdiag.redeploy.model import (
    AffectedVm,
    Consent,
    Hardware,
    KnownRedeploy,
    Plan,
    Policy,
    Population,
    Preflight,
)
from vmdiag.redeploy.request import build_plan
from vmdiag.values import replace

LOST_STORY = "12:00 live-migration\n12:03 traffic-lost\ncpu active\nuntil 14:00"
NOW = datetime(2026, 3, 2, 14, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CREATED_AT = datetime(2025, 6, 1, tzinfo=UTC)
HARDWARE = Hardware(vm_id="2c5f", created_at=CREATED_AT, size="Standard_D4s_v5")
PREFLIGHT = Preflight(
    power="running",
    provisioning="succeeded",
    changed_at=CREATED_AT,
    hardware=HARDWARE,
    locks=(),
    scheduled=(),
    announces=True,
    may_redeploy=True,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuardCase:
    """All that the guards are asked with."""

    plan: Plan
    policy: Policy
    population: Population
    now: datetime = NOW

    def with_plan(self, **changes: Any) -> "GuardCase":
        """With another plan."""
        return dataclasses.replace(self, plan=replace(self.plan, **changes))

    def with_facts(self, **changes: Any) -> "GuardCase":
        """With other facts."""
        return self.with_plan(preflight=replace(self.plan.preflight or PREFLIGHT, **changes))

    def with_policy(self, **changes: Any) -> "GuardCase":
        """With another policy."""
        return dataclasses.replace(self, policy=replace(self.policy, **changes))

    def with_affected(self, vms: int, *, of: int, candidates: int = 1, **how: Any) -> "GuardCase":
        """So many VMs of so many are hit."""
        affected = make_affected_vms(vms, **how)
        return dataclasses.replace(self, population=Population(vms=of, affected=affected, candidates=candidates))

    def with_gap(self, signal: Signal, begun: int = 120, ended: int = 0, **how: Any) -> "GuardCase":
        """A second look at which something was not heard, from so many minutes ago until so many."""
        window = Window(NOW - timedelta(minutes=begun), NOW - timedelta(minutes=ended))
        gap = Gap(signal=signal, window=window, **({"reason": "half"} | how))
        return self.with_plan(again=replace(self.plan.case, gaps=(*self.plan.case.gaps, gap)))


def make_affected_vms(count: int, *, apart: timedelta = HOUR) -> tuple[AffectedVm, ...]:
    """So many affected VMs, the plan's own first."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"web-{number:02}") for number in range(1, count + 1))
    return tuple(AffectedVm(vm=vm, region="westeurope", since=NOW - apart * number) for number, vm in enumerate(vms))


def build_case(story: str, facts: Preflight = PREFLIGHT) -> GuardCase:
    """A story read twice with the same result, an agreeing operator, and one VM of ten hit."""
    found = make_case(story)
    return GuardCase(
        plan=replace(build_plan(found, facts), again=found),
        policy=Policy(consent=Consent.GIVEN),
        population=Population(vms=10, affected=make_affected_vms(1), candidates=1),
    )


PASSING = build_case(LOST_STORY)


def make_order(looked_at: float | None) -> Order:
    """An order for the VM that every guard lets pass, as old as that."""
    plan = replace(PASSING.plan, looked_at=looked_at)
    (order,) = review_plans([plan], PASSING.policy, PASSING.population, PASSING.now)
    assert isinstance(order, Order)
    return order


def _with_vm_id(vm: VmId) -> GuardCase:
    one = replace(PASSING.plan.case, vm=replace(PASSING.plan.case.vm, id=vm))
    return dataclasses.replace(PASSING, plan=replace(build_plan(one, PREFLIGHT), again=one))


def make_recent_redeploys(
    count: int, *, region: str = "westeurope", ago: timedelta = HOUR / 2
) -> tuple[KnownRedeploy, ...]:
    """So many redeploys of others."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"db-{number:02}") for number in range(count))
    return tuple(KnownRedeploy(vm=vm, at=NOW - ago, region=region) for vm in vms)


def _with_earlier_hardware(**was: Any) -> GuardCase:
    return PASSING.with_plan(earlier=replace(PREFLIGHT, hardware=replace(HARDWARE, **was)))


def _with_other_explanation() -> GuardCase:
    diagnosis = PASSING.plan.case.diagnosis
    losses = tuple(replace(loss, explained_by="network-change") for loss in diagnosis.losses)
    one = replace(PASSING.plan.case, diagnosis=replace(diagnosis, losses=losses))
    return dataclasses.replace(PASSING, plan=replace(build_plan(one, PREFLIGHT), again=one))


def _with_later_loss() -> GuardCase:
    diagnosis, later = PASSING.plan.case.diagnosis, timedelta(minutes=21)
    assert diagnosis.failed_at is not None
    losses = tuple(
        replace(loss, interval=replace(loss.interval, start=loss.interval.start + later)) for loss in diagnosis.losses
    )
    moved = replace(diagnosis, failed_at=diagnosis.failed_at + later, losses=losses)
    return PASSING.with_plan(again=replace(PASSING.plan.case, diagnosis=moved))


def build_recent_loss(minutes: int) -> GuardCase:
    """A loss that began so long ago."""
    asked = build_case(f"13:38 live-migration\n13:39 traffic-lost\ncpu active\nuntil 14:{minutes - 21:02}")
    # So soon it is suspected at most.
    asked = asked.with_policy(include_suspected=True)
    return dataclasses.replace(asked, now=datetime(2026, 3, 2, 13, 39, tzinfo=UTC) + timedelta(minutes=minutes))


def build_service_incident(region: str = "westeurope", ended: datetime | None = None) -> GuardCase:
    """An incident of a region's network, ten minutes old, seen at the second look."""
    facts = {"regions": region, "service": "Virtual Network", "tracking": "ABC-1"}
    if ended is not None:
        facts["ended"] = ended.isoformat()
    begun = NOW - timedelta(minutes=10)
    event = Event(at=begun, kind=Kind.SERVICE_INCIDENT, signal=Signal.SERVICE, says="an incident", facts=facts)
    return PASSING.with_plan(again=replace(PASSING.plan.case, events=(*PASSING.plan.case.events, event)))


SCALE_SET = VmId(subscription="s", resource_group="prod", name="0", scale_set="pool")
NODE = VmId(subscription="s", resource_group="MC_shop_aks_westeurope", name="aks-1")
OTHER = VmId(subscription="S", resource_group="test", name="db-01")

# By guard, everything that makes it refuse, and it alone.
REFUSED_CASES: dict[str, dict[str, GuardCase]] = {
    "verdict": {
        "suspected": build_case("12:00 live-migration\n12:03 traffic-lost\nuntil 14:00"),
        "old evidence": dataclasses.replace(PASSING, now=NOW + timedelta(minutes=16)),
        "another loss is open": _with_other_explanation(),
    },
    "persistence": {
        "back meanwhile": PASSING.with_plan(again=make_case(f"{LOST_STORY}\n13:50 traffic-back")),
        "unreadable": PASSING.with_plan(again=None, again_fails="throttled"),
        "an archive": PASSING.with_policy(is_live=False),
        "another loss": _with_later_loss(),
        "a strong channel is normal": PASSING.with_plan(normal=("beats come",)),
        "the deciding feed cut": PASSING.with_gap(Signal.TRAFFIC, 90, 30, cut=True, partial=True),
        "the annotations cut": PASSING.with_gap(Signal.HEALTH, 90, 30, cut=True, partial=True),
        "the log unread around the loss": PASSING.with_gap(Signal.ACTIVITY, 140, 117),
        "the log cut after the loss": PASSING.with_gap(Signal.ACTIVITY, 116, 100, cut=True, partial=True),
        "the log may come yet": build_recent_loss(21),
    },
    "state": {
        "deallocated": PASSING.with_facts(power="deallocated"),
        "starting": PASSING.with_facts(power="starting"),
        "power unknown": PASSING.with_facts(power=None),
        "updating": PASSING.with_facts(provisioning="updating"),
        "failed": PASSING.with_facts(provisioning="failed"),
        "locked": PASSING.with_facts(locks=("the CanNotDelete lock keep",)),
        "another VM by now": _with_earlier_hardware(vm_id="7a1b"),
        "made again": _with_earlier_hardware(created_at=CREATED_AT - HOUR),
        "made after the loss": PASSING.with_facts(hardware=replace(HARDWARE, created_at=NOW - HOUR)),
        "resized": _with_earlier_hardware(size="Standard_D2s_v5"),
        "another priority": _with_earlier_hardware(priority="Spot"),
        "another OS disk": PASSING.with_plan(earlier=replace(PREFLIGHT, ephemeral=True)),
    },
    "data": {"ephemeral": PASSING.with_facts(ephemeral=True)},
    "owner": {
        "scale set": _with_vm_id(SCALE_SET),
        "AKS group": _with_vm_id(NODE),
        "AKS tag": PASSING.with_facts(tags={"aks-managed-poolname": "pool"}),
        "old AKS tag": PASSING.with_facts(tags={"orchestrator": "Kubernetes:1.20"}),
        "protected": PASSING.with_facts(tags={"vmdiag-protect": ""}),
        "managed": PASSING.with_facts(managed_by="/subscriptions/s/providers/x"),
    },
    "permission": {"reader": PASSING.with_facts(may_redeploy=False)},
    "count": {
        "two": PASSING.with_affected(2, of=10, candidates=2),
    },
    "storm": {
        "three of ten": PASSING.with_affected(3, of=10),
        "eleven at once": PASSING.with_affected(11, of=10_000, apart=timedelta(minutes=1)),
        "two others redeployed": PASSING.with_affected(1, of=1).with_facts(recent=make_recent_redeploys(2)),
        "ten others redeployed": PASSING.with_affected(1, of=10_000).with_facts(recent=make_recent_redeploys(10)),
        "two others redeployed who knows where": PASSING.with_affected(1, of=1).with_facts(
            recent=make_recent_redeploys(2, region="")
        ),
        "the log unread": PASSING.with_facts(unread={"recent": "429"}),
    },
    "service event": {
        "incident": build_service_incident(),
        "incidents unread": PASSING.with_gap(Signal.SERVICE, begun=24 * 60, reason="refused"),
        "incident of an unknown region": build_service_incident(""),
        "incident of the region": PASSING.with_facts(incidents=("the service incident VT60-LPZ goes on",)),
        "the host is to be left": build_case(LOST_STORY.replace("cpu", "12:30 degraded-host\ncpu")),
        "scheduled": PASSING.with_facts(scheduled=("Azure has announced a redeploy",)),
    },
    "repeat": {
        "five hours ago": PASSING.with_facts(redeploys=(NOW - 5 * HOUR,)),
        "twice in a week": PASSING.with_facts(redeploys=(NOW - 50 * HOUR, NOW - 100 * HOUR)),
        "in this loss": PASSING.with_facts(redeploys=(NOW - HOUR,)),
        "rebuilt by nobody knows whom": PASSING.with_facts(changed_at=NOW - HOUR),
        "rebuilt at another time than the write": PASSING.with_facts(
            changed_at=NOW - HOUR, writes=((NOW - HOUR - timedelta(minutes=4), "write"),)
        ),
    },
    "grace": {"written": PASSING.with_facts(writes=((NOW - timedelta(minutes=29), "extensions/write"),))},
    "pace": {"unfinished": PASSING.with_policy(unfinished=(KnownRedeploy(vm=OTHER, at=NOW - HOUR),))},
    "lock": {"rival": PASSING.with_policy(lock_holder="another run")},
    "clock": {
        "ahead": PASSING.with_policy(skew=-timedelta(minutes=5)),
        "behind": PASSING.with_policy(skew=timedelta(minutes=5)),
        "not told": PASSING.with_policy(skew=None),
    },
    "consent": {"nobody": PASSING.with_policy(consent=Consent.NOBODY)},
}
