"""What `vmdiag record` writes, one VM a line, and how it is read back; must not know where a transcript came from.

Schema `vmdiag.transcript/1`, one JSON object a line, times as ISO 8601 in UTC:
`window` {`from`, `to`}: what was asked for; `cloud` where it was read; `vm` as in the model, `id` as written;
`records` [{`at`, `signal`, `name`, `status`, `blur` (seconds), `facts`, `ref`}]; `series` [{`name`, `signal`, `times`,
`values`}]; `gaps` [{`signal`, `from`, `to`, `reason`, `partial`, `cut`}]. What has no gap was heard.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Series, Signal, Transcript, VirtualMachine, Window
from vmdiag.redaction import redacted
from vmdiag.sources._items import Covers, Heard, Item, Known, Malformed, Missed, Origin, Row, Sampled, Whole
from vmdiag.sources.archive._fields import LONGEST, brief, elements, mapping, number, objects, text
from vmdiag.sources.archive._times import iso

SIGNALS = tuple(signal for signal in Signal if signal not in (Signal.OPERATOR, Signal.PROBE))

FORM = "transcripts"
FAMILY = "vmdiag.transcript/"
SCHEMA = f"{FAMILY}1"
LONGEST_NAME = 200  # of a cloud: a name or an address
LONGEST_BLUR = timedelta(days=366).total_seconds()  # beyond it a record tells nothing; it would overflow, too


def to_line(transcript: Transcript, window: Window, cloud: str) -> bytes:
    """One line, ended, that `items` reads back."""
    vm = transcript.vm
    plain = {
        "schema": SCHEMA,
        "window": {"from": iso(window.start), "to": iso(window.end)},
        "cloud": cloud,
        "vm": {
            "id": str(vm.id),
            "location": vm.location,
            "os": vm.os,
            "size": vm.size,
            "power_state": vm.power_state,
            "network": sorted(vm.network),
        },
        "records": [_plain_record(record) for record in transcript.records],
        "series": [_plain_series(series) for series in transcript.series],
        "gaps": [_plain_gap(gap) for gap in transcript.gaps],
    }
    return msgspec.json.encode(plain) + b"\n"


def recognises(row: Row) -> bool:
    """A line says its schema."""
    return text(row.get("schema")).startswith(FAMILY)


def items(row: Row, ref: str) -> Iterator[Item]:
    """All that was recorded of a VM: what it is, what was heard and sampled, and what was missed."""
    schema = text(row.get("schema"))
    if schema != SCHEMA:
        message = f"recorded as {schema[:50]!r}, and this version reads {SCHEMA!r}"
        raise Malformed(message)
    known = mapping(row.get("vm"))
    vm = VmId.parse(text(known.get("id")))
    if vm is None:
        message = "the recording does not say of which VM it is"
        raise Malformed(message)
    window = _window(vm, mapping(row.get("window")))
    yield Origin(text(row.get("cloud"))[:LONGEST_NAME], window.end)
    network = frozenset(named.lower() for each in elements(known.get("network")) if (named := text(each)))
    words = {name: brief(known.get(name)) or None for name in ("location", "os", "size", "power_state")}
    yield Known(VirtualMachine(id=vm, **words, network=network))
    for each in objects(row.get("records")):
        yield Heard(vm, _record(vm, each, ref))
    for each in objects(row.get("series")):
        yield _sampled(vm, each)
    gaps = [_gap(vm, each) for each in objects(row.get("gaps"))]
    deaf = {gap.signal for gap in gaps if not gap.partial and _fills(gap.window, window)}
    cut, told = {gap.signal for gap in gaps if gap.cut}, {gap.signal for gap in gaps}
    for signal in Signal:
        if signal not in deaf:
            yield Covers(signal=signal, scope=vm.key, cut=signal in cut)
        if signal not in told:
            yield Whole(signal=signal, scope=vm.key, form=FORM, first=window.start, last=window.end)
    for gap in gaps:
        yield Missed(vm, gap)


def _plain_record(record: Record) -> dict[str, object]:
    return {
        "at": iso(record.at),
        "signal": record.signal,
        "name": record.name,
        "status": record.status,
        "blur": record.blur.total_seconds(),
        # What Azure quotes may hold what somebody should not have logged.
        "facts": {name: redacted(value) for name, value in record.facts.items()},
        "ref": record.ref,
    }


def _plain_series(series: Series) -> dict[str, object]:
    times = [iso(at) for at in series.times]
    return {"name": series.name, "signal": series.signal, "times": times, "values": series.values}


def _plain_gap(gap: Gap) -> dict[str, object]:
    span = {"from": iso(gap.window.start), "to": iso(gap.window.end)}
    return {"signal": gap.signal, **span, "reason": gap.reason, "partial": gap.partial, "cut": gap.cut}


def _record(vm: VmId, plain: Mapping[str, object], ref: str) -> Record:
    blur = number(plain.get("blur") or 0)
    if blur is None or not 0 <= blur <= LONGEST_BLUR:
        message = "a recorded time has an absurd uncertainty"
        raise Malformed(message, vm)
    return Record(
        at=_at(vm, plain.get("at")),
        signal=_signal(vm, plain),
        name=_word(plain.get("name")),
        status=_word(plain.get("status")),
        blur=timedelta(seconds=blur),
        facts={name: _word(value) for name, value in mapping(plain.get("facts")).items()},
        ref=_word(plain.get("ref")) or ref,  # where it was first read says more than the line it was kept in
    )


def _sampled(vm: VmId, plain: Mapping[str, object]) -> Sampled:
    times = tuple(_at(vm, each) for each in elements(plain.get("times")))
    readings = [number(each) for each in elements(plain.get("values"))]
    values = tuple(each for each in readings if each is not None)
    if not len(times) == len(values) == len(readings):
        message = "a recorded series has times without values"
        raise Malformed(message, vm)
    return Sampled(vm=vm, name=_word(plain.get("name")), signal=_signal(vm, plain), times=times, values=values)


def _gap(vm: VmId, plain: Mapping[str, object]) -> Gap:
    partial, cut = plain.get("partial") is True, plain.get("cut") is True
    reason = _word(plain.get("reason"))
    return Gap(signal=_signal(vm, plain), window=_window(vm, plain), reason=reason, partial=partial, cut=cut)


def _window(vm: VmId, plain: Mapping[str, object]) -> Window:
    return Window(_at(vm, plain.get("from")), _at(vm, plain.get("to")))


def _word(value: object) -> str:
    """A text as it was written, blanks and all, cut to what memory can bear."""
    return value[:LONGEST] if isinstance(value, str) else ""


def _fills(gap: Window, window: Window) -> bool:
    return gap.start <= window.start and window.end <= gap.end


def _signal(vm: VmId, plain: Mapping[str, object]) -> Signal:
    word = plain.get("signal")
    try:
        return Signal(text(word))
    except ValueError:
        message = "the recording names a signal that this version does not know"
        raise Malformed(message, vm) from None


def _at(vm: VmId, written: object) -> datetime:
    """A time as `iso` wrote it, however far away: a window may reach back to year 1."""
    try:
        return datetime.fromisoformat(text(written)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = "a recorded time cannot be read"
        raise Malformed(message, vm) from None
