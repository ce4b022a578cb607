"""assemble_timeline(): a transcript becomes a timeline: interpreted, sorted, each thing told once; must not judge.

The same story told in any order, with repeats, in any letter case and by any source gives the same timeline.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import lt

from vmdiag.diagnosis.event_kinds import Phase, find_phase, interpret_record
from vmdiag.diagnosis.event_words import MIGRATIONS, SAYS
from vmdiag.diagnosis.proof_words import describe_look
from vmdiag.model import Event, Kind, Record, Series, Signal, Timeline, Transcript, Window, subtract_span
from vmdiag.values import replace

# A source may tell one thing several times: as Activated, Updated and Resolved, in the activity log and in Resource
# Graph, with times that differ. Anything nearer than this is the same thing told again; of two migrations that lie
# further apart the nearer one is blamed.
SAME = timedelta(minutes=5)
# The phases of one operation share a correlation id; without one, only nearness says that they belong together.
SAME_OPERATION = timedelta(hours=3)
SAME_UNCORRELATED = timedelta(minutes=10)
# States are told again and again; only a change of state is an event.
STATES = (Kind.AVAILABLE, Kind.UNAVAILABLE, Kind.DEGRADED, Kind.UNKNOWN)


def assemble_timeline(transcript: Transcript, window: Window, margin: timedelta = timedelta()) -> Timeline:
    """The timeline of one VM over `window` and the `margin` before it that baselines need."""
    span = Window(subtract_span(window.start, margin), window.end)
    # Feeds answer in any order; which of two equal records is cited must not hang on it.
    known = sorted(
        (record for record in transcript.records if record.at in span), key=lambda one: (_record_key(one), one.ref)
    )
    records = list({_record_key(record): record for record in known}.values())
    events = [*_join_operations(records), *_interpret_states(records)]
    events.sort(key=lambda one: (one.at, one.kind, one.signal, one.facts.get("resource", ""), one.blur))
    born = max((event.ended for event in events if event.kind is Kind.DELETE), default=None)
    if born is not None and any(event.at > born for event in events):
        # The name lives on in another VM: what happened to the deleted one is not its story.
        events = [event for event in events if event.at > born]
    return Timeline(
        vm=transcript.vm,
        window=window,
        events=tuple(_fold_repeats(events)),
        series={series.name: series for series in _merge_series(transcript.series, span)},
        gaps=tuple(sorted(set(transcript.gaps), key=lambda gap: (gap.signal, gap.window.start, gap.reason))),
    )


def _record_key(record: Record) -> tuple[datetime, str, str, str, str]:
    facts = "\n".join(f"{name}={value}" for name, value in sorted(record.facts.items()))
    return record.at, record.signal, record.name.lower(), record.status.lower(), facts.lower()


def _interpret_states(records: Iterable[Record]) -> Iterator[Event]:
    """What is told but by the activity log, an event a record."""
    note = ""
    for record in records:
        if record.signal is Signal.HEALTH and record.name not in ("", "availability"):
            note = record.name
        # Resource Graph keeps changes only: of two equal annotations in a row the second has a time and no name.
        name = record.name or (note if "unnamed" in record.facts else "")
        kind = interpret_record(record.signal, name, record.status, record.facts)
        # Annotations come with "Unknown, before Unknown": nothing changed by them.
        unchanged = kind is Kind.UNKNOWN and record.facts.get("previous", "").lower() == kind
        if kind is not Kind.OTHER and record.signal is not Signal.ACTIVITY and not unchanged:
            yield _build_event(kind, replace(record, name=name), record.blur, record.facts)


def _join_operations(records: Iterable[Record]) -> Iterator[Event]:
    """Resource Manager writes one operation as Started, Accepted, Succeeded or Failed: one event each."""
    begun: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if record.signal is not Signal.ACTIVITY:
            continue
        key = (record.facts.get("correlation", "").lower(), record.name.lower(), record.facts.get("resource", ""))
        together = begun.get(key)
        limit = SAME_OPERATION if key[0] else SAME_UNCORRELATED
        if together and record.at - together[0].at > limit:
            yield from _build_operation(together)
            together = None
        begun[key] = [*together, record] if together else [record]
    for together in begun.values():
        yield from _build_operation(together)


def _build_operation(records: list[Record]) -> Iterator[Event]:
    first = records[0]
    phases = {find_phase(record.status) for record in records}
    kind = interpret_record(first.signal, first.name, "", first.facts)
    if kind is Kind.OTHER or Phase.FAILED in phases:
        return
    is_open = Phase.DONE not in phases
    pending = is_open and Phase.ACCEPTED not in phases
    marks = {word: "true" for word, so in (("pending", pending), ("open", is_open)) if so}
    event = _build_event(kind, first, records[-1].at - first.at, {**first.facts, **marks})
    yield replace(event, says=f"{event.says} (begun; its end is not in the log)") if pending else event


def _build_event(kind: Kind, record: Record, blur: timedelta, facts: Mapping[str, str]) -> Event:
    says = SAYS[kind]
    match kind:
        case Kind.NETWORK_CHANGE:
            resource = record.facts.get("resource", "").rstrip("/").split("/")[-1]
            says = f"network change: {record.name} on {resource}" if resource else says
        case Kind.UNKNOWN_NOTE:
            words = (record.facts.get(part, "").strip() for part in ("title", "summary", "details"))
            says = f"Azure says of its health: {': '.join(dict.fromkeys(filter(None, words))) or record.name}"
        case Kind.BACKEND_UP | Kind.BACKEND_DOWN | Kind.BACKEND_PLATFORM_DOWN:
            says = f"{says} ({record.name})"  # one of the words that are known
        case Kind.SCHEDULED_EVENT:
            says = f"{says} ({record.status or 'of no status'})"
        case Kind.DATA_PATH_FAILED | Kind.INTERFACE_ABSENT:
            told = f"{record.facts.get('line', '')}, {record.facts.get('uptime', '')} s after the guest began"
            says = f"{says} ({told}{', when is not known' if 'undated' in facts else ''})"
        case _ if record.signal is Signal.PROOF:
            says = describe_look(kind, record)
        case Kind.SERVICE_INCIDENT if record.facts.get("title"):
            says = f"{says}: {record.facts['title']}"
        case _:
            pass
    return Event(at=record.at, blur=blur, kind=kind, signal=record.signal, says=says, facts=facts, ref=record.ref)


def _fold_repeats(events: Iterable[Event]) -> Iterator[Event]:
    """Each event once: a repeat of the same kind about the same thing, soon after, is the same event.

    Health states are changes: a state that is told again while it lasts is left out.
    """
    told: dict[tuple[Kind, str, str], Event] = {}
    state: Kind | None = None
    for event in events:
        if event.kind in STATES:
            # A change says what was before it, and may be the only word of that.
            before = event.facts.get("previous", "").lower() if state is None else ""
            if event.kind is Kind.AVAILABLE and before in (Kind.UNAVAILABLE, Kind.DEGRADED):
                says = f"{event.says}; it had been {before.title()}, since when is not told"
                yield replace(event, says=says, facts={**event.facts, "unseen": before})
            elif event.kind is not state:
                yield event
            state = event.kind
            continue
        match event.kind:
            case _ if event.kind is Kind.UNKNOWN_NOTE or event.signal in (Signal.PROOF, Signal.CONSOLE):
                subject = event.says
            case Kind.NETWORK_CHANGE | Kind.SERVICE_INCIDENT | Kind.SERVICE_RESOLVED:
                subject = event.facts.get("tracking") or event.facts.get("resource", "")
            case _:
                subject = ""
        key = (event.kind, "" if event.kind in MIGRATIONS else event.signal, subject)
        known = told.get(key)
        if known is None or event.at - known.at > SAME:
            told[key] = event
            yield event


def _merge_series(series: Iterable[Series], span: Window) -> Iterator[Series]:
    by_name: dict[str, list[Series]] = {}
    for one in series:
        by_name.setdefault(one.name, []).append(one)
    # Metrics that were read together have the same times.
    rising: dict[int, bool] = {}
    for name, parts in sorted(by_name.items()):
        times = parts[0].times
        if len(parts) == 1 and id(times) not in rising:
            rising[id(times)] = all(map(lt, times, times[1:]))
        if len(parts) == 1 and rising[id(times)]:
            low, high = bisect_left(times, span.start), bisect_right(times, span.end)
            yield replace(parts[0], times=times[low:high], values=parts[0].values[low:high])
            continue
        points = sorted(
            {(at, value) for part in parts for at, value in zip(part.times, part.values, strict=True) if at in span}
        )
        # Two sources may report one minute with different last digits: the larger is the fuller count.
        latest = dict(points)
        yield Series(name=name, signal=parts[0].signal, times=tuple(latest), values=tuple(latest.values()))
