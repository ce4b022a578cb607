"""The lists and pages of one file, and which of them were cut; must not know what a row says."""

from dataclasses import dataclass, field

from vmdiag.completeness import Missing, limit_reached
from vmdiag.sources.files.memory_rows import ALL


@dataclass(slots=True)
class Lists:
    """Counts while the file is read; `missing` are, once it `end`s, what it lacks, each with the format it is of."""

    missing: list[tuple[str, Missing]] = field(default_factory=list)
    _list: tuple[str, int] = ("", 0)
    _listed: int = 0
    _paged: int = 0
    _next: tuple[str, Missing] | None = None

    def count(self, form: str, listing: int) -> None:
        """A row of a list; rows that stand alone in the file count as one list."""
        if (form, listing) != self._list:
            self._end_list()
            self._list = form, listing
        self._listed += 1
        if self._next is not None and self._next[0] in ("", form):
            self._next = None  # here is the page that the former one named

    def lack(self, lack: Missing) -> None:
        """A document ends that says that it is not whole, or that it holds all there is."""
        form = self._list[0] if lack.rows else ""
        self._paged += lack.rows
        if lack == ALL:
            self._listed = 0  # so many there are, whatever a tool's limit
        elif not lack.is_continued:
            self.missing.append((form, lack))
        elif lack.link or not 0 < lack.total <= self._paged:
            self._next = form, lack

    def end(self) -> None:
        """The file ends."""
        self._end_list()
        if self._next is not None:
            self.missing.append(self._next)
            self._next = None

    def _end_list(self) -> None:
        """A list of exactly its tool's limit was probably cut."""
        if (lack := limit_reached(self._list[0], self._listed)) is not None:
            self.missing.append((self._list[0], lack))
        self._listed = 0
