"""What the traces of a request mean whose answer was lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.diagnosis.event_kinds import Phase
from vmdiag.identity import VmId
from vmdiag.redeploy.journal import Deed, Step
from vmdiag.redeploy.lost_answer import concluded
from vmdiag.redeploy.operation import Stage
from vmdiag.redeploy.request_traces import Trace

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON, LATE = AT + timedelta(minutes=2), AT + timedelta(minutes=16)
DAYS, SEASON = AT + timedelta(days=2), AT + timedelta(days=91)
VM = VmId(subscription="s", resource_group="prod", name="web-01")
BEGUN = frozenset({Phase.BEGUN, Phase.ACCEPTED})
NOTHING: frozenset[Phase] = frozenset()


def deed(step: Step = Step.INTENDED) -> Deed:
    return Deed(id="one", vm=VM, cloud="https://cloud", request="r", at=AT, step=step)


@pytest.mark.parametrize(
    ("trace", "now", "stage"),
    [
        (Trace(provisioning="succeeded", phases=NOTHING), SOON, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=NOTHING), LATE, Stage.VOID),
        (Trace(provisioning="updating", phases=NOTHING), LATE, Stage.RUNNING),
        # A VM that could not be looked at may be under way.
        (Trace(phases=NOTHING, unread="403"), LATE, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=None, unread="403"), LATE, Stage.RUNNING),
        # Azure keeps its log for 90 days: somebody else may be able to read it.
        (Trace(provisioning="succeeded", phases=None, unread="403"), DAYS, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=None, unread="403"), SEASON, Stage.UNKNOWN),
        (Trace(phases=BEGUN), DAYS, Stage.UNKNOWN),
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
    assert concluded(trace, deed(), now).stage is stage


@pytest.mark.parametrize(
    ("trace", "now", "stage"),
    [
        (Trace(provisioning="succeeded", phases=NOTHING), LATE, Stage.RUNNING),
        (Trace(provisioning="succeeded", phases=NOTHING), DAYS, Stage.UNKNOWN),
        (Trace(provisioning="succeeded", changed_at=SOON, phases=None), LATE, Stage.SUCCEEDED),
    ],
)
def test_what_azure_has_accepted_is_never_said_not_to_have_arrived(trace: Trace, now: datetime, stage: Stage) -> None:
    assert concluded(trace, deed(Step.ACCEPTED), now).stage is stage


def test_the_end_is_when_azure_tells_it_was() -> None:
    logged = Trace(phases=BEGUN | {Phase.DONE}, ended_at=LATE)

    assert concluded(logged, deed(), DAYS).ended_at == LATE
    assert concluded(replace(logged, provisioning="succeeded", changed_at=SOON), deed(), DAYS).ended_at == SOON


def test_it_is_said_why_nothing_can_be_said() -> None:
    unread = Trace(phases=None, unread="activity log of web-01: refused")
    failed = Trace(phases=frozenset({Phase.FAILED}), code="AllocationFailed")

    assert "activity log of web-01: refused" in concluded(unread, deed(), SOON).says
    assert "AllocationFailed" in concluded(failed, deed(), SOON).says
