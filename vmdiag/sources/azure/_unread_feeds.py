"""What a live reading could not see, told as refusals to whoever tells a VM's story; must not ask for anything."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.errors import Interrupted, NotAllowed, NotSignedIn, Throttled
from vmdiag.identity import VmId
from vmdiag.model import Gap, Needs, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.azure import activity_log, health_history, heartbeat, metrics, service_events, virtual_machine
from vmdiag.sources.azure._feed_reader import Reader, reason_of
from vmdiag.sources.azure.feed_request import Ask, group_of, subscription_of
from vmdiag.sources.coverage import CHANGES
from vmdiag.sources.items import Covers, Whole
from vmdiag.sources.store import Spool
from vmdiag.sources.transcripts import ASIDE

SILENCE = "Azure's answer does not tell"
CALM = "not read: nothing suspicious was seen of this VM; name it alone to read everything"
BATCH = "not read of many VMs at once; name it alone to read everything"
HISTORY = "only the present state can be read, and the window ends before it"
PATHS = "not known (the list of the VMs' networks was not whole)"
HIDDEN = "Resource Graph does not show this VM to this sign-in"
HIDDEN_PART = "not shown to this sign-in"
NO_SUCH_VM = "Azure knows no such VM (404)"
# What a feed may reach less far than asked before it is worth a word; records of the last minutes may be late.
SLACK = timedelta(minutes=5)
# What was heard from an instant on was not heard until just before it.
JUST = timedelta(seconds=1)
# How far back the feed of a signal reaches that reaches furthest.
REACH = {
    **dict.fromkeys(activity_log.SIGNALS, activity_log.REACH),
    **dict.fromkeys(health_history.SIGNALS, health_history.REACH),
    **dict.fromkeys(service_events.SIGNALS, service_events.REACH),
    **dict.fromkeys(metrics.SIGNALS, metrics.REACH),
}
# What takes a question a VM.
CLOSE = (*virtual_machine.SIGNALS, *metrics.SIGNALS, *heartbeat.SIGNALS)
# Of several errors the one that tells a person most.
TELLING = (Interrupted, NotSignedIn, NotAllowed, Throttled)


class Blind:
    """`unseen` are the VMs of which it could not be seen whether they were migrated.

    `window` is the one that is told, `span` what was read at the time `now`. `absent` are the subscriptions that were
    asked for and that this sign-in cannot see.
    """

    def __init__(self, spool: Spool, reader: Reader, window: Window, span: Window, now: datetime) -> None:
        self._spool = spool
        self._reader = reader
        self._window = window
        self._span = span
        self._now = now
        self.absent: list[str] = []
        self.unseen: set[VmId] = set()

    def refuse_silence(self, *, any_shown: bool) -> None:
        """Raise the most telling error where nothing was read; that Resource Graph shows nothing is no reading."""
        if any_shown or any(ask.concerns for ask in self._reader.read):
            return
        failures = list(self._reader.failures.values())
        worst = next((error for kind in TELLING for error in failures if isinstance(error, kind)), None)
        if self.absent and not isinstance(worst, Interrupted):
            message = f"this sign-in cannot see the subscription {', '.join(self.absent)}"
            raise NotAllowed(
                message, "Check --subscription and AZURE_SUBSCRIPTION_ID; 'vmdiag doctor' lists what it sees."
            )
        if failures:
            raise worst or failures[0]

    def of_run(self) -> Iterator[Gap]:
        """What concerns no single VM."""
        for subscription in self.absent:
            reason = f"this sign-in cannot see the subscription {subscription}"
            yield Gap(signal=Signal.ACTIVITY, window=self._window, reason=reason)

    def tell_graph(self, vms: Collection[VmId], shown: Collection[VmId], changes: Ask) -> None:
        """What Resource Graph did not say of the VMs in scope, and of which of them it spoke of the health."""
        failed = self._reader.failures.get(changes)
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

    def stranger(self, vm: VmId, needs: Needs, guess: str) -> Transcript:
        """The empty story of a VM that Azure does not know and nothing was heard of."""
        return self._empty(vm, needs, f"{NO_SUCH_VM}{guess}")

    def missing(self, reasons: Mapping[VmId, str], needs: Needs) -> Iterator[Transcript]:
        """The empty stories of what was named and means no VM."""
        return (self._empty(vm, needs, reason) for vm, reason in reasons.items())

    def _empty(self, vm: VmId, needs: Needs, reason: str) -> Transcript:
        gaps = tuple(Gap(signal=each, window=self._window, reason=reason) for each in sorted(needs.signals - ASIDE))
        return Transcript(vm=VirtualMachine(id=vm), gaps=gaps)

    def _tell_reach(self, vm: VmId, signal: Signal) -> None:
        known = (self._reader.reached.get((scope, signal)) for scope in (vm.key, group_of(vm), subscription_of(vm)))
        since = min(filter(None, known), default=None)
        if since is None and signal in REACH:
            # Nothing was asked where nothing can be left of it.
            since = self._now - REACH[signal]
        if since is None or since <= self._span.start + SLACK:
            return
        if since <= self._window.start + SLACK:
            # The window itself was heard; what lies before it counts where a loss reaches into the window.
            since = min(since, self._window.start)
        part = Window(self._span.start, min(since - JUST, self._span.end))
        chosen = signal in metrics.SIGNALS and since > self._now - metrics.REACH + SLACK
        reason = f"{'not read' if chosen else 'not kept since'} before {since:%Y-%m-%d %H:%M}Z"
        self._spool.refuse(signal, vm.key, reason, window=part)
