"""How one column writes its dates and numbers, as its own cells tell: which comes first, what commas and points are.

Source: "Unicode CLDR: number symbols". A group of thousands has three digits; so what has another length is decimals,
and what comes twice is none.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from vmdiag.sources.decoding.timestamps import NumericDate, parse_numeric_date

LONGEST = 60  # characters: no number is longer, and no date or name is shown longer
# The wrong order makes months of days: it spreads the same rows over at least so much more time.
CLOSER_FACTOR = 2
ORDER_SPREAD = timedelta(days=20)
GROUP_MARKS = "[ '\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{RIGHT SINGLE QUOTATION MARK}]"
GROUP_BLANK = re.compile(rf"(?<=[0-9]){GROUP_MARKS}(?=[0-9]{{3}}(?![0-9]))")
PLAIN_INTEGER = re.compile(r"[+-]?[0-9]+")
# One mark, and three digits behind it: thousands, or three decimals.
AMBIGUOUS_NUMBER = re.compile(r"[+-]?[1-9][0-9]{0,2}([.,])[0-9]{3}")
# Decimals for certain: behind the mark not three digits, or before it more than a group, or zero.
DECIMAL_NUMBER = re.compile(
    r"[+-]?(?:[0-9]*([.,])(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,})([.,])[0-9]{3})(?:[eE][+-]?[0-9]+)?"
)
# Thousands for certain: two groups of them, or one and decimals behind another mark.
GROUPED_NUMBER = re.compile(
    r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:(?:\1[0-9]{3})+(?:(?!\1)[.,][0-9]+)?|(?!\1)[.,][0-9]+)"
)
ABSENT_VALUES = frozenset({"", "-", "nan", "null", "none", "n/a", "na", "nil", "undefined"})


Span = tuple[datetime, datetime]


class DateColumn:
    """Looks at cells until the order is known, and reads them in it."""

    def __init__(self, name: str) -> None:
        self.month_first: bool | None = None
        self._name = name
        self._sample: NumericDate | None = None
        self._written = ""
        self._spans: dict[bool, Span] = {}

    @property
    def is_in_doubt(self) -> bool:
        """Whether a cell was met that can be read in two ways, and none that tells in which."""
        return self.month_first is None and self._sample is not None

    def learn_from_cell(self, cell: str) -> None:
        """Learn from a cell what can be learnt."""
        if self.month_first is not None:
            return
        date = parse_numeric_date(cell.strip())
        if date is None:
            with suppress(ValueError):
                self._widen_span(datetime.fromisoformat(cell))
        elif date.month_first is None:
            if date.first != date.second and self._sample is None:
                self._sample, self._written = date, cell.strip()
            for order in (True, False):
                self._widen_span(_resolve_date(date, month_first=order), order)
        elif date.has_either_order:
            self.month_first = date.month_first
        else:
            self._widen_span(_resolve_date(date))  # its order says nothing of the others'

    def decide_meaning(self) -> Iterator[str]:
        """All cells were seen: decide, and say what was decided where no cell did."""
        if self.month_first is not None or self._sample is None:
            return
        (low, high), (other_low, other_high) = self._spans[True], self._spans[False]
        month, day = high - low, other_high - other_low
        is_nearer = abs(month - day) >= ORDER_SPREAD and max(month, day) >= CLOSER_FACTOR * min(month, day)
        self.month_first = month < day if is_nearer else self._sample.usual_month_first
        yield (
            f"column {self._name[:LONGEST]!r} writes dates such as {self._written[:LONGEST]}, and none of them tells"
            " whether the day or the month comes first;"
            f" read {'month' if self.month_first else 'day'} first"
            f"{', for so its rows lie nearest to one another' if is_nearer else ''}:"
            " export it with ISO 8601 times if that is wrong"
        )

    def parse_cell(self, written: str) -> datetime | str | None:
        """The time of a cell; as a text that is none where it contradicts the column; `None` for another form."""
        date = parse_numeric_date(written)
        if date is None:
            return None
        if (
            date.has_either_order
            and None not in (date.month_first, self.month_first)
            and date.month_first != self.month_first
        ):
            return f"{written}: not in the order of its column"
        return _resolve_date(date, month_first=self.month_first if date.has_either_order else None) or written

    def _widen_span(self, at: datetime | None, order: bool | None = None) -> None:  # noqa: FBT001 - an order is one of two
        if at is None:
            return
        plain = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        for each in (True, False) if order is None else (order,):
            low, high = self._spans.get(each, (plain, plain))
            self._spans[each] = min(low, plain), max(high, plain)


def _resolve_date(date: NumericDate, *, month_first: bool | None = None) -> datetime | None:
    try:
        return date.to_datetime(month_first=month_first)
    except (ValueError, OverflowError):
        return None


class NumberColumn:
    """Looks at cells until its decimal mark is known, and writes them as a program reads them."""

    def __init__(self, name: str) -> None:
        self.decimal = ""
        self._name = name
        self._sample = ""
        self._comma_sample = ""

    @property
    def is_in_doubt(self) -> bool:
        """Whether a cell was met that can be read in two ways, and none that tells in which."""
        return not self.decimal and bool(self._sample)

    def learn_from_cell(self, cell: str) -> None:
        """Learn from a cell what can be learnt."""
        if self.decimal or len(cell) > LONGEST:
            return
        written = _remove_group_blanks(cell)
        if found := DECIMAL_NUMBER.fullmatch(written):
            self.decimal = found[1] or found[2]
        elif found := GROUPED_NUMBER.fullmatch(written):
            self.decimal = "." if found[1] == "," else ","
        elif found := AMBIGUOUS_NUMBER.fullmatch(written):
            self._sample = self._sample or written
            if found[1] == ",":
                self._comma_sample = self._comma_sample or written

    def decide_meaning(self) -> Iterator[str]:
        """All cells were seen: a point alone is a decimal point; of a comma alone nothing can be said."""
        if self.decimal:
            return
        if self._comma_sample:
            yield (
                f"column {self._name[:LONGEST]!r} writes numbers such as {self._comma_sample[:LONGEST]}, and none of"
                " them tells whether the comma separates decimals or thousands: they are not read;"
                " export it without thousands separators"
            )
        else:
            self.decimal = "."

    def normalise_cell(self, cell: str) -> str:
        """The cell as a program writes numbers; as it was where it is none, or cannot be told."""
        if len(cell) > LONGEST:
            return cell
        if cell.strip().lower() in ABSENT_VALUES:
            return ""
        written = _remove_group_blanks(cell)
        if not self.decimal or PLAIN_INTEGER.fullmatch(written):
            return written
        if not any(form.fullmatch(written) for form in (DECIMAL_NUMBER, AMBIGUOUS_NUMBER, GROUPED_NUMBER)):
            return cell
        other = "," if self.decimal == "." else "."
        whole, *groups = written.lstrip("+-").split(other)
        # A mark that does not only stand where thousands are separated contradicts the column.
        if 0 < len(whole) <= 3 and all(re.match(r"[0-9]{3}(?:[.,]|\Z)", group) for group in groups):  # noqa: PLR2004
            written = written.replace(other, "")
        return written.replace(self.decimal, ".")


def _remove_group_blanks(cell: str) -> str:
    return GROUP_BLANK.sub("", cell.strip())
