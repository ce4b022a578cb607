"""How one VM is read and judged once more, from Azure itself, with the timeline that shows why."""

from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from vmdiag.arm.session import Session
from vmdiag.diagnosis.model import Case
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.errors import NotFound
from vmdiag.identity import Selector, VmId
from vmdiag.model import Needs, Timeline, Transcript
from vmdiag.pipeline import examine_vms
from vmdiag.redeploy.context import RedeployContext, Reporter
from vmdiag.redeploy.journal import Journal
from vmdiag.sources.protocol import Reading, Scope, Source
from vmdiag.values import replace

# A window for the second look: what it needs before, the source adds.
BEFORE = timedelta(minutes=5)
# An order is good for a minute from the begin of its look on: a proof that takes longer is not had, and proves nothing.
PROOF_TIME = timedelta(seconds=30)


class LiveSource(Source, Protocol):
    """A `Source` that is Azure itself."""

    @property
    def session(self) -> Session:
        """The session with Azure Resource Manager."""
        ...

    def sign_in(self) -> None:
        """Wait until signed in; raises `NotSignedIn`."""
        ...


def build_redeploy_context(
    source: LiveSource, journal: Journal, reporter: Reporter, wait_for: timedelta
) -> RedeployContext:
    """What a redeploy works with, where Azure itself is the source."""
    look = SecondLook(source)
    return RedeployContext(
        session=source.session,
        sign_in=source.sign_in,
        read_vm=look.read_vm,
        # That it is back shows in what is measured; each look from elsewhere would be a check more, every minute.
        read_after=partial(look.read_vm, proof_time=timedelta()),
        journal=journal,
        reporter=reporter,
        wait_for=wait_for,
    )


class SecondLook:
    """A `Source` that keeps what it hands on: a diagnosis does not show every reading that it was made from."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self._transcripts: dict[VmId, Transcript] = {}
        self._margin = timedelta()

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """What the source reads."""
        reading = self._source.read(scope, needs)
        transcripts = list(reading.transcripts)
        self._transcripts, self._margin = {each.vm.id: each for each in transcripts}, needs.margin
        return replace(reading, transcripts=iter(transcripts))

    def read_vm(
        self, vm: VmId, since: datetime, stated: datetime | None, proof_time: timedelta = PROOF_TIME
    ) -> tuple[Case, Timeline]:
        """One VM's case, and what was heard of it; raises `SourceError`."""
        self._source.session.restart_deadline()
        subscriptions = frozenset({vm.subscription.lower()})
        named = (Selector(str(vm)),)
        scope = Scope(vms=named, subscriptions=subscriptions, since=since - BEFORE, proof_time=proof_time)
        cases = list(examine_vms(self, scope, unreachable_since=stated).cases)
        if not cases:
            message = f"{vm.name} is not there any more"
            raise NotFound(message, "Look at what became of it.")
        return cases[0], assemble_timeline(self._transcripts[vm], cases[0].window, self._margin)
