"""What a redeploy works with, over a source: one VM is read and judged once more, with the timeline that shows why."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from vmdiag.diagnosis.model import Case
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.errors import NotFound
from vmdiag.identity import Selector, VmId
from vmdiag.model import Needs, Timeline, Transcript
from vmdiag.pipeline import examine_vms
from vmdiag.redeploy.context import RedeployContext, Reporter
from vmdiag.redeploy.journal import Journal
from vmdiag.sources.azure import AzureSource
from vmdiag.sources.protocol import Reading, Scope

# A window for the second look: what it needs before, the source adds.
BEFORE = timedelta(minutes=5)


def build_redeploy_context(
    source: AzureSource, journal: Journal, reporter: Reporter, wait_for: timedelta
) -> RedeployContext:
    """What a redeploy works with, where Azure itself is the source."""
    return RedeployContext(
        session=source.session,
        sign_in=source.sign_in,
        read_vm=partial(_read_vm, source),
        journal=journal,
        reporter=reporter,
        wait_for=wait_for,
    )


def _read_vm(source: AzureSource, vm: VmId, since: datetime, stated: datetime | None) -> tuple[Case, Timeline]:
    """The case, and what was heard; raises `SourceError`."""
    source.session.restart_deadline()
    kept = _RememberingSource(source)
    scope = Scope(vms=(Selector(str(vm)),), subscriptions=frozenset({vm.subscription.lower()}), since=since - BEFORE)
    cases = list(examine_vms(kept, scope, unreachable_since=stated).cases)
    if not cases:
        message = f"{vm.name} is not there any more"
        raise NotFound(message, "Look at what became of it.")
    return cases[0], assemble_timeline(kept.transcripts[vm], cases[0].window, kept.margin)


class _RememberingSource:
    """A `Source` that keeps what it hands on: a diagnosis does not show every reading that it was made from."""

    def __init__(self, source: AzureSource) -> None:
        self._source = source
        self.transcripts: dict[VmId, Transcript] = {}
        self.margin = timedelta()

    def read(self, scope: Scope, needs: Needs) -> Reading:
        reading = self._source.read(scope, needs)
        transcripts = list(reading.transcripts)
        self.transcripts = {each.vm.id: each for each in transcripts}
        self.margin = needs.margin
        return replace(reading, transcripts=iter(transcripts))
