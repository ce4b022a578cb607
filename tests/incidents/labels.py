"""The labels that recur, each tied to its clause of the contract."""

from collections.abc import Iterable

from tests.incidents.model import ANY, Extent, Label, When

SCENARIO = "live-migration-datapath"
LIKELY = ("confirmed", "suspected")
"""Flagged, where the contract leaves open how firmly."""

Words = str | Iterable[str]


def hit(  # noqa: PLR0913 - a label has so many fields
    migrated_at: When,
    failed_at: When,
    *,
    verdict: Words = "confirmed",
    state: str = "open",
    action: Iterable[str] | None = None,
    extent: Extent = "full",
    explanation: Words = SCENARIO,
) -> Label:
    """A flagged VM. A confirmed open loss is to be redeployed; for a suspected one no action is dictated."""
    if action is None and verdict == "confirmed" and state == "open":
        action = ("redeploy",)
    return Label(
        verdict=_set(verdict),
        explanation=_set(explanation),
        state=frozenset({state}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def quiet(*, migrated_at: When = None, failed_at: When = None, action: Iterable[str] | None = ("none",)) -> Label:
    """Clear, and nothing was lost: the feeds were read and there is no loss to explain; a pause may be told."""
    return Label(
        verdict=frozenset({"clear"}),
        explanation=frozenset({None}),
        state=frozenset({None}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=None if failed_at is None else ANY,
    )


def explained(  # noqa: PLR0913 - likewise
    by: Words,
    failed_at: When,
    *,
    migrated_at: When = None,
    state: Words = "open",
    action: Iterable[str] | None = None,
    extent: Extent = "full",
) -> Label:
    """Clear, because the loss has another cause, or none that could be named."""
    return Label(
        verdict=frozenset({"clear"}),
        explanation=_set(by),
        state=_set(state),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def unjudged(  # noqa: PLR0913 - likewise
    *,
    migrated_at: When,
    failed_at: When = None,
    explanation: Iterable[str | None] = (None,),
    state: str | Iterable[str | None] | None = None,
    action: Iterable[str] | None = None,
    extent: Extent = None,
) -> Label:
    """Inconclusive: what would decide could not be read, speaks both ways, or it is too early."""
    return Label(
        verdict=frozenset({"inconclusive"}),
        explanation=frozenset(explanation),
        state=frozenset({state}) if state is None or isinstance(state, str) else frozenset(state),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def _set(words: Words) -> frozenset[str]:
    return frozenset({words} if isinstance(words, str) else words)
