"""Reads tables where they are: asks what is worth a look, keeps it as an archive's records are kept, tells each VM.

The queries narrow and nothing more: a VM that they leave out is told as one of which nothing telling was written.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import product

from vmdiag.arm.error_translation import is_unknown_table
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import Interrupted, NotSignedIn, OutOfTime, SourceError, UsageError
from vmdiag.model import INTERRUPTED_REASONS, Needs, Signal, Window
from vmdiag.sources.coverage import NOT_IN_ARCHIVE, UNREAD_REASONS, SourceLimits
from vmdiag.sources.decoding.fields import find_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.items import FeedCoverage
from vmdiag.sources.kusto._answer_reader import AnswerReader
from vmdiag.sources.kusto._table_query import TableQuery
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.sources.selection import SelectedVm, find_suspects
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_scope import IN_ARCHIVE, resolve_placeholders, select_vms
from vmdiag.sources.transcripts import TranscriptBuilder
from vmdiag.values import Struct, replace

# A window that ended longer ago than this is history: a state of now is no part of it.
PRESENT_TOLERANCE = timedelta(minutes=5)
# What a table reaches less far than asked before it is worth a word.
REACH_TOLERANCE = timedelta(minutes=5)
TIME_RESOLUTION = timedelta(seconds=1)  # what is known from an instant on was not until just before it
NOT_CHOSEN_REASON = "not read: no record of this VM tells of a migration or a loss; name it to read everything"

QueryBuilder = Callable[[Scope, Window, Needs], tuple[TableQuery, ...]]


class QueryService(Struct, frozen=True, kw_only=True):
    """A service that answers queries: in words where VMs are looked for, how it is asked, and what is known of it.

    `measured` are the signals of which only the chosen VMs' points are read.
    """

    where: str
    list_member: str
    build_request: Callable[[str, str, Scope], Request]
    build_queries: QueryBuilder
    measured: tuple[Signal, ...] = ()

    @property
    def limits(self) -> SourceLimits:
        """What is said of what it does not hold."""
        unread = {signal: reason.replace(IN_ARCHIVE, self.where) for signal, reason in UNREAD_REASONS.items()}
        absent = NOT_IN_ARCHIVE.replace(IN_ARCHIVE, self.where)
        return SourceLimits(silence=absent, missing_phrase=absent, unread_reasons=unread)


class KustoSource:
    """A `Source` over a service that answers queries."""

    def __init__(self, service: QueryService, session: Session, watcher: Watcher) -> None:
        self.service = service
        self.session = session
        self._watcher = watcher

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `SourceError` when nothing could be read, `UsageError` for an unclear scope."""
        cloud = self.session.cloud.name
        with suppress(SourceError):
            # Without the answer this machine's own clock is used.
            self.session.measure_clock_skew()
        window = scope.window(self.session.now)
        if window.start >= window.end:
            message = "--since lies in the future"
            raise UsageError(message, "Give an earlier time, or a duration back from now such as 24h.")
        if scope.lists_none:
            return Reading(window=window, transcripts=iter(()), cloud=cloud)
        span = reading_span(window, needs)
        store = ItemStore()
        queries = self.service.build_queries(scope, span, needs)
        reader = self._read_tables(store, queries, scope, span, window.start)
        if all(query in reader.failures for query in queries if query.forms):
            # How far back the log reaches says nothing of any VM.
            raise next(iter(reader.failures.values()))
        store.finish_loading()
        where = self.service.where
        for reason in resolve_placeholders(store, where):
            self._watcher.warn(reason)
        chosen = select_vms(store, scope, span, needs.triggers, where)
        vms = (*chosen.vms, *chosen.comparison_vms)
        _record_failures(store, reader, vms)
        suspects = find_suspects(store, span, needs.triggers)
        unchosen = () if scope.vms else (vm.id.key for vm in vms if vm.number not in suspects)
        for vm, signal in product(unchosen, self.service.measured):
            store.add_refusal(signal, vm, NOT_CHOSEN_REASON)
        store.flush_pending()
        is_network_whole = not any(query.is_network for query in (*reader.failures, *reader.cut_queries))
        limits = replace(self.service.limits, is_network_whole=is_network_whole)
        teller = TranscriptBuilder(store, window, needs, limits)
        # A table that is not there shows nothing, as one that nobody exported does.
        missing = {query for query, error in reader.failures.items() if is_unknown_table(error, query.table)}
        unread = (reader.failures.keys() - missing) | reader.cut_queries
        is_whole = queries[0] not in missing and not any(query.lowers_verdict for query in unread)
        return Reading(
            window=window,
            transcripts=map(teller.build_transcript, vms),
            vms=tuple(one.id for one in chosen.vms),
            others=chosen.others,
            # Of others nothing telling was written, where all of it could be seen.
            quiet=chosen.quiet if is_whole else 0,
            unclear=chosen.unclear if is_whole or scope.vms else chosen.quiet + chosen.unclear,
            gaps=teller.find_unassigned_gaps(),
            cloud=cloud,
        )

    def _read_tables(
        self, store: ItemStore, queries: tuple[TableQuery, ...], scope: Scope, span: Window, since: datetime
    ) -> AnswerReader:
        service = self.service
        reader = AnswerReader(
            session=self.session,
            store=store,
            watcher=self._watcher,
            build_request=lambda what, query: service.build_request(what, query, scope),
            list_member=service.list_member,
            includes_now=self.session.now - span.end <= PRESENT_TOLERANCE,
        )
        for number, query in enumerate(queries, 1):
            if query.forms:
                reader.read_table(query, span)
            else:
                for subscription, oldest in _read_reach(reader, query, span):
                    _record_unkept_span(store, subscription, query.signals, Window(span.start, oldest), since)
            if isinstance(reader.failures.get(query), NotSignedIn):
                raise reader.failures[query]
            self._watcher.progress("requests", number, len(queries))
        store.flush_pending()
        for query in queries:
            if query.coverage is None or query in reader.failures:
                continue
            for vm in store.list_vms():
                vm_scope, group_scope, subscription_scope = vm.scopes
                scope_id = group_scope if query.coverage else vm_scope
                is_cut = query in reader.cut_queries
                for signal in query.signals:
                    covered = FeedCoverage(signal=signal, scope=scope_id, partial=query.coverage or None, cut=is_cut)
                    store.add_item(covered)
                if query.retention is not None:
                    unkept = Window(span.start, self.session.now - query.retention)
                    _record_unkept_span(store, subscription_scope, query.signals, unkept, since)
        return reader


