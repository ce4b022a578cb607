"""What readings lacked, and which of it another reading makes good; must not know files, formats or requests.

The contract's rule: what was read in part counts as not read, unless another feed of the same signal was read whole
over that span. It is decided here, so that whoever judges need only look at a gap's `cut`.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vmdiag.model import Gap, Signal, Window
from vmdiag.sources.items import CompleteRead, IncompleteRead

SCHEMA = """
create table whole (scope text, signal text, form text, first real, last real,
    primary key (scope, signal, form)) without rowid;
create table lack (scope text, signal text, form text, place text, line integer, reason text, count integer,
    since real, until real, first real, last real, lowers integer, spared text,
    subject text, primary key (scope, signal, place, subject)) without rowid;
"""
# Of several whole readings of a form the one over the longest span is remembered: pieces do not make each other good.
_INSERT_COMPLETE = """
insert into whole values (?, ?, ?, ?, ?) on conflict do update set first = excluded.first, last = excluded.last
where excluded.last - excluded.first > last - first
"""
_INSERT_INCOMPLETE = """
insert into lack values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set
    count = count + excluded.count, since = min(since, excluded.since), until = max(until, excluded.until),
    lowers = max(lowers, excluded.lowers)
"""
EARLIEST, LATEST = -1e12, 1e12

# Of the health signal only these tell every annotation; Resource Health's history names none, the log leaves some out.
HEALTH_CHANGES_FORM = "resource-graph-health-changes"
ANNOTATION_FORMS = frozenset({HEALTH_CHANGES_FORM, "event-grid", "transcripts"})
# Answers of a service that holds all there is of its span: few rows, and their times do not bound what was asked.
ANSWER_FORMS = frozenset({HEALTH_CHANGES_FORM, "service-events"})
MEASURED_SIGNALS = frozenset({Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK, Signal.HEARTBEAT})

SecondsSpan = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _StoredLack:
    signal: Signal
    form: str
    place: str
    line: int
    reason: str
    count: int
    since: float
    until: float
    first: float
    last: float
    lowers_verdict: int
    unaffected_vm: str | None
    subject: str


def store_read_outcome(database: sqlite3.Connection, item: CompleteRead | IncompleteRead) -> None:
    """Remember it until a VM is told of that it concerns."""
    scope = item.scope.lower().rstrip("/")
    if isinstance(item, CompleteRead):
        row = (scope, item.signal, item.form, _to_seconds(item.first, EARLIEST), _to_seconds(item.last, LATEST))
        database.execute(_INSERT_COMPLETE, row)
        return
    subject = "" if item.is_record else item.reason
    spans = (
        _to_seconds(item.since, EARLIEST),
        _to_seconds(item.until, LATEST),
        _to_seconds(item.first, 0),
        _to_seconds(item.last, 0),
    )
    said = (item.form, item.place, item.line, item.reason, item.count)
    database.execute(
        _INSERT_INCOMPLETE, (scope, item.signal, *said, *spans, item.lowers_verdict, item.unaffected_vm, subject)
    )


def store_informational(database: sqlite3.Connection, lack: IncompleteRead) -> None:
    """Something that could not be used, and of which nothing is concluded."""
    store_read_outcome(database, replace(lack, is_record=True, lowers_verdict=False))


def find_gaps(
    database: sqlite3.Connection, window: Window, scopes: tuple[str, ...], measured: Mapping[Signal, SecondsSpan]
) -> Iterator[Gap]:
    """The gaps of a VM with these scopes (its id first), of which so much was measured; without scopes, of everybody.

    A lack outside the window is none.
    """
    marks = ", ".join("?" * (len(scopes) + 1))
    query = f"""select signal, form, place, line, reason, count, since, until, first, last, lowers, spared, subject
        from lack where scope in ({marks}) order by place, line, signal"""  # noqa: S608 - ours
    start, end = window.start.timestamp(), window.end.timestamp()
    for signal, *rest in database.execute(query, (*scopes, "")).fetchall():
        kept = _StoredLack(Signal(signal), *rest)
        if kept.since <= end and kept.until >= start and kept.unaffected_vm not in scopes:
            span = Window(
                window.start if kept.since <= start else datetime.fromtimestamp(kept.since, UTC),
                window.end if kept.until >= end else datetime.fromtimestamp(kept.until, UTC),
            )
            cut = bool(kept.lowers_verdict) and not _is_covered_elsewhere(database, kept, scopes, measured)
            yield Gap(signal=kept.signal, window=span, reason=_describe_lack(kept), partial=True, cut=cut)


def _describe_lack(kept: _StoredLack) -> str:
    if kept.subject:
        return f"{kept.place}: {kept.reason}"
    more = f" and {kept.count - 1} more" if kept.count > 1 else ""
    where = f"{kept.place}, line {kept.line}" if kept.line else kept.place
    return f"malformed: {where}: {kept.reason}{more}"


def _is_covered_elsewhere(
    database: sqlite3.Connection, lack: _StoredLack, scopes: tuple[str, ...], measured: Mapping[Signal, SecondsSpan]
) -> bool:
    """Whether another reading of the same signal was whole over the span of which something may be missing."""
    marks = ", ".join("?" * len(scopes))
    query = f"select form, first, last from whole where signal = ? and scope in ({marks})"  # noqa: S608 - ours
    readings = database.execute(query, (lack.signal, *scopes)).fetchall()
    if lack.signal in MEASURED_SIGNALS:
        first, last = measured.get(lack.signal, (EARLIEST, LATEST))
        return any(since <= first and until >= last for _, since, until in readings)
    if lack.signal is Signal.HEALTH:
        readings = [reading for reading in readings if reading[0] in ANNOTATION_FORMS]
    return any(
        (form in ANSWER_FORMS and form != lack.form)
        or 0 < since <= lack.first <= lack.last <= until
        or since == EARLIEST
        for form, since, until in readings
    )


def _to_seconds(at: datetime | None, otherwise: float) -> float:
    return otherwise if at is None else at.timestamp()
