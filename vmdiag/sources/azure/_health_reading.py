"""The health of one run's VMs: its changes, told of all at once, and the history, a request a VM, where that can add.

Resource Graph keeps the changes for 14 days, the activity log tells the same events, and Resource Health's history
tells them a third time. Of each of the first two Microsoft says that entries can be missing ("HealthResources table:
missing entries") or late (the log: 3 to 20 minutes). Where both were read whole, tell the same of a suspect, and every
hour of what is measured of it says that it was available all the time, nothing is left for the history to tell (our
judgement). Everywhere else it is asked, and always of few VMs and where everything is wanted.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure.feed_request import FeedRequest, get_group_id
from vmdiag.sources.azure.feeds import health_history
from vmdiag.sources.store import ItemStore
from vmdiag.values import Struct, field

# Both name an event by its own time ("annotationName is eventName, occurredTime is eventTimestamp"), give or take a
# rounding.
SAME = timedelta(minutes=1)
# What is told again and again, of VMs that are well, too.
CALM_KINDS = frozenset({Kind.AVAILABLE, Kind.UNKNOWN})


class HealthReading(Struct, eq=False):
    """`changes` is what Resource Graph was asked of all; `span` is what is read, at the time `now`."""

    _reader: FeedReader
    _store: ItemStore
    changes: FeedRequest
    _span: Window
    _now: datetime
    _asked: set[VmId] = field(default_factory=set)

    def build_history_requests(self, vms: Iterable[VmId]) -> Iterator[FeedRequest]:
        """The history of VMs that were not asked for theirs yet."""
        fresh = [vm for vm in vms if vm not in self._asked]
        self._asked.update(fresh)
        yield from health_history.build_feed_requests(fresh, self._span, self._now)

    def is_told_twice(self, vm: VmId, span: Window) -> bool:
        """Whether Resource Graph and the activity log were read whole of a VM, and tell the same of its health.

        `span` is what is measured of the VM: of what lies before it nobody knows how it stood.
        """
        group, number, since = get_group_id(vm), self._store.find_vm_number(vm), self.changes.available_since
        unheard = (one for one in (*self._reader.failures, *self._reader.flawed_requests) if group in one.scope_ids)
        if (
            number is None
            or since is None
            or since > span.start
            or not self._reader.was_heard_whole(self.changes)
            or (group, Signal.ACTIVITY) not in self._reader.requested_signals
            or any(Signal.ACTIVITY in one.signals for one in unheard)
        ):
            return False
        told: tuple[list[tuple[Kind, datetime]], ...] = [], []
        for record in self._store.read_records(number, self._span):
            if record.signal is Signal.HEALTH:
                kind = interpret_record(record.signal, record.name, record.status, record.facts)
                if kind not in CALM_KINDS:
                    told[record.ref.startswith(self.changes.request.description)].append((kind, record.at))
        return bool(told[0]) and all(
            any(kind is other and abs(at - then) <= SAME for other, then in others)
            for some, others in (told, told[::-1])
            for kind, at in some
        )