def _read_reach(reader: AnswerReader, query: TableQuery, span: Window) -> Iterator[tuple[str, datetime]]:
    """The time of the oldest record of each subscription that there is, no later than the span's end."""
    for answered in reader.iterate_parts(query, span):
        if answered.lack is not None:
            reader.store_lack(query, answered.lack.reason, answered.part)
        for row in answered.rows:
            subscription = find_text(row, "SubscriptionId") if isinstance(row, dict) else ""
            oldest = parse_time(row.get("Oldest")) if isinstance(row, dict) else None
            if subscription and oldest is not None:
                yield f"/subscriptions/{subscription}".lower(), min(oldest, span.end)


def _record_failures(store: ItemStore, reader: AnswerReader, vms: Iterable[SelectedVm]) -> None:
    """What was not answered was not heard of any of them."""
    ends = {
        Interrupted: f"{INTERRUPTED_REASONS[0]} it was read",
        OutOfTime: f"{INTERRUPTED_REASONS[1]} (--timeout)",
    }
    for query, error in reader.failures.items():
        reason = ends.get(type(error), error.message)
        for vm, signal in product(vms, query.signals):
            is_partial = query in reader.cut_queries or not query.lowers_verdict
            store.add_refusal(signal, vm.id.key, reason, partial=is_partial)


def _record_unkept_span(
    store: ItemStore, scope: str, signals: Iterable[Signal], unkept: Window, since: datetime
) -> None:
    """A gap of what lies before the oldest that is kept, the end of `unkept`; `since` is where the window begins.

    Where the window itself was read the gap ends before it.
    """
    if unkept.end <= unkept.start + REACH_TOLERANCE:
        return
    end = since - TIME_RESOLUTION if unkept.end <= since + REACH_TOLERANCE else unkept.end
    for signal in signals:
        reason = f"not kept before {unkept.end:%Y-%m-%d %H:%M}Z"
        store.add_refusal(signal, scope, reason, window=Window(unkept.start, min(end, unkept.end)))
