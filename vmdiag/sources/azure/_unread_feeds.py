"""What a live reading could not see, told as refusals to whoever tells a VM's story."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from vmdiag.errors import Interrupted, NotAllowed, NotFound, NotSignedIn, Throttled
from vmdiag.identity import VmId
from vmdiag.model import Gap, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.azure._feed_reader import FeedReader, get_gap_reason
from vmdiag.sources.azure.feed_request import FeedRequest, get_group_id, get_subscription_id
from vmdiag.sources.azure.feeds import (
    activity_log,
    health_changes,
    health_history,
    heartbeat,
    metrics,
    service_events,
    virtual_machine,
)
from vmdiag.sources.coverage import HEALTH_CHANGES_FORM, SHARED_LIMIT, STORY_SIGNALS, SourceLimits
from vmdiag.sources.items import CompleteRead, FeedCoverage
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_items import Refusal, describe_refusal

UNSTATED_REASON = "Azure's answer does not tell"
NOT_SUSPICIOUS_REASON = "not read: nothing suspicious was seen of this VM; name it alone to read everything"
BATCH_REASON = "not read of many VMs at once; name it alone to read everything"
PAST_WINDOW_REASON = "only the present state can be read, and the window ends before it"
UNKNOWN_NETWORK_REASON = "not known (the list of the VMs' networks was not whole)"
HIDDEN_VM_REASON = "Resource Graph does not show this VM to this sign-in"
HIDDEN_NETWORK_REASON = "not shown to this sign-in"
UNKNOWN_VM_REASON = "Azure knows no such VM (404)"
# What a feed may reach less far than asked before it is worth a word; records of the last minutes may be late.
RETENTION_TOLERANCE = timedelta(minutes=5)
# What was heard from an instant on was not heard until just before it.
TIME_RESOLUTION = timedelta(seconds=1)
# How far back the feed of a signal reaches that reaches furthest.
_KEPT_FEEDS = (activity_log, health_history, service_events, metrics)
RETENTION_BY_SIGNAL = {signal: feed.RETENTION for feed in _KEPT_FEEDS for signal in feed.SIGNALS}
# What is read less far back than it is kept, where that is enough.
CHOSEN_SIGNALS = (*metrics.SIGNALS, *activity_log.SIGNALS)
# What takes a question a VM.
PER_VM_SIGNALS = (*virtual_machine.SIGNALS, *metrics.SIGNALS, *heartbeat.SIGNALS)
# Of several errors the one that tells a person most.
ERRORS_BY_PRECEDENCE = (Interrupted, NotSignedIn, NotAllowed, Throttled)


class UnreadFeeds:
    """`unread_vms` are the VMs of which it could not be seen whether they were migrated.

    `window` is the one that is told, `span` what was read at the time `now`. `invisible_subscriptions` are the
    subscriptions that were asked for and that this sign-in cannot see.
    """

    def __init__(self, spool: ItemStore, reader: FeedReader, window: Window, span: Window, now: datetime) -> None:
        self._store = spool
        self._reader = reader
        self._window = window
        self._span = span
        self._now = now
        self._kept_since = {signal: now - kept for signal, kept in RETENTION_BY_SIGNAL.items()}
        # Most VMs of a fleet were read as far back as one another.
        self._list_retention_refusals = lru_cache(SHARED_LIMIT)(self._describe_retention)
        self.invisible_subscriptions: list[str] = []
        self.unread_vms: set[VmId] = set()

    def require_any_answer(self, *, any_shown: bool) -> None:
        """Raise the most telling error where nothing was read; that Resource Graph shows nothing is no reading."""
        if any_shown or any(ask.scope_ids for ask in self._reader.answered_requests):
            return
        failures = list(self._reader.failures.values())
        worst = next((error for kind in ERRORS_BY_PRECEDENCE for error in failures if isinstance(error, kind)), None)
        if self.invisible_subscriptions and not isinstance(worst, Interrupted):
            message = f"this sign-in cannot see the subscription {', '.join(self.invisible_subscriptions)}"
            hint = "Check --subscription and AZURE_SUBSCRIPTION_ID; 'vmdiag doctor' lists what it sees."
            raise NotAllowed(message, hint)
        if failures:
            raise worst or failures[0]

    def list_screen_faults(self, changes: FeedRequest) -> Iterator[str]:
        """Why who was migrated cannot be seen of many VMs at once, and what is done instead, for people."""
        if (failed := self._reader.failures.get(changes)) is not None:
            yield f"{get_gap_reason(failed)}; each VM's own health and metrics are read instead"
        elif self._window.start < self._now - health_changes.RETENTION - RETENTION_TOLERANCE:
            since = f"{self._now - health_changes.RETENTION:%Y-%m-%d %H:%M}Z"
            yield (
                f"Resource Graph has forgotten who was migrated before {since}: of VMs in which nothing else is seen "
                "that is told as a gap; --screen off reads every one"
            )

    def list_run_gaps(self) -> list[Gap]:
        """What concerns no single VM."""
        reasons = (f"this sign-in cannot see the subscription {one}" for one in self.invisible_subscriptions)
        return [Gap(signal=Signal.ACTIVITY, window=self._window, reason=reason) for reason in reasons]

    def build_source_limits(self, networks: FeedRequest) -> SourceLimits:
        """What is said where a VM's network, or a signal, was not told of."""
        lost, is_cut = self._reader.failures.get(networks), networks in self._reader.incomplete_requests
        hidden = UNKNOWN_NETWORK_REASON if is_cut else HIDDEN_NETWORK_REASON
        return SourceLimits(
            silence=UNSTATED_REASON,
            infers=False,
            missing_phrase=hidden if lost is None else f"not known ({get_gap_reason(lost)})",
            is_network_whole=lost is None and not is_cut,
            # A cloud without Resource Graph is told of, and not mistrusted for ever.
            is_network_told=not isinstance(lost, NotFound),
        )

    def record_health_coverage(self, vms: Collection[VmId], shown: Collection[VmId], changes: FeedRequest) -> None:
        """What Resource Graph did not say of the VMs in scope, and of which of them it spoke of the health."""
        failed = self._reader.failures.get(changes)
        is_cut = changes in self._reader.incomplete_requests
        for vm in vms:
            if failed is not None or vm not in shown:
                self.unread_vms.add(vm)
                reason = HIDDEN_VM_REASON if failed is None else get_gap_reason(failed)
                self._store.add_refusal(Signal.HEALTH, vm.key, reason)
            else:
                self._store.add_item(FeedCoverage(signal=Signal.HEALTH, scope=vm.key, cut=is_cut))
                if is_cut:
                    self.unread_vms.add(vm)
                elif changes not in self._reader.flawed_requests:
                    self._store.add_item(CompleteRead(signal=Signal.HEALTH, scope=vm.key, form=HEALTH_CHANGES_FORM))
                self._reader.record_earliest(vm.key, Signal.HEALTH, changes.available_since)

    def list_refusals(
        self, vm: VmId, searched: FeedRequest | None, *, has_workspace: bool, is_calm: bool
    ) -> Iterator[Refusal]:
        """What is missing of one VM, once everything of it was asked."""
        if is_calm:
            yield from (describe_refusal(signal, NOT_SUSPICIOUS_REASON) for signal in PER_VM_SIGNALS)
        elif not has_workspace:
            lost = None if searched is None else self._reader.failures.get(searched)
            reason = f"{heartbeat.NO_WORKSPACE_REASON}{'' if lost is None else f': {get_gap_reason(lost)}'}"
            yield describe_refusal(Signal.HEARTBEAT, reason)
        if not is_calm and (vm.key, Signal.AGENT) not in self._reader.requested_signals:
            yield describe_refusal(Signal.AGENT, BATCH_REASON)
        if not self._reader.includes_now:
            yield from (describe_refusal(signal, PAST_WINDOW_REASON) for signal in virtual_machine.SIGNALS)
        yield from self._list_retention_refusals(self._find_earliest(vm))

    def build_empty_transcript(self, vm: VmId, reason: str) -> Transcript:
        """The story of a VM that is not there and of which nothing was heard."""
        gaps = tuple(Gap(signal=signal, window=self._window, reason=reason) for signal in STORY_SIGNALS)
        return Transcript(vm=VirtualMachine(id=vm), gaps=gaps)

    def _find_earliest(self, vm: VmId) -> tuple[tuple[Signal, datetime], ...]:
        """Since when each signal was heard of a VM, or is kept where nothing was asked for want of anything left."""
        heard: dict[Signal, datetime] = {}
        for scope in (vm.key, get_group_id(vm), get_subscription_id(vm)):
            for signal, since in self._reader.earliest_read.get(scope, {}).items():
                heard[signal] = min(since, heard.get(signal, since))
        return tuple((self._kept_since | heard).items())

    def _describe_retention(self, earliest: tuple[tuple[Signal, datetime], ...]) -> tuple[Refusal, ...]:
        refusals = []
        for signal, told in earliest:
            if told <= self._span.start + RETENTION_TOLERANCE:
                continue
            # The window itself was heard; what lies before it counts where a loss reaches into the window.
            is_before = told <= self._window.start + RETENTION_TOLERANCE
            since = min(told, self._window.start) if is_before else told
            part = Window(self._span.start, min(since - TIME_RESOLUTION, self._span.end))
            kept = self._kept_since[signal] if signal in CHOSEN_SIGNALS else since
            chosen = since > kept + RETENTION_TOLERANCE
            reason = f"not {'read' if chosen else 'kept'} before {since:%Y-%m-%d %H:%M}Z"
            refusals.append(describe_refusal(signal, reason, window=part))
        return tuple(refusals)
