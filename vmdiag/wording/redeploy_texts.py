"""A redeploy in words: how to make one and what it costs, what was done about a VM, or was not."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from vmdiag.diagnosis.model import Case
from vmdiag.mitigation import SAME_REDEPLOY, GuardResult, Mitigation, Status
from vmdiag.model import Event, Kind, VirtualMachine
from vmdiag.wording.plain_text import format_instant, shorten_sentence

MAINTENANCE_PAGE = "https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates"
REDEPLOY_IMPACT = (
    "It is a reboot: memory and the temporary disk are lost, and a dynamic public IP address may change. With an "
    "ephemeral OS disk everything on it is lost. If Azure finds no room for the VM elsewhere, it stays down."
)
GUARDED_COMMANDS = "Behind guards: the plan, then the same with a question first and a proof afterwards"
BARE_COMMAND = "The bare command, which no guard looks at and which proves nothing"
REMEDY_COMMAND = "To {} it"
IMPLAUSIBLE_ID_WARNING = "Its id holds characters that Azure does not allow: check it before you act on it."
# What Azure accepts in names of subscriptions, groups, scale sets and VMs; a leading hyphen would be read as an option.
_ALLOWED_NAME = re.compile(r"(?!-)[\w.()-]{1,90}\Z")
# As recorded from the Azure CLI; sovereign clouds lag behind with newer versions.
_API_VERSION = "2019-07-01"
# Of VMs of which the same is to be said, so many are named.
MAX_NAMES = 5
# What each guard answered: yes, no, not asked.
GUARD_SIGNS = {True: "+", False: "-", None: "?"}

GUARDS_HEADING = "Redeploy, guard by guard: + passes, - refuses, ? not asked yet"
_BANNERS = {
    Status.SUCCEEDED: "REDEPLOYED",
    Status.STARTED: "REDEPLOYING",
    Status.UNKNOWN: "PERHAPS REDEPLOYED",
    Status.FAILED: "REDEPLOY FAILED",
}


def split_command(vm: VirtualMachine, action: str) -> tuple[str, ...]:
    """The command for a shell that redeploys or starts exactly this VM; none when its id cannot be a real one.

    It comes as groups of words between which a line may break.
    """
    parts = (vm.id.subscription, vm.id.resource_group, vm.id.name, vm.id.scale_set or vm.id.name)
    if not all(_ALLOWED_NAME.match(part) and part.isprintable() for part in parts):
        return ()
    subscription, group, name, _ = map(shlex.quote, parts)
    if vm.id.scale_set is None:
        return (f"az vm {action}", f"--subscription {subscription}", f"--resource-group {group}", f"--name {name}")
    # `az vm` does not reach the instances of a uniform scale set.
    return (f"az rest --method post --url {shlex.quote(f'{vm.id}/{action}?api-version={_API_VERSION}')}",)


def split_guarded_commands(vm: VirtualMachine) -> tuple[tuple[str, ...], ...]:
    """The commands of vmdiag that plan and make a redeploy of this VM, as groups of words; none where it refuses."""
    if not split_command(vm, "redeploy") or vm.id.scale_set is not None:
        return ()
    command = f"vmdiag check {shlex.quote(f'{vm.id.resource_group}/{vm.id.name}')}"
    where = f"--subscription {shlex.quote(vm.id.subscription)}"
    return (command, "--redeploy", "--dry-run", where), (command, "--redeploy", where)


def describe_mitigation(case: Case) -> str | None:
    """How a redeploy stands, in a sentence; `None` where none was wanted."""
    done = case.mitigation
    if done is None:
        return None
    return _describe_outcome(done, f" at {format_instant(done.started_at)}" if done.started_at is not None else "")


def get_banner_word(case: Case) -> str | None:
    """The word that stands over a VM for which a redeploy was asked; `None` where none was."""
    done = case.mitigation
    return None if done is None else _BANNERS.get(done.status)


def describe_current_state(case: Case, vm: str) -> str | None:
    """What is true now of a VM for which a redeploy was asked; `None` where none was."""
    done = case.mitigation
    if done is None:
        return None
    reached = {
        True: f"{vm} can be reached again",
        False: f"{vm} still cannot be reached",
        None: f"whether {vm} can be reached is not known",
    }
    return {
        Status.SUCCEEDED: reached[done.reachable_again],
        Status.STARTED: f"{vm} is being moved to another host",
        Status.UNKNOWN: f"whether {vm} was moved to another host is not known",
        Status.FAILED: reached[False],
    }.get(done.status)


def format_guard_results(given: Iterable[GuardResult]) -> Iterator[tuple[str, str, str]]:
    """Sign, guard, and its answer with its limit."""
    for one in given:
        says = f"{shorten_sentence(one.found)} (limit: {shorten_sentence(one.limit)})"
        yield GUARD_SIGNS[one.passes], one.guard, says


def format_pending_guards(case: Case) -> Iterator[tuple[str, str, str]]:
    """The same of a VM for which nothing was done yet; afterwards what the guards said is of no interest."""
    done = case.mitigation
    if done is not None and done.status in (Status.PLANNED, Status.REFUSED, Status.DECLINED):
        yield from format_guard_results(done.guards)


def describe_impact(case: Case) -> Iterator[str]:
    """What a redeploy that is planned costs, and what may go wrong with it."""
    done = case.mitigation
    if done is not None and done.status is Status.PLANNED:
        yield from (f"Lost: {shorten_sentence(one)}" for one in done.loses)
        yield from (f"Risk: {shorten_sentence(one)}" for one in done.risks)


def group_by_outcome(cases: Iterable[Case]) -> list[tuple[str, list[Case]]]:
    """The VMs that were to be redeployed, together where the same was said of them; the largest group first."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        if case.mitigation is not None:
            groups.setdefault(_describe_outcome(case.mitigation), []).append(case)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def join_first_names(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{', '.join(names[:MAX_NAMES])}{more}"


def count_statuses(cases: Iterable[Case]) -> str:
    """How many redeploys stand how: `1 succeeded, 3 refused`."""
    found = Counter(case.mitigation.status for case in cases if case.mitigation is not None)
    return ", ".join(f"{found[status]} {status}" for status in Status if found[status])


def _describe_outcome(done: Mitigation, when: str = "") -> str:
    status = {
        Status.SUCCEEDED: f"made{when}" + (", not proven" if done.reachable_again is None else ""),
        Status.PLANNED: "planned, not made",
        Status.STARTED: f"begun{when}, not ended",
        Status.UNKNOWN: f"perhaps begun{when}, its end unknown",
        Status.FAILED: f"begun{when}" if when else "failed",
    }.get(done.status, done.status.value)
    return f"{status}: {shorten_sentence(done.says)}"


def list_redeploys_since_loss(case: Case) -> list[datetime]:
    """When the VM was redeployed after it was lost, each time once."""
    lost, again = case.diagnosis.failed_at, find_repeated_redeploys(case.events)
    found = (event.at for event in case.events if event.kind is Kind.REDEPLOY and event not in again)
    return [at for at in found if lost is None or at >= lost]


def find_repeated_redeploys(events: Iterable[Event]) -> list[Event]:
    """Redeploys that were told before, by another feed: the log and Resource Health each tell of one."""
    again: list[Event] = []
    last: Event | None = None
    for event in events:
        if event.kind is Kind.REDEPLOY:
            if last is not None and event.at - last.at <= SAME_REDEPLOY:
                again.append(event)
            else:
                last = event
    return again
