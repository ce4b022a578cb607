"""Which VMs the words of a command line mean, among those that a source knows, and which of them are worth a look.

Whoever asks for what is not there is told what there is: a group with a slip in its name must not look like a group
in which nothing happened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from vmdiag.errors import NotFound, UsageError
from vmdiag.identity import UNKNOWN, Selector, VmId, is_pattern, list_words, matches_any_pattern
from vmdiag.model import NO_SUCH_VM, Kind, Signal, Window
from vmdiag.sources.protocol import Scope, VmFilter
from vmdiag.sources.stored_items import StoredItems
from vmdiag.values import Struct, field

LISTED_LIMIT = 10
GUESS_LIMIT = 3
# Of so many unknown names near ones are looked for: with 10,000 VMs that takes about 0.1 s each.
COMPARED_LIMIT = 20
SHOWN_LENGTH = 120
ID_LENGTH = 400
# Azure's names end at 64 and 90 characters; what is longer is near nobody's slip.
COMPARED_LENGTH = 200
# What makes a VM worth a look when nothing was named: the triggers of the scenarios, and every word for a loss.
LOSS_KINDS = frozenset(
    {
        Kind.UNAVAILABLE,
        Kind.DEGRADED,
        Kind.STOP,
        Kind.DEALLOCATE,
        Kind.DELETE,
        Kind.POWER_STOPPED,
        Kind.POWER_DEALLOCATED,
        Kind.UNREACHABLE,
        Kind.PROBE_FAILED,
    }
)
# Changes around a VM are no reason to look at it.
IGNORED_KINDS = frozenset({Kind.NETWORK_CHANGE, Kind.SERVICE_INCIDENT})
ALLOW_EMPTY = "--allow-empty says that there may be none."

Tags = Iterable[tuple[str, str]]


class ResolvedScope(Struct, frozen=True):
    """The VMs in the order asked for, and why those of them that are not there are not."""

    vms: tuple[VmId, ...]
    missing: Mapping[VmId, str] = field(default_factory=dict)


class SelectedVm(Struct, frozen=True):
    """A VM to tell of: its number in the store, `None` when the store knows nothing of it, and why then."""

    id: VmId
    number: int | None
    reason: str = ""


class VmNameIndex:
    """VMs by the words that people use for them; `where` they were looked for is told with an error."""

    def __init__(self, seen: Iterable[VmId], where: str) -> None:
        self.where = where
        self._seen: defaultdict[str, list[VmId]] = defaultdict(list)
        self._all = sorted(set(seen), key=lambda vm: vm.key)
        self._left = COMPARED_LIMIT
        for vm in self._all:
            for word in list_words(vm):
                self._seen[word].append(vm)

    def find_matches(self, selector: Selector) -> Sequence[VmId]:
        """The VMs that a person means, none where there is none; raises `UsageError` where a name means several."""
        if selector.is_pattern:
            return [vm for vm in self._all if selector.matches_vm(vm)]
        found = self._seen.get(selector.word, [])
        if len(found) > 1:
            # To be pasted, so they are whole, as long as Azure lets them be.
            listed = [str(vm)[:ID_LENGTH] for vm in found[:LISTED_LIMIT]]
            more = [f"and {len(found) - LISTED_LIMIT} more"] if len(found) > LISTED_LIMIT else []
            message = "\n  ".join([f"{shorten_word(selector.text)} means {len(found)} VMs:", *listed, *more])
            groups = {f"{vm.resource_group}/{vm.name}".lower() for vm in found}
            how = "as resource-group/name" if len(groups) == len(found) else "with its --subscription"
            raise UsageError(message, f"Name it {how}, or by its resource id.")
        return found

    def make_not_found_error(self, selector: Selector) -> NotFound:
        """The error for the only VM that was asked for."""
        near = _join_alternatives(self.suggest_names(selector))
        known = join_with_limit(f"{vm.resource_group}/{vm.name}" for vm in self._all)
        called = "fits" if selector.is_pattern else "is called"
        guess = f"Did you mean {near}?" if near else f"VMs {self.where}: {known}."
        return NotFound(f"no VM {self.where} {called} {shorten_word(selector.text)}", guess)

    def suggest_names(self, selector: Selector) -> list[str]:
        """Names like that one, as `group/name`: the same name in another group first."""
        if self._left <= 0:
            return []
        self._left -= 1
        group, name = selector.group_and_name
        full = {f"{vm.resource_group}/{vm.name}": vm for vm in self._all}
        elsewhere = [word for word, vm in full.items() if vm.name.lower() == name.lower()]
        alike = () if elsewhere else set(find_similar_names(name, {vm.name for vm in self._all}))
        found = elsewhere or [word for word, vm in full.items() if vm.name in alike]
        return ((find_similar_names(f"{group}/{name}", found) if group else []) or found)[:GUESS_LIMIT]


def resolve_vms(
    scope: Scope,
    seen: Collection[VmId],
    where: str,
    stated: Mapping[Selector, VmId] | None = None,
    called: Mapping[str, str] | None = None,
) -> ResolvedScope:
    """The VMs that were named, among those that were seen; raises `NotFound` where there was one name, for nothing.

    An id means its VM whether it was seen or not; so does what is `stated`. `called` are subscriptions' names by id.
    """
    names = VmNameIndex((vm for vm in seen if is_in_scope(vm, scope)), where)
    known = {selector: selector.vm_id or (stated or {}).get(selector) for selector in scope.vms}
    if not all(vm or names.find_matches(selector) for selector, vm in known.items()):
        require_members(scope, seen, where, called)
    vms: dict[VmId, None] = {}
    missing: dict[VmId, str] = {}
    (only,) = scope.subscriptions if len(scope.subscriptions) == 1 else (UNKNOWN,)
    for selector, vm in known.items():
        found = names.find_matches(selector) or ([vm] if vm is not None else [])
        if not found and len(scope.vms) == 1:
            if scope.allow_empty and selector.is_pattern:
                return ResolvedScope(())
            raise names.make_not_found_error(selector)
        if not found:
            near = _join_alternatives(names.suggest_names(selector))
            found = [selector.placeholder(only)]
            missing[found[0]] = f"{NO_SUCH_VM} {where}{f'; did you mean {near}?' if near else ''}"
        vms |= dict.fromkeys(found)
    return ResolvedScope(tuple(vms), missing)


def is_in_scope(vm: VmId, scope: Scope) -> bool:
    """Whether a VM lies in the groups and subscriptions of a scope."""
    return (not scope.groups or matches_any_pattern(scope.groups, vm.resource_group)) and (
        not scope.subscriptions or vm.subscription.lower() in scope.subscriptions
    )


def has_scope_tags(tags: Tags, scope: Scope) -> bool:
    """Whether a VM has all tags of a scope; the names of tags have no letter case, the values do.

    Source: "Use tags to organize your Azure resources".
    """
    has = {(name.lower(), value) for name, value in tags}
    return all((name.lower(), value) in has for name, value in scope.tags)


def require_members(scope: Scope, seen: Collection[VmId], where: str, called: Mapping[str, str] | None = None) -> None:
    """Raise `NotFound` for a subscription or a group of the scope that holds none of the VMs that were seen.

    `called` are the names of subscriptions that are known, by id.
    """
    if scope.allow_empty:
        return
    called = called or {}
    subscriptions = {vm.subscription.lower() for vm in seen}
    for one in sorted(scope.subscriptions - subscriptions):
        there = (subscriptions | called.keys()) - {one}
        known = [f"{each} ({called[each]})" if each in called else each for each in there]
        name = f" ({shorten_word(called[one])})" if one in called else ""
        message = f"no VM {where} is in the subscription {shorten_word(one)}{name}"
        raise NotFound(message, _make_hint(one, known, "Subscriptions"))
    inside = [vm for vm in seen if not scope.subscriptions or vm.subscription.lower() in scope.subscriptions]
    groups = {vm.resource_group.lower(): vm.resource_group for vm in inside}
    for one in sorted(scope.groups, key=str.lower):
        if not any(matches_any_pattern((one,), group) for group in groups):
            likeness = "like" if is_pattern(one) else "called"
            message = f"no VM {where} is in a resource group {likeness} {shorten_word(one)}"
            raise NotFound(message, _make_hint(one, groups.values(), "Groups with VMs"))


def make_missing_tags_error(scope: Scope, tags: Tags, where: str) -> NotFound:
    """The error for tags that no VM has, with the tags that there are."""
    wanted = [f"{name}={value}" for name, value in scope.tags]
    there = {f"{name}={value}" for name, value in tags}
    inside = " in that scope" if scope.groups or scope.subscriptions else ""
    message = f"no VM {where}{inside} has the tag{'s' * (len(wanted) > 1)} {', '.join(map(shorten_word, wanted))}"
    if not there:
        return NotFound(message, f"None of them has a tag, or their tags were not told. {ALLOW_EMPTY}")
    fault = next((each for each in wanted if each.lower() not in {one.lower() for one in there}), wanted[0])
    return NotFound(message, _make_hint(fault, there, "Tags that there are"))


def find_similar_names(word: str, known: Iterable[str]) -> list[str]:
    """What is written like a word, whatever the letter case, the nearest first."""
    # Imported where it is needed: most names are found.
    from difflib import get_close_matches

    folded: defaultdict[str, list[str]] = defaultdict(list)
    for each in sorted(known):
        if len(each) <= COMPARED_LENGTH:
            folded[each.lower()].append(each)
    close = get_close_matches(word.lower()[:COMPARED_LENGTH], folded, n=GUESS_LIMIT, cutoff=0.6)
    return [each for one in close for each in folded[one]][:GUESS_LIMIT]


def join_with_limit(known: Iterable[str]) -> str:
    """Some of what there is, and how many more."""
    every = sorted(set(known), key=str.lower)
    more = f" and {len(every) - LISTED_LIMIT} more" if len(every) > LISTED_LIMIT else ""
    return f"{', '.join(map(shorten_word, every[:LISTED_LIMIT]))}{more}" if every else "none"


def shorten_word(word: str) -> str:
    """A word at a length that a person reads."""
    return word if len(word) <= SHOWN_LENGTH else f"{word[:SHOWN_LENGTH]}…"


def _make_hint(word: str, known: Iterable[str], title: str) -> str:
    known = list(known)
    guess = find_similar_names(word, known)
    question = f"Did you mean {_join_alternatives(guess)}? " if guess else ""
    return f"{question}{title}: {join_with_limit(known)}. {ALLOW_EMPTY}"


def _join_alternatives(words: Iterable[str]) -> str:
    return " or ".join(map(shorten_word, words))


def describe_absent_vm(where: str) -> str:
    """Why a VM that was named by its id is unknown: nothing `where` it was looked for is about it."""
    return f"{NO_SUCH_VM} {where}: nothing in it is about this id"


def build_vm_filter(scope: Scope) -> VmFilter:
    """The VMs to look for."""
    names = [selector for selector in scope.vms if selector.vm_id is None and not selector.is_pattern]
    patterns = [selector.group_and_name for selector in scope.vms if selector.is_pattern]
    return VmFilter(
        ids=tuple(sorted({selector.vm_id.key for selector in scope.vms if selector.vm_id is not None})),
        names=tuple(sorted({selector.group_and_name[1].lower() for selector in names})),
        groups=tuple(sorted(group.lower() for group in scope.groups)),
        patterns=tuple(sorted({(group.lower(), name.lower()) for group, name in patterns})),
    )


def find_suspects(store: StoredItems, span: Window, triggers: Iterable[Kind]) -> frozenset[int]:
    """The numbers of the VMs with a telling record in what was read, or with readings in which a loss may show."""
    measured = store.find_measured_vms((Signal.TRAFFIC, Signal.HEARTBEAT, Signal.MONITOR))
    return frozenset(find_first_suspicions(store, span, triggers)) | measured


def find_suspicious_times(store: StoredItems, vm: VmId, span: Window, triggers: Iterable[Kind]) -> list[datetime]:
    """When a VM's telling records were written."""
    number = store.find_vm_number(vm)
    kinds = frozenset(triggers) - IGNORED_KINDS | LOSS_KINDS
    return [] if number is None else store.list_times(number, kinds, span)


def find_first_suspicions(store: StoredItems, span: Window, triggers: Iterable[Kind]) -> dict[int, datetime]:
    """When the VMs' first telling records were written, by the VMs' numbers."""
    return store.find_first_times(frozenset(triggers) - IGNORED_KINDS | LOSS_KINDS, span)
