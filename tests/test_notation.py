"""Timelines as text, and back."""

import pytest

from tests import notation
from tests.notation import NotationError
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Kind, Signal

STORY = """
    12:00 live-migration
    12:03 traffic-lost
    12:40 traffic-back
    part health a log alone
    gap heartbeat no workspace given
    until 14:00
"""


def test_a_timeline_is_told_as_it_was_drawn_and_draws_the_same_events_again() -> None:
    drawn = notation.timeline(STORY)
    told = notation.lines(drawn)
    again = notation.timeline("\n".join(told))

    assert sorted(told) == sorted(line.strip() for line in STORY.split("\n") if line.strip())
    assert (again.events, again.window) == (drawn.events, drawn.window)


@pytest.mark.parametrize("kind", sorted(notation.WORDS))
def test_every_word_draws_its_own_kind(kind: str) -> None:
    (event,) = notation.timeline(f"12:00 {kind}").events

    assert event.kind == kind


def test_what_no_line_tells_of_is_a_gap() -> None:
    gaps = {gap.signal for gap in notation.timeline("12:00 available").gaps}

    assert gaps == set(Signal) - set(notation.TOLD)
    assert {Signal.TRAFFIC, Signal.HEARTBEAT, Signal.POWER} <= gaps


@pytest.mark.parametrize("line", ["12:00 no-such-kind", "1200 stop", "12:xx stop"])
def test_a_line_that_says_nothing_is_refused(line: str) -> None:
    with pytest.raises(NotationError):
        notation.timeline(line)


def test_only_a_few_kinds_have_no_word() -> None:
    looks = {interpret_record(Signal.PROOF, name, status, facts) for name, status, facts in notation.LOOKS.values()}

    assert set(Kind) - set(notation.WORDS) - looks == {Kind.OTHER, Kind.SERVICE_RESOLVED}
