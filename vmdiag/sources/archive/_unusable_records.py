"""What could not be used, told once a kind with a count, however many files or records; must not know a format."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vmdiag.sources.decoding.fields import columns, text
from vmdiag.sources.items import Row

# Kinds that are told apart; a hostile archive may have as many as it has records.
MOST_KINDS = 30
OTHER = "of other kinds"
LONGEST = 60
SHOWN_KEYS = 4
NAMED_BY = ("category", "type", "schemaid", "eventtype")


@dataclass(slots=True)
class _Count:
    first: str
    files: int = 0
    records: int = 0
    last: str = ""
    instead: str = ""


@dataclass(slots=True)
class LeftOut:
    """Counts files and records, by what is said of them."""

    files: dict[str, _Count] = field(default_factory=dict)
    records: dict[str, _Count] = field(default_factory=dict)
    repeats: dict[str, _Count] = field(default_factory=dict)

    def file(self, name: str, why: str, instead: str = "") -> None:
        """A file of no use, and what to hand over instead."""
        _count(self.files, name, why).instead = instead

    @property
    def instead(self) -> str:
        """What to do about all files that were of no use, where that is known of every one."""
        told = dict.fromkeys(count.instead for count in self.files.values())
        return "" if "" in told else "; ".join(told)

    def unknown(self, name: str, kind: str, records: int) -> None:
        """Records in no known format, in a file that is of use."""
        _count(self.records, name, kind, records)

    def fault(self, name: str, reason: str) -> bool:
        """A record that could not be used; whether this is the first time that this reason is met."""
        is_first = reason not in self.repeats and len(self.repeats) < MOST_KINDS
        _count(self.repeats, name, reason)
        return is_first

    def faults(self) -> Iterator[tuple[str, str]]:
        """The first file of each kind, and what a gap says of all of them."""
        for why, count in self.files.items():
            yield count.first, f"left out: {why}" + (f", and {count.files - 1} more" if count.files > 1 else "")
        for kind, count in self.records.items():
            yield count.first, f"{count.records} records in no known format ({kind})"

    def files_told(self, *, with_instead: bool = False) -> Iterator[str]:
        """A sentence a kind of file."""
        for why, count in self.files.items():
            yield f"{_where(count)}: {why}" + (f": {count.instead}" if with_instead and count.instead else "")

    def records_told(self) -> Iterator[str]:
        """A sentence a kind of record, and one for every fault that was met more than once."""
        for kind, count in self.records.items():
            yield f"{_where(count)}: {count.records} records in no known format skipped ({kind})"
        for reason, count in self.repeats.items():
            if count.records > 1:
                yield f"{_where(count)}: {count.records - 1} more like the first skipped: {reason}"


def kind_of(row: Row) -> str:
    """What a record calls itself, else what it is made of."""
    names = columns(row)
    for name in NAMED_BY:
        said = text(row[names[name]]) if name in names else ""
        if said:
            return f"{name} {said[:LONGEST]!r}"
    return f"keys {', '.join(str(key)[:LONGEST] for key in list(row)[:SHOWN_KEYS])}"


def _where(count: _Count) -> str:
    more = count.files - 1
    return count.first if not more else f"{count.first} and {more} more file{'s'[: more > 1]}"


def _count(counts: dict[str, _Count], name: str, kind: str, records: int = 1) -> _Count:
    if kind not in counts and len(counts) >= MOST_KINDS:
        kind = OTHER
    count = counts.setdefault(kind, _Count(name))
    count.files += name != count.last
    count.last = name
    count.records += records
    return count
