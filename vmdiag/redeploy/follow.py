"""What follows a redeploy: Azure's operation to its end, then the proof that it helped.

Whatever is found out is written into the journal, so that a run which is ended here can be taken up by a later one.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, repeat

from vmdiag.diagnosis.signals import SignalState
from vmdiag.diagnosis.traffic_drops import HELD
from vmdiag.errors import BadAnswer, MitigationError, NotAllowed, NotFound, SourceError
from vmdiag.mitigation import SETTLES, Status
from vmdiag.redeploy.context import FollowedRedeploy, RedeployContext
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.redeploy.locks import hold_exclusive_lock
from vmdiag.redeploy.lost_answer import conclude_from_traces, find_redeploy_traces
from vmdiag.redeploy.operation import Progress, read_progress
from vmdiag.redeploy.verification import Sign, read_sign
from vmdiag.values import replace

# Seconds between two questions; an operation takes a minute at best, and each question is charged.
FIRST_PAUSES, LAST_PAUSE = (1.0, 2.0, 3.0, 5.0), 10.0
# Metrics come by the minute; what has held nearly long enough is looked at soon after it has.
LOOK_PAUSE, EXTRA_PAUSE = 60.0, 10.0
RESUME = "'vmdiag mitigations --resume' finds out how it ended"
DELAY = "scheduled events in the guest can delay it by 10 minutes and more"
# A small VM was recorded to take 51 s; what takes longer is worth an explanation.
USUAL_DURATION = timedelta(minutes=1)


def follow_redeploy(context: RedeployContext, entry: JournalEntry) -> FollowedRedeploy:
    """Follow an accepted or doubtful redeploy to its end and to the proof that it helped, `wait_for` at most."""
    until = time.monotonic() + context.wait_for.total_seconds()
    followed = _follow_operation(context, entry, until)
    if followed.entry.step is Step.FINISHED and followed.entry.outcome is Status.SUCCEEDED:
        followed = _verify_recovery(context, followed.entry, until)
    done = followed.entry
    says = f"{done.says}; {RESUME}" if done.is_open else done.says
    if done.outcome is Status.SUCCEEDED and done.reachable_again is None:
        context.reporter.warn(f"{entry.vm.name}: {says}")
    else:
        context.reporter.report_progress(entry.vm, says, context.session.now - entry.at)
    return followed


def _follow_operation(context: RedeployContext, entry: JournalEntry, until: float) -> FollowedRedeploy:
    """Ask Azure how the operation goes on until it ends, or `until` (of the monotonic clock) is reached."""
    session, address = context.session, entry.operation
    for pause in chain(FIRST_PAUSES, repeat(LAST_PAUSE)):
        if entry.step is Step.FINISHED:
            break
        session.restart_deadline()
        now = _read_operation(context, entry, address) if address is not None else None
        if now is None:
            address, found = None, find_redeploy_traces(session, entry.vm, entry.request, entry.at)
            if entry.step is Step.INTENDED and found.phases:
                entry = context.record_step(entry, Step.ACCEPTED)
            now = conclude_from_traces(found, entry, session.now)
        if now.step is Step.VOID:
            return FollowedRedeploy(entry=context.record_step(entry, Step.VOID, says=now.says), hint=now.hint)
        if now.step is Step.FINISHED:
            at = min(max(now.ended_at or session.now, entry.at), session.now)
            context.reporter.report_progress(entry.vm, now.says, session.now - entry.at)
            entry = context.record_step(entry, Step.FINISHED, outcome=now.outcome, says=now.says, finished_at=at)
            return FollowedRedeploy(entry=entry, hint=now.hint)
        lost = f"; lost until then: {', '.join(entry.signals)}" if entry.signals else ""
        late = f"; {DELAY}" if session.now - entry.at >= USUAL_DURATION else ""
        context.report_progress(entry, f"Azure says: {now.says}{late}{lost}", pause, until)
        if not context.wait_until(pause, until):
            says = f"not ended when --wait-for was over: {now.says}"
            entry = replace(entry, says="its end was not waited for" if context.is_over() else says)
            break
    return FollowedRedeploy(entry=entry)


def _read_operation(context: RedeployContext, entry: JournalEntry, address: str) -> Progress | None:
    """What Azure says at the operation's address; `None` where that is of no use."""
    try:
        return read_progress(context.session, address)
    except (NotFound, BadAnswer, NotAllowed) as error:
        context.reporter.report_progress(entry.vm, f"{error.message}; the VM and its log are looked at instead")
        return None
    except SourceError as error:
        return Progress(step=Step.ACCEPTED, says=f"Azure cannot be asked now: {error.message}")


