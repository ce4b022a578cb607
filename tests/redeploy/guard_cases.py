"""A VM that every guard lets pass, and what makes each guard alone refuse it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.timeline_builders import make_case
from vmdiag.identity import VmId
from vmdiag.model import Event, Gap, Kind, Signal, Window
from vmdiag.redeploy.model import (
    AffectedVm,
    Consent,
    Hardware,
    Plan,
    Policy,
    Population,
    Preflight,
    RecentRedeploy,
    Unfinished,
)
from vmdiag.redeploy.request import build_plan

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


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCase:
    """All that the guards are asked with."""

    plan: Plan
    policy: Policy
    population: Population
    now: datetime = NOW

    def with_facts(self, **changes: Any) -> "GuardCase":
        """With other circumstances."""
        return replace(self, plan=replace(self.plan, preflight=replace(self.plan.preflight or PREFLIGHT, **changes)))

    def with_policy(self, **changes: Any) -> "GuardCase":
        """With another policy."""
        return replace(self, policy=replace(self.policy, **changes))


def make_affected_vms(count: int, *, region: str = "westeurope", apart: timedelta = HOUR) -> tuple[AffectedVm, ...]:
    """So many affected VMs, the plan's own first."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"web-{number:02}") for number in range(1, count + 1))
    return tuple(AffectedVm(vm=vm, region=region, since=NOW - apart * number) for number, vm in enumerate(vms))


def build_case(story: str, facts: Preflight = PREFLIGHT) -> GuardCase:
    """A story read twice with the same result, an agreeing operator, and one VM of ten hit."""
    found = make_case(story)
    return GuardCase(
        plan=build_plan(found, facts, again=found),
        policy=Policy(consent=Consent.GIVEN),
        population=Population(vms=10, affected=make_affected_vms(1), candidates=1),
    )


def build_passing_case() -> GuardCase:
    """The VM that every guard lets pass."""
    return build_case(LOST_STORY)


def _with_vm_id(vm: VmId) -> GuardCase:
    asked = build_passing_case()
    one = replace(asked.plan.case, vm=replace(asked.plan.case.vm, id=vm))
    return replace(asked, plan=build_plan(one, PREFLIGHT, again=one))


def _with_second_look(story: str) -> GuardCase:
    asked = build_passing_case()
    return replace(asked, plan=replace(asked.plan, again=make_case(story)))


def build_outage(vms: int, *, of: int, **how: Any) -> GuardCase:
    """So many VMs of so many are hit."""
    return replace(
        build_passing_case(), population=Population(vms=of, affected=make_affected_vms(vms, **how), candidates=1)
    )


def make_recent_redeploys(
    count: int, *, region: str = "westeurope", ago: timedelta = HOUR / 2
) -> tuple[RecentRedeploy, ...]:
    """So many redeploys of others."""
    vms = (VmId(subscription="s", resource_group="prod", name=f"db-{number:02}") for number in range(count))
    return tuple(RecentRedeploy(vm=vm, at=NOW - ago, region=region) for vm in vms)


def _with_earlier_hardware(**was: Any) -> GuardCase:
    asked = build_passing_case()
    before = replace(PREFLIGHT, hardware=replace(HARDWARE, **was))
    return replace(asked, plan=replace(asked.plan, earlier=before))


def _with_other_explanation() -> GuardCase:
    asked = build_passing_case()
    diagnosis = asked.plan.case.diagnosis
    losses = tuple(replace(loss, explained_by="network-change") for loss in diagnosis.losses)
    one = replace(asked.plan.case, diagnosis=replace(diagnosis, losses=losses))
    return replace(asked, plan=build_plan(one, PREFLIGHT, again=one))


def _with_later_loss() -> GuardCase:
    asked = build_passing_case()
    diagnosis, later = asked.plan.case.diagnosis, timedelta(minutes=21)
    assert diagnosis.failed_at is not None
    losses = tuple(
        replace(loss, interval=replace(loss.interval, start=loss.interval.start + later)) for loss in diagnosis.losses
    )
    moved = replace(diagnosis, failed_at=diagnosis.failed_at + later, losses=losses)
    return replace(asked, plan=replace(asked.plan, again=replace(asked.plan.case, diagnosis=moved)))


