"""Pages of one answer that were saved a file each."""

import re
from dataclasses import dataclass, field

from vmdiag.completeness import Missing

# A page does not say its own address, so only names tell: `log-1.json` is followed by `log-2.json`, `page.json` by
# `page2.json`, where both are of one format. Without such a file the next page was not saved.
PAGE_NUMBER = re.compile(r"\d+(?=\D*$)")
PACKED_SUFFIX = re.compile(r"\.(?:gz|zstd?)$", re.IGNORECASE)

PageKey = tuple[str, str]


@dataclass(slots=True)
class SavedPages:
    """Pages that were saved a file each: once every file was added it can be told whether the next one is there."""

    _files: dict[tuple[PageKey, int], Missing | None] = field(default_factory=dict)

    def add_file(self, file: str, form: str, lack: Missing | None) -> None:
        """A file of a format, and what it says that comes after it."""
        self._files[_split_page_number(file, form)] = lack

    def has_following_pages(self, file: str, form: str, lack: Missing) -> bool:
        """Whether the next page, or all the records that a page counts, stand in files of the same name."""
        key, number = _split_page_number(file, form)
        if lack.link:
            return (key, number + 1) in self._files
        rows = lack.rows
        while (key, number - 1) in self._files:
            number -= 1
            before = self._files[key, number]
            rows += before.rows if before is not None and before.total == lack.total else 0
        return rows >= lack.total > lack.rows


def _split_page_number(file: str, form: str) -> tuple[PageKey, int]:
    """The name without its number, and the number; a first page may have none."""
    folder, slash, name = PACKED_SUFFIX.sub("", file).rpartition("/")
    found = PAGE_NUMBER.search(name)
    start, end = found.span() if found else (len(name), len(name))
    return (f"{folder}{slash}{name[:start]}{name[end:]}", form), int(found[0]) if found else 1
