"""Asks tables and keeps what they say; an answer that is not whole is asked for again in smaller parts.

Limits of the services: 500,000 rows and 64 MB an answer, ten minutes a query, beyond which Log Analytics answers 504
("Azure Monitor service limits: Log queries and language", "Query limits" of Azure Data Explorer).
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from vmdiag import plugins
from vmdiag.arm.error_translation import AnswerTooLarge, is_unknown_table
from vmdiag.arm.request import Request, get_members
from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Missing, Row, find_missing_list, find_missing_part
from vmdiag.errors import BadAnswer, NotUnderstood, SourceError
from vmdiag.model import Signal, Window
from vmdiag.sources import formats, items
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import find_named_vm
from vmdiag.sources.decoding.kusto_frames import NO_END, FrameReader
from vmdiag.sources.formats import InputFormat, recognises_row
from vmdiag.sources.kusto._table_query import TableQuery
from vmdiag.sources.protocol import Watcher
from vmdiag.sources.store import ItemStore
from vmdiag.values import Struct, field, replace

ROW_LIMIT = 500_000
SHORTEST_PART = timedelta(hours=1)  # less time is not halved any more: what is still cut then is a gap
# Rows of one answer that cannot be used and are told one by one; the gap counts them all.
WARNING_LIMIT = 3
TOO_MANY_ROWS = f"it holds {ROW_LIMIT:,} rows, where a query stops: it was probably cut"

Rows = list[Row | MalformedRow]


class AnsweredPart(Struct, frozen=True, kw_only=True):
    """The rows of one part of a span, and why they are not all."""

    part: Window
    rows: Rows
    lack: Missing | None = None


class AnswerReader(Struct):
    """Reads tables into a store.

    `build_request` makes a request of what is read, in words, and of a query; `list_member` is where its answers have
    their rows, empty where they are frames. `failures` are the tables that were not answered, or not to the end;
    `cut_queries` those of which something is missing. `includes_now` says whether a state of now belongs to the window.
    """

    session: Session
    store: ItemStore
    watcher: Watcher
    build_request: Callable[[str, str], Request]
    list_member: str
    includes_now: bool = True
    failures: dict[TableQuery, SourceError] = field(default_factory=dict)
    cut_queries: set[TableQuery] = field(default_factory=set)

    def read_table(self, query: TableQuery, span: Window) -> None:
        """Keep what a table says of a span, and that it was read."""
        coverage: dict[items.FeedCoverage, str] = {}
        for answered in self.iterate_parts(query, span):
            for number, row in enumerate(answered.rows, 1):
                self._store_row(query, row, number, coverage)
            if answered.lack is not None:
                self.store_lack(query, answered.lack.reason, answered.part)
        is_cut = query in self.cut_queries
        for covered, form in coverage.items():
            self.store.add_item(replace(covered, cut=is_cut))
            if not is_cut and not covered.partial:
                whole = items.CompleteRead(signal=covered.signal, scope=covered.scope, form=form)
                self.store.add_item(replace(whole, first=span.start, last=span.end))

    def iterate_parts(self, query: TableQuery, span: Window) -> Iterator[AnsweredPart]:
        """The answers, the whole span's or those of its parts, oldest first; what fails is in `failures`."""
        pending, asked = [span], 0
        while pending:
            part = pending.pop()
            asked += 1
            is_divisible = query.is_timed and asked < query.part_limit and part.end - part.start > SHORTEST_PART
            try:
                answered = self._ask(query, part)
            except AnswerTooLarge as error:
                answered = AnsweredPart(part=part, rows=[], lack=Missing(reason=error.message))
            except SourceError as error:
                if query.is_optional and is_unknown_table(error, query.table):
                    return
                self.failures[query] = error
                self.watcher.warn(error.message)
                if asked > 1 or (isinstance(error, BadAnswer) and not isinstance(error, NotUnderstood)):
                    self.store_lack(query, error.message, Window(part.start, span.end))
                return
            if answered.lack is not None and is_divisible:
                middle = part.start + (part.end - part.start) / 2
                pending += [Window(middle, part.end), Window(part.start, middle)]
                self.watcher.note(f"{self._describe(query)}: {answered.lack.reason}; asked again in parts")
                continue
            yield answered

    def _ask(self, query: TableQuery, part: Window) -> AnsweredPart:
        """One answer, of one page or more."""
        request = self.build_request(self._describe(query), query.write(part))
        rows: Rows = []
        lack, last = None, get_members(None)
        for page in self.session.read_pages(request):
            if not self.list_member:
                return _read_frames(page, part)
            if page is None and self.list_member == "tables":
                continue  # a workspace without any data (204)
            last = get_members(page)
            unlisted = find_missing_list(last or page, self.list_member)
            rows += () if unlisted else unpack_document(page)
            lack = lack or unlisted or find_missing_part(last, len(rows), is_followed=True)
        lack = lack or find_missing_part(last, len(rows))
        if lack is None and len(rows) >= ROW_LIMIT:
            lack = Missing(reason=TOO_MANY_ROWS)
        return AnsweredPart(part=part, rows=rows, lack=lack)

    def _describe(self, query: TableQuery) -> str:
        return f"the table {query.table}"

    def _store_row(
        self, query: TableQuery, row: Row | MalformedRow, number: int, coverage: dict[items.FeedCoverage, str]
    ) -> None:
        what = self._describe(query)
        forms: dict[str, InputFormat] = {name: plugins.load(formats, name) for name in query.forms}
        name = next((name for name, form in forms.items() if isinstance(row, dict) and recognises_row(form, row)), "")
        try:
            for item in _decode_row(forms.get(name), row, f"{what}, row {number}"):
                # A state of now tells nothing of a window that ended long ago.
                is_late = isinstance(item, items.VmRecord) and not (item.is_dated or self.includes_now)
                if isinstance(item, items.FeedCoverage):
                    coverage[item] = name
                elif not is_late:
                    self.store.add_item(item)
        except MalformedRow as fault:
            fault.part = row if isinstance(row, dict) else fault.part
            if number <= WARNING_LIMIT:
                self.watcher.warn(f"{what}, row {number}: {fault.reason}; skipped")
            narrow = getattr(forms.get(name), "identify_signals", None)
            concerned = self.store.register_vm_scope(fault.vm or find_named_vm(fault.part))
            lack = items.IncompleteRead(
                signal=Signal.ACTIVITY, scope=concerned, form=what, place=what, reason=fault.reason, line=number
            )
            for signal in narrow(fault.part) if narrow and fault.part else query.signals:
                self.store.add_item(replace(lack, signal=signal, is_record=True, lowers_verdict=query.lowers_verdict))
            if not concerned:
                self.cut_queries.add(query)

    def store_lack(self, query: TableQuery, reason: str, part: Window) -> None:
        """Over this part something may be missing, of whomever."""
        self.cut_queries.add(query)
        what = self._describe(query)
        said = reason.removeprefix(f"{what}: ")
        self.watcher.warn(f"{what}: {said}; what is missing counts as not read")
        for signal in query.signals:
            lack = items.IncompleteRead(signal=signal, scope="", form=what, place=what, reason=said)
            lack = replace(lack, since=part.start, until=part.end, lowers_verdict=query.lowers_verdict)
            self.store.add_item(lack)


def _decode_row(form: InputFormat | None, row: Row | MalformedRow, ref: str) -> Iterator[items.Item]:
    """What a row says; raises `MalformedRow` for what cannot be used."""
    if isinstance(row, MalformedRow):
        raise row
    if form is None:
        message = "a row in no form that was asked for"
        raise MalformedRow(message)
    yield from form.decode_row(row, ref)


def _read_frames(page: object, part: Window) -> AnsweredPart:
    """The rows of an answer that is a list of frames."""
    reader = FrameReader()
    rows: Rows = []
    lack: Missing | None = None
    frames = page if isinstance(page, list) else []
    found = (each for frame in frames if isinstance(frame, dict) for each in reader.read_frame(frame))
    for each in (*found, *reader.finish_answer()):
        if isinstance(each, Missing):
            lack = lack or each
        else:
            rows.append(each)
    ends = (isinstance(frame, dict) and frame.get("FrameType") == "DataSetCompletion" for frame in frames)
    if lack is None and not any(ends):
        lack = Missing(reason=NO_END)
    return AnsweredPart(part=part, rows=rows, lack=lack)
