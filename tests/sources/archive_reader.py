"""How tests read an archive without the command line; what it warns of is not kept."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from vmdiag.identity import Selector
from vmdiag.model import Needs
from vmdiag.sources.archive._archive import ArchiveSource
from vmdiag.sources.protocol import Reading, Scope


@dataclass
class _Listener:
    stop: Event = field(default_factory=Event)

    def warn(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def progress(self, what: str, done: int, total: int | None) -> None: ...


def read_archive(folder: Path | str, needs: Needs, *vms: str, **asked: Any) -> Reading:
    """What an archive says of VMs; `asked` is the rest of the scope."""
    scope = Scope(vms=tuple(map(Selector, vms)), **asked)
    return ArchiveSource(str(folder), _Listener()).read(scope, needs)