def _with_unread_signal(signal: Signal, ended: int, begun: int, *, cut: bool = False) -> GuardCase:
    return with_gap(
        Gap(
            signal=signal,
            window=Window(_get_minutes_ago(begun), _get_minutes_ago(ended)),
            reason="half",
            cut=cut,
            partial=cut,
        )
    )


def _get_minutes_ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def with_gap(gap: Gap) -> GuardCase:
    """A second look at which something was not heard."""
    asked = build_passing_case()
    again = replace(asked.plan.case, gaps=(*asked.plan.case.gaps, gap))
    return replace(asked, plan=replace(asked.plan, again=again))


def build_recent_loss(minutes: int) -> GuardCase:
    """A loss that began so long ago."""
    asked = build_case(f"13:38 live-migration\n13:39 traffic-lost\ncpu active\nuntil 14:{minutes - 21:02}")
    # So soon it is suspected at most.
    asked = asked.with_policy(include_suspected=True)
    return replace(asked, now=datetime(2026, 3, 2, 13, 39, tzinfo=UTC) + timedelta(minutes=minutes))


def build_service_incident(region: str = "westeurope", ended: datetime | None = None) -> GuardCase:
    """An incident of a region's network, ten minutes old, seen at the second look."""
    facts = {"regions": region, "service": "Virtual Network", "tracking": "ABC-1"}
    if ended is not None:
        facts["ended"] = ended.isoformat()
    begun = NOW - timedelta(minutes=10)
    event = Event(at=begun, kind=Kind.SERVICE_INCIDENT, signal=Signal.SERVICE, says="an incident", facts=facts)
    base = build_passing_case().plan
    again = replace(base.case, events=(*base.case.events, event))
    return replace(build_passing_case(), plan=replace(base, again=again))


SCALE_SET = VmId(subscription="s", resource_group="prod", name="0", scale_set="pool")
NODE = VmId(subscription="s", resource_group="MC_shop_aks_westeurope", name="aks-1")
OTHER = VmId(subscription="S", resource_group="test", name="db-01")

