"""What could not be used, told once a kind with a count, however many files or records."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vmdiag.sources.decoding.fields import fold_column_names, to_text
from vmdiag.sources.items import Row

# Kinds that are told apart; a hostile archive may have as many as it has records.
KIND_LIMIT = 30
OTHER_KINDS = "of other kinds"
LONGEST = 60
SHOWN_KEYS = 4
KIND_COLUMNS = ("category", "type", "schemaid", "eventtype")


@dataclass(slots=True)
class _KindCount:
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


@dataclass(slots=True)
class UnusableRecords:
    """Counts files and records, by what is said of them."""

    files: dict[str, _KindCount] = field(default_factory=dict)
    records: dict[str, _KindCount] = field(default_factory=dict)
    repeats: dict[str, _KindCount] = field(default_factory=dict)

    def add_file(self, name: str, why: str, advice: str = "") -> None:
        """A file of no use, and what to hand over instead."""
        _count_kind(self.files, name, why).advice = advice

    @property
    def advice(self) -> str:
        """What to do about all files that were of no use, where that is known of every one."""
        told = dict.fromkeys(count.advice for count in self.files.values())
        return "" if "" in told else "; ".join(told)

    def add_unknown_records(self, name: str, kind: str, records: int) -> None:
        """Records in no known format, in a file that is of use."""
        _count_kind(self.records, name, kind, records)

    def add_fault(self, name: str, reason: str) -> bool:
        """A record that could not be used; whether this is the first time that this reason is met."""
        is_first = reason not in self.repeats and len(self.repeats) < KIND_LIMIT
        _count_kind(self.repeats, name, reason)
        return is_first

    def list_gap_reasons(self) -> Iterator[tuple[str, str]]:
        """The first file of each kind, and what a gap says of all of them."""
        for why, count in self.files.items():
            yield count.first, f"left out: {why}" + (f", and {count.files - 1} more" if count.files > 1 else "")
        for kind, count in self.records.items():
            yield count.first, f"{count.records} records in no known format ({kind})"

    def describe_files(self, *, with_advice: bool = False) -> Iterator[str]:
        """A sentence a kind of file."""
        for why, count in self.files.items():
            yield f"{count.places}: {why}" + (f": {count.advice}" if with_advice and count.advice else "")

    def describe_records(self) -> Iterator[str]:
        """A sentence a kind of record, and one for every fault that was met more than once."""
        for kind, count in self.records.items():
            yield f"{count.places}: {count.records} records in no known format skipped ({kind})"
        for reason, count in self.repeats.items():
            if count.records > 1:
                yield f"{count.places}: {count.records - 1} more like the first skipped: {reason}"


def describe_kind(row: Row) -> str:
    """What a record calls itself, else what it is made of."""
    names = fold_column_names(row)
    for name in KIND_COLUMNS:
        said = to_text(row[names[name]]) if name in names else ""
        if said:
            return f"{name} {said[:LONGEST]!r}"
    return f"keys {', '.join(str(key)[:LONGEST] for key in list(row)[:SHOWN_KEYS])}"


def describe_error_answer(row: Row) -> str:
    """What a failed command wrote where data was expected: `{"error": {...}}`, or `code` and `message` alone."""
    body = row.get("error") if isinstance(row.get("error"), dict) else row
    if not isinstance(body, dict):
        return ""
    words = {str(key).lower(): value for key, value in body.items()}
    code, message = words.get("code"), words.get("message")
    if not (isinstance(code, str) and isinstance(message, str)) or (body is row and len(row) > 3):  # noqa: PLR2004
        return ""
    return f"{code}: {message}"[:500]


def _count_kind(counts: dict[str, _KindCount], name: str, kind: str, records: int = 1) -> _KindCount:
    if kind not in counts and len(counts) >= KIND_LIMIT:
        kind = OTHER_KINDS
    count = counts.setdefault(kind, _KindCount(name))
    count.files += name != count.last
    count.last = name
    count.records += records
    return count
