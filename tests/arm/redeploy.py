"""What a redeploy does to a VM, from the first minute to the last; must not know HTTP."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.arm.metric_generator import StateChange, TrafficState, find_state
from tests.arm.vm import ComputeState, Vm

ALLOCATION_ERRORS = frozenset(
    {
        "AllocationFailed",
        "ZonalAllocationFailed",
        "OverconstrainedAllocationRequest",
        "ConstrainedAllocationFailed",
        "SkuNotAvailable",
    }
)
"""Codes after which the VM has no host, so that it is down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployBehaviour:
    """How redeploys of a world go."""

    takes: timedelta = timedelta(seconds=2)
    outcome: str = "Succeeded"
    code: str | None = None
    message: str = ""
    cures: bool = True
    """Whether traffic flows again afterwards."""
    mood: TrafficState | None = None
    """How the VM fares afterwards, where that is neither cured nor as before."""
    leap: timedelta = timedelta()
    """So far the server's clock leaps ahead at the end, so that a test need not wait for what is measured after it."""
    retry_after: int | None = None
    """Seconds after which to ask again; recorded answers say nothing of it."""
    refuse: tuple[int, str, str] | None = None
    """Status, code and message with which every request is refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployOperation:
    """A redeploy that was accepted."""

    name: str
    """Its GUID, by which it is polled."""
    vm: str
    subscription: str
    location: str
    started: datetime
    ends: datetime
    outcome: str
    code: str | None
    message: str

    def is_running(self, now: datetime) -> bool:
        """Whether it has not ended yet."""
        return now < self.ends


def schedule_changes(vm: Vm, start: datetime, how: RedeployBehaviour) -> None:
    """Write down what becomes of the VM: updating and silent, and at the end as `how` says."""
    end = start + how.takes
    before, power = find_state(vm.state_changes, start), vm.find_compute_state(start).power
    homeless = how.outcome == "Failed" and how.code in ALLOCATION_ERRORS
    cured = how.outcome == "Succeeded" and how.cures
    after = TrafficState.DOWN if homeless else how.mood or (TrafficState.NORMAL if cured else before)
    vm.state_changes += [StateChange(start, TrafficState.DOWN), StateChange(end, after)]
    vm.compute_states += [
        ComputeState(start, power, "Updating"),
        ComputeState(end, "deallocated" if homeless else power, how.outcome),
    ]
