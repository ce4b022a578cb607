"""The lists and pages of one file, and which of them were cut; must not know what a row says."""

from dataclasses import dataclass, field

from vmdiag.completeness import Missing, find_reached_limit
from vmdiag.sources.files.memory_rows import ALL_RECORDS


@dataclass(slots=True)
class ListCounter:
    """Counts while the file is read; once it is finished, `missing` is what it lacks, each with its format."""

    missing: list[tuple[str, Missing]] = field(default_factory=list)
    _list: tuple[str, int] = ("", 0)
    _list_rows: int = 0
    _page_rows: int = 0
    _next_page: tuple[str, Missing] | None = None

    def count_row(self, form: str, listing: int) -> None:
        """A row of a list; rows that stand alone in the file count as one list."""
        if (form, listing) != self._list:
            self._finish_list()
            self._list = form, listing
        self._list_rows += 1
        if self._next_page is not None and self._next_page[0] in ("", form):
            self._next_page = None  # here is the page that the former one named

    def add_missing(self, lack: Missing) -> None:
        """A document ends that says that it is not whole, or that it holds all there is."""
        form = self._list[0] if lack.rows else ""
        self._page_rows += lack.rows
        if lack == ALL_RECORDS:
            self._list_rows = 0  # so many there are, whatever a tool's limit
        elif not lack.is_continued:
            self.missing.append((form, lack))
        elif lack.link or not 0 < lack.total <= self._page_rows:
            self._next_page = form, lack

    def finish_file(self) -> None:
        """The file ends."""
        self._finish_list()
        if self._next_page is not None:
            self.missing.append(self._next_page)
            self._next_page = None

    def _finish_list(self) -> None:
        """A list of exactly its tool's limit was probably cut."""
        if (lack := find_reached_limit(self._list[0], self._list_rows)) is not None:
            self.missing.append((self._list[0], lack))
        self._list_rows = 0
