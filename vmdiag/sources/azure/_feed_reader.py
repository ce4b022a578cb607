"""Asks Azure many things at once and keeps what it says."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import product

from vmdiag.arm.error_translation import is_unknown_table
from vmdiag.arm.request import get_members
from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Missing, find_missing_list, find_missing_part
from vmdiag.errors import BadAnswer, Interrupted, NotFound, NotUnderstood, OutOfTime, SourceError
from vmdiag.model import Signal
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.azure.worker_pool import JobEnd, JobResult, WorkerPool
from vmdiag.sources.coverage import MEASURED_SIGNALS, WITNESS_SIGNALS
from vmdiag.sources.decoding.fields import find_named_vm
from vmdiag.sources.items import (
    CompleteRead,
    FeedCoverage,
    IncompleteRead,
    MetricPoints,
    PackedMetricPoints,
    VmRecord,
    to_instant,
)
from vmdiag.sources.protocol import Watcher
from vmdiag.sources.store import ItemStore
from vmdiag.values import replace

INTERRUPTED_REASON = "interrupted before it was read"
OUT_OF_TIME_REASON = "not read when the run's time was over (--timeout)"
# What no later question depends on: a workspace that is slow or silent keeps nobody from the metrics.
LATE_SIGNALS = ((Signal.HEARTBEAT,), (Signal.MONITOR,))
# Malformed rows of one reading that are told one by one; the gap counts them all.
WARNING_LIMIT = 3


class FeedReader:
    """Reads asks into a spool; only the thread that calls it touches the spool.

    `answered_requests` are the asks that were answered, `incomplete_requests` those of them that were not answered
    whole, `flawed_requests` these and those with a row that cannot be used; `failures` are the errors of the others. By
    VM, group or subscription and signal, `requested_signals` is what was asked for at all, `not_found_signals` what
    Azure does not know (404), `earliest_read` the earliest instant heard. `refusing_regions` are those whose endpoint
    did not answer for many. `includes_now` says whether a state of now belongs to the window.
    """

    def __init__(self, session: Session, spool: ItemStore, watcher: Watcher) -> None:
        self._session = session
        self._store = spool
        self._watcher = watcher
        self._workers: WorkerPool[FeedRequest, list[object]] = WorkerPool(session.settings.jobs)
        self._row_counts: dict[FeedRequest, int] = {}  # and how many rows of it were read
        self._pending_scopes: Counter[str] = Counter()
        self._request_count = 0
        self._awaited_count = 0  # of those under way, without the ones that may come late
        self.includes_now = True
        self.answered_requests: set[FeedRequest] = set()
        self.incomplete_requests: set[FeedRequest] = set()
        self.flawed_requests: set[FeedRequest] = set()
        self._complete_series: dict[FeedRequest, list[CompleteRead]] = {}
        self.failures: dict[FeedRequest, SourceError] = {}
        self.requested_signals: set[tuple[str, Signal]] = set()
        self.not_found_signals: set[tuple[str, Signal]] = set()
        self.refusing_regions: set[str] = set()
        self.earliest_read: defaultdict[str, dict[Signal, datetime]] = defaultdict(dict)

    def submit_requests(self, requests: Iterable[FeedRequest]) -> None:
        """Begin to ask."""
        for ask in requests:
            self._request_count += 1
            self._row_counts[ask] = 0
            self._awaited_count += ask.signals not in LATE_SIGNALS
            self.requested_signals.update(product(ask.scope_ids, ask.signals))
            self._pending_scopes.update(ask.scope_ids)
            self._workers.submit_job(ask, partial(self._read_pages, ask))

    def finish_requests(self, requests: Iterable[FeedRequest] = (), *, but_late: bool = False) -> None:
        """Ask and wait until all that was asked is answered, refused or given up; or all but what may come late."""
        self.submit_requests(requests)
        for _ in self.iterate_finished_scopes(but_late=but_late):
            pass

    def iterate_finished_scopes(self, *, but_late: bool = False) -> Iterator[str]:
        """The ids in lower case of the VMs, groups and subscriptions of which nothing more is to come, one by one."""
        while not self._is_finished(but_late=but_late):
            for result in self._workers.iterate_results(partial(self._is_finished, but_late=but_late)):
                if isinstance(result, JobResult):
                    self._store_rows(result.key, result.value)
                else:
                    yield from self._end_request(result)
        for ask in list(self._row_counts) if self._watcher.stop.is_set() else ():
            yield from self._end_request(JobEnd(ask, Interrupted(INTERRUPTED_REASON, "")))

    def _is_finished(self, *, but_late: bool) -> bool:
        return self._watcher.stop.is_set() or not (self._awaited_count if but_late else self._row_counts)

    def was_heard_whole(self, ask: FeedRequest) -> bool:
        """Whether it was answered, and nothing of the answer is missing."""
        return ask in self.answered_requests and ask not in self.flawed_requests

    def _read_pages(self, ask: FeedRequest) -> Iterator[list[object]]:
        """The rows of each page, and behind them why they are not all; in another thread."""
        lack: Missing | None = None
        count, said = 0, get_members(None)
        for page in self._session.read_pages(ask.request):
            if page is None and ask.optional_table:
                continue
            said = get_members(page)
            unlisted = find_missing_list(said or page, ask.list_member) if ask.list_member else None
            rows = [] if unlisted else list(ask.unpack_rows(page))
            count += len(rows)
            if ask.list_member and lack is None:
                lack = unlisted or find_missing_part(said, count, is_followed=True)
            # While the rows wait for their turn the page, which is ten times as large, need not.
            said = {name: member for name, member in said.items() if name != ask.list_member}
            del page
            yield rows
        if ask.list_member:
            lack = lack or find_missing_part(said, count)
        yield [lack] if lack else []

    def _store_rows(self, ask: FeedRequest, rows: list[object]) -> None:
        for row in rows:
            if isinstance(row, Missing):
                self._record_incomplete_answer(ask, row.reason)
                continue
            if isinstance(row, IncompleteRead):
                # The answer holds less than was asked for, as can be told by what it holds.
                self.flawed_requests.add(ask)
                self._watcher.warn(f"{row.place}: {row.reason}; what is missing counts as not read")
                self._store.add_item(row)
                continue
            self._row_counts[ask] = number = self._row_counts[ask] + 1
            try:
                if isinstance(row, MalformedRow):
                    raise row
                for item in ask.read_items(row, f"{ask.request.description}, row {number}"):
                    # That a feed was heard is known only at its end; what is so now tells nothing of an earlier window.
                    is_late = isinstance(item, VmRecord) and not (item.is_dated or self.includes_now)
                    if not isinstance(item, FeedCoverage) and not is_late:
                        self._store.add_item(item)
                    if isinstance(item, MetricPoints) and item.times:
                        self._register_series(ask, item, item.times[0], item.times[-1])
                    elif isinstance(item, PackedMetricPoints) and item.signal is Signal.HEARTBEAT and item.times:
                        self._register_series(ask, item, to_instant(item.times[0]), to_instant(item.times[-1]))
            except MalformedRow as fault:
                fault.part = row if isinstance(row, dict) else fault.part
                self._record_malformed_row(ask, number, fault)

    def _register_series(
        self, ask: FeedRequest, item: MetricPoints | PackedMetricPoints, first: datetime, last: datetime
    ) -> None:
        """Where the answer proves to be whole, the series was read whole from its first point to its last."""
        whole = CompleteRead(signal=item.signal, scope=item.vm.key, form=ask.request.description)
        self._complete_series.setdefault(ask, []).append(replace(whole, first=first, last=last))

    def _record_malformed_row(self, ask: FeedRequest, number: int, fault: MalformedRow) -> None:
        if number <= WARNING_LIMIT:
            self._watcher.warn(f"{ask.request.description}, row {number}: {fault.reason}; skipped")
        part = fault.part or {}
        concerned = self._store.register_vm_scope(fault.vm or find_named_vm(part))
        if not (ask.incomplete_signals or ask.signals):
            # An inventory is no feed: what is lost with its row is told, and takes no signal with it.
            self._store.add_fault(fault.vm, Signal.POWER, ask.request.description, number, fault.reason)
            return
        narrowed = ask.get_row_signals(part) if ask.get_row_signals else ask.incomplete_signals or ask.signals
        for signal, scope in product(narrowed, (concerned,) if concerned else ask.scope_ids or ("",)):
            self._store_lack(ask, signal, scope, fault.reason, line=number)

    def _record_incomplete_answer(self, ask: FeedRequest, reason: str) -> None:
        """An answer says, or shows, that it is not whole."""
        self.incomplete_requests.add(ask)
        self._watcher.warn(f"{ask.request.description}: {reason}; what is missing counts as not read")
        for signal, scope in product(ask.incomplete_signals or ask.signals, ask.scope_ids or ("",)):
            self._store_lack(ask, signal, scope, reason)

    def _store_lack(self, ask: FeedRequest, signal: Signal, scope: str, reason: str, line: int = 0) -> None:
        self.flawed_requests.add(ask)
        what = ask.request.description
        lack = IncompleteRead(
            signal=signal, scope=scope, form=what, place=what, reason=reason, line=line, is_record=line > 0
        )
        if ask.span is not None:
            lack = replace(lack, since=ask.span.start, until=ask.span.end)
        self._store.add_item(lack)

    def _end_request(self, result: JobEnd[FeedRequest]) -> Iterator[str]:
        ask, error = result.key, result.error
        rows = self._row_counts.pop(ask)
        self._awaited_count -= ask.signals not in LATE_SIGNALS
        if isinstance(error, ask.fallback_errors) and ask.fallbacks and not rows:
            self.refusing_regions.add(ask.request.region)
            self.submit_requests(ask.fallbacks)
        elif isinstance(error, SourceError) and not is_unknown_table(error, ask.optional_table):
            self.failures[ask] = error
            for concern, signal in product(ask.scope_ids, ask.signals):
                self._store.add_refusal(signal, concern, get_gap_reason(error), window=ask.span, partial=rows > 0)
                if isinstance(error, NotFound):
                    self.not_found_signals.add((concern, signal))
            if rows or (isinstance(error, BadAnswer) and not isinstance(error, NotUnderstood)):
                # What it would have held may be what denies the rest.
                self._record_incomplete_answer(ask, get_gap_reason(error).removeprefix(f"{ask.request.description}: "))
        elif error is not None and not isinstance(error, SourceError):
            raise error
        else:
            self._record_answer(ask)
            self.submit_requests(ask.build_followups())
        self._watcher.progress("requests", self._request_count - len(self._row_counts), self._request_count)
        self._pending_scopes.subtract(ask.scope_ids)
        yield from (concern for concern in ask.scope_ids if not self._pending_scopes[concern])

    def _record_answer(self, ask: FeedRequest) -> None:
        self.answered_requests.add(ask)
        is_cut = ask in self.incomplete_requests
        for item in ask.items_when_answered:
            if isinstance(item, FeedCoverage):
                self._store.add_item(replace(item, cut=is_cut))
            elif not is_cut:
                # Asked for and silent is said only of those whose answer was whole.
                self._store.add_item(item)
        if ask not in self.flawed_requests:
            # What another reading of the same may lack is not missing where this one was whole; witnesses are each
            # their own.
            what = ask.request.description
            unmeasured = set(ask.signals) - MEASURED_SIGNALS - WITNESS_SIGNALS
            for concern, signal in product(ask.scope_ids, () if ask.is_part else unmeasured):
                self._store.add_item(CompleteRead(signal=signal, scope=concern, form=what))
            for whole in self._complete_series.pop(ask, ()):
                self._store.add_item(whole)
        for concern, signal in product(ask.scope_ids, ask.signals):
            self.record_earliest(concern, signal, ask.available_since)

    def record_earliest(self, concern: str, signal: Signal, since: datetime | None) -> None:
        """A signal was heard from then on."""
        if since is not None:
            known = self.earliest_read[concern]
            known[signal] = min(since, known.get(signal, since))


def get_gap_reason(error: SourceError) -> str:
    """An error as the reason of a gap."""
    return {Interrupted: INTERRUPTED_REASON, OutOfTime: OUT_OF_TIME_REASON}.get(type(error), error.message)
