"""What files tell only together: whether a page's next one was saved beside it, and what was left out of them all."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from vmdiag.completeness import Missing, find_reached_limit
from vmdiag.sources import items
from vmdiag.sources.files.memory_rows import ScreenedRecords
from vmdiag.values import Struct, field

# A page does not say its own address, so only names tell: `log-1.json` is followed by `log-2.json`, `page.json` by
# `page2.json`, where both are of one format. Without such a file the next page was not saved.
PAGE_NUMBER = re.compile(r"\d+(?=\D*$)")
PACKED_SUFFIX = re.compile(r"\.(?:gz|zstd?)$", re.IGNORECASE)

PageKey = tuple[str, str]
ListCoverage = Callable[[str], tuple[items.FeedCoverage, ...]]
ScreenedScopes = defaultdict[ListCoverage, set[str]]
Times = tuple[datetime, datetime]


class SavedPages(Struct):
    """Pages that were saved a file each: once every file was added it can be told whether the next one is there."""

    _files: dict[tuple[PageKey, int], Missing | None] = field(default_factory=dict)
    # Names are taken apart only where a page asks for the next.
    _added: list[tuple[str, str, Missing | None]] = field(default_factory=list)

    def add_file(self, file: str, form: str, lack: Missing | None) -> None:
        """A file of a format, and what it says that comes after it."""
        self._added.append((file, form, lack))

    def has_following_pages(self, file: str, form: str, lack: Missing) -> bool:
        """Whether the next page, or all the records that a page counts, stand in files of the same name."""
        self._files |= {_split_page_number(name, of): says for name, of, says in self._added}
        self._added.clear()
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


class ScreenedCoverage(Struct):
    """What records that were left out show to be read, in all files that are whole.

    Little is said of each, and there are millions.
    """

    silent_files: int = 0
    _newest: datetime | None = None
    _scopes: ScreenedScopes = field(default_factory=partial(defaultdict, set))
    # Of several files' spans the longest is kept, as the store does.
    _spans: dict[tuple[ListCoverage, str], dict[str, Times]] = field(default_factory=dict)

    def add_file(self, screened: ScreenedScopes, form: str, first: datetime | None, last: datetime | None) -> None:
        """The scopes of a file, and the span of its rows if it has any."""
        for list_coverage, scopes in screened.items():
            self._scopes[list_coverage] |= scopes
            if first is not None and last is not None:
                spans = self._spans.setdefault((list_coverage, form), {})
                for scope in scopes:
                    former = spans.get(scope)
                    if former is None or former[1] - former[0] < last - first:
                        spans[scope] = first, last

    def add_silent_file(self, rows: Sequence[ScreenedRecords]) -> str:
        """What a file shows of which all was left out; its form, or none where there is more to be said of it."""
        forms, count = {row.form for row in rows if row.count}, sum(row.count for row in rows)
        if len(forms) != 1 or find_reached_limit(form := forms.pop(), count) is not None:
            return ""
        for row in rows:
            self._scopes[row.list_coverage].update(row.scopes)
            self._newest = max(filter(None, (self._newest, row.newest)), default=None)
        self.silent_files += 1
        return form

    def list_reads(self) -> Iterator[items.CompleteRead | items.FeedCoverage | items.ObservedTime]:
        """What was read, and what it was whole for."""
        if self._newest is not None:
            yield items.ObservedTime(self._newest)
        for list_coverage, scopes in self._scopes.items():
            for scope in sorted(scopes):
                yield from list_coverage(scope)
        for (list_coverage, form), spans in self._spans.items():
            for scope, span in sorted(spans.items()):
                for covers in list_coverage(scope):
                    yield from make_complete_reads(covers, form, *span)


def make_complete_reads(
    covers: items.FeedCoverage, form: str, first: datetime, last: datetime
) -> Iterator[items.CompleteRead]:
    """For what a file is whole that covers this, over the span of its rows."""
    if not covers.partial:
        yield items.CompleteRead(signal=covers.signal, scope=covers.scope, form=form, first=first, last=last)
