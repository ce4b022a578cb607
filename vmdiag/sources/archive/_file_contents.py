"""What one text of an archive turned out to hold, and why it was of no use where it was; must not read it."""

from collections import Counter
from dataclasses import dataclass, field

from vmdiag.sources.archive._unusable_records import MOST_KINDS, OTHER, kind_of
from vmdiag.sources.decoding.extent import Extent, Loss
from vmdiag.sources.files.lists import Lists
from vmdiag.sources.items import Row


@dataclass(slots=True)
class Tally:
    """Grows while a text is read."""

    file: str
    extent: Extent
    lists: Lists = field(default_factory=Lists)
    known: int = 0
    unknown: int = 0
    empty: int = 0
    faults: int = 0
    answer: str = ""
    last: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    # Faults wait until something in the file is known: of a foreign file one word is enough.
    waiting: list[Loss] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether anything in it is of a known format, or it is an export with nothing in it."""
        broken = self.unknown or self.faults or self.lists.missing
        return self.known > 0 or (self.empty > 0 and not broken)

    @property
    def why_useless(self) -> str:
        """Why a text that is not readable was of no use."""
        if self.answer:
            return f"an error answer of Azure, not data: {self.answer}"
        if self.lists.missing and not (self.unknown or self.faults):
            return f"no record in it: {self.lists.missing[0][1].reason}"
        if not (self.unknown or self.faults):
            return "empty"
        first = self.waiting[0].fault.reason if self.waiting else next(iter(self.kinds))
        return f"in no known format ({first})"

    def pass_over(self, row: Row) -> None:
        """A record in no known format."""
        self.unknown += 1
        self.kinds[kind_of(row) if len(self.kinds) < MOST_KINDS else OTHER] += 1


def error_answer(row: Row) -> str:
    """What a failed command wrote where data was expected: `{"error": {...}}`, or `code` and `message` alone."""
    body = row.get("error") if isinstance(row.get("error"), dict) else row
    if not isinstance(body, dict):
        return ""
    words = {str(key).lower(): value for key, value in body.items()}
    code, message = words.get("code"), words.get("message")
    if not (isinstance(code, str) and isinstance(message, str)) or (body is row and len(row) > 3):  # noqa: PLR2004
        return ""
    return f"{code}: {message}"[:500]
