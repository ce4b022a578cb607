"""Exports of Azure's feeds as a source: files of any known format.

Every file is read once, into a store on disk; then each VM in scope is told from it, one at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.errors import BadArchive, UsageError
from vmdiag.model import Gap, Kind, Needs, Signal, Transcript, Window
from vmdiag.sources.files.input_files import POOL_SIZE, InputFile, find_files
from vmdiag.sources.formats import SCREENED_FORMS
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.values import Struct, field, replace

if TYPE_CHECKING:
    from vmdiag.arm.request import AzureSettings
    from vmdiag.sources.archive._range_pool import RangePool
    from vmdiag.sources.selection import SelectedVm
    from vmdiag.sources.transcripts import TranscriptBuilder

# A silence of heartbeats is one from here on (the contract's heartbeat channel): a longer one is seen for itself.
HEARTBEAT_SILENCE = timedelta(minutes=10)
OPEN_LOSS_KINDS = frozenset({Kind.UNAVAILABLE, Kind.DEGRADED, Kind.UNKNOWN})
UNTIL_ADVICE = "if it was exported later, say when: --until TIME"


def connect(
    address: str, watcher: Watcher, build_access: "Callable[[], AzureSettings]", clock: Callable[[], datetime]
) -> "ArchiveSource":
    """The source that reads the files an address means: a path, a folder, a glob, or `-`; it asks no Azure."""
    del build_access, clock
    return ArchiveSource(address, watcher)


class ArchiveSource(Struct, frozen=True):
    """A `Source` over the files that an address means."""

    address: str
    watcher: Watcher
    # Files that are being read ahead, for the first reading.
    _begun: "list[tuple[Sequence[InputFile], RangePool | None]]" = field(default_factory=list)

    def begin_reading(self, scope: Scope) -> None:
        """Let other processes read a large archive ahead; whatever is wrong with the address is told by `read`."""
        with suppress(BadArchive):
            files, pool, size = list[InputFile](), None, 0
            for file in find_files(self.address):
                files.append(file)
                size += file.size or 0
                if size >= POOL_SIZE and pool is None and scope.processes > 1 and not scope.exact_scan:
                    from vmdiag.sources.archive._range_pool import RangePool

                    pool = RangePool(files, SCREENED_FORMS, scope.processes)
            self._begun.append((files, pool))

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `BadArchive` when no file could be read, `UsageError` for an unknown name."""
        # Not before other processes read ahead.
        from vmdiag.sources.archive._reader import ArchiveReader
        from vmdiag.sources.store import ItemStore
        from vmdiag.sources.stored_scope import resolve_placeholders, select_vms
        from vmdiag.sources.transcripts import TranscriptBuilder

        store = ItemStore()
        files, pool = self._begun.pop() if self._begun else (list(find_files(self.address)), None)
        reader = ArchiveReader(store, self.watcher, scope)
        reader.read_files(files, pool)
        store.finish_loading()
        for reason in resolve_placeholders(store):
            self.watcher.warn(reason)
        stated = scope.until if isinstance(scope.until, datetime) else None
        end = store.newest or store.newest_observed or stated or reader.newest_seen
        if end is None:
            message = f"{self.address} holds no record with a time: there is nothing to look at"
            raise BadArchive(
                message, reader.untimed_reason or "Export it again; for an inventory alone say --until TIME."
            )
        window = scope.window(end)
        if window.start >= window.end:
            message = f"the archive ends at {window.end.isoformat()}, before --since"
            raise UsageError(message, "Give an earlier --since, or a duration: it counts back from the last record.")
        span = reading_span(window, needs)
        is_elsewhere = store.oldest and store.newest and (store.newest < span.start or store.oldest > span.end)
        if is_elsewhere and not store.recorded_until:  # a recording says what was looked at, also where nothing was
            # Nothing was heard of that time: that nothing happened in it would be a guess.
            held = f"{store.oldest:%Y-%m-%d %H:%M} to {store.newest:%Y-%m-%d %H:%M} UTC"
            message = f"the archive holds {held}, and nothing of the time that is looked at"
            raise UsageError(message, "Give --since and --until within it, or leave them out.")
        chosen = select_vms(store, scope, span, needs.triggers)
        builder = TranscriptBuilder(store, window, needs)
        # A recording says until when it was made.
        is_default = scope.until is None and store.recorded_until != window.end
        vms = (*chosen.vms, *chosen.comparison_vms)
        return Reading(
            window=window,
            transcripts=_build_transcripts(builder, vms, window.end if is_default else None),
            vms=tuple(one.id for one in chosen.vms),
            others=chosen.others,
            quiet=chosen.quiet,
            unclear=chosen.unclear,
            gaps=builder.find_unassigned_gaps(),
            cloud=store.cloud,
        )


def _build_transcripts(
    builder: "TranscriptBuilder", vms: "Sequence[SelectedVm]", end: datetime | None
) -> Iterator[Transcript]:
    """The transcripts; where the window ends by itself, with what its `end` hides.

    An export of heartbeats ends with the loss by its nature, and so does a log whose last entry is the loss. The window
    ends with the last record, so the silence behind it is not seen, unless somebody says when the export was made.
    """
    for transcript in map(builder.build_transcript, vms):
        if end is None:
            yield transcript
            continue
        reasons: dict[Signal, str] = {}
        beats = [one.times[-1] for one in transcript.series if one.signal is Signal.HEARTBEAT and one.times]
        others = [one.times[-1] for one in transcript.series if one.signal is Signal.TRAFFIC and one.times]
        if beats and end - max(beats) < HEARTBEAT_SILENCE and (not others or max(others) < max(beats)):
            reasons[Signal.HEARTBEAT] = "the archive ends with heartbeats, so their end cannot be seen in it"
        last = [record for record in transcript.records if record.at == end and record.signal is Signal.HEALTH]
        if any(interpret_record(one.signal, one.name, one.status, one.facts) in OPEN_LOSS_KINDS for one in last):
            reasons[Signal.HEALTH] = "the archive ends with this VM's loss, so what followed cannot be seen in it"
        hints = (
            Gap(signal=signal, window=Window(end, end), reason=f"{reason}: {UNTIL_ADVICE}", partial=True)
            for signal, reason in reasons.items()
        )
        yield replace(transcript, gaps=(*transcript.gaps, *hints))
