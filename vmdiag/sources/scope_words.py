"""Which VMs the words of a command line mean, among those that a source knows; must not know what kind of source.

Whoever asks for what is not there is told what there is: a group with a slip in its name must not look like a group
in which nothing happened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vmdiag.errors import NotFound, UsageError
from vmdiag.identity import UNKNOWN, Selector, VmId, fits_any, is_pattern, words_for
from vmdiag.model import NO_SUCH_VM
from vmdiag.sources.protocol import Scope

MOST_LISTED = 10
MOST_GUESSED = 3
# Of so many unknown names near ones are looked for: with 10,000 VMs that takes about 0.1 s each.
MOST_COMPARED = 20
LONGEST_SHOWN = 120
# Azure's names end at 64 and 90 characters; what is longer is near nobody's slip.
LONGEST_COMPARED = 200
ALLOW_EMPTY = "--allow-empty says that there may be none."

Tags = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The VMs in the order asked for, and why those of them that are not there are not."""

    vms: tuple[VmId, ...]
    missing: Mapping[VmId, str] = field(default_factory=dict)


class Names:
    """VMs by the words that people use for them; `where` they were looked for is told with an error."""

    def __init__(self, seen: Iterable[VmId], where: str) -> None:
        self.where = where
        self._seen: defaultdict[str, list[VmId]] = defaultdict(list)
        self._all = sorted(set(seen), key=lambda vm: vm.key)
        self._left = MOST_COMPARED
        for vm in self._all:
            for word in words_for(vm):
                self._seen[word].append(vm)

    def meant(self, selector: Selector) -> Sequence[VmId]:
        """The VMs that a person means, none where there is none; raises `UsageError` where a name means several."""
        if selector.is_pattern:
            return [vm for vm in self._all if selector.matches(vm)]
        found = self._seen.get(selector.word, [])
        if len(found) > 1:
            listed = "\n  ".join(shown(str(vm)) for vm in found[:MOST_LISTED])
            message = f"{shown(selector.text)} means {len(found)} VMs:\n  {listed}"
            raise UsageError(message, "Name it as resource-group/name, or by its resource id.")
        return found

    def reason(self, selector: Selector) -> str:
        """Why a selector means none, with what was perhaps meant."""
        near = self.near(selector)
        return f"{NO_SUCH_VM} {self.where}{f'; did you mean {_either(near)}?' if near else ''}"

    def absence(self, selector: Selector) -> NotFound:
        """The error for the only VM that was asked for."""
        near = self.near(selector)
        known = [f"{vm.resource_group}/{vm.name}" for vm in self._all]
        guess = f"Did you mean {_either(near)}?" if near else f"VMs {self.where}: {listed(known)}."
        called = "fits" if selector.is_pattern else "is called"
        return NotFound(f"no VM {self.where} {called} {shown(selector.text)}", guess)

    def near(self, selector: Selector) -> list[str]:
        """Names like that one, as `group/name`: the same name in another group first."""
        if self._left <= 0:
            return []
        self._left -= 1
        group, name = selector.group_and_name
        full = {f"{vm.resource_group}/{vm.name}": vm for vm in self._all}
        elsewhere = [word for word, vm in full.items() if vm.name.lower() == name.lower()]
        alike = () if elsewhere else set(near(name, {vm.name for vm in self._all}))
        found = elsewhere or [word for word, vm in full.items() if vm.name in alike]
        return ((near(f"{group}/{name}", found) if group else []) or found)[:MOST_GUESSED]


def resolve(scope: Scope, names: Names, stated: Mapping[Selector, VmId] | None = None) -> Resolved:
    """The VMs that were named; raises `NotFound` where there was one name, and it means none.

    An id means its VM whether it was seen or not; so does what is `stated`.
    """
    vms: dict[VmId, None] = {}
    missing: dict[VmId, str] = {}
    (only,) = scope.subscriptions if len(scope.subscriptions) == 1 else (UNKNOWN,)
    for selector in scope.vms:
        known = selector.id or (stated or {}).get(selector)
        found = names.meant(selector) or ([known] if known is not None else [])
        if not found and len(scope.vms) == 1:
            if scope.allow_empty and selector.is_pattern:
                return Resolved(())
            raise names.absence(selector)
        if not found:
            placeholder = selector.placeholder(only)
            missing[placeholder] = names.reason(selector)
            found = [placeholder]
        vms |= dict.fromkeys(found)
    return Resolved(tuple(vms), missing)


