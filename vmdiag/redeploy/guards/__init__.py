"""review(): which plans may be carried out; each guard alone can refuse; must not ask, wait, read or do anything.

The guards and their limits are the contract's; where a number is not, the reason beside it says whose it is. This is
the only place where an `Order` is made, and no mitigation acts without one.
"""

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime

from vmdiag.diagnosis.model import Case
from vmdiag.mitigation import Answer
from vmdiag.redeploy.guards import _loss, _machine, _run
from vmdiag.redeploy.guards._machine import is_rebuilt
from vmdiag.redeploy.model import Plan, Policy, Population

__all__ = ["GOOD_FOR", "GUARDS", "Order", "Refusal", "is_rebuilt", "qualifies", "review"]

Guard = Callable[[Plan, Policy, Population, datetime], Answer]
GUARDS: tuple[Guard, ...] = (
    _loss.verdict,
    _loss.persistence,
    _machine.state,
    _machine.data,
    _machine.owner,
    _machine.permission,
    _run.count,
    _run.storm,
    _loss.service_event,
    _machine.repeat,
    _machine.grace,
    _run.pace,
    _run.lock,
    _run.clock,
    _run.consent,
)
# Seconds; what was seen longer ago may not be so any more (contract, section 4).
GOOD_FOR = 60
_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A plan that every guard let pass. Only `review` can make one, and it is good for a minute after its last look."""

    plan: Plan
    answers: tuple[Answer, ...]
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            message = "an Order is made by vmdiag.redeploy.guards.review alone"
            raise TypeError(message)

    def expiry(self, clock: float) -> Answer:
        """Whether it may still be carried out; `clock` runs on while the process is stopped."""
        age = float("inf") if self.plan.looked_at is None else clock - self.plan.looked_at
        found = "nothing was looked at" if self.plan.looked_at is None else f"the last look is {age:.0f} s old"
        return Answer(
            guard="order",
            passes=0 <= age <= GOOD_FOR,
            limit=f"carried out within {GOOD_FOR} s of the last look",
            found=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A plan that must not be carried out, or not yet, and what every guard said."""

    plan: Plan
    answers: tuple[Answer, ...]

    @property
    def against(self) -> tuple[Answer, ...]:
        """The guards that refuse; none where some were only not asked yet."""
        return tuple(answer for answer in self.answers if answer.passes is False)

    @property
    def says(self) -> str:
        """Each refusing guard with its limit and the value found."""
        return "; ".join(f"{answer.guard}: {answer.found} (limit: {answer.limit})" for answer in self.against)


def review(plans: Iterable[Plan], policy: Policy, population: Population, now: datetime) -> tuple[Order | Refusal, ...]:
    """An order for each plan that passes every guard, a refusal for each other."""
    return tuple(_reviewed(plan, policy, population, now) for plan in plans)


def qualifies(case: Case, policy: Policy) -> bool:
    """Whether the case's verdict is one that the operator wants to act on."""
    return case.diagnosis.verdict in _loss.wanted(policy)


def _reviewed(plan: Plan, policy: Policy, population: Population, now: datetime) -> Order | Refusal:
    answers = tuple(guard(plan, policy, population, now) for guard in GUARDS)
    if all(answer.passes for answer in answers):
        return Order(plan=plan, answers=answers, seal=_SEAL)
    return Refusal(plan=plan, answers=answers)
