"""What one text of an archive turned out to hold, what it lacks where it is not whole, and why it may be of no use.

The end of what came is never the end of what there is: where the rows of a file are not visibly in order of time, the
missing ones may be of any time.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import partial

from vmdiag.completeness import MalformedRow, Missing, Row
from vmdiag.identity import VM_ID
from vmdiag.model import Signal
from vmdiag.sources import items
from vmdiag.sources.archive._files_together import ScreenedCoverage, ScreenedScopes, make_complete_reads
from vmdiag.sources.decoding.fields import fold_column_names, parse_subscription, to_text
from vmdiag.sources.files.memory_rows import ListCounter
from vmdiag.values import Struct, field, replace

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

# Kinds that are told apart; a hostile archive may have as many as it has records.
KIND_LIMIT = 30
OTHER_KINDS = "of other kinds"

LONGEST = 60
SHOWN_KEYS = 4
KIND_COLUMNS = ("category", "type", "schemaid", "eventtype")

Signals = tuple[Signal, ...]
LossKey = tuple[str, Signals | None, bool, str]
Times = tuple[datetime, datetime]


class LostRecord(Struct, frozen=True):
    """A record that cannot be used: of which VM and signals, where that can be told; `is_end` where the file ends."""

    line: int
    fault: MalformedRow
    form: str = ""
    signals: Signals | None = None
    is_end: bool = False


class FileContents(Struct):
    """Grows while a text is read; `forms` are the formats that were met, with the signals that each carries."""

    file: str
    forms: dict[str, Signals] = field(default_factory=dict)
    last_format: str = ""
    known_rows: int = 0
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    empty_lists: int = 0
    fault_count: int = 0
    error_text: str = ""
    lists: ListCounter = field(default_factory=ListCounter)
    # Of records that were left out: the scopes that they show to be read.
    screened: ScreenedScopes = field(default_factory=partial(defaultdict, set))
    # Faults wait until something in the file is known: of a foreign file one word is enough.
    waiting_faults: list[LostRecord] = field(default_factory=list)
    _coverage: dict[items.FeedCoverage, None] = field(default_factory=dict)
    _measured_spans: dict[tuple[str, Signal], Times] = field(default_factory=dict)
    _first: datetime | None = None
    _last: datetime | None = None
    _newest: datetime | None = None
    _rows: int = 0
    _is_ascending: bool = True
    _is_descending: bool = True
    _subjects: set[str] = field(default_factory=set)
    _lost_records: dict[LossKey, tuple[LostRecord, int]] = field(default_factory=dict)

    @property
    def signals(self) -> Signals:
        """Of which signals it is."""
        return tuple(dict.fromkeys(signal for each in self.forms.values() for signal in each))

    @property
    def is_readable(self) -> bool:
        """Whether anything in it is of a known format, or it is an export with nothing in it."""
        broken = self.unknown_kinds or self.fault_count or self.lists.missing
        return self.known_rows > 0 or (self.empty_lists > 0 and not broken)

    @property
    def useless_reason(self) -> str:
        """Why a text that is not readable was of no use."""
        if self.error_text:
            return f"an error answer of Azure, not data: {self.error_text}"
        if not (self.unknown_kinds or self.fault_count):
            return f"no record in it: {self.lists.missing[0][1].reason}" if self.lists.missing else "empty"
        first = self.waiting_faults[0].fault.reason if self.waiting_faults else next(iter(self.unknown_kinds))
        return f"in no known format ({first})"

    def add_item(self, item: items.Item) -> None:
        """Note what a row said."""
        match item:
            case items.FeedCoverage():
                self._coverage[item] = None
            case items.VmRecord(vm, record, True):
                self._register_row(vm.key, record.at)
            case items.NetworkChange(resource=resource, record=record) | items.ServiceIncident(resource, record):
                self._register_row(resource, record.at)
            case items.MetricPoints(vm=vm, signal=signal, times=times) if times:
                first, last = self._measured_spans.get((vm.key, signal), (times[0], times[-1]))
                self._measured_spans[vm.key, signal] = min(first, times[0]), max(last, times[-1])
                if times[0] == times[-1]:
                    self._register_row(vm.key, times[0])
                else:
                    self._is_ascending = self._is_descending = False
            case _:
                pass

    def add_lost_record(self, loss: LostRecord) -> None:
        """Note a record that cannot be used; of many alike the first is kept and the rest is counted."""
        if loss.is_end and not loss.form and any(one.is_end and one.form for one, _ in self._lost_records.values()):
            return  # what is found inside a record that has no end belongs to it
        key = (loss.fault.vm.key if loss.fault.vm else "", loss.signals, loss.is_end, loss.form)
        first, count = self._lost_records.get(key, (loss, 0))
        self._lost_records[key] = first, count + 1

    def find_incomplete_reads(self, missing: Iterable[tuple[str, Missing]]) -> Iterator[items.IncompleteRead]:
        """What is missing of which scope: for lost records, and for what the file says or shows of itself."""
        for loss, count in self._lost_records.values():
            base = self._make_incomplete_read(loss.form, loss.fault.reason)
            base = replace(base, is_record=True, line=loss.line, count=count)
            known = self.forms.get(loss.form, self.signals)
            vm, signals = loss.fault.vm, known if loss.signals is None else loss.signals
            if vm is not None and (not loss.is_end or loss.form in SINGLE_VM_FORMS):
                yield from (replace(base, scope=vm.key, signal=signal) for signal in signals)
            elif loss.is_end:
                yield from self._describe_missing_rest(base, known)
            else:
                yield from (replace(base, signal=signal) for signal in signals)
        for form, lack in missing:
            of_list = LIST_SIGNALS.get(lack.member, ())
            told = next((each for part, each in LINK_SIGNALS.items() if part in lack.link.lower()), of_list)
            known = self.forms.get(form, self.signals) if form else told or self.signals or FALLBACK_SIGNALS
            yield from self._describe_missing_rest(self._make_incomplete_read(form, lack.reason), known)

    def find_complete_reads(
        self, cut: Collection[Signal], screened: ScreenedCoverage
    ) -> Iterator[items.CompleteRead | items.FeedCoverage]:
        """What the file covers, and what it is whole for: nothing of a signal that it lacks a part of.

        What records that were left out show is put to `screened`, for all files together, where the file is whole.
        """
        if RECORDING_FORM in self.forms:  # it says itself what it is whole for
            yield from self._list_coverage()
            return
        form = next(iter(self.forms), "")
        if not cut:
            screened.add_file(self.screened, form, self._first, self._last)
        coverage = self._list_coverage() if cut else self._coverage
        for one in coverage:
            is_cut = one.cut or one.signal in cut
            yield one if one.cut is is_cut else replace(one, cut=is_cut)
            if not is_cut and self._first is not None and self._last is not None:
                yield from make_complete_reads(one, form, self._first, self._last)
        read = partial(items.CompleteRead, form=form)
        for (vm, signal), (first, last) in self._measured_spans.items():
            if signal not in cut:
                yield read(signal=signal, scope=vm, first=first, last=last)

    def _list_coverage(self) -> Iterable[items.FeedCoverage]:
        """What was read, told by the rows and by records that were left out."""
        screened = (
            covers for each, scopes in self.screened.items() for scope in sorted(scopes) for covers in each(scope)
        )
        return dict.fromkeys((*self._coverage, *screened))

    def _describe_missing_rest(self, base: items.IncompleteRead, signals: Signals) -> Iterator[items.IncompleteRead]:
        """What may be missing behind the last row that came; of any time where the rows are in no order."""
        since = until = None
        if self._rows >= ORDERED_ROWS and self._is_ascending is not self._is_descending:
            since, until = (self._last, None) if self._is_ascending else (None, self._first)
        subject = next(iter(self._subjects)) if len(self._subjects) == 1 else ""
        for lack in (replace(base, signal=signal) for signal in signals):
            if since is until is None or (subject and not VM_ID.fullmatch(subject)):
                yield lack
            else:
                yield replace(lack, scope=subject or lack.scope, since=since, until=until)
                if subject:
                    # In order within one VM says nothing of the others that may follow.
                    yield replace(lack, unaffected_vm=subject)

    def _make_incomplete_read(self, form: str, reason: str) -> items.IncompleteRead:
        scope = ""
        if self.forms and self.forms.keys() <= SUBSCRIPTION_FORMS:
            ids = (*(one.scope for one in self._list_coverage()), *self._subjects)
            subscriptions = set(map(parse_subscription, ids))
            scope = subscriptions.pop() or "" if len(subscriptions) == 1 else ""
        return items.IncompleteRead(
            signal=Signal.ACTIVITY,
            scope=scope,
            form=form or next(iter(self.forms), ""),
            place=self.file,
            reason=reason,
            first=self._first,
            last=self._last,
        )

    def _register_row(self, subject: str, at: datetime) -> None:
        if self._newest is not None:
            self._is_ascending = self._is_ascending and at >= self._newest
            self._is_descending = self._is_descending and at <= self._newest
        self._newest = at
        self._rows += 1
        self._first = min(at, self._first or at)
        self._last = max(at, self._last or at)
        if len(self._subjects) < 2:  # noqa: PLR2004 - one or several
            self._subjects.add(subject)


class KindCount(Struct):
    """Something that could not be used, however many files or records: where first, and what to hand over instead."""

    first: str
    files: int = 0
    records: int = 0
    last: str = ""
    advice: str = ""

    @property
    def places(self) -> str:
        """The first file, and how many more."""
        more = self.files - 1
        return self.first if not more else f"{self.first} and {more} more file{'s'[: more > 1]}"


class KindCounter(dict[str, KindCount]):
    """What could not be used, by what is said of it."""

    def count_kind(self, place: str, kind: str, records: int = 1, advice: str = "") -> bool:
        """Count records of a file; whether it is the first time that this kind is met."""
        is_first = kind not in self and len(self) < KIND_LIMIT
        kind = kind if is_first or kind in self else OTHER_KINDS
        count = self.setdefault(kind, KindCount(place))
        count.files += place != count.last
        count.last, count.advice = place, advice
        count.records += records
        return is_first


def describe_kind(row: Row) -> str:
    """What a record calls itself, else what it is made of."""
    names = fold_column_names(row)
    for name in KIND_COLUMNS:
        said = to_text(row[names[name]]) if name in names else ""
        if said:
            return f"{name} {said[:LONGEST]!r}"
    return f"keys {', '.join(str(key)[:LONGEST] for key in list(row)[:SHOWN_KEYS])}"
