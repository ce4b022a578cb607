"""What the traces of a request mean whose answer was lost."""

from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.diagnosis.event_kinds import Phase
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.redeploy.lost_answer import RedeployTraces, conclude_from_traces
from vmdiag.values import replace

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON, LATE = AT + timedelta(minutes=2), AT + timedelta(minutes=16)
DAY = timedelta(days=1)
DAYS, SEASON = AT + 2 * DAY, AT + 91 * DAY
VM = VmId(subscription="s", resource_group="prod", name="web-01")
BEGUN = frozenset({Phase.BEGUN, Phase.ACCEPTED})
NOTHING: frozenset[Phase] = frozenset()
UNREAD = RedeployTraces(provisioning="succeeded", phases=None, unread="403")
DONE = RedeployTraces(provisioning="succeeded", changed_at=SOON, phases=BEGUN)


def deed(step: Step = Step.INTENDED) -> JournalEntry:
    return JournalEntry(id="one", vm=VM, cloud="https://cloud", request="r", at=AT, step=step)


@pytest.mark.parametrize(
    ("known", "trace", "now", "stage"),
    [
        (Step.INTENDED, RedeployTraces(provisioning="succeeded", phases=NOTHING), SOON, Step.INTENDED),
        (Step.INTENDED, RedeployTraces(provisioning="succeeded", phases=NOTHING), LATE, Step.VOID),
        (Step.INTENDED, RedeployTraces(provisioning="updating", phases=NOTHING), LATE, Step.INTENDED),
        # A VM that could not be looked at may be under way.
        (Step.INTENDED, RedeployTraces(phases=NOTHING, unread="403"), LATE, Step.INTENDED),
        (Step.INTENDED, UNREAD, LATE, Step.INTENDED),
        # Azure keeps its log for 90 days: somebody else may be able to read it.
        (Step.INTENDED, UNREAD, DAYS, Step.INTENDED),
        (Step.INTENDED, UNREAD, SEASON, Status.UNKNOWN),
        (Step.INTENDED, RedeployTraces(phases=BEGUN), DAYS, Status.UNKNOWN),
        (Step.INTENDED, RedeployTraces(provisioning="updating", phases=BEGUN), SOON, Step.ACCEPTED),
        (Step.INTENDED, replace(DONE, changed_at=AT - DAY), SOON, Step.ACCEPTED),
        (Step.INTENDED, DONE, SOON, Status.SUCCEEDED),
        (Step.INTENDED, replace(DONE, provisioning="failed"), SOON, Status.FAILED),
        (Step.INTENDED, RedeployTraces(phases=BEGUN | {Phase.DONE}), SOON, Status.SUCCEEDED),
        (Step.INTENDED, RedeployTraces(phases=BEGUN | {Phase.FAILED}, code="AllocationFailed"), SOON, Status.FAILED),
        (Step.INTENDED, RedeployTraces(phases=BEGUN, is_gone=True), SOON, Status.FAILED),
        # What Azure has accepted is never said not to have arrived.
        (Step.ACCEPTED, RedeployTraces(provisioning="succeeded", phases=NOTHING), LATE, Step.ACCEPTED),
        (Step.ACCEPTED, RedeployTraces(provisioning="succeeded", phases=NOTHING), DAYS, Status.UNKNOWN),
        (Step.ACCEPTED, replace(DONE, phases=None), LATE, Status.SUCCEEDED),
    ],
)
def test_traces_are_weighed(known: Step, trace: RedeployTraces, now: datetime, stage: Step | Status) -> None:
    progress = conclude_from_traces(trace, deed(known), now)

    assert (progress.outcome or progress.step) is stage
    assert known is Step.ACCEPTED or (progress.step is Step.FINISHED) == isinstance(stage, Status)


def test_the_end_is_when_azure_tells_it_was() -> None:
    logged = RedeployTraces(phases=BEGUN | {Phase.DONE}, ended_at=LATE)

    assert conclude_from_traces(logged, deed(), DAYS).ended_at == LATE
    assert (
        conclude_from_traces(replace(logged, provisioning="succeeded", changed_at=SOON), deed(), DAYS).ended_at == SOON
    )


def test_it_is_said_why_nothing_can_be_said() -> None:
    unread = RedeployTraces(phases=None, unread="activity log of web-01: refused")
    failed = RedeployTraces(phases=frozenset({Phase.FAILED}), code="AllocationFailed")

    assert "activity log of web-01: refused" in conclude_from_traces(unread, deed(), SOON).says
    assert "AllocationFailed" in conclude_from_traces(failed, deed(), SOON).says
