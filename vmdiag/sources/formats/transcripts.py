"""What `vmdiag record` wrote, one VM a line. What has no gap was heard."""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from itertools import filterfalse
from typing import TYPE_CHECKING

import msgspec

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, VirtualMachine, Window
from vmdiag.sources.decoding.fields import FACT_LENGTH, find_text, get_path, to_short_text, to_text
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import (
    CompleteRead,
    FeedCoverage,
    Item,
    MetricPoints,
    RecordedGap,
    RecordingOrigin,
    VmInventory,
    VmRecord,
)

if TYPE_CHECKING:
    from vmdiag.sources.decoding.recording import Recording

SIGNALS = tuple(filterfalse({Signal.OPERATOR, Signal.PROBE, Signal.PROOF}.__contains__, Signal))
FORM_NAME = "transcripts"
SCHEMA_FAMILY = "vmdiag.transcript/"
SIGNATURES = (Signature(kind=re.compile(f"(?s){re.escape(SCHEMA_FAMILY)}.*"), kind_keys=("schema",)),)
CLOUD_NAME_LENGTH = 200  # of a cloud: a name or an address


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """All that was recorded of a VM: what it is, what was heard and sampled, and what was missed."""
    from vmdiag.sources.decoding.recording import SCHEMA, Recording  # for whoever has a recording

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
        kept = Record(
            at=record.at.astimezone(UTC),
            signal=record.signal,
            name=record.name[:FACT_LENGTH],
            status=record.status[:FACT_LENGTH],
            blur=timedelta(seconds=record.blur),
            facts={name: value[:FACT_LENGTH] for name, value in record.facts.items()},
            ref=record.ref[:FACT_LENGTH] or ref,  # where it was first read says more than the line it was kept in
        )
        yield VmRecord(vm, kept)
    for series in recording.series:
        if len(series.times) != len(series.values):
            message = "a recorded series has times without values"
            raise MalformedRow(message, vm)
        yield MetricPoints(
            vm=vm, name=series.name[:FACT_LENGTH], signal=series.signal, times=series.times, values=series.values
        )
    yield from _decode_coverage(vm, recording)


def _decode_coverage(vm: VmId, recording: "Recording") -> Iterator[Item]:
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
