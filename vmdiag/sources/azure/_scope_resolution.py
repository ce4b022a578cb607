"""Who is meant by a live run's scope, once the inventory has answered; must not know what is read of a VM.

What is not there is looked for once more among all that the sign-in can see, to tell what was perhaps meant.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from vmdiag.errors import NotFound, SourceError
from vmdiag.identity import Selector, VmId, is_pattern
from vmdiag.model import Signal
from vmdiag.sources import kql
from vmdiag.sources.azure import inventory, scoped_vms
from vmdiag.sources.azure._feed_reader import Reader
from vmdiag.sources.azure._subscriptions import unseen
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.azure.scoped_vms import LISTED, Shown
from vmdiag.sources.items import Row
from vmdiag.sources.protocol import Scope, Watcher
from vmdiag.sources.scope_words import Names, Resolved
from vmdiag.sources.store import Spool


@dataclass(slots=True, eq=False, kw_only=True)
class Resolution:
    """Makes out the VMs of one scope; `shown` fills as `asked`, the inventory, answers."""

    scope: Scope
    reader: Reader
    spool: Spool
    watcher: Watcher
    asked: Ask
    shown: dict[VmId, Shown]
    _elsewhere: dict[VmId, Shown] = field(default_factory=dict)
    _lists: list[Ask] = field(default_factory=list)
    _called: dict[str, str] = field(default_factory=dict)
    _visible: Ask | None = None
    _names: Names | None = None

    def resolve(self) -> Resolved:
        """The VMs in scope, by now all known; raises `SourceError` for what is not there, `UsageError` for a riddle."""
        lost = self.reader.failures.get(self.asked)
        is_cut = self.asked in self.reader.cut
        stated = scoped_vms.stated(self.scope)
        if (lost is not None or is_cut) and not 0 < len(self.scope.vms) == len(stated):
            why = "Resource Graph did not show every VM" if lost is None else lost.message
            self.watcher.warn(f"{why}; VMs are listed instead")
            self._list(self._show)
        known = {one: vm for one, vm in stated.items() if one.id is not None or not self.is_gone(vm)}
        is_shown = lost is not None or all(vm in self.shown for vm in stated.values())
        try:
            found = scoped_vms.roster(self.scope, self.shown, known, {})
        except NotFound:
            return self._resolve_among_all(known)
        return found if is_shown and not found.missing else self._resolve_among_all(known)

    def is_gone(self, vm: VmId) -> bool:
        """Whether Azure does not know a VM, and nothing was heard of it."""
        if (vm.key, Signal.POWER) not in self.reader.unknown:
            return False
        self.spool.flush()
        query = "select 1 from record where vm = ? limit 1"
        return self.spool.database.execute(query, (self.spool.number(vm),)).fetchone() is None

    def guess(self, vm: VmId) -> str:
        """What was perhaps meant by the id of a VM that is not there, as the end of a sentence."""
        if self._names is None:
            self._names = Names((*self.shown, *self._elsewhere), LISTED)
        near = self._names.near(Selector(f"{vm.resource_group}/{vm.name}"))
        return f"; did you mean {' or '.join(near)}?" if near else ""

    def absent(self) -> list[str]:
        """The subscriptions of the scope that the sign-in cannot see."""
        shown = {vm.subscription.lower() for vm in (*self.shown, *self._elsewhere)}
        missing = scoped_vms.subscriptions(self.scope) - shown
        if missing and self._visible is None:
            self._see()
        # Where the subscriptions could not be listed, whether one is there is not known.
        return sorted(missing - set(self._called)) if self._visible in self.reader.read else []

    def require_visible(self) -> None:
        """Raise `NotFound` for a subscription that was asked for and that the sign-in cannot see.

        One that only a VM's id names is that VM's gap.
        """
        absent = [one for one in self.absent() if one in self.scope.subscriptions]
        if absent:
            raise unseen(absent, self._called)

    def _resolve_among_all(self, known: dict[Selector, VmId]) -> Resolved:
        if self.asked not in self.reader.failures:
            self._lists.append(inventory.ask(kql.Who(), self.scope.subscriptions, self._meet))
            self.reader.finish(self._lists)
        elif self.scope.groups or not self._lists:
            self._list(self._meet, groups=False)
        self.require_visible()
        failure = self._failure()
        try:
            found = scoped_vms.roster(self.scope, self._elsewhere | self.shown, known, self._called)
        except NotFound as error:
            raise failure or error from error
        if failure is None:
            return found
        unsure = f"it was not found, and not all VMs could be listed: {failure.message}"
        return Resolved(found.vms, dict.fromkeys(found.missing, unsure))

    def _failure(self) -> SourceError | None:
        """Why not all VMs are known; that a group is not there is no failure."""
        failures = [self.reader.failures[one] for one in self._lists if one in self.reader.failures]
        return next((error for error in failures if not isinstance(error, NotFound)), None)

    def _see(self) -> None:
        self._visible = inventory.subscriptions(self._called.__setitem__)
        self.reader.finish([self._visible])

    def _list(self, met: Callable[[Row], None], *, groups: bool = True) -> None:
        """The VMs as the lists show them, where Resource Graph does not answer."""
        places = set(scoped_vms.subscriptions(self.scope))
        if not places:
            self._see()
            places = set(self._called)
        named = sorted(self.scope.groups) if groups and not any(map(is_pattern, self.scope.groups)) else []
        asks = [ask for place in sorted(places) for ask in inventory.lists(place, named, met)]
        self._lists += asks
        self.reader.finish(asks)
        if not self.reader.read:
            raise next(iter(reversed(self.reader.failures.values())))

    def _show(self, row: Row) -> None:
        _keep(row, self.shown)

    def _meet(self, row: Row) -> None:
        _keep(row, self._elsewhere)


def _keep(row: Row, there: dict[VmId, Shown]) -> None:
    one = scoped_vms.shown(row)
    if one is not None:
        there[one.id] = one
