"""What a live reading could not see, told as refusals to whoever tells a VM's story; must not ask for anything."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from vmdiag.errors import Interrupted, NotAllowed, NotSignedIn, Throttled
from vmdiag.identity import VmId
from vmdiag.model import Gap, Needs, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources._items import Covers, Whole
from vmdiag.sources._lacks import CHANGES
from vmdiag.sources._spool import Spool
from vmdiag.sources._teller import ASIDE
from vmdiag.sources.azure import heartbeat, metrics, virtual_machine
from vmdiag.sources.azure._ask import Ask, group_of, subscription_of
from vmdiag.sources.azure._reading import Reader, reason_of

SILENCE = "Azure's answer does not tell"
CALM = "not read: nothing suspicious was seen of this VM; name it alone to read everything"
BATCH = "not read of many VMs at once; name it alone to read everything"
HISTORY = "only the present state can be read, and the window ends before it"
PATHS = "the list of the VMs' networks was not whole"
HIDDEN = "Resource Graph does not show this VM to this sign-in"
NO_SUCH_VM = "Azure knows no such VM (404)"
# What a feed may reach less far than asked before it is worth a word; records of the last minutes may be late.
SLACK = timedelta(minutes=5)
# What takes a question a VM.
CLOSE = (*virtual_machine.SIGNALS, *metrics.SIGNALS, *heartbeat.SIGNALS)
# Of several errors the one that tells a person most.
TELLING = (Interrupted, NotSignedIn, NotAllowed, Throttled)


class Blind:
    """`unseen` are the VMs of which it could not be seen whether they were migrated.

    `absent` are the subscriptions that were asked for and that this sign-in cannot see.
    """

    def __init__(self, spool: Spool, reader: Reader, window: Window, absent: Collection[str]) -> None:
        self._spool = spool
        self._reader = reader
        self._window = window
        self._absent = sorted(absent)
        self.unseen: set[VmId] = set()

    def refuse_silence(self, *, any_shown: bool) -> None:
        """Raise the most telling error where nothing was read; that Resource Graph shows nothing is no reading."""
        if any_shown or any(ask.concerns for ask in self._reader.read):
            return
        failures = list(self._reader.failures.values())
        worst = next((error for kind in TELLING for error in failures if isinstance(error, kind)), None)
        if self._absent and not isinstance(worst, Interrupted):
            message = f"this sign-in cannot see the subscription {', '.join(self._absent)}"
            raise NotAllowed(
                message, "Check --subscription and AZURE_SUBSCRIPTION_ID; 'vmdiag doctor' lists what it sees."
            )
        if failures:
            raise worst or failures[0]

    def of_run(self) -> Iterator[Gap]:
        """What concerns no single VM."""
        for subscription in self._absent:
            reason = f"this sign-in cannot see the subscription {subscription}"
            yield Gap(signal=Signal.ACTIVITY, window=self._window, reason=reason)

    def tell_graph(self, vms: Collection[VmId], shown: Collection[VmId], changes: Ask, network: Ask) -> None:
        """What Resource Graph did not say of the VMs in scope, and of which of them it spoke of the health."""
        failed, pathless = self._reader.failures.get(changes), self._reader.failures.get(network)
        is_cut = changes in self._reader.cut
        for vm in vms:
            if failed is not None or vm not in shown:
                self.unseen.add(vm)
                self._spool.refuse(Signal.HEALTH, vm.key, HIDDEN if failed is None else reason_of(failed))
            else:
                self._spool.add(Covers(signal=Signal.HEALTH, scope=vm.key, cut=is_cut))
                if is_cut:
                    self.unseen.add(vm)
                elif changes not in self._reader.flawed:
                    self._spool.add(Whole(signal=Signal.HEALTH, scope=vm.key, form=CHANGES))
                self._reader.reach(vm.key, Signal.HEALTH, changes.since)
        if pathless is not None or network in self._reader.cut:
            why = PATHS if pathless is None else reason_of(pathless)
            reason = f"{why}; changes of networks in other groups are not seen"
            for group in {group_of(vm) for vm in vms}:
                self._spool.refuse(Signal.ACTIVITY, group, reason, partial=True)

    def tell(self, vm: VmId, writers: Mapping[str, Collection[VmId]], search: Ask, *, calm: bool) -> None:
        """What is missing of one VM, once everything of it was asked."""
        if calm:
            for signal in CLOSE:
                self._spool.refuse(signal, vm.key, CALM)
        elif not any(vm in known for known in writers.values()):
            lost = self._reader.failures.get(search)
            reason = f"{heartbeat.NO_WORKSPACE}{'' if lost is None else f': {reason_of(lost)}'}"
            self._spool.refuse(Signal.HEARTBEAT, vm.key, reason)
        if not calm and (vm.key, Signal.AGENT) not in self._reader.asked:
            self._spool.refuse(Signal.AGENT, vm.key, BATCH)
        if not self._reader.present:
            for signal in virtual_machine.SIGNALS:
                self._spool.refuse(signal, vm.key, HISTORY)
        for signal in Signal:
            self._tell_reach(vm, signal)

    def stranger(self, vm: VmId, needs: Needs) -> Transcript | None:
        """The empty story of a VM that Azure does not know and nothing was heard of; `None` for any other."""
        if (vm.key, Signal.POWER) not in self._reader.unknown or self._was_heard_of(vm):
            return None
        gaps = tuple(Gap(signal=each, window=self._window, reason=NO_SUCH_VM) for each in sorted(needs.signals - ASIDE))
        return Transcript(vm=VirtualMachine(id=vm), gaps=gaps)

    def _tell_reach(self, vm: VmId, signal: Signal) -> None:
        known = (self._reader.reached.get((scope, signal)) for scope in (vm.key, group_of(vm), subscription_of(vm)))
        since = min(filter(None, known), default=None)
        if since is not None and since > self._window.start + SLACK:
            part = Window(self._window.start, since)
            self._spool.refuse(signal, vm.key, f"not kept since before {since:%Y-%m-%d %H:%M}Z", window=part)

    def _was_heard_of(self, vm: VmId) -> bool:
        number = self._spool.number(vm)
        found = self._spool.database.execute("select 1 from record where vm = ? limit 1", (number,))
        return found.fetchone() is not None
