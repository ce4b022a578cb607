"""What one file holds of feeds, VMs and time, and from it what it lacks where it is not whole; must not read it.

The end of what came is never the end of what there is: where the rows of a file are not visibly in order of time, the
missing ones may be of any time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from vmdiag.completeness import Missing
from vmdiag.identity import VM_ID
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import parse_subscription
from vmdiag.sources.items import (
    CompleteRead,
    FeedCoverage,
    IncompleteRead,
    Item,
    MalformedRow,
    MetricPoints,
    NetworkChange,
    ServiceIncident,
    VmRecord,
)

# So many rows in order of time are no accident.
ORDERED_ROWS = 20
# One answer of these is of one subscription; where a file shows one alone, what it lacks concerns no other.
SUBSCRIPTION_FORMS = frozenset(
    {"activity-log", "exported-records", "powershell-activity-log", "resource-health", "service-events"}
)
# A record of these is all that there is of its VM and signal: one that is lost says nothing of the others.
RECORDING_FORM = "transcripts"
SINGLE_VM_FORMS = frozenset({"metrics", "powershell-metrics", RECORDING_FORM})
# An answer without rows tells by its link, or by the list that it lacks, of which feed it was.
LINK_SIGNALS = {
    "microsoft.insights/eventtypes": (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE),
    "microsoft.insights/metrics": (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK),
    "microsoft.resourcehealth/availabilitystatuses": (Signal.HEALTH,),
    "microsoft.resourcehealth/events": (Signal.SERVICE,),
}
LIST_SIGNALS = {"data": (Signal.HEALTH,), "tables": (Signal.HEARTBEAT,)}
FALLBACK_SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)

Signals = tuple[Signal, ...]
Times = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class LostRecord:
    """A record that cannot be used: of which VM and signals, where that can be told; `is_end` where the file ends."""

    line: int
    fault: MalformedRow
    form: str = ""
    signals: Signals | None = None
    is_end: bool = False


@dataclass(slots=True)
class FileExtent:
    """Grows with the items of a file; `forms` are the formats that were met, with the signals that each carries."""

    file: str
    forms: dict[str, Signals] = field(default_factory=dict)
    coverage: dict[FeedCoverage, None] = field(default_factory=dict)
    measured_spans: dict[tuple[str, Signal], Times] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    rows: int = 0
    is_ascending: bool = True
    is_descending: bool = True
    newest: datetime | None = None
    subjects: set[str] = field(default_factory=set)
    lost_records: list[LostRecord] = field(default_factory=list)
    lost_counts: dict[tuple[str, Signals | None, bool, str], int] = field(default_factory=dict)

    def add_item(self, item: Item) -> None:
        """Note what a row said."""
        match item:
            case FeedCoverage():
                self.coverage[item] = None
            case VmRecord(vm, record):
                self._register_row(vm.key, record.at, record.at)
            case NetworkChange(resource=resource, record=record) | ServiceIncident(resource, record):
                self._register_row(resource, record.at, record.at)
            case MetricPoints(vm=vm, signal=signal, times=times) if times:
                self._register_points(vm.key, signal, times[0], times[-1])
            case _:
                pass

    def add_lost_record(self, loss: LostRecord) -> None:
        """Note a record that cannot be used; of many alike the first is kept and the rest is counted."""
        if loss.is_end and not loss.form and any(known.is_end and known.form for known in self.lost_records):
            return  # what is found inside a record that has no end belongs to it
        key = (loss.fault.vm.key if loss.fault.vm else "", loss.signals, loss.is_end, loss.form)
        self.lost_counts[key] = self.lost_counts.get(key, 0) + 1
        if self.lost_counts[key] == 1:
            self.lost_records.append(loss)

    def find_incomplete_reads(self, missing: Iterable[tuple[str, Missing]]) -> Iterator[IncompleteRead]:
        """What is missing of which scope: for lost records, and for what the file says or shows of itself."""
        for loss in self.lost_records:
            key = (loss.fault.vm.key if loss.fault.vm else "", loss.signals, loss.is_end, loss.form)
            yield from self._describe_lost_record(loss, self.lost_counts[key])
        for form, lack in missing:
            known = self._list_signals(form) if form else _guess_signals(lack, self._list_signals(""))
            yield from self._describe_missing_rest(self._make_incomplete_read(form, lack.reason), known)

    def find_complete_reads(self, cut: Iterable[Signal]) -> Iterator[CompleteRead | FeedCoverage]:
        """What the file covers, and what it is whole for: nothing of a signal that it lacks a part of."""
        halved = frozenset(cut)
        form = next(iter(self.forms), "")
        # A recording says itself what it is whole for.
        is_plain = RECORDING_FORM not in self.forms
        for covers in self.coverage:
            is_cut = covers.cut or (covers.signal in halved and is_plain)
            yield replace(covers, cut=is_cut)
            if is_plain and not is_cut and not covers.partial and self.first is not None:
                first, last = self.first, self.last
                yield CompleteRead(signal=covers.signal, scope=covers.scope, form=form, first=first, last=last)
        for (vm, signal), (first, last) in self.measured_spans.items():
            if signal not in halved and is_plain:
                yield CompleteRead(signal=signal, scope=vm, form=form, first=first, last=last)

    def _describe_lost_record(self, loss: LostRecord, count: int) -> Iterator[IncompleteRead]:
        fault = loss.fault
        base = replace(self._make_incomplete_read(loss.form, fault.reason), is_record=True, line=loss.line, count=count)
        signals = self._list_signals(loss.form) if loss.signals is None else loss.signals
        if fault.vm is not None and (not loss.is_end or loss.form in SINGLE_VM_FORMS):
            yield from (replace(base, scope=fault.vm.key, signal=signal) for signal in signals)
        elif loss.is_end:
            yield from self._describe_missing_rest(base, self._list_signals(loss.form))
        else:
            yield from (replace(base, signal=signal) for signal in signals)

    def _describe_missing_rest(self, base: IncompleteRead, signals: Signals) -> Iterator[IncompleteRead]:
        """What may be missing behind the last row that came."""
        since, until = self._bound_missing_span()
        subject = next(iter(self.subjects)) if len(self.subjects) == 1 else ""
        for signal in signals:
            if since is until is None:
                yield replace(base, signal=signal)
            elif not subject:
                yield replace(base, signal=signal, since=since, until=until)
            elif VM_ID.fullmatch(subject):
                # In order within one VM says nothing of the others that may follow.
                yield replace(base, signal=signal, scope=subject, since=since, until=until)
                yield replace(base, signal=signal, unaffected_vm=subject)
            else:
                yield replace(base, signal=signal)

    def _bound_missing_span(self) -> tuple[datetime | None, datetime | None]:
        """Which ends of the span bound what is missing; neither where the rows are in no order."""
        if self.rows < ORDERED_ROWS or self.is_ascending is self.is_descending:
            return None, None
        return (self.last, None) if self.is_ascending else (None, self.first)

    def _make_incomplete_read(self, form: str, reason: str) -> IncompleteRead:
        return IncompleteRead(
            signal=Signal.ACTIVITY,
            scope=self._find_subscription_scope(),
            form=form or next(iter(self.forms), ""),
            place=self.file,
            reason=reason,
            first=self.first,
            last=self.last,
        )

    def _list_signals(self, form: str) -> Signals:
        if form in self.forms:
            return self.forms[form]
        return tuple(dict.fromkeys(signal for each in self.forms.values() for signal in each))

    def _find_subscription_scope(self) -> str:
        """The one subscription that the file tells of; empty where it may be any."""
        if not self.forms or not self.forms.keys() <= SUBSCRIPTION_FORMS:
            return ""
        found = {parse_subscription(each) for each in (*(covers.scope for covers in self.coverage), *self.subjects)}
        return found.pop() or "" if len(found) == 1 else ""

    def _register_row(self, subject: str, first: datetime, last: datetime) -> None:
        if self.newest is not None:
            self.is_ascending = self.is_ascending and first >= self.newest
            self.is_descending = self.is_descending and first <= self.newest
        self.newest = last
        self.rows += 1
        self.first = first if self.first is None else min(first, self.first)
        self.last = last if self.last is None else max(last, self.last)
        if len(self.subjects) < 2:  # noqa: PLR2004 - one or several
            self.subjects.add(subject)

    def _register_points(self, vm: str, signal: Signal, first: datetime, last: datetime) -> None:
        known = self.measured_spans.get((vm, signal), (first, last))
        self.measured_spans[vm, signal] = min(first, known[0]), max(last, known[1])
        if first == last:
            self._register_row(vm, first, last)
        else:
            self.is_ascending = self.is_descending = False


def _guess_signals(lack: Missing, others: Signals) -> Signals:
    """Of an answer without a row: what its link or its list tells, else what the rest of the file is of."""
    link = lack.link.lower()
    found = next((known for part, known in LINK_SIGNALS.items() if part in link), LIST_SIGNALS.get(lack.member, ()))
    return found or others or FALLBACK_SIGNALS
