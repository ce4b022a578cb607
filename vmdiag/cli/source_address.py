"""Finds the source that an address means; must not know what a source does."""

import re
from datetime import UTC, datetime
from pathlib import Path

from vmdiag import plugins, sources
from vmdiag.arm.access import AzureSettings
from vmdiag.errors import UsageError
from vmdiag.sources.protocol import Source, Watcher

LIVE_SOURCE = "azure"
ARCHIVE_SOURCE = "archive"
_SOURCE_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z-]+)(?::(?P<rest>.*))?", re.DOTALL)


def parse_address(address: str) -> tuple[str, str]:
    """The source's name and what it is to open; a path needs no `archive:` before it."""
    if address == LIVE_SOURCE:
        return LIVE_SOURCE, ""
    found = _SOURCE_ADDRESS.fullmatch(address)
    if found is None or Path(address).exists():
        return ARCHIVE_SOURCE, address
    if not _is_source(found["scheme"]) or found["scheme"] == LIVE_SOURCE or not found["rest"]:
        known = f"'{LIVE_SOURCE}' or {ARCHIVE_SOURCE}:PATH"
        message = f"--source {address} is neither a path that exists nor a source that this version knows"
        raise UsageError(message, f"Give the path of a file or folder, '-' for standard input, or {known}.")
    return found["scheme"], found["rest"]


def _is_source(name: str) -> bool:
    return name in plugins.list_packages(sources) and hasattr(plugins.load(sources, name), "connect")


def connect_source(name: str, address: str, watcher: Watcher, access: AzureSettings) -> Source:
    """Open a source; it is read later."""
    source: Source = plugins.load(sources, name).connect(address, watcher, access, lambda: datetime.now(UTC))
    return source
