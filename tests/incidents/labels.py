"""The labels that recur, each tied to its clause of the contract."""

from collections.abc import Iterable
from functools import partial

from tests.incidents.model import ANY, ExpectedTime, Extent, Label

SCENARIO = "live-migration-datapath"

Words = str | Iterable[str | None] | None


def expect_label(  # noqa: PLR0913 - a label has so many fields
    verdict: Words,
    explanation: Words = None,
    failed_at: ExpectedTime = None,
    *,
    state: Words = None,
    migrated_at: ExpectedTime = None,
    action: Iterable[str] | None = None,
    extent: Extent = ANY,
) -> Label:
    """A label of these words, of each field one or more; without an action none is dictated."""
    return Label(
        verdict=frozenset(filter(None, _make_set(verdict))),
        explanation=_make_set(explanation),
        state=_make_set(state),
        migrated_at=migrated_at,
        failed_at=failed_at,
        action=None if action is None else frozenset(action),
        extent=extent,
    )


def _make_set(words: Words) -> frozenset[str | None]:
    return frozenset({words} if words is None or isinstance(words, str) else words)


def expect_flagged(  # noqa: PLR0913 - likewise
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
    if action is None and (verdict, state) == ("confirmed", "open"):
        action = ("redeploy",)
    return expect_label(
        verdict, explanation, failed_at, state=state, migrated_at=migrated_at, action=action, extent=extent
    )


# Flagged, where the contract leaves open how firmly.
expect_affected = partial(expect_flagged, verdict=("confirmed", "suspected"))


def expect_no_loss(
    *, migrated_at: ExpectedTime = None, failed_at: ExpectedTime = None, action: Iterable[str] | None = ("none",)
) -> Label:
    """Clear, and nothing was lost: the feeds were read and there is no loss to explain; a pause may be told."""
    extent: Extent = None if failed_at is None else ANY
    return expect_label("clear", None, failed_at, migrated_at=migrated_at, action=action, extent=extent)


# Clear, because the loss has another cause, or none that could be named.
expect_other_cause = partial(expect_label, "clear", state="open", extent="full")
# What would decide could not be read, speaks both ways, or it is too early.
expect_inconclusive = partial(expect_label, "inconclusive", extent=None)
# What alone decides nothing: its words are told, a loss may be or not, and only what is to be done is compared.
expect_undecided = partial(
    expect_inconclusive, (None, SCENARIO), ANY, state=(None, "open"), action=("investigate",), extent=ANY
)
