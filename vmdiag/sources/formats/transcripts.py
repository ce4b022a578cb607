"""What `vmdiag record` writes, one VM a line, and how it is read back.

Schema `vmdiag.transcript/1`, one JSON object a line, times in UTC. What has no gap was heard.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, Transcript, VirtualMachine, Window
from vmdiag.redaction import redact_secrets
from vmdiag.sources.decoding.fields import FACT_LENGTH, find_text, get_path, to_short_text, to_text
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import (
    CompleteRead,
    FeedCoverage,
    Item,
    MalformedRow,
    MetricPoints,
    RecordedGap,
    RecordingOrigin,
    Row,
    VmInventory,
    VmRecord,
)

SIGNALS = tuple(signal for signal in Signal if signal not in (Signal.OPERATOR, Signal.PROBE))

FORM_NAME = "transcripts"
SCHEMA_FAMILY = "vmdiag.transcript/"
SCHEMA = f"{SCHEMA_FAMILY}1"
SIGNATURES = (Signature(kind=re.compile(f"(?s){re.escape(SCHEMA_FAMILY)}.*"), kind_keys=("schema",)),)
CLOUD_NAME_LENGTH = 200  # of a cloud: a name or an address
LONGEST_BLUR = timedelta(days=366).total_seconds()  # beyond it a record tells nothing; it would overflow, too

Instant = Annotated[datetime, Meta(tz=True)]


class RecordedWindow(Struct, frozen=True):
    """What was asked for."""

    start: Instant = field(name="from")
    end: Instant = field(name="to")


class RecordedVm(Struct, frozen=True, kw_only=True):
    """A VM as the model has it; `network` are ids."""

    id: str
    location: str | None = None
    os: str | None = None
    size: str | None = None
    power_state: str | None = None
    network: tuple[str, ...] = ()


class RecordedRecord(Struct, frozen=True, kw_only=True):
    """What a feed said; `blur` are seconds, `ref` says where it was first read."""

    at: Instant
    signal: Signal
    name: str = ""
    status: str = ""
    blur: Annotated[float, Meta(ge=0, le=LONGEST_BLUR)] = 0.0
    facts: dict[str, str] = {}
    ref: str = ""


class RecordedSeries(Struct, frozen=True, kw_only=True):
    """A metric: as many times as values."""

    name: str
    signal: Signal
    times: tuple[Instant, ...]
    values: tuple[float, ...]


class RecordedUnheard(Struct, frozen=True, kw_only=True):
    """What was not heard."""

    signal: Signal
    start: Instant = field(name="from")
    end: Instant = field(name="to")
    reason: str = ""
    partial: bool = False
    cut: bool = False


class Recording(Struct, frozen=True, kw_only=True):
    """One line."""

    schema: str = SCHEMA
    window: RecordedWindow
    cloud: str = ""
    vm: RecordedVm
    records: tuple[RecordedRecord, ...] = ()
    series: tuple[RecordedSeries, ...] = ()
    gaps: tuple[RecordedUnheard, ...] = ()


def encode_transcript(transcript: Transcript, window: Window, cloud: str) -> bytes:
    """One line, ended, that `decode_row` reads back."""
    vm = transcript.vm
    recording = Recording(
        window=RecordedWindow(window.start, window.end),
        cloud=cloud,
        vm=RecordedVm(
            id=str(vm.id),
            location=vm.location,
            os=vm.os,
            size=vm.size,
            power_state=vm.power_state,
            network=tuple(sorted(vm.network)),
        ),
        records=tuple(map(_from_record, transcript.records)),
        series=tuple(msgspec.convert(each, RecordedSeries, from_attributes=True) for each in transcript.series),
        gaps=tuple(
            RecordedUnheard(
                signal=gap.signal,
                start=gap.window.start,
                end=gap.window.end,
                reason=gap.reason,
                partial=gap.partial,
                cut=gap.cut,
            )
            for gap in transcript.gaps
        ),
    )
    return msgspec.json.encode(recording) + b"\n"


def _from_record(record: Record) -> RecordedRecord:
    return RecordedRecord(
        at=record.at,
        signal=record.signal,
        name=record.name,
        status=record.status,
        blur=record.blur.total_seconds(),
        # What Azure quotes may hold what somebody should not have logged.
        facts={name: redact_secrets(value) for name, value in record.facts.items()},
        ref=record.ref,
    )


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """All that was recorded of a VM: what it is, what was heard and sampled, and what was missed."""
    schema = find_text(row, "schema")
    if schema != SCHEMA:
        message = f"recorded as {schema[:50]!r}, and this version reads {SCHEMA!r}"
        raise MalformedRow(message)
    vm = VmId.parse(to_text(get_path(row, "vm", "id")))
    if vm is None:
        message = "the recording does not say of which VM it is"
        raise MalformedRow(message)
    try:
        recording = msgspec.convert(row, Recording)
    except (msgspec.ValidationError, OverflowError) as error:
        message = f"the recording is damaged: {error}"
        raise MalformedRow(message, vm) from None
    yield RecordingOrigin(recording.cloud[:CLOUD_NAME_LENGTH], recording.window.end)
    machine = recording.vm
    words = {name: to_short_text(getattr(machine, name)) or None for name in ("location", "os", "size", "power_state")}
    network = frozenset(name.lower() for each in machine.network if (name := to_text(each)))
    yield VmInventory(VirtualMachine(id=vm, **words, network=network))
    for record in recording.records:
        yield VmRecord(vm, _to_record(record, ref))
    for series in recording.series:
        if len(series.times) != len(series.values):
            message = "a recorded series has times without values"
            raise MalformedRow(message, vm)
        yield MetricPoints(
            vm=vm, name=series.name[:FACT_LENGTH], signal=series.signal, times=series.times, values=series.values
        )
    yield from _decode_coverage(vm, recording)


def _to_record(record: RecordedRecord, ref: str) -> Record:
    return Record(
        at=record.at.astimezone(UTC),
        signal=record.signal,
        name=record.name[:FACT_LENGTH],
        status=record.status[:FACT_LENGTH],
        blur=timedelta(seconds=record.blur),
        facts={name: value[:FACT_LENGTH] for name, value in record.facts.items()},
        ref=record.ref[:FACT_LENGTH] or ref,  # where it was first read says more than the line it was kept in
    )


def _decode_coverage(vm: VmId, recording: Recording) -> Iterator[Item]:
    """What has no gap was heard, and heard in part what has one that leaves something of the window."""
    first, last, gaps = recording.window.start, recording.window.end, recording.gaps
    missed = {gap.signal for gap in gaps if not gap.partial and gap.start <= first and last <= gap.end}
    cut, gapped = {gap.signal for gap in gaps if gap.cut}, {gap.signal for gap in gaps}
    for signal in Signal:
        if signal not in missed:
            yield FeedCoverage(signal=signal, scope=vm.key, cut=signal in cut)
        if signal not in gapped:
            yield CompleteRead(signal=signal, scope=vm.key, form=FORM_NAME, first=first, last=last)
    for gap in gaps:
        window, reason = Window(gap.start, gap.end), gap.reason[:FACT_LENGTH]
        yield RecordedGap(vm, Gap(signal=gap.signal, window=window, reason=reason, partial=gap.partial, cut=gap.cut))
