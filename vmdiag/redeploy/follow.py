"""What follows a redeploy: Azure's operation to its end, then the proof that it helped; must not begin one.

Whatever is found out is written into the journal, so that a run which is ended here can be taken up by a later one.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from vmdiag.diagnosis.model import Case
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.errors import BadAnswer, NotAllowed, NotFound, SourceError
from vmdiag.identity import Selector, VmId
from vmdiag.mitigation import Status
from vmdiag.model import Needs, Timeline, Transcript, Window
from vmdiag.pipeline import examine_vms
from vmdiag.redeploy.journal import Journal, JournalEntry, Step
from vmdiag.redeploy.lost_answer import conclude_from_traces, find_redeploy_traces
from vmdiag.redeploy.operation import Progress, Stage, read_progress
from vmdiag.redeploy.verification import HELD, SETTLES, Sign, SignState, read_sign
from vmdiag.sources.azure import AzureSource
from vmdiag.sources.protocol import Reading, Scope

# Seconds between two questions; an operation takes a minute at best, and each question is charged.
PAUSES, LATER = (1.0, 2.0, 3.0, 5.0), 10.0
# Metrics come by the minute; what has held nearly long enough is looked at soon after it has.
LOOK_EVERY, SOON = 60.0, 10.0
RESUME = "'vmdiag mitigations --resume' finds out how it ended"
DELAY = "scheduled events in the guest can delay it by 10 minutes and more"
# A small VM was recorded to take 51 s; what takes longer is worth an explanation.
USUAL = timedelta(minutes=1)
# A window for the second look: what it needs before, the source adds.
BEFORE = timedelta(minutes=5)


class Reporter(Protocol):
    """Who sits by and is told how it goes."""

    def report_progress(
        self, vm: VmId, says: str, elapsed: timedelta | None = None, limit: timedelta | None = None
    ) -> None:
        """How it stands with a VM; `elapsed` of at most `limit`. The same words again only change the time."""
        ...

    def warn(self, text: str) -> None:
        """Something that should not be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployContext:
    """What a redeploy works with."""

    source: AzureSource
    journal: Journal
    reporter: Reporter
    wait_for: timedelta

    def is_over(self) -> bool:
        """Whether somebody wants the run to end."""
        return self.source.session.stop.is_set()

    def wait_until(self, seconds: float, until: float) -> bool:
        """Wait so long, at most to a time of the monotonic clock; false when that is reached, or the run is ended."""
        left = until - time.monotonic()
        return left > 0 and not self.source.session.stop.wait(min(seconds, left))

    def report_progress(self, entry: JournalEntry, says: str, pause: float, until: float) -> None:
        """Tell how it stands, of how long at most, and when it is looked at next."""
        left = max(0.0, until - time.monotonic())
        self.reporter.report_progress(
            entry.vm,
            f"{says}; next look in {min(pause, left):.0f} s; Ctrl-C is safe ('vmdiag mitigations --resume' goes on)",
            self.source.session.now - entry.at,
            self.wait_for,
        )

    def record_step(self, entry: JournalEntry, step: Step, **facts: Any) -> JournalEntry:  # noqa: ANN401 - its fields
        """Write down how it went on. What cannot be written is told: nothing can be undone any more."""
        try:
            return self.journal.record_step(entry, step, self.source.session.now, **facts)
        except OSError as error:
            self.reporter.warn(f"the journal {self.journal.path} cannot be written: {error.strerror or error}")
            return replace(entry, step=step, **facts)

    def read_again(self, vm: VmId, since: datetime, stated: datetime | None = None) -> tuple[Case, Timeline]:
        """Read and judge one VM once more: the case, and what was heard; raises `SourceError`."""
        self.source.session.restart_deadline()
        kept = _RememberingSource(self.source)
        scope = Scope(
            vms=(Selector(str(vm)),), subscriptions=frozenset({vm.subscription.lower()}), since=since - BEFORE
        )
        cases = list(examine_vms(kept, scope, unreachable_since=stated).cases)
        if not cases:
            message = f"{vm.name} is not there any more"
            raise NotFound(message, "Look at what became of it.")
        return cases[0], kept.assemble_timeline(vm, cases[0].window)


