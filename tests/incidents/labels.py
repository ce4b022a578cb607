"""The labels that recur, each tied to its clause of the contract."""

from collections.abc import Iterable

from tests.incidents.model import ANY, ExpectedTime, Extent, Label

SCENARIO = "live-migration-datapath"
CONFIRMED_OR_SUSPECTED = ("confirmed", "suspected")
"""Flagged, where the contract leaves open how firmly."""

Words = str | Iterable[str]


def expect_flagged(  # noqa: PLR0913 - a label has so many fields
    migrated_at: ExpectedTime,
    failed_at: ExpectedTime,
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
        verdict=_make_set(verdict),
        explanation=_make_set(explanation),
        state=frozenset({state}),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def expect_no_loss(
    *, migrated_at: ExpectedTime = None, failed_at: ExpectedTime = None, action: Iterable[str] | None = ("none",)
) -> Label:
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


def expect_other_cause(  # noqa: PLR0913 - likewise
    by: Words,
    failed_at: ExpectedTime,
    *,
    migrated_at: ExpectedTime = None,
    state: Words = "open",
    action: Iterable[str] | None = None,
    extent: Extent = "full",
) -> Label:
    """Clear, because the loss has another cause, or none that could be named."""
    return Label(
        verdict=frozenset({"clear"}),
        explanation=_make_set(by),
        state=_make_set(state),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def expect_inconclusive(  # noqa: PLR0913 - likewise
    *,
    migrated_at: ExpectedTime,
    failed_at: ExpectedTime = None,
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


def _make_set(words: Words) -> frozenset[str]:
    return frozenset({words} if isinstance(words, str) else words)
