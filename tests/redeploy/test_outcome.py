"""What to do next after a redeploy, and where guards refuse one."""

from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.diagnosis.model import Action
from vmdiag.mitigation import Mitigation, Status
from vmdiag.redeploy.model import Preflight
from vmdiag.redeploy.outcome import recommend_after_redeploy, recommend_after_refusal

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "expected"), [(0, Action.WAIT), (9, Action.WAIT), (10, Action.ESCALATE)])
def test_an_unproven_redeploy_waits_until_ten_minutes_after_its_end(minutes: int, expected: Action) -> None:
    done = Mitigation(status=Status.SUCCEEDED, says="", finished_at=NOW - timedelta(minutes=minutes))

    assert recommend_after_redeploy(done, "", NOW).action is expected


def test_a_storm_that_could_not_be_counted_is_not_said_to_be_one() -> None:
    many = recommend_after_refusal(["storm"], Preflight(), redeployed=False)
    unread = recommend_after_refusal(["storm"], Preflight(unread={"recent": "403"}), redeployed=False)

    assert many is not None
    assert unread is not None
    assert "Many VMs are hit" in many.says
    assert "could not be read" in unread.says


@pytest.mark.parametrize(("is_fresh", "expected"), [(True, Action.WAIT), (False, Action.ESCALATE)])
def test_one_that_was_redeployed_already_waits_and_then_is_escalated(is_fresh: bool, expected: Action) -> None:  # noqa: FBT001 - the case's question
    advice = recommend_after_refusal(["repeat"], Preflight(), redeployed=True, is_fresh=is_fresh)

    assert advice is not None
    assert advice.action is expected
