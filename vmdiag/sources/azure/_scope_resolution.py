"""Who is meant by a live run's scope, once the inventory has answered.

What is not there is looked for once more among all that the sign-in can see, to tell what was perhaps meant.
Subscriptions may be given by name: "REST API: Subscriptions - List" shows those that the sign-in can see, and names
need not be unique.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vmdiag.arm.session import Session
from vmdiag.errors import NotFound, UsageError
from vmdiag.identity import Selector, VmId, is_pattern
from vmdiag.model import Signal
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.azure.feeds import inventory
from vmdiag.sources.azure.scoped_vms import (
    VISIBLE_PHRASE,
    InventoryVm,
    find_explicit_ids,
    select_subscriptions,
    select_vms,
)
from vmdiag.sources.azure.whole_lists import read_rows
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.protocol import Scope, VmFilter, Watcher
from vmdiag.sources.selection import (
    LISTED_LIMIT,
    ResolvedScope,
    VmNameIndex,
    build_vm_filter,
    find_similar_names,
    join_with_limit,
    shorten_word,
)
from vmdiag.sources.store import ItemStore

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class ScopeResolution:
    """Makes out the VMs of one scope; `visible_vms` fills as `inventory_request`, the inventory, answers."""

    scope: Scope
    reader: FeedReader
    store: ItemStore
    watcher: Watcher
    inventory_request: FeedRequest = field(init=False)
    visible_vms: dict[VmId, InventoryVm] = field(default_factory=dict)
    _other_vms: dict[VmId, InventoryVm] = field(default_factory=dict)
    _list_requests: list[FeedRequest] = field(default_factory=list)
    _subscription_names: dict[str, str] = field(default_factory=dict)
    _subscriptions_request: FeedRequest | None = None
    _names: VmNameIndex | None = None

    def __post_init__(self) -> None:
        who, subscriptions = build_vm_filter(self.scope), select_subscriptions(self.scope)
        self.inventory_request = inventory.build_feed_request(who, subscriptions, self.visible_vms)

    def resolve_vms(self) -> ResolvedScope:
        """The VMs in scope, by now all known; raises `SourceError` for what is not there, `UsageError` for a riddle."""
        lost = self.reader.failures.get(self.inventory_request)
        is_cut = self.inventory_request in self.reader.incomplete_requests
        stated = find_explicit_ids(self.scope)
        if (lost is not None or is_cut) and not 0 < len(self.scope.vms) == len(stated):
            why = "Resource Graph did not show every VM" if lost is None else lost.message
            self.watcher.warn(f"{why}; VMs are listed instead")
            self._list_vms(self.visible_vms)
        known = {one: vm for one, vm in stated.items() if one.vm_id is not None or not self.is_unknown_vm(vm)}
        is_shown = lost is not None or all(vm in self.visible_vms for vm in stated.values())
        try:
            found = select_vms(self.scope, self.visible_vms, known, {})
        except NotFound:
            return self._resolve_among_all(known)
        return found if is_shown and not found.missing else self._resolve_among_all(known)

    def is_unknown_vm(self, vm: VmId) -> bool:
        """Whether Azure does not know a VM, and nothing was heard of it."""
        if (vm.key, Signal.POWER) not in self.reader.not_found_signals:
            return False
        self.store.flush_pending()
        number = self.store.find_vm_number(vm)
        return number is None or not self.store.list_signals(number)

    def suggest_names(self, vm: VmId) -> str:
        """What was perhaps meant by the id of a VM that is not there, as the end of a sentence."""
        if self._names is None:
            self._names = VmNameIndex((*self.visible_vms, *self._other_vms), VISIBLE_PHRASE)
        near = self._names.suggest_names(Selector(f"{vm.resource_group}/{vm.name}"))
        return f"; did you mean {' or '.join(near)}?" if near else ""

    def list_invisible_subscriptions(self) -> list[str]:
        """The subscriptions of the scope that the sign-in cannot see."""
        shown = {vm.subscription.lower() for vm in (*self.visible_vms, *self._other_vms)}
        missing = select_subscriptions(self.scope) - shown
        if missing and self._subscriptions_request is None:
            self._read_subscriptions()
        # Where the subscriptions could not be listed, whether one is there is not known.
        is_listed = self._subscriptions_request in self.reader.answered_requests
        return sorted(missing - self._subscription_names.keys()) if is_listed else []

    def require_visible_subscriptions(self) -> None:
        """Raise `NotFound` for an invisible subscription that was asked for; that of a mere id is its VM's gap."""
        absent = [one for one in self.list_invisible_subscriptions() if one in self.scope.subscriptions]
        if absent:
            raise build_invisible_error(absent, self._subscription_names)

    def _resolve_among_all(self, known: dict[Selector, VmId]) -> ResolvedScope:
        if self.inventory_request not in self.reader.failures:
            others = inventory.build_feed_request(VmFilter(), self.scope.subscriptions, self._other_vms)
            self._list_requests.append(others)
            self.reader.finish_requests(self._list_requests)
        elif self.scope.groups or not self._list_requests:
            self._list_vms(self._other_vms, groups=False)
        self.require_visible_subscriptions()
        failures = [self.reader.failures[one] for one in self._list_requests if one in self.reader.failures]
        # Why not all VMs are known; that a group is not there is no failure.
        failure = next((error for error in failures if not isinstance(error, NotFound)), None)
        try:
            found = select_vms(self.scope, self._other_vms | self.visible_vms, known, self._subscription_names)
        except NotFound as error:
            raise failure or error from error
        if failure is None:
            return found
        unsure = f"it was not found, and not all VMs could be listed: {failure.message}"
        return ResolvedScope(found.vms, dict.fromkeys(found.missing, unsure))

    def _read_subscriptions(self) -> None:
        self._subscriptions_request = inventory.build_subscription_search(self._subscription_names.__setitem__)
        self.reader.finish_requests([self._subscriptions_request])

    def _list_vms(self, vms: dict[VmId, InventoryVm], *, groups: bool = True) -> None:
        """The VMs as the lists show them, where Resource Graph does not answer."""
        places = set(select_subscriptions(self.scope))
        if not places:
            self._read_subscriptions()
            places = set(self._subscription_names)
        named = sorted(self.scope.groups) if groups and not any(map(is_pattern, self.scope.groups)) else []
        asks = [ask for place in sorted(places) for ask in inventory.build_list_requests(place, named, vms)]
        self._list_requests += asks
        self.reader.finish_requests(asks)
        if not self.reader.answered_requests:
            raise next(iter(reversed(self.reader.failures.values())))


