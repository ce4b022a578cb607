"""review_plans(): which plans may be carried out; each guard alone can refuse; pure.

The guards and their limits are the contract's; where a number is not, the reason beside it says whose it is. This is
the only place where an `Order` is made, and no mitigation acts without one.
"""

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime

from vmdiag.diagnosis.model import Case
from vmdiag.mitigation import GuardResult
from vmdiag.redeploy.guards import _loss, _machine, _run
from vmdiag.redeploy.guards._machine import is_rebuilt
from vmdiag.redeploy.guards._run import BUDGET_SPAN
from vmdiag.redeploy.model import GuardContext, Plan, Policy, Population
from vmdiag.values import Struct

__all__ = ["BUDGET_SPAN", "GUARDS", "ORDER_LIFETIME", "Order", "Refusal", "is_candidate", "is_rebuilt", "review_plans"]

Guard = Callable[[GuardContext], GuardResult]
GUARDS: tuple[Guard, ...] = (
    _loss.check_verdict,
    _loss.check_persistence,
    _machine.check_state,
    _machine.check_data,
    _machine.check_owner,
    _machine.check_permission,
    _run.check_count,
    _run.check_storm,
    _loss.check_service_event,
    _machine.check_repeat,
    _machine.check_grace,
    _run.check_pace,
    _run.check_lock,
    _run.check_clock,
    _run.check_consent,
)
# Seconds; what was seen longer ago may not be so any more (contract, section 4).
ORDER_LIFETIME = 60
_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A plan that every guard let pass. Only `review_plans` makes one, good for a minute after its last look."""

    plan: Plan
    answers: tuple[GuardResult, ...]
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            message = "an Order is made by vmdiag.redeploy.guards.review_plans alone"
            raise TypeError(message)

    def check_expiry(self, clock: float) -> GuardResult:
        """Whether it may still be carried out; `clock` runs on while the process is stopped."""
        age = float("inf") if self.plan.looked_at is None else clock - self.plan.looked_at
        found = "nothing was looked at" if self.plan.looked_at is None else f"the last look is {age:.0f} s old"
        return GuardResult(
            guard="order",
            passes=0 <= age <= ORDER_LIFETIME,
            limit=f"carried out within {ORDER_LIFETIME} s of the last look",
            found=found,
        )


class Refusal(Struct, frozen=True, kw_only=True):
    """A plan that must not be carried out, or not yet, and what every guard said."""

    plan: Plan
    answers: tuple[GuardResult, ...]

    @property
    def against(self) -> tuple[GuardResult, ...]:
        """The guards that refuse; none where some were only not asked yet."""
        return tuple(answer for answer in self.answers if answer.passes is False)

    @property
    def says(self) -> str:
        """Each refusing guard with its limit and the value found."""
        return "; ".join(f"{answer.guard}: {answer.found} (limit: {answer.limit})" for answer in self.against)


def review_plans(
    plans: Iterable[Plan], policy: Policy, population: Population, now: datetime
) -> tuple[Order | Refusal, ...]:
    """An order for each plan that passes every guard, a refusal for each other."""
    reviewed: list[Order | Refusal] = []
    for plan in plans:
        context = GuardContext(plan=plan, policy=policy, population=population, now=now)
        # Only what goes on by itself has a budget.
        asked = GUARDS if policy.budget is None else (*GUARDS, _run.check_budget)
        answers = tuple(guard(context) for guard in asked)
        passes = all(answer.passes for answer in answers)
        reviewed.append(
            Order(plan=plan, answers=answers, seal=_SEAL) if passes else Refusal(plan=plan, answers=answers)
        )
    return tuple(reviewed)


def is_candidate(case: Case, policy: Policy) -> bool:
    """Whether the case's verdict is one that the operator wants to act on."""
    return case.diagnosis.verdict in _loss.list_accepted_verdicts(policy)