def is_inside(vm: VmId, scope: Scope) -> bool:
    """Whether a VM lies in the groups and subscriptions of a scope."""
    return (not scope.groups or fits_any(scope.groups, vm.resource_group)) and (
        not scope.subscriptions or vm.subscription.lower() in scope.subscriptions
    )


def is_tagged(tags: Tags, scope: Scope) -> bool:
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
    subscriptions = {vm.subscription.lower() for vm in seen}
    for one in sorted(scope.subscriptions - subscriptions):
        raise empty_subscription(one, subscriptions | set(called or {}), where, called or {})
    inside = [vm for vm in seen if not scope.subscriptions or vm.subscription.lower() in scope.subscriptions]
    groups = {vm.resource_group.lower(): vm.resource_group for vm in inside}
    for one in sorted(scope.groups, key=str.lower):
        if not any(fits_any((one,), group) for group in groups):
            message = f"no VM {where} is in a resource group {'like' if is_pattern(one) else 'called'} {shown(one)}"
            raise NotFound(message, _hint(one, groups.values(), "Groups with VMs"))


def absent_tags(scope: Scope, tags: Tags, where: str) -> NotFound:
    """The error for tags that no VM has, with the tags that there are."""
    wanted = [f"{name}={value}" for name, value in scope.tags]
    there = {f"{name}={value}" for name, value in tags}
    inside = " in that scope" if scope.groups or scope.subscriptions else ""
    message = f"no VM {where}{inside} has the tag{'s' * (len(wanted) > 1)} {', '.join(map(shown, wanted))}"
    if not there:
        return NotFound(message, f"None of them has a tag, or their tags were not told. {ALLOW_EMPTY}")
    fault = next((each for each in wanted if each.lower() not in {one.lower() for one in there}), wanted[0])
    return NotFound(message, _hint(fault, there, "Tags that there are"))


def empty_subscription(one: str, there: Iterable[str], where: str, called: Mapping[str, str]) -> NotFound:
    """The error for a subscription without a VM."""
    name = f" ({shown(called[one])})" if one in called else ""
    known = [f"{each} ({called[each]})" if each in called else each for each in there if each != one]
    return NotFound(f"no VM {where} is in the subscription {shown(one)}{name}", _hint(one, known, "Subscriptions"))


def near(word: str, known: Iterable[str]) -> list[str]:
    """What is written like a word, whatever the letter case, the nearest first."""
    # Imported where it is needed: most names are found.
    from difflib import get_close_matches

    folded: defaultdict[str, list[str]] = defaultdict(list)
    for each in sorted(known):
        if len(each) <= LONGEST_COMPARED:
            folded[each.lower()].append(each)
    close = get_close_matches(word.lower()[:LONGEST_COMPARED], folded, n=MOST_GUESSED, cutoff=0.6)
    return [each for one in close for each in folded[one]][:MOST_GUESSED]


def listed(known: Iterable[str]) -> str:
    """Some of what there is, and how many more."""
    every = sorted(set(known), key=str.lower)
    more = f" and {len(every) - MOST_LISTED} more" if len(every) > MOST_LISTED else ""
    return f"{', '.join(map(shown, every[:MOST_LISTED]))}{more}" if every else "none"


def shown(word: str) -> str:
    """A word at a length that a person reads."""
    return word if len(word) <= LONGEST_SHOWN else f"{word[:LONGEST_SHOWN]}…"


def _hint(word: str, known: Iterable[str], title: str) -> str:
    known = list(known)
    guess = near(word, known)
    question = f"Did you mean {_either(guess)}? " if guess else ""
    return f"{question}{title}: {listed(known)}. {ALLOW_EMPTY}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(map(shown, words))