def resolve_subscription_ids(session: Session, names_or_ids: frozenset[str]) -> frozenset[str]:
    """The ids, in lower case; nothing is asked where all are ids. Raises `NotFound`, or `UsageError` for a riddle."""
    if all(GUID.fullmatch(word) for word in names_or_ids):
        return names_or_ids
    rows = read_rows(session, inventory.build_subscription_request())
    names_by_id = {to_text(row.get("subscriptionId")).lower(): to_text(row.get("displayName")) for row in rows}
    ids = set[str]()
    for word in names_or_ids:
        is_id = word in names_by_id or GUID.fullmatch(word)
        found = [word] if is_id else sorted(one for one, name in names_by_id.items() if name.lower() == word)
        if len(found) > 1:
            listed = "\n  ".join(found[:LISTED_LIMIT])
            message = f"{len(found)} subscriptions are called {shorten_word(word)}:\n  {listed}"
            raise UsageError(message, "Give the id of the one that is meant.")
        if not found:
            raise build_invisible_error([word], names_by_id)
        ids.update(found)
    return frozenset(ids)


def build_invisible_error(words: list[str], names_by_id: Mapping[str, str]) -> NotFound:
    """The error for subscriptions that the sign-in does not see."""
    message = f"this sign-in cannot see the subscription {', '.join(map(shorten_word, words))}"
    known = [f"{name} ({one})" if name else one for one, name in names_by_id.items()]
    alike = [each for word in words for each in find_similar_names(word, [*names_by_id, *names_by_id.values()])]
    guess = f"Did you mean {' or '.join(map(shorten_word, alike))}? " if alike else ""
    there = f"It sees {join_with_limit(known)}. " if known else ""
    return NotFound(message, f"{guess}{there}Check --subscription, AZURE_SUBSCRIPTION_ID and who is signed in.")
