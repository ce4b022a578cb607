"""The labels that recur, each tied to its clause of the contract."""

from collections.abc import Iterable

from tests.incidents.model import Label, When

SCENARIO = "live-migration-datapath"


def hit(
    migrated_at: When,
    failed_at: When,
    *,
    verdict: str = "confirmed",
    state: str = "open",
    action: Iterable[str] | None = None,
) -> Label:
    """A flagged VM. A confirmed open loss is to be redeployed; for a suspected one no action is dictated."""
    if action is None and verdict == "confirmed" and state == "open":
        action = ("redeploy",)
    return Label(
        verdict=frozenset({verdict}),
        explanation=frozenset({SCENARIO}),
        state=frozenset({state}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
    )


def quiet(*, migrated_at: When = None, failed_at: When = None, action: Iterable[str] | None = ("none",)) -> Label:
    """Clear, and nothing was lost: the feeds were read and there is no loss to explain."""
    return Label(
        verdict=frozenset({"clear"}),
        explanation=frozenset({None}),
        state=frozenset({None}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
    )


def explained(
    by: str | Iterable[str],
    failed_at: When,
    *,
    migrated_at: When = None,
    state: str | Iterable[str] = "open",
    action: Iterable[str] | None = None,
) -> Label:
    """Clear, because the loss has another cause, or none that could be named."""
    return Label(
        verdict=frozenset({"clear"}),
        explanation=frozenset({by} if isinstance(by, str) else by),
        state=frozenset({state} if isinstance(state, str) else state),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
    )


def unjudged(
    *,
    migrated_at: When,
    failed_at: When = None,
    explanation: Iterable[str | None] = (None,),
    state: str | None = None,
    action: Iterable[str] | None = None,
) -> Label:
    """Inconclusive: what would decide could not be read, or it is too early."""
    return Label(
        verdict=frozenset({"inconclusive"}),
        explanation=frozenset(explanation),
        state=frozenset({state}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
    )
