"""One column of numbers written as texts: what its commas and points mean, as its own cells tell.

Source: "Unicode CLDR: number symbols". A group of thousands has three digits; so what has another length is decimals,
and what comes twice is none.
"""

import re
from collections.abc import Iterator

LONGEST = 60  # characters: nothing longer is a number
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
        if not (
            AMBIGUOUS_NUMBER.fullmatch(written)
            or DECIMAL_NUMBER.fullmatch(written)
            or GROUPED_NUMBER.fullmatch(written)
        ):
            return cell
        other = "," if self.decimal == "." else "."
        plain = written.replace(other, "") if _is_thousands_mark(written, other) else written
        return plain.replace(self.decimal, ".")


def _remove_group_blanks(cell: str) -> str:
    """The cell without the blanks and marks that can only be between thousands."""
    return GROUP_BLANK.sub("", cell.strip())


def _is_thousands_mark(written: str, mark: str) -> bool:
    """Whether the mark stands only where thousands are separated; else the cell contradicts its column."""
    whole, *groups = written.lstrip("+-").split(mark)
    return 0 < len(whole) <= 3 and all(re.match(r"[0-9]{3}(?:[.,]|\Z)", group) for group in groups)  # noqa: PLR2004
