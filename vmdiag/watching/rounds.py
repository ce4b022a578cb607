"""One round of a watch: what is new is read, what it concerns is judged whole, and what changed is told.

The first round reads as `check` does. Later ones look back to a little before the former, which shows whether anything
happened to anybody; the few VMs of which that is true, or of which something is still to come, are judged by name and
over days, because a loss cannot be judged without what came before it. Where they are many, the whole scope is.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from vmdiag.changes import Change
from vmdiag.diagnosis.model import Case
from vmdiag.errors import NotFound
from vmdiag.identity import Selector, VmId
from vmdiag.model import INTERRUPTED_REASONS, Window
from vmdiag.pipeline import BEFORE_ONSET, Examination, combine_needs, examine_vms
from vmdiag.sources.protocol import Scope, Source
from vmdiag.values import Struct, replace
from vmdiag.watching.memory import FirstSight, FollowedVm, Memory, needs_judgement, update_absent_vm, update_vm

# The activity log lacks records of its last 20 minutes ("Azure Monitor activity log": usually 3 to 20 minutes), and a
# look must see again what the former could not; the rest is reserve.
OVERLAP = timedelta(hours=1)
# After a longer silence the usual fortnight is read.
LONGEST_LOOK = timedelta(days=2)
# Of a VM that is judged again what lies before the events that are known of it was judged already.
SHORTEST_SPAN, BEFORE_EVENT = timedelta(days=2), timedelta(days=1)
# The same cases, with what was done about them.
CaseWorkflow = Callable[[Iterable[Case]], Iterable[Case]]
# So many VMs at most are judged by name, as the live source reads so many whole at once.
NAMED_LIMIT = 8


class Round(Struct, frozen=True, kw_only=True):
    """What a round saw: VMs that were `judged` whole, that were `looked_at` for hours only, that were not there.

    `unknown` were asked for, and nobody knows them; `is_whole` says that its time sufficed for all VMs.
    """

    window: Window
    cloud: str | None
    judged: tuple[Case, ...]
    looked_at: tuple[Case, ...] = ()
    absent: tuple[VmId, ...] = ()
    unknown: tuple[Case, ...] = ()
    is_whole: bool = True


class ScopeReader(Struct, frozen=True):
    """Reads a scope of one source; `open_source` gives the source, with all its time before it."""

    open_source: Callable[[], Source]
    scope: Scope
    looks_first: bool = True

    def examine_scope(
        self, vms: Iterable[VmId] = (), reach: timedelta | None = None, margin: timedelta | None = None
    ) -> Examination:
        """The whole scope or a few VMs of it, over its window or, back from now, so much of it."""
        scope, named = self.scope, tuple(vms)
        if named:
            subscriptions = frozenset(vm.subscription.lower() for vm in named)
            scope = Scope(
                vms=tuple(Selector(str(vm)) for vm in named), subscriptions=subscriptions, since=self.scope.since
            )
        needs = combine_needs()
        if reach is not None:
            scope = replace(scope, since=reach)
            needs = replace(needs, least_read=reach, margin=needs.margin if margin is None else margin)
        return examine_vms(self.open_source(), scope, needs=needs)


def read_round(reader: ScopeReader, memory: Memory, now: datetime) -> Round:
    """Read what is new, and judge whom it concerns; raises `SourceError` where nothing could be read."""
    reach = None if memory.read_until is None else max(now - memory.read_until, timedelta()) + OVERLAP
    if reach is None or reach > LONGEST_LOOK or not reader.looks_first:
        return judge_scope(reader, memory)
    run = reader.examine_scope(reach=reach, margin=BEFORE_ONSET)
    looks = {case.vm.id: case for case in run.cases}
    present = {vm: case for vm, case in looks.items() if not case.is_unknown}
    open_ = [vm for vm, case in present.items() if needs_judgement(memory.followed.get(vm), case, now)]
    # Whoever is missing in a list is asked for by name: lists may be short of somebody.
    missing = [vm for vm in memory.followed if vm not in present]
    if len(open_) > NAMED_LIMIT:
        return judge_scope(reader, memory)
    judged: dict[VmId, Case] = {}
    gone: list[VmId] = []
    if asked := (*open_, *missing[: NAMED_LIMIT - len(open_)]):
        try:
            judged = {
                case.vm.id: case for case in reader.examine_scope(asked, choose_span(reader, memory, asked, now)).cases
            }
        except NotFound:
            gone = list(asked) if len(asked) == len(missing) == 1 else []
    gone += [vm for vm in missing if vm in judged and (judged[vm].is_unknown or not judged[vm].is_affected)]
    return Round(
        window=run.window,
        cloud=run.cloud,
        judged=tuple(case for vm, case in judged.items() if vm not in gone and not case.is_unknown),
        looked_at=tuple(case for vm, case in present.items() if vm not in judged),
        absent=tuple(gone),
        unknown=tuple(case for case in looks.values() if case.is_unknown),
        is_whole=not was_broken_off((*looks.values(), *judged.values())),
    )


def choose_span(reader: ScopeReader, memory: Memory, vms: Iterable[VmId], now: datetime) -> timedelta | None:
    """Over which span a few VMs are judged: from a day before what is known of them; `None` where that is nothing."""
    starts = [now - SHORTEST_SPAN]
    for vm in vms:
        if vm not in memory.followed:
            return None
        one = memory.followed[vm]
        found = (one.told.diagnosis, one.latest.diagnosis)
        known = (at for each in found for at in (each.migrated_at, each.failed_at, each.silent_since) if at)
        starts.extend(at - BEFORE_EVENT for at in known)
    span = now - min(starts)
    since = reader.scope.since
    return None if not isinstance(since, timedelta) or span >= since else span


def judge_scope(reader: ScopeReader, memory: Memory, workflow: CaseWorkflow | None = None) -> Round:
    """Judge every VM in scope, as `check` does, and what the workflow makes of the cases."""
    run = reader.examine_scope()
    found = tuple(workflow(run.cases) if workflow else run.sort_cases(run.cases))
    present = {case.vm.id for case in found if not case.is_unknown}
    is_whole = not was_broken_off(found)
    # Of an archive without names only the VMs that anything happened to are cases.
    lists_all = is_whole and reader.scope.names_any
    return Round(
        window=run.window,
        cloud=run.cloud,
        judged=tuple(case for case in found if not case.is_unknown),
        absent=tuple(vm for vm in memory.followed if vm not in present) if lists_all else (),
        unknown=tuple(case for case in found if case.is_unknown),
        is_whole=is_whole,
    )


def was_broken_off(cases: Iterable[Case]) -> bool:
    """Whether VMs were left unread because the time was over, or the run was to end."""
    return any(gap.reason.startswith(INTERRUPTED_REASONS) for case in cases for gap in case.gaps)


def update_memory(memory: Memory, seen: Round, now: datetime) -> tuple[Memory, tuple[Change, ...]]:
    """What is known after a round that began at `now`, and the changes to tell."""
    followed: dict[VmId, FollowedVm] = dict(memory.followed)
    first_sight = FirstSight.ALL
    if memory.read_until is None:
        first_sight = FirstSight.EVENTFUL if memory.tells_old_news else FirstSight.AFFECTED
    changes: list[Change | None] = []
    for case in seen.judged:
        if was_broken_off((case,)):
            continue
        followed[case.vm.id], change = update_vm(followed.get(case.vm.id), case, now, first_sight)
        changes.append(change)
    for case in seen.looked_at:
        vm = case.vm.id
        if vm not in followed:
            followed[vm], change = update_vm(None, case, now, first_sight)
            changes.append(change)
        elif followed[vm].absent_rounds:
            followed[vm] = replace(followed[vm], absent_rounds=0)
    for vm in seen.absent:
        one, change = update_absent_vm(followed.pop(vm))
        followed |= {} if one is None else {vm: one}
        changes.append(change)
    return (
        replace(
            memory,
            followed=followed,
            read_until=now if seen.is_whole else memory.read_until,
            data_until=seen.window.end if seen.is_whole else memory.data_until,
            tells_old_news=memory.tells_old_news and not seen.is_whole,
        ),
        tuple(filter(None, changes)),
    )