# By guard, everything that makes it refuse, and it alone.
REFUSED_CASES: dict[str, dict[str, Callable[[], GuardCase]]] = {
    "verdict": {
        "suspected": lambda: build_case("12:00 live-migration\n12:03 traffic-lost\nuntil 14:00"),
        "old evidence": lambda: replace(build_passing_case(), now=NOW + timedelta(minutes=16)),
        "another loss is open": _with_other_explanation,
    },
    "persistence": {
        "back meanwhile": lambda: _with_second_look(f"{LOST_STORY}\n13:50 traffic-back"),
        "unreadable": lambda: replace(
            build_passing_case(), plan=replace(build_passing_case().plan, again=None, again_fails="throttled")
        ),
        "an archive": lambda: build_passing_case().with_policy(is_live=False),
        "another loss": _with_later_loss,
        "a strong channel is normal": lambda: replace(
            build_passing_case(), plan=replace(build_passing_case().plan, normal=("beats come",))
        ),
        "the deciding feed cut": lambda: _with_unread_signal(Signal.TRAFFIC, 30, 90, cut=True),
        "the annotations cut": lambda: _with_unread_signal(Signal.HEALTH, 30, 90, cut=True),
        "the log unread around the loss": lambda: _with_unread_signal(Signal.ACTIVITY, 117, 140),
        "the log cut after the loss": lambda: _with_unread_signal(Signal.ACTIVITY, 100, 116, cut=True),
        "the log may come yet": lambda: build_recent_loss(21),
    },
    "state": {
        "deallocated": lambda: build_passing_case().with_facts(power="deallocated"),
        "starting": lambda: build_passing_case().with_facts(power="starting"),
        "power unknown": lambda: build_passing_case().with_facts(power=None),
        "updating": lambda: build_passing_case().with_facts(provisioning="updating"),
        "failed": lambda: build_passing_case().with_facts(provisioning="failed"),
        "locked": lambda: build_passing_case().with_facts(locks=("the CanNotDelete lock keep",)),
        "another VM by now": lambda: _with_earlier_hardware(vm_id="7a1b"),
        "made again": lambda: _with_earlier_hardware(created_at=CREATED_AT - HOUR),
        "made after the loss": lambda: build_passing_case().with_facts(
            hardware=replace(HARDWARE, created_at=NOW - HOUR)
        ),
        "resized": lambda: _with_earlier_hardware(size="Standard_D2s_v5"),
        "another priority": lambda: _with_earlier_hardware(priority="Spot"),
        "another OS disk": lambda: replace(
            build_passing_case(), plan=replace(build_passing_case().plan, earlier=replace(PREFLIGHT, ephemeral=True))
        ),
    },
    "data": {"ephemeral": lambda: build_passing_case().with_facts(ephemeral=True)},
    "owner": {
        "scale set": lambda: _with_vm_id(SCALE_SET),
        "AKS group": lambda: _with_vm_id(NODE),
        "AKS tag": lambda: build_passing_case().with_facts(tags={"aks-managed-poolname": "pool"}),
        "old AKS tag": lambda: build_passing_case().with_facts(tags={"orchestrator": "Kubernetes:1.20"}),
        "protected": lambda: build_passing_case().with_facts(tags={"vmdiag-protect": ""}),
        "managed": lambda: build_passing_case().with_facts(managed_by="/subscriptions/s/providers/x"),
    },
    "permission": {"reader": lambda: build_passing_case().with_facts(may_redeploy=False)},
    "count": {
        "two": lambda: replace(
            build_passing_case(), population=Population(vms=10, affected=make_affected_vms(2), candidates=2)
        ),
    },
    "storm": {
        "three of ten": lambda: build_outage(3, of=10),
        "eleven at once": lambda: build_outage(11, of=10_000, apart=timedelta(minutes=1)),
        "two others redeployed": lambda: build_outage(1, of=1).with_facts(recent=make_recent_redeploys(2)),
        "ten others redeployed": lambda: build_outage(1, of=10_000).with_facts(recent=make_recent_redeploys(10)),
        "two others redeployed who knows where": lambda: build_outage(1, of=1).with_facts(
            recent=make_recent_redeploys(2, region="")
        ),
        "the log unread": lambda: build_passing_case().with_facts(unread={"recent": "429"}),
    },
    "service event": {
        "incident": build_service_incident,
        "incidents unread": lambda: with_gap(
            Gap(signal=Signal.SERVICE, window=build_passing_case().plan.case.window, reason="refused")
        ),
        "incident of an unknown region": lambda: build_service_incident(""),
        "incident of the region": lambda: build_passing_case().with_facts(
            incidents=("the service incident VT60-LPZ goes on",)
        ),
        "the host is to be left": lambda: build_case(LOST_STORY.replace("cpu", "12:30 degraded-host\ncpu")),
        "scheduled": lambda: build_passing_case().with_facts(scheduled=("Azure has announced a redeploy",)),
    },
    "repeat": {
        "five hours ago": lambda: build_passing_case().with_facts(redeploys=(NOW - 5 * HOUR,)),
        "twice in a week": lambda: build_passing_case().with_facts(redeploys=(NOW - 50 * HOUR, NOW - 100 * HOUR)),
        "in this loss": lambda: build_passing_case().with_facts(redeploys=(NOW - HOUR,)),
        "rebuilt by nobody knows whom": lambda: build_passing_case().with_facts(changed_at=NOW - HOUR),
        "rebuilt at another time than the write": lambda: build_passing_case().with_facts(
            changed_at=NOW - HOUR, writes=((NOW - HOUR - timedelta(minutes=4), "write"),)
        ),
    },
    "grace": {
        "written": lambda: build_passing_case().with_facts(writes=((NOW - timedelta(minutes=29), "extensions/write"),))
    },
    "pace": {
        "unfinished": lambda: build_passing_case().with_policy(unfinished=(Unfinished(vm=OTHER, since=NOW - HOUR),))
    },
    "lock": {"rival": lambda: build_passing_case().with_policy(lock_holder="another run")},
    "clock": {
        "ahead": lambda: build_passing_case().with_policy(skew=-timedelta(minutes=5)),
        "behind": lambda: build_passing_case().with_policy(skew=timedelta(minutes=5)),
        "not told": lambda: build_passing_case().with_policy(skew=None),
    },
    "consent": {"nobody": lambda: build_passing_case().with_policy(consent=Consent.NOBODY)},
}
