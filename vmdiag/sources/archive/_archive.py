"""Exports of Azure's feeds as a source: files of any known format; must not know what a format says.

Every file is read once, into a spool on disk; then each VM in scope is told from it, one at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from vmdiag.errors import BadArchive, UsageError
from vmdiag.model import Needs, Transcript
from vmdiag.sources.archive._last_record import with_hint
from vmdiag.sources.archive._reader import Reader, formats
from vmdiag.sources.files.paths import places
from vmdiag.sources.items import Format
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.sources.selection import Asked, chosen
from vmdiag.sources.store import Spool
from vmdiag.sources.transcripts import Teller
from vmdiag.sources.unplaced_vms import place_by_name


class Archive:
    """A `Source` over files; `known` are the formats to try, by default every module of this folder."""

    def __init__(self, address: str, watcher: Watcher, known: Mapping[str, Format] | None = None) -> None:
        self._address = address
        self._watcher = watcher
        self._formats = known

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `BadArchive` when no file could be read, `UsageError` for an unknown name."""
        spool = Spool()
        reader = Reader(spool, self._watcher, self._formats or formats(), scope.utc_offset)
        reader.read(places(self._address))
        spool.close()
        for reason in place_by_name(spool):
            self._watcher.warn(reason)
        stated = scope.until if isinstance(scope.until, datetime) else None
        end = spool.newest or spool.newest_untold or stated or reader.newest_seen
        if end is None:
            message = f"{self._address} holds no record with a time: there is nothing to look at"
            raise BadArchive(message, reader.untimed or "Export it again; for an inventory alone say --until TIME.")
        window = scope.window(end)
        if window.start >= window.end:
            message = f"the archive ends at {window.end.isoformat()}, before --since"
            raise UsageError(message, "Give an earlier --since, or a duration: it counts back from the last record.")
        choice = chosen(spool.database, scope, reading_span(window, needs), needs.triggers)
        teller = Teller(spool.database, window, needs)
        # A recording says until when it was made.
        is_default = scope.until is None and spool.recorded_until != window.end
        return Reading(
            window=window,
            transcripts=self._told(teller, (*choice.vms, *choice.behind), window.end, is_default=is_default),
            vms=tuple(one.id for one in choice.vms),
            others=choice.others,
            quiet=choice.quiet,
            gaps=teller.faults(),
            cloud=spool.cloud,
        )

    def _told(self, teller: Teller, vms: Sequence[Asked], end: datetime, *, is_default: bool) -> Iterator[Transcript]:
        for one in vms:
            transcript = teller.tell(one)
            yield with_hint(transcript, end) if is_default else transcript
