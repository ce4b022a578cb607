"""A watch: round after round until it is asked to end; a round that fails ends nothing, and the next one goes on.

Changes are told before they are written down as told: whatever kills the program in between has the last round's told
twice, and none is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from vmdiag.changes import Change
from vmdiag.errors import Interrupted, NotFound, UsageError, VmdiagError
from vmdiag.values import replace
from vmdiag.watching.health import Health
from vmdiag.watching.memory import Memory
from vmdiag.watching.rounds import CaseWorkflow, Round, ScopeReader, judge_scope, read_round, update_memory

# A failure is told to people once it has stood, as a change is.
FAILURES_TO_TELL = 2


class Outlet(Protocol):
    """All that a watch needs from outside: a clock, pauses, whom it tells, and where it keeps its memory."""

    def now(self) -> datetime:
        """The time."""
        ...

    def is_over(self) -> bool:
        """Whether the watch was asked to end."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the watch is to end."""
        ...

    def begin_round(self) -> None:
        """Another round begins."""
        ...

    def tell_changes(self, changes: Sequence[Change]) -> None:
        """Write them to whatever reads along."""
        ...

    def tell_people(self, memory: Memory, lines: Sequence[str]) -> Memory:
        """Send them, and what could not be sent before; what is still to be sent is remembered."""
        ...

    def warn(self, text: str) -> None:
        """Tell whoever started the watch, once as long as it stays so."""
        ...

    def tell_failure(self, error: VmdiagError, *, is_new: bool) -> None:
        """A round, or its redeploy, failed; what is not new was told before."""
        ...

    def prepare_workflow(self) -> CaseWorkflow | None:
        """What redeploys affected VMs, `None` where nothing does; raises `VmdiagError`."""
        ...

    def save_memory(self, memory: Memory) -> None:
        """Write it down."""
        ...

    def show_health(self, health: Health, memory: Memory) -> None:
        """Tell whoever supervises the watch."""
        ...


def keep_watching(reader: ScopeReader, outlet: Outlet, memory: Memory, every: timedelta) -> Health:
    """Round after round; how it went, once it is asked to end.

    Raises `VmdiagError` only where the first round shows that what was asked for makes no sense.
    """
    health = Health()
    while not outlet.is_over():
        outlet.begin_round()
        health = replace(health, began_at=outlet.now())
        try:
            seen = read_round(reader, memory, outlet.now())
        except Interrupted:
            break
        except VmdiagError as error:
            if isinstance(error, (UsageError, NotFound)) and memory.read_until is None:
                raise
            memory, health = note_failure(outlet, memory, health, error)
        else:
            memory, health = note_success(outlet, memory, health, seen)
            if any(case.is_affected for case in seen.judged):
                # People know of it before anything is done, which may take half an hour.
                outlet.save_memory(memory)
                memory, health = redeploy_affected(reader, outlet, memory, health)
        health = replace(health, rounds=health.rounds + 1, lasted=outlet.now() - health.began_at)
        outlet.save_memory(memory)
        outlet.show_health(health, memory)
        outlet.pause(max(0.0, (every - health.lasted).total_seconds()))
    return health


def redeploy_affected(reader: ScopeReader, outlet: Outlet, memory: Memory, health: Health) -> tuple[Memory, Health]:
    """Redeploy where that is wanted; every VM is judged again, because the guards count how many are hit."""
    try:
        workflow = outlet.prepare_workflow()
        if workflow is None:
            return memory, health
        return note_success(outlet, memory, health, judge_scope(reader, memory, workflow))
    except Interrupted:
        return memory, health
    except VmdiagError as error:
        outlet.tell_failure(error, is_new=True)
        return memory, health


def note_success(outlet: Outlet, memory: Memory, health: Health, seen: Round) -> tuple[Memory, Health]:
    """Tell what changed in a round that read something, and count it."""
    memory, changes = update_memory(memory, seen, health.began_at)
    outlet.tell_changes(changes)
    for case in seen.unknown:
        outlet.warn(f"{case.vm.id.name} is not watched: {case.gaps[0].reason}")
    lines = [
        f"{change.change}: {change.vm.resource_group}/{change.vm.name}: {change.says}"
        for change in changes
        if is_for_people(change)
    ]
    if health.failures >= FAILURES_TO_TELL and seen.is_whole:
        lines.append(f"the watch reads again, after {health.failures} rounds that failed")
    memory = outlet.tell_people(memory, lines)
    health = replace(health, changes=health.changes + len(changes), cloud=seen.cloud or health.cloud)
    if outlet.is_over():
        return memory, health
    if not seen.is_whole:
        return memory, replace(health, failures=health.failures + 1, error="VMs were left unread", error_kind="")
    return memory, replace(health, failures=0, error="", error_kind="", succeeded_at=outlet.now())


def is_for_people(change: Change) -> bool:
    """Whether a person wants to know: not of each VM that comes and goes with a fleet's size."""
    standing = change.after or change.before
    came_or_went = change.change in {"appeared", "disappeared"}
    return not came_or_went or (standing is not None and standing.state is not None)


def note_failure(outlet: Outlet, memory: Memory, health: Health, error: VmdiagError) -> tuple[Memory, Health]:
    """Tell and count a round that read nothing; the next one looks back as far as the last that did."""
    kind = type(error).__name__
    # The words may hold the time and an id of this one refusal.
    outlet.tell_failure(error, is_new=kind != health.error_kind)
    health = replace(health, failures=health.failures + 1, error=error.message, error_kind=kind)
    lines = [f"the watch cannot read: {error.message}"] if health.failures == FAILURES_TO_TELL else []
    return outlet.tell_people(memory, lines), health
