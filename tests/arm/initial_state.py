"""What a world begins with: the truth of incidents, moved to now, and what they leave unsaid of a VM."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from tests.arm.metric_generator import MINUTE, StateChange
from tests.incidents.model import GroundTruth, Incident

EVENT_LISTS = ("annotations", "health", "operations", "issues", "series", "probes", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class VmTraits:
    """What Azure knows of a VM beyond what an incident tells."""

    tags: Mapping[str, str] = field(default_factory=dict)
    ephemeral: bool = False
    """Whether its OS disk lies on the host and is lost with it."""
    public_ip: str | None = None
    static_ip: bool = False
    zone: str | None = None
    availability_set: str | None = None
    proximity_group: str | None = None
    scale_set: str | None = None
    """Name of the flexible scale set it belongs to; a uniform one shows in the VM's id."""
    provisioning: str = "Succeeded"
    managed_by: str | None = None
    publishes: bool = True
    shows_policy: bool = False
    """Whether Resource Graph's row of it shows that, too."""
    """Whether it, or the set that it is in, lets its scheduled events be published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A management lock on a VM, a resource group or a subscription, and all below."""

    scope: str
    level: str
    """`ReadOnly` or `CanNotDelete`."""
    name: str = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialState:
    """All there is to begin with; `traits` and `state_changes` go by the VM's id."""

    truth: GroundTruth
    traits: Mapping[str, VmTraits] = field(default_factory=dict)
    state_changes: Mapping[str, tuple[StateChange, ...]] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()


def shift_to_now(incidents: Iterable[Incident], now: datetime) -> InitialState:
    """The truths of the incidents, each moved by whole minutes so that it ends with the last full one."""
    truths = [shift_truth(each.truth, (now - each.truth.until) // MINUTE * MINUTE) for each in incidents]
    return InitialState(truth=merge_truths(truths))


def merge_truths(truths: list[GroundTruth]) -> GroundTruth:
    """One truth of several."""
    lists = {name: tuple(chain.from_iterable(getattr(truth, name) for truth in truths)) for name in EVENT_LISTS}
    beats = {vm: beats for truth in truths for vm, beats in truth.beats.items()}
    machines = tuple(chain.from_iterable(truth.machines for truth in truths))
    return GroundTruth(until=max(truth.until for truth in truths), beats=beats, machines=machines, **lists)


def shift_truth(truth: GroundTruth, by: timedelta) -> GroundTruth:
    """The same, so much later."""
    lists = {name: tuple(_shift_event(each, by) for each in getattr(truth, name)) for name in EVENT_LISTS}
    beats = {vm: tuple(at + by for at in beats) for vm, beats in truth.beats.items()}
    return replace(truth, until=truth.until + by, beats=beats, **lists)


def _shift_event(event: Any, by: timedelta) -> Any:
    times = {name: getattr(event, name, None) for name in ("at", "start", "mitigated", "lost", "back")}
    return replace(event, **{name: time + by for name, time in times.items() if time is not None})