class _RememberingSource:
    """A `Source` that keeps what it hands on: a diagnosis does not show every reading that it was made from."""

    def __init__(self, source: AzureSource) -> None:
        self._source = source
        self._told: dict[VmId, Transcript] = {}
        self._margin = timedelta()

    def read(self, scope: Scope, needs: Needs) -> Reading:
        reading = self._source.read(scope, needs)
        self._margin = needs.margin
        return replace(reading, transcripts=self._remember_transcripts(reading.transcripts))

    def assemble_timeline(self, vm: VmId, window: Window) -> Timeline:
        """What was heard of a VM."""
        return assemble_timeline(self._told[vm], window, self._margin)

    def _remember_transcripts(self, transcripts: Iterator[Transcript]) -> Iterator[Transcript]:
        for each in transcripts:
            self._told[each.vm.id] = each
            yield each


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRedeploy:
    """How a redeploy stands when nobody waits any longer; `case` is the last look, where there was one."""

    entry: JournalEntry
    hint: str = ""
    case: Case | None = None


def follow_redeploy(context: RedeployContext, entry: JournalEntry) -> FollowedRedeploy:
    """Follow an accepted or doubtful redeploy to its end, and prove it; as long as it may wait."""
    until = time.monotonic() + context.wait_for.total_seconds()
    followed = _follow_operation(context, entry, until)
    if followed.entry.step is Step.FINISHED and followed.entry.outcome is Status.SUCCEEDED:
        followed = _verify_recovery(context, followed.entry, until)
    done = followed.entry
    says = f"{done.says}; {RESUME}" if done.is_open else done.says
    if done.outcome is Status.SUCCEEDED and done.reachable_again is None:
        context.reporter.warn(f"{entry.vm.name}: {says}")
    else:
        context.reporter.report_progress(entry.vm, says, context.source.session.now - entry.at)
    return followed


def _follow_operation(context: RedeployContext, entry: JournalEntry, until: float) -> FollowedRedeploy:
    """Until Azure's operation ends, or the waiting does."""
    session, address = context.source.session, entry.operation
    for pause in _generate_pauses():
        if entry.step is Step.FINISHED:
            break
        session.restart_deadline()
        now = _read_operation(context, entry, address) if address is not None else None
        if now is None:
            address = None
            entry, now = _trace_request(context, entry)
        match now.stage:
            case Stage.RUNNING:
                lost = f"; lost until then: {', '.join(entry.signals)}" if entry.signals else ""
                late = f"; {DELAY}" if session.now - entry.at >= USUAL else ""
                context.report_progress(entry, f"Azure says: {now.says}{late}{lost}", pause, until)
            case Stage.VOID:
                return FollowedRedeploy(entry=context.record_step(entry, Step.VOID, says=now.says), hint=now.hint)
            case _:
                at = min(max(now.ended_at or session.now, entry.at), session.now)
                ended = {"outcome": Status(now.stage.value), "says": now.says, "finished_at": at}
                context.reporter.report_progress(entry.vm, now.says, session.now - entry.at)
                return FollowedRedeploy(entry=context.record_step(entry, Step.FINISHED, **ended), hint=now.hint)
        if not context.wait_until(pause, until):
            says = (
                "its end was not waited for" if context.is_over() else f"not ended when --wait-for was over: {now.says}"
            )
            return FollowedRedeploy(entry=replace(entry, says=says))
    return FollowedRedeploy(entry=entry)


def _generate_pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield LATER


def _read_operation(context: RedeployContext, entry: JournalEntry, address: str) -> Progress | None:
    """What Azure says at the operation's address; `None` where that is of no use."""
    try:
        return read_progress(context.source.session, address)
    except (NotFound, BadAnswer, NotAllowed) as error:
        context.reporter.report_progress(entry.vm, f"{error.message}; the VM and its log are looked at instead")
        return None
    except SourceError as error:
        return Progress(stage=Stage.RUNNING, says=f"Azure cannot be asked now: {error.message}")


