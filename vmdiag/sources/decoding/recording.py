"""What `vmdiag record` writes, one VM a line: `formats/transcripts.py` reads it back.

Schema `vmdiag.transcript/1`, one JSON object a line, times in UTC. What has no gap was heard.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from vmdiag.errors import redact_secrets
from vmdiag.model import Signal, Transcript, Window

SCHEMA = "vmdiag.transcript/1"
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
        records=tuple(
            RecordedRecord(
                at=record.at,
                signal=record.signal,
                name=record.name,
                status=record.status,
                blur=record.blur.total_seconds(),
                # What Azure quotes may hold what somebody should not have logged.
                facts={name: redact_secrets(value) for name, value in record.facts.items()},
                ref=record.ref,
            )
            for record in transcript.records
        ),
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
