"""What one text of an archive turned out to hold, and why it was of no use where it was; must not read it."""

from collections import Counter
from dataclasses import dataclass, field

from vmdiag.sources.archive._file_extent import FileExtent, LostRecord
from vmdiag.sources.archive._unusable_records import KIND_LIMIT, OTHER_KINDS, describe_kind
from vmdiag.sources.files.memory_rows import ListCounter
from vmdiag.sources.items import Row


@dataclass(slots=True)
class FileContents:
    """Grows while a text is read."""

    file: str
    extent: FileExtent
    lists: ListCounter = field(default_factory=ListCounter)
    known_rows: int = 0
    unknown_rows: int = 0
    empty_lists: int = 0
    fault_count: int = 0
    error_text: str = ""
    last_format: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    # Faults wait until something in the file is known: of a foreign file one word is enough.
    waiting_faults: list[LostRecord] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether anything in it is of a known format, or it is an export with nothing in it."""
        broken = self.unknown_rows or self.fault_count or self.lists.missing
        return self.known_rows > 0 or (self.empty_lists > 0 and not broken)

    @property
    def useless_reason(self) -> str:
        """Why a text that is not readable was of no use."""
        if self.error_text:
            return f"an error answer of Azure, not data: {self.error_text}"
        if self.lists.missing and not (self.unknown_rows or self.fault_count):
            return f"no record in it: {self.lists.missing[0][1].reason}"
        if not (self.unknown_rows or self.fault_count):
            return "empty"
        first = self.waiting_faults[0].fault.reason if self.waiting_faults else next(iter(self.kinds))
        return f"in no known format ({first})"

    def add_unknown_row(self, row: Row) -> None:
        """A record in no known format."""
        self.unknown_rows += 1
        self.kinds[describe_kind(row) if len(self.kinds) < KIND_LIMIT else OTHER_KINDS] += 1


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
