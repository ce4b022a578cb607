"""Finds the source that an address means; must not know what a source does."""

import re
from pathlib import Path

from vmdiag import plugins, sources
from vmdiag.errors import UsageError
from vmdiag.model import Source, Watcher

LIVE = "azure"
ARCHIVE = "archive"
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z-]+)(?::(?P<rest>.*))?", re.DOTALL)
_HOW_TO_EXPORT = """\
Export what Azure logged and judge the file:
  az monitor activity-log list --offset 14d --max-events 100000 --output json > activity.json
  vmdiag check --source activity.json"""


def resolve(address: str) -> tuple[str, str]:
    """The source's name and what it is to open; a path needs no `archive:` before it."""
    if address == LIVE:
        message = "live Azure (--source azure, the default) is not in this version"
        raise UsageError(message, _HOW_TO_EXPORT)
    found = _SCHEME.fullmatch(address)
    if found is None or Path(address).exists():
        return ARCHIVE, address
    if found["scheme"] not in plugins.names(sources) or not found["rest"]:
        known = " or ".join(f"{name}:..." for name in plugins.names(sources))
        message = f"--source {address} is neither a path that exists nor a source that this version knows"
        raise UsageError(message, f"Give the path of a file or folder, '-' for standard input, or {known}.")
    return found["scheme"], found["rest"]


def connect(name: str, address: str, watcher: Watcher) -> Source:
    """Open a source; it is read later."""
    source: Source = plugins.load(sources, name).connect(address, watcher)
    return source