def _verify_recovery(context: RedeployContext, entry: JournalEntry, until: float) -> FollowedRedeploy:
    """Read the VM again and again until its signals hold, or `until` (of the monotonic clock) is reached."""
    if not entry.signals:
        says = "whether it helped cannot be measured: only the operator's word showed the loss"
        return FollowedRedeploy(entry=context.record_step(entry, Step.VERIFIED, reachable_again=None, says=says))
    case, ended, first_back = None, entry.finished_at or entry.at, None
    since = min(filter(None, (entry.lost_at, entry.migrated_at)), default=entry.at)
    while True:
        try:
            case, timeline = (context.read_after or context.read_vm)(entry.vm, since, None)
            now = read_sign(timeline, entry.signals, entry.lost_at, ended)
        except SourceError as error:
            now = Sign(SignalState.UNJUDGED, error.message)
        if context.is_over():
            break
        is_back = now.state is SignalState.NORMAL
        first_back = (first_back or time.monotonic()) if is_back else None
        watched = timedelta(seconds=time.monotonic() - first_back) if first_back is not None else timedelta()
        if is_back and (now.holds or watched >= HELD):
            says = f"the VM can be reached again: {now.says}"
            entry = context.record_step(entry, Step.VERIFIED, reachable_again=True, says=says)
            return FollowedRedeploy(entry=entry, case=case)
        pause = min((HELD - watched).total_seconds() + EXTRA_PAUSE, LOOK_PAUSE) if is_back else LOOK_PAUSE
        holds = f", must hold for {HELD // timedelta(minutes=1)} min" if is_back else ""
        context.report_progress(entry, f"looking whether it helped: {now.says}{holds}", pause, until)
        if not context.wait_until(pause, until):
            break
    is_settled = context.session.now - ended >= SETTLES
    is_over = context.is_over()
    reachable, says = (
        (None, "whether it helped was not waited for") if is_over else _conclude_unproven(now, is_settled=is_settled)
    )
    if is_over or not is_settled:
        # Told as it looks, and not written down as the last word: a later look may prove it.
        entry = replace(entry, reachable_again=reachable, says=says)
    else:
        entry = context.record_step(entry, Step.VERIFIED, reachable_again=reachable, says=says)
    return FollowedRedeploy(entry=entry, case=case)


def _conclude_unproven(last: Sign, *, is_settled: bool) -> tuple[bool | None, str]:
    """What is known when the waiting is over; that it did not help only a strong channel shows, and not at once."""
    match last.state:
        case SignalState.LOST if last.is_strong and is_settled:
            return False, f"the redeploy succeeded, and the VM still cannot be reached: {last.says}"
        case SignalState.LOST if last.is_strong:
            early = f"it is too early to say that it did not: {SETTLES // timedelta(minutes=1)} min after its end"
            return None, f"whether it helped is not known yet, {early} ({last.says})"
        case SignalState.LOST | SignalState.PARTIAL:
            return None, f"whether it helped could not be measured well enough: {last.says}"
        case SignalState.NORMAL:
            return None, f"it looks reachable, but not yet for long enough when --wait-for was over: {last.says}"
        case SignalState.UNJUDGED:
            return None, f"whether it helped could not be measured: {last.says}"


def resume_unfinished(context: RedeployContext) -> Iterator[FollowedRedeploy]:
    """Take up every redeploy of the journal whose end nobody has seen, without asking for another one."""
    cloud = context.session.cloud.arm
    open_ = [entry for entry in context.journal.read_entries(context.reporter.warn) if entry.is_open]
    ours = [entry for entry in open_ if entry.cloud == cloud]
    for entry in open_:
        if entry.cloud != cloud:
            says = f"the redeploy is in another cloud: give --cloud {entry.cloud}"
            context.reporter.warn(f"{entry.vm.name}: {says}")
            yield FollowedRedeploy(entry=replace(entry, says=says))
    if ours:
        context.sign_in()
    with hold_exclusive_lock({f"{cloud} {entry.vm.subscription}" for entry in ours}) as holder:
        if holder is not None:
            raise MitigationError(holder, "It follows its own redeploys; run again when it has ended.")
        for entry in ours:
            yield (
                FollowedRedeploy(entry=replace(entry, says="the run was interrupted"))
                if context.is_over()
                else follow_redeploy(context, entry)
            )
