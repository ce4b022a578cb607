"""What one file holds of feeds, VMs and time, and from it what it lacks where it is not whole; must not read it.

The end of what came is never the end of what there is: where the rows of a file are not visibly in order of time, the
missing ones may be of any time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from vmdiag.completeness import Missing
from vmdiag.identity import VM_ID, VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.resource_ids import subscription
from vmdiag.sources.items import Covers, Heard, Item, Lack, Malformed, Nearby, Regional, Row, Sampled, Whole

# So many rows in order of time are no accident.
ORDERED = 20
# One answer of these is of one subscription; where a file shows one alone, what it lacks concerns no other.
OF_A_SUBSCRIPTION = frozenset(
    {"activity-log", "exported-records", "powershell-activity-log", "resource-health", "service-events"}
)
# A record of these is all that there is of its VM and signal: one that is lost says nothing of the others.
RECORDING = "transcripts"
OF_A_VM = frozenset({"metrics", "powershell-metrics", RECORDING})
# An answer without rows tells by its link, or by the list that it lacks, of which feed it was.
BY_LINK = {
    "microsoft.insights/eventtypes": (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE),
    "microsoft.insights/metrics": (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK),
    "microsoft.resourcehealth/availabilitystatuses": (Signal.HEALTH,),
    "microsoft.resourcehealth/events": (Signal.SERVICE,),
}
BY_LIST = {"data": (Signal.HEALTH,), "tables": (Signal.HEARTBEAT,)}
LISTS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)

Signals = tuple[Signal, ...]
Times = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Loss:
    """A record that cannot be used: of which VM and signals, where that can be told; `is_end` where the file ends."""

    line: int
    fault: Malformed
    form: str = ""
    signals: Signals | None = None
    is_end: bool = False


@dataclass(slots=True)
class Extent:
    """Grows with the items of a file; `forms` are the formats that were met, with the signals that each carries."""

    file: str
    forms: dict[str, Signals] = field(default_factory=dict)
    covers: dict[Covers, None] = field(default_factory=dict)
    measured: dict[tuple[str, Signal], Times] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    rows: int = 0
    rises: bool = True
    falls: bool = True
    newest: datetime | None = None
    subjects: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)
    counts: dict[tuple[str, Signals | None, bool, str], int] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        """Note what a row said."""
        match item:
            case Covers():
                self.covers[item] = None
            case Heard(vm, record):
                self._note(vm.key, record.at, record.at)
            case Nearby(resource=resource, record=record) | Regional(resource, record):
                self._note(resource, record.at, record.at)
            case Sampled(vm=vm, signal=signal, times=times) if times:
                self._measure(vm.key, signal, times[0], times[-1])
            case _:
                pass

    def lose(self, loss: Loss) -> None:
        """Note a record that cannot be used; of many alike the first is kept and the rest is counted."""
        if loss.is_end and not loss.form and any(known.is_end and known.form for known in self.losses):
            return  # what is found inside a record that has no end belongs to it
        key = (loss.fault.vm.key if loss.fault.vm else "", loss.signals, loss.is_end, loss.form)
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] == 1:
            self.losses.append(loss)

    def lacks(self, missing: Iterable[tuple[str, Missing]]) -> Iterator[Lack]:
        """What is missing of which scope: for lost records, and for what the file says or shows of itself."""
        for loss in self.losses:
            key = (loss.fault.vm.key if loss.fault.vm else "", loss.signals, loss.is_end, loss.form)
            yield from self._lost(loss, self.counts[key])
        for form, lack in missing:
            known = self._signals(form) if form else _signals_of(lack, self._signals(""))
            yield from self._ended(self._lack(form, lack.reason), known)

    def whole(self, cut: Iterable[Signal]) -> Iterator[Whole | Covers]:
        """What the file covers, and what it is whole for: nothing of a signal that it lacks a part of."""
        halved = frozenset(cut)
        form = next(iter(self.forms), "")
        # A recording says itself what it is whole for.
        is_plain = RECORDING not in self.forms
        for covers in self.covers:
            is_cut = covers.cut or (covers.signal in halved and is_plain)
            yield replace(covers, cut=is_cut)
            if is_plain and not is_cut and not covers.partial and self.first is not None:
                first, last = self.first, self.last
                yield Whole(signal=covers.signal, scope=covers.scope, form=form, first=first, last=last)
        for (vm, signal), (first, last) in self.measured.items():
            if signal not in halved and is_plain:
                yield Whole(signal=signal, scope=vm, form=form, first=first, last=last)

    def _lost(self, loss: Loss, count: int) -> Iterator[Lack]:
        fault = loss.fault
        base = replace(self._lack(loss.form, fault.reason), is_record=True, line=loss.line, count=count)
        signals = self._signals(loss.form) if loss.signals is None else loss.signals
        if fault.vm is not None and (not loss.is_end or loss.form in OF_A_VM):
            yield from (replace(base, scope=fault.vm.key, signal=signal) for signal in signals)
        elif loss.is_end:
            yield from self._ended(base, self._signals(loss.form))
        else:
            yield from (replace(base, signal=signal) for signal in signals)

    def _ended(self, base: Lack, signals: Signals) -> Iterator[Lack]:
        """What may be missing behind the last row that came."""
        since, until = self._missing()
        subject = next(iter(self.subjects)) if len(self.subjects) == 1 else ""
        for signal in signals:
            if since is until is None:
                yield replace(base, signal=signal)
            elif not subject:
                yield replace(base, signal=signal, since=since, until=until)
            elif VM_ID.fullmatch(subject):
                # In order within one VM says nothing of the others that may follow.
                yield replace(base, signal=signal, scope=subject, since=since, until=until)
                yield replace(base, signal=signal, spared=subject)
            else:
                yield replace(base, signal=signal)

    def _missing(self) -> tuple[datetime | None, datetime | None]:
        """Which ends of the span bound what is missing; neither where the rows are in no order."""
        if self.rows < ORDERED or self.rises is self.falls:
            return None, None
        return (self.last, None) if self.rises else (None, self.first)

    def _lack(self, form: str, reason: str) -> Lack:
        return Lack(
            signal=Signal.ACTIVITY,
            scope=self._scope(),
            form=form or next(iter(self.forms), ""),
            place=self.file,
            reason=reason,
            first=self.first,
            last=self.last,
        )

    def _signals(self, form: str) -> Signals:
        if form in self.forms:
            return self.forms[form]
        return tuple(dict.fromkeys(signal for each in self.forms.values() for signal in each))

    def _scope(self) -> str:
        """The one subscription that the file tells of; empty where it may be any."""
        if not self.forms or not self.forms.keys() <= OF_A_SUBSCRIPTION:
            return ""
        found = {subscription(each) for each in (*(covers.scope for covers in self.covers), *self.subjects)}
        return found.pop() or "" if len(found) == 1 else ""

    def _note(self, subject: str, first: datetime, last: datetime) -> None:
        if self.newest is not None:
            self.rises = self.rises and first >= self.newest
            self.falls = self.falls and first <= self.newest
        self.newest = last
        self.rows += 1
        self.first = first if self.first is None else min(first, self.first)
        self.last = last if self.last is None else max(last, self.last)
        if len(self.subjects) < 2:  # noqa: PLR2004 - one or several
            self.subjects.add(subject)

    def _measure(self, vm: str, signal: Signal, first: datetime, last: datetime) -> None:
        known = self.measured.get((vm, signal), (first, last))
        self.measured[vm, signal] = min(first, known[0]), max(last, known[1])
        if first == last:
            self._note(vm, first, last)
        else:
            self.rises = self.falls = False


def vm_named(row: Row | None) -> VmId | None:
    """The one VM that a record names in the ids among its members; `None` for several, and for none."""
    texts = _texts(row or {}, 2)
    found = {vm.key: vm for text in texts if text[:40].lower().find("subscriptions/") in (0, 1) and (vm := _vm(text))}
    return next(iter(found.values())) if len(found) == 1 else None


def _vm(text: str) -> VmId | None:
    return VmId.parse(text if text.startswith("/") else f"/{text}")


def _texts(row: Mapping[str, object], depth: int) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict) and depth:
            yield from _texts(value, depth - 1)


def _signals_of(lack: Missing, others: Signals) -> Signals:
    """Of an answer without a row: what its link or its list tells, else what the rest of the file is of."""
    link = lack.link.lower()
    found = next((known for part, known in BY_LINK.items() if part in link), BY_LIST.get(lack.member, ()))
    return found or others or LISTS
