"""The archive source, and the formats that live answers come in as well; importing it imports none of them."""

from collections.abc import Callable
from datetime import datetime

from vmdiag.arm.request import AzureSettings
from vmdiag.sources.protocol import Source, Watcher


def connect(address: str, watcher: Watcher, access: AzureSettings, clock: Callable[[], datetime]) -> Source:
    """The source that reads the files an address means: a path, a folder, a glob, or `-`; it asks no Azure."""
    from vmdiag.sources.archive._archive import ArchiveSource

    del access, clock
    return ArchiveSource(address, watcher)
