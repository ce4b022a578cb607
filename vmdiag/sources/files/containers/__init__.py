"""What holds other files, or is none that can be read, told by its first bytes; must not know what members say.

Each module of this folder is one kind: `recognises_head(head)` looks at the first bytes and at nothing else,
`read_entries(packed)` gives out the members one after another, each read or passed over before the next is asked for.
Names of members are labels for people: nothing is ever written where they point.
"""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from vmdiag.sources.files.streams import Growth, Readable
from vmdiag.sources.files.unsupported_files import UnsupportedFile

# What has to be looked at from its end (a zip in a tar, or from a pipe) waits in an unnamed temporary file.
SPOOL_LIMIT = 1 << 30
CHUNK_SIZE = 1 << 20


class DamagedFile(Exception):  # noqa: N818 - it is the container that is damaged, not the program
    """A container that ends where it should not, or cannot be followed any further."""


Entry = tuple[str, Readable | UnsupportedFile]


class ContainerFile:
    """A container: its bytes in order, or from wherever they are wanted."""

    def __init__(self, file: Readable, original: BinaryIO | None, growth: Growth) -> None:
        self.file = file
        self.growth = growth
        self._original = original

    @contextlib.contextmanager
    def open_seekable(self) -> Iterator[BinaryIO]:
        """The whole container, to be read from anywhere."""
        if self._original is not None:
            self.growth.add_packed(self._original.seek(0, io.SEEK_END))
            yield self._original
            return
        with tempfile.TemporaryFile() as spooled:
            while chunk := self.file.read(CHUNK_SIZE):
                if spooled.tell() > SPOOL_LIMIT:
                    what = f"more than {SPOOL_LIMIT >> 30} GiB that must be read from the end"
                    raise UnsupportedFile(what, "unpack it first")
                spooled.write(chunk)
            yield spooled


class Container(Protocol):
    """A module of this folder."""

    def recognises_head(self, head: bytes) -> bool:
        """Whether a file that begins so is of this kind."""
        ...

    def read_entries(self, packed: ContainerFile) -> Iterator[Entry]:
        """Its members; raises `UnsupportedFile` or `DamagedFile`."""
        ...


def read_exactly(file: Readable, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    parts = io.BytesIO()
    while (missing := size - parts.tell()) > 0 and (part := file.read(missing)):
        parts.write(part)
    return parts.getvalue()
