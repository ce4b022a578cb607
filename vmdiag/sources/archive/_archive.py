"""Exports of Azure's feeds as a source: files of any known format; must not know what a format says.

Every file is read once, into a spool on disk; then each VM in scope is told from it, one at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from vmdiag.errors import BadArchive, UsageError
from vmdiag.model import Needs, Transcript
from vmdiag.sources.archive._last_record import add_until_hints
from vmdiag.sources.archive._reader import ArchiveReader, load_formats
from vmdiag.sources.files.input_files import find_files
from vmdiag.sources.items import InputFormat
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.sources.selection import SelectedVm, select_vms
from vmdiag.sources.store import ItemStore
from vmdiag.sources.transcripts import TranscriptBuilder
from vmdiag.sources.unplaced_vms import resolve_placeholders


class ArchiveSource:
    """A `Source` over files; `known` are the formats to try, by default every module of this folder."""

    def __init__(self, address: str, watcher: Watcher, known: Mapping[str, InputFormat] | None = None) -> None:
        self._address = address
        self._watcher = watcher
        self._formats = known

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `BadArchive` when no file could be read, `UsageError` for an unknown name."""
        spool = ItemStore()
        reader = ArchiveReader(spool, self._watcher, self._formats or load_formats(), scope.utc_offset)
        reader.read_files(find_files(self._address))
        spool.finish_loading()
        for reason in resolve_placeholders(spool):
            self._watcher.warn(reason)
        stated = scope.until if isinstance(scope.until, datetime) else None
        end = spool.newest or spool.newest_observed or stated or reader.newest_seen
        if end is None:
            message = f"{self._address} holds no record with a time: there is nothing to look at"
            raise BadArchive(
                message, reader.untimed_reason or "Export it again; for an inventory alone say --until TIME."
            )
        window = scope.window(end)
        if window.start >= window.end:
            message = f"the archive ends at {window.end.isoformat()}, before --since"
            raise UsageError(message, "Give an earlier --since, or a duration: it counts back from the last record.")
        choice = select_vms(spool.database, scope, reading_span(window, needs), needs.triggers)
        teller = TranscriptBuilder(spool.database, window, needs)
        # A recording says until when it was made.
        is_default = scope.until is None and spool.recorded_until != window.end
        return Reading(
            window=window,
            transcripts=self._build_transcripts(
                teller, (*choice.vms, *choice.comparison_vms), window.end, is_default=is_default
            ),
            vms=tuple(one.id for one in choice.vms),
            others=choice.others,
            quiet=choice.quiet,
            gaps=teller.find_unassigned_gaps(),
            cloud=spool.cloud,
        )

    def _build_transcripts(
        self, teller: TranscriptBuilder, vms: Sequence[SelectedVm], end: datetime, *, is_default: bool
    ) -> Iterator[Transcript]:
        for one in vms:
            transcript = teller.build_transcript(one)
            yield add_until_hints(transcript, end) if is_default else transcript
