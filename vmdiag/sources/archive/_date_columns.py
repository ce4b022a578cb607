"""One column of dates: whether its day or its month comes first, as its own cells tell; must not know what it dates."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from vmdiag.sources.decoding.timestamps import NumericDate, parse_numeric_date

LONGEST = 60
# The wrong order makes months of days: it spreads the same rows over at least so much more time.
CLOSER_FACTOR = 2
ORDER_SPREAD = timedelta(days=20)

_Span = tuple[datetime, datetime]


class DateColumn:
    """Looks at cells until the order is known, and reads them in it."""

    def __init__(self, name: str) -> None:
        self.month_first: bool | None = None
        self._name = name
        self._sample: NumericDate | None = None
        self._written = ""
        self._spans: dict[bool, _Span] = {}

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
            self._widen_span(_parse_iso(cell))
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
        nearer = self._choose_closer_order()
        self.month_first = self._sample.usual_month_first if nearer is None else nearer
        yield (
            f"column {self._name[:LONGEST]!r} writes dates such as {self._written[:LONGEST]}, and none of them tells"
            " whether the day or the month comes first;"
            f" read {'month' if self.month_first else 'day'} first"
            f"{'' if nearer is None else ', for so its rows lie nearest to one another'}:"
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

    def _choose_closer_order(self) -> bool | None:
        (low, high), (other_low, other_high) = self._spans[True], self._spans[False]
        month, day = high - low, other_high - other_low
        if abs(month - day) < ORDER_SPREAD or max(month, day) < CLOSER_FACTOR * min(month, day):
            return None
        return month < day


def _resolve_date(date: NumericDate, *, month_first: bool | None = None) -> datetime | None:
    try:
        return date.to_datetime(month_first=month_first)
    except (ValueError, OverflowError):
        return None


def _parse_iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None
