"""Tells one VM from the store: its records, series and what was not heard of it.

A state that was read at an unknown time is as new as the archive. A scheduled event that began has no time either, but
when it was announced Azure named the time before which it would not begin, and blanked that once it began.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.model import Gap, Needs, Record, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.coverage import STORY_SIGNALS, GapFinder, SourceLimits, find_read_gaps
from vmdiag.sources.network_path import place_test, read_path, relate_to_vm
from vmdiag.sources.selection import SelectedVm
from vmdiag.sources.stored_items import Refusal, StoredItems, StoredVm
from vmdiag.values import replace

# Whoever approves an event lets it begin at once, up to the 15 minutes of notice before that time; from then to its end
# it takes about 10 (Scheduled Events: overview).
EVENT_NOTICE = timedelta(minutes=15)
EVENT_DURATION = timedelta(minutes=10)
ARCHIVE_LIMITS = SourceLimits()


class TranscriptBuilder:
    """Makes transcripts over one window."""

    def __init__(self, store: StoredItems, window: Window, needs: Needs, limits: SourceLimits = ARCHIVE_LIMITS) -> None:
        self._store = store
        self._window = window
        self._limits = limits
        self._gaps = GapFinder(store, window, needs, limits)
        self._span = self._gaps.span

    def build_transcript(self, asked: SelectedVm, refusals: Iterable[Refusal] = ()) -> Transcript:
        """All that was heard of a VM in the window and, as far as its losses may reach back, before it.

        `refusals` are what could not be read of this VM alone, beside what the store knows.
        """
        if asked.number is None:
            gaps = tuple(Gap(signal=signal, window=self._span, reason=asked.reason) for signal in STORY_SIGNALS)
            return Transcript(vm=VirtualMachine(id=asked.id), gaps=gaps)
        vm = StoredVm(asked.number, asked.id)
        path = read_path(self._store, vm, whole=self._limits.is_network_whole)
        # The network changes that touch the VM, or may: their relation cannot be known.
        near = (path.group, *path.unread_groups, *path.resources)
        changes = (
            replace(record, facts={**record.facts, "resource": resource, **relation})
            for resource, record in self._store.read_network_changes(near, self._span)
            if (relation := relate_to_vm(resource, path, self._limits.missing_phrase)) is not None
        )
        records = (
            *self._store.read_records(vm.number, self._span),
            *date_records(self._store.read_undated_records(vm.number), self._span),
            *changes,
            *self._store.read_incidents(vm.id.subscription, self._span),
        )
        series = tuple(
            replace(one, name=place_test(self._store, path, one.name)) if one.signal is Signal.MONITOR else one
            for one in self._store.read_series(vm.number, self._span)
        )
        machine = self._store.read_machine(vm, path.resources)
        gaps = self._gaps.find_gaps(vm, path, records, series, refusals)
        return Transcript(vm=machine, records=records, series=series, gaps=gaps)

    def find_unassigned_gaps(self) -> tuple[Gap, ...]:
        """What could not be used and concerns nobody in particular."""
        return tuple(find_read_gaps(self._store, self._window, (), {}))


def date_records(undated: Iterable[Record], window: Window) -> Iterator[Record]:
    """The records with a time: around that of their event's announcement where it lies in the window, else its end.

    What is not dated even so keeps the fact `undated`.
    """
    records = list(undated)
    announced = {
        event: datetime.fromisoformat(written)
        for record in records
        if (event := record.facts.get("event")) and (written := record.facts.get("not_before"))
    }
    for record in records:
        at = announced.get(record.facts.get("event", ""))
        if at is not None and at in window:
            facts = {name: word for name, word in record.facts.items() if name != "undated"}
            yield replace(
                record,
                at=at - EVENT_NOTICE,
                blur=min(EVENT_NOTICE + EVENT_DURATION, window.end - at + EVENT_NOTICE),
                facts=facts,
            )
        else:
            yield replace(record, at=window.end)
