"""What the traces of a request mean whose answer was lost."""

from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.aftercare import concluded
from vmdiag.mitigations._operation import Stage
from vmdiag.sources.azure._trace import Trace
from vmdiag.vocabulary import Phase

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON, LATE, DAY = AT + timedelta(minutes=2), AT + timedelta(minutes=16), AT + timedelta(days=2)
BEGUN = frozenset({Phase.BEGUN, Phase.ACCEPTED})
NOTHING: frozenset[Phase] = frozenset()


@pytest.mark.parametrize(
    ("trace", "now", "stage"),
    [
        (Trace(provisioning="succeeded", phases=NOTHING), SOON, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=NOTHING), LATE, Stage.VOID),
        (Trace(provisioning="updating", phases=NOTHING), LATE, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=None, unread="403"), LATE, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=None, unread="403"), DAY, Stage.UNKNOWN),
        (Trace(provisioning="updating", phases=BEGUN), SOON, Stage.RUNNING),
        (Trace(provisioning="succeeded", changed_at=AT - timedelta(days=1), phases=BEGUN), SOON, Stage.RUNNING),
        (Trace(provisioning="succeeded", changed_at=SOON, phases=BEGUN), SOON, Stage.SUCCEEDED),
        (Trace(provisioning="failed", changed_at=SOON, phases=BEGUN), SOON, Stage.FAILED),
        (Trace(phases=BEGUN | {Phase.DONE}), SOON, Stage.SUCCEEDED),
        (Trace(phases=BEGUN | {Phase.FAILED}, code="AllocationFailed"), SOON, Stage.FAILED),
        (Trace(phases=BEGUN, is_gone=True), SOON, Stage.FAILED),
    ],
)
def test_traces_are_weighed(trace: Trace, now: datetime, stage: Stage) -> None:
    assert concluded(trace, AT, now).stage is stage


def test_it_is_said_why_nothing_can_be_said() -> None:
    unread = Trace(phases=None, unread="activity log of web-01: refused")

    assert "activity log of web-01: refused" in concluded(unread, AT, SOON).says
    assert (
        "AllocationFailed" in concluded(Trace(phases=frozenset({Phase.FAILED}), code="AllocationFailed"), AT, SOON).says
    )
