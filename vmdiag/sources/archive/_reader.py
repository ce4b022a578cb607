"""Files into the store, row by row, and every fault named: what cannot be used once a kind, with a count."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import vmdiag.sources.formats
from vmdiag import plugins
from vmdiag.completeness import MalformedRow, Missing, Row
from vmdiag.errors import BadArchive
from vmdiag.model import Signal
from vmdiag.sources.archive._file_contents import (
    FALLBACK_SIGNALS,
    KIND_LIMIT,
    OTHER_KINDS,
    FileContents,
    KindCounter,
    LostRecord,
    describe_kind,
)
from vmdiag.sources.archive._files_together import SavedPages, ScreenedCoverage
from vmdiag.sources.archive._table_columns import TableColumns
from vmdiag.sources.archive._wrappers import unwrap_rows
from vmdiag.sources.decoding.fields import find_named_vm
from vmdiag.sources.decoding.timestamps import find_newest_time
from vmdiag.sources.files.input_files import POOL_SIZE, InputFile, iter_members
from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords
from vmdiag.sources.files.rows import read_rows
from vmdiag.sources.files.streams import TextStream
from vmdiag.sources.files.text_cursor import CUT_SHORT
from vmdiag.sources.formats import SCREENED_FORMS, InputFormat, recognises_row
from vmdiag.sources.items import FeedCoverage, IncompleteRead, ObservedTime
from vmdiag.sources.protocol import Scope, Watcher
from vmdiag.sources.store import ItemStore

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from vmdiag.sources.archive._range_pool import RangedFile, RangePool

# Faults of one file that wait until something in it is known.
WAITING_LIMIT = 10
# Less is read whole before it is told that most of it says nothing.
SCREENED_SIZE = 1 << 20
# Kinds of useless files that an error names.
NAMED_FILES_LIMIT = 10
# Of so many broken records of a file it is looked up what can still be read of them.
EXAMINED_LIMIT = 1_000


class ArchiveReader:
    """Reads places one after another and remembers which of them were of no use.

    For an archive that tells nothing: `newest_seen` is the newest time in a record that said nothing of a VM,
    `untimed_reason` why the last of those that could not be used was none.
    """

    def __init__(self, store: ItemStore, watcher: Watcher, scope: Scope) -> None:
        self.newest_seen: datetime | None = None
        self.untimed_reason = ""
        self._store = store
        self._watcher = watcher
        self._formats: Mapping[str, InputFormat] = plugins.load_all(vmdiag.sources.formats)
        self._utc_offset = scope.utc_offset
        self._processes = scope.processes
        self._screened_forms = () if scope.exact_scan else SCREENED_FORMS
        self._useless_files, self._unknown_records, self._faults = KindCounter(), KindCounter(), KindCounter()
        self._pages = SavedPages()
        self._screened = ScreenedCoverage()
        self._unfinished_pages: list[FileContents] = []
        self._done = 0
        self._total: int | None = None

    def read_files(self, found: Sequence[InputFile], begun: "RangePool | None" = None) -> None:
        """All files, that were perhaps begun; raises `BadArchive` when none of them is of a known format."""
        self._total = None if any(place.size is None for place in found) else sum(place.size or 0 for place in found)
        is_useful = False
        with begun or self._open_pool(found) as pool:
            for number, place in enumerate(found, 1):
                for tally, text, rows in self._open_texts(place, pool):
                    self._read_text(tally, text, rows)
                    is_useful |= tally.is_readable
                self._watcher.progress("files", number, len(found))
        for tally in self._unfinished_pages:
            self._store_read_outcomes(tally)
        for item in self._screened.list_reads():
            self._store.add_item(item)
        if not (is_useful or self._screened.silent_files):
            tried = f"Formats that were tried: {', '.join(sorted(self._formats))}."
            useless = [f"{one.places}: {why}" for why, one in self._useless_files.items()]
            advice = dict.fromkeys(one.advice for one in self._useless_files.values())
            hint = "" if "" in advice else "; ".join(advice)
            raise BadArchive("\n".join(useless[:NAMED_FILES_LIMIT]), hint or tried)
        for why, one in self._useless_files.items():
            self._watcher.warn(f"{one.places}: {why}{one.advice and f': {one.advice}'}; left out")
            more = f", and {one.files - 1} more" if one.files > 1 else ""
            self._store.add_fault(None, Signal.ACTIVITY, one.first, 0, f"left out: {why}{more}")
        for kind, one in self._unknown_records.items():
            told = f"{one.records} records in no known format"
            self._watcher.warn(f"{one.places}: {told} skipped ({kind})")
            self._store.add_fault(None, Signal.ACTIVITY, one.first, 0, f"{told} ({kind})")
        for reason, one in self._faults.items():
            if one.records > 1:
                self._watcher.warn(f"{one.places}: {one.records - 1} more like the first skipped: {reason}")

    def _open_pool(self, files: Sequence[InputFile]) -> "AbstractContextManager[RangePool | None]":
        """What reads files in ranges; in processes that read ahead, where that is worth their start."""
        known = sum(place.size or 0 for place in files)
        if self._total is not None and self._total < SCREENED_SIZE:
            self._screened_forms = ()
        if not self._screened_forms or not known:
            return nullcontext()
        from vmdiag.sources.archive._range_pool import RangePool

        return RangePool(files, self._screened_forms, self._processes if known >= POOL_SIZE else 1)

    def _open_texts(
        self, place: InputFile, pool: "RangePool | None"
    ) -> "Iterator[tuple[FileContents, TextStream | RangedFile, Iterable[RowResult]]]":
        """The texts in a file, each to be read before the next is opened."""
        ranged = pool.open_file(place, self._report_progress) if pool else None
        if ranged is not None:
            if form := self._screened.add_silent_file(ranged.silent_rows):
                self._pages.add_file(place.name, form, None)
                self._report_progress(place.size or 0)
            else:
                yield FileContents(place.name), ranged, ranged
            return
        try:
            file = place.open()
        except OSError as error:
            self._useless_files.count_kind(place.name, f"cannot be opened: {error.strerror or error}")
            return
        signals: dict[Signal, None] = {}
        with file:
            original = file if file.seekable() else None
            known = original if self._screened_forms else None
            stream = TextStream(file, self._report_progress, original=known, reads_ahead=self._processes > 1)
            for member in iter_members(place.name, stream, original):
                if member.damage:
                    # A container that ends early: what it lacks may be anything of what it holds.
                    self._useless_files.count_kind(member.name, member.damage)
                    for signal in tuple(signals) or FALLBACK_SIGNALS:
                        lack = IncompleteRead(signal=signal, scope="", form="", place=member.name, reason=member.damage)
                        self._store.add_item(lack)
                elif member.unsupported is not None:
                    refused = member.unsupported
                    self._useless_files.count_kind(member.name, refused.description, advice=refused.advice)
                elif member.stream is not None:
                    tally = FileContents(member.name)
                    screen = None
                    if self._screened_forms:
                        from vmdiag.sources.files.row_screen import make_screen

                        screen = make_screen(self._screened_forms)
                    yield tally, member.stream, read_rows(iter(member.stream), screen)
                    signals |= dict.fromkeys(tally.signals)

    def _report_progress(self, size: int) -> None:
        self._done += size
        self._watcher.progress("bytes", self._done, self._total)

    def _read_text(self, tally: FileContents, text: "TextStream | RangedFile", rows: Iterable[RowResult]) -> None:
        columns = TableColumns(unwrap_rows(rows), self._utc_offset)
        for line, row, listing in columns:
            if row is None:
                tally.empty_lists += 1
            elif isinstance(row, Missing):
                tally.lists.add_missing(row)
            elif isinstance(row, MalformedRow):
                self._add_fault(tally, line, row)
            elif isinstance(row, ScreenedRecords):
                self._add_screened(tally, row, listing)
            else:
                self._read_row(tally, line, row, listing)
        if text.damage:
            self._add_fault(tally, 0, MalformedRow(text.damage), is_end=True)
        for doubt in columns.doubts:
            self._watcher.warn(f"{tally.file}: {doubt}")
            for signal in tally.signals:
                self._store.add_fault(None, signal, tally.file, 0, doubt)
        self._finish_text(tally)

    def _finish_text(self, tally: FileContents) -> None:
        # What the file lacks is known at its end; of a page only when it was seen which others there are.
        tally.lists.finish_file()
        form, lack = next((one for one in tally.lists.missing if one[1].is_continued), (tally.last_format, None))
        self._pages.add_file(tally.file, form, lack)
        if lack is None:
            self._store_read_outcomes(tally)
        else:
            self._unfinished_pages.append(tally)
        if not tally.is_readable:
            self._useless_files.count_kind(tally.file, tally.useless_reason)
        if tally.known_rows:
            for kind, count in tally.unknown_kinds.items():
                self._unknown_records.count_kind(tally.file, kind, count)

    def _read_row(self, tally: FileContents, line: int, row: Row, listing: int) -> None:
        # Mostly the format that took the row before takes this one.
        name = tally.last_format
        if not name or not recognises_row(self._formats[name], row):
            name = next((each for each, one in self._formats.items() if each != name and recognises_row(one, row)), "")
        if not name:
            answer = _describe_error_answer(row)
            if answer:
                tally.error_text = answer
                self._add_fault(tally, line, MalformedRow(f"an error answer of Azure, not data: {answer}"))
            else:
                kind = describe_kind(row) if len(tally.unknown_kinds) < KIND_LIMIT else OTHER_KINDS
                tally.unknown_kinds[kind] += 1
            return
        self._add_known_rows(tally, name, listing)
        try:
            for item in self._formats[name].decode_row(row, f"{tally.file}:{line}"):
                tally.add_item(item)
                if not isinstance(item, FeedCoverage):
                    self._store.add_item(item)
        except MalformedRow as fault:
            fault.part = row
            self._add_fault(tally, line, fault, name)
            self.untimed_reason = fault.reason
        if self._store.newest is None:
            self.newest_seen = max(filter(None, (self.newest_seen, find_newest_time(row))), default=None)

    def _add_screened(self, tally: FileContents, found: ScreenedRecords, listing: int) -> None:
        if found.count:
            self._add_known_rows(tally, found.form, listing, found.count)
        tally.screened[found.list_coverage].update(found.scopes)
        if found.newest is not None:
            self._store.add_item(ObservedTime(found.newest))

    def _add_known_rows(self, tally: FileContents, form: str, listing: int, count: int = 1) -> None:
        tally.known_rows += count
        tally.last_format = form
        tally.forms.setdefault(form, self._formats[form].SIGNALS)
        while tally.waiting_faults:
            self._warn_fault(tally, tally.waiting_faults.pop(0))
        tally.lists.count_row(form, listing, count)

    def _add_fault(
        self, tally: FileContents, line: int, fault: MalformedRow, name: str = "", *, is_end: bool = False
    ) -> None:
        tally.fault_count += 1
        part, is_end = fault.part, is_end or fault.reason == CUT_SHORT
        if part is not None and not name and tally.fault_count <= EXAMINED_LIMIT:
            # Half a record may look like one of another format: what the file holds goes before.
            likely = tally.forms or self._formats
            name = next((each for each in likely if recognises_row(self._formats[each], part)), "")
        signals = None
        if name:
            one = self._formats[name]
            tally.forms.setdefault(name, one.SIGNALS)
            fault.vm = fault.vm or find_named_vm(part)
            if not self._store.register_vm_scope(fault.vm):
                fault.vm = None
            narrow: Callable[[Row], tuple[Signal, ...]] | None = getattr(one, "identify_signals", None)
            signals = one.SIGNALS if narrow is None else narrow(part or {})
        fault.part = None
        loss = LostRecord(line, fault, name, signals, is_end)
        if fault.is_record:
            tally.add_lost_record(loss)
        if tally.known_rows:
            self._warn_fault(tally, loss)
        elif len(tally.waiting_faults) < WAITING_LIMIT:
            tally.waiting_faults.append(loss)

    def _warn_fault(self, tally: FileContents, loss: LostRecord) -> None:
        where = f"{tally.file}, line {loss.line}" if loss.line else tally.file
        if self._faults.count_kind(tally.file, loss.fault.reason):
            self._watcher.warn(f"{where}: {loss.fault.reason}; skipped")

    def _store_read_outcomes(self, tally: FileContents) -> None:
        missing = [
            (form, lack)
            for form, lack in tally.lists.missing
            if not (lack.is_continued and self._pages.has_following_pages(tally.file, form, lack))
        ]
        for _, lack in missing:
            self._watcher.warn(f"{tally.file}: {lack.reason}; what is missing counts as not read")
        lacks = list(tally.find_incomplete_reads(missing))
        for item in (*lacks, *tally.find_complete_reads({lack.signal for lack in lacks}, self._screened)):
            self._store.add_item(item)


def _describe_error_answer(row: Row) -> str:
    """What a failed command wrote where data was expected: `{"error": {...}}`, or `code` and `message` alone."""
    body = row.get("error") if isinstance(row.get("error"), dict) else row
    if not isinstance(body, dict):
        return ""
    words = {str(key).lower(): value for key, value in body.items()}
    code, message = words.get("code"), words.get("message")
    if not (isinstance(code, str) and isinstance(message, str)) or (body is row and len(row) > 3):  # noqa: PLR2004
        return ""
    return f"{code}: {message}"[:500]
