"""What a redeploy does to a VM, from the first minute to the last; must not know HTTP."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.arm.metric_generator import Mood, Turn, mood_at
from tests.arm.vm import Condition, Vm

NO_PLACE = frozenset(
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
class Redeploying:
    """How redeploys of a world go."""

    takes: timedelta = timedelta(seconds=2)
    outcome: str = "Succeeded"
    code: str | None = None
    message: str = ""
    cures: bool = True
    """Whether traffic flows again afterwards."""
    mood: Mood | None = None
    """How the VM fares afterwards, where that is neither cured nor as before."""
    leap: timedelta = timedelta()
    """So far the server's clock leaps ahead at the end, so that a test need not wait for what is measured after it."""
    retry_after: int | None = None
    """Seconds after which to ask again; recorded answers say nothing of it."""
    refuse: tuple[int, str, str] | None = None
    """Status, code and message with which every request is refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
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


def moves(vm: Vm, start: datetime, how: Redeploying) -> None:
    """Write down what becomes of the VM: updating and silent, and at the end as `how` says."""
    end = start + how.takes
    before, power = mood_at(vm.turns, start), vm.condition(start).power
    homeless = how.outcome == "Failed" and how.code in NO_PLACE
    cured = how.outcome == "Succeeded" and how.cures
    after = Mood.DOWN if homeless else how.mood or (Mood.USUAL if cured else before)
    vm.turns += [Turn(start, Mood.DOWN), Turn(end, after)]
    vm.conditions += [
        Condition(start, power, "Updating"),
        Condition(end, "deallocated" if homeless else power, how.outcome),
    ]
