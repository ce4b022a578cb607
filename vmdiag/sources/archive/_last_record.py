"""Where an archive's last record may itself be the sign of a loss: the case names `--until`; must not judge.

An export of heartbeats ends with the loss by its nature, and so does a log whose last entry is the loss. The window
ends with the last record, so the silence behind it is not seen, unless somebody says when the export was made.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Gap, Kind, Signal, Transcript, Window

# A silence of heartbeats is one from here on (the contract's heartbeat channel): a longer one is seen for itself.
HEARTBEAT_SILENCE = timedelta(minutes=10)
OPEN_LOSS_KINDS = frozenset({Kind.UNAVAILABLE, Kind.DEGRADED, Kind.UNKNOWN})
UNTIL_ADVICE = "if it was exported later, say when: --until TIME"


def add_until_hints(transcript: Transcript, end: datetime) -> Transcript:
    """The transcript, with a gap at the window's end for each signal that may have told its last of the VM."""
    return replace(transcript, gaps=(*transcript.gaps, *_find_until_hints(transcript, end)))


def _find_until_hints(transcript: Transcript, end: datetime) -> Iterator[Gap]:
    beats = [one.times[-1] for one in transcript.series if one.signal is Signal.HEARTBEAT and one.times]
    others = [one.times[-1] for one in transcript.series if one.signal is Signal.TRAFFIC and one.times]
    if beats and end - max(beats) < HEARTBEAT_SILENCE and (not others or max(others) < max(beats)):
        yield _make_end_gap(
            Signal.HEARTBEAT, end, "the archive ends with heartbeats, so their end cannot be seen in it"
        )
    last = [record for record in transcript.records if record.at == end and record.signal is Signal.HEALTH]
    if any(interpret_record(one.signal, one.name, one.status, one.facts) in OPEN_LOSS_KINDS for one in last):
        yield _make_end_gap(
            Signal.HEALTH, end, "the archive ends with this VM's loss, so what followed cannot be seen in it"
        )


def _make_end_gap(signal: Signal, end: datetime, reason: str) -> Gap:
    return Gap(signal=signal, window=Window(end, end), reason=f"{reason}: {UNTIL_ADVICE}", partial=True)