def _trace_request(context: RedeployContext, entry: JournalEntry) -> tuple[JournalEntry, Progress]:
    """What the traces tell that a redeploy leaves."""
    session = context.source.session
    found = find_redeploy_traces(session, entry.vm, entry.request, entry.at)
    if entry.step is Step.INTENDED and found.phases:
        entry = context.record_step(entry, Step.ACCEPTED)
    return entry, conclude_from_traces(found, entry, session.now)


def _verify_recovery(context: RedeployContext, entry: JournalEntry, until: float) -> FollowedRedeploy:
    """Look until the signals hold, or the waiting ends."""
    if not entry.signals:
        says = "whether it helped cannot be measured: only the operator's word showed the loss"
        return FollowedRedeploy(entry=context.record_step(entry, Step.VERIFIED, reachable_again=None, says=says))
    session, case = context.source.session, None
    first_back: float | None = None
    while True:
        now, seen = _read_sign(context, entry)
        case = seen or case
        if context.is_over():
            break
        is_back = now.state is SignState.BACK
        first_back = (first_back or time.monotonic()) if is_back else None
        watched = timedelta(seconds=time.monotonic() - first_back) if first_back is not None else timedelta()
        if is_back and (now.holds or watched >= HELD):
            says = f"the VM can be reached again: {now.says}"
            return FollowedRedeploy(
                entry=context.record_step(entry, Step.VERIFIED, reachable_again=True, says=says), case=case
            )
        left = (HELD - watched).total_seconds() + SOON if is_back else LOOK_EVERY
        pause = min(left, LOOK_EVERY)
        holds = f", must hold for {HELD // timedelta(minutes=1)} min" if is_back else ""
        context.report_progress(entry, f"looking whether it helped: {now.says}{holds}", pause, until)
        if not context.wait_until(pause, until):
            break
    since_end = session.now - _get_end(entry)
    reachable, says = (
        _conclude_unproven(now, since_end) if not context.is_over() else (None, "whether it helped was not waited for")
    )
    if context.is_over() or since_end < SETTLES:
        # Told as it looks, and not written down as the last word: a later look may prove it.
        return FollowedRedeploy(entry=replace(entry, reachable_again=reachable, says=says), case=case)
    return FollowedRedeploy(
        entry=context.record_step(entry, Step.VERIFIED, reachable_again=reachable, says=says), case=case
    )


def _get_end(entry: JournalEntry) -> datetime:
    return entry.finished_at or entry.at


def _read_sign(context: RedeployContext, entry: JournalEntry) -> tuple[Sign, Case | None]:
    since = min(filter(None, (entry.lost_at, entry.migrated_at)), default=entry.at)
    try:
        case, timeline = context.read_again(entry.vm, since)
    except SourceError as error:
        return Sign(state=SignState.UNHEARD, says=error.message), None
    return read_sign(timeline, entry.signals, entry.lost_at, _get_end(entry)), case


def _conclude_unproven(last: Sign, since_end: timedelta) -> tuple[bool | None, str]:
    """What is known when the waiting is over; that it did not help only a strong channel shows, and not at once."""
    match last.state:
        case SignState.LOST if last.is_strong and since_end >= SETTLES:
            return False, f"the redeploy succeeded, and the VM still cannot be reached: {last.says}"
        case SignState.LOST if last.is_strong:
            early = f"it is too early to say that it did not: {SETTLES // timedelta(minutes=1)} min after its end"
            return None, f"whether it helped is not known yet, {early} ({last.says})"
        case SignState.LOST | SignState.PARTIAL:
            return None, f"whether it helped could not be measured well enough: {last.says}"
        case SignState.BACK:
            return None, f"it looks reachable, but not yet for long enough when --wait-for was over: {last.says}"
        case SignState.UNHEARD:
            return None, f"whether it helped could not be measured: {last.says}"
