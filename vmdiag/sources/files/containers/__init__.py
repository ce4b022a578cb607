"""Files that hold other files, one kind a module, and what their readers share.

A kind is added as one file: `SIGNATURE` knows it by its first bytes, `read_entries(packed)` gives out the members one
after another, each read or passed over before the next is asked for. Names of members are labels for people: nothing is
ever written where they point.
"""

import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from vmdiag import plugins
from vmdiag.sources.files.streams import CHUNK_SIZE, Growth, Readable, UnsupportedFile
from vmdiag.values import Struct

# What has to be looked at from its end (a zip in a tar, or from a pipe) waits in an unnamed temporary file.
SPOOL_LIMIT = 1 << 30

Entry = tuple[str, Readable | UnsupportedFile]


class DamagedFile(Exception):  # noqa: N818 - it is the container that is damaged, not the program
    """A container that ends where it should not, or cannot be followed any further."""


class HeadSignature(Struct, frozen=True):
    """How files of a kind begin: `magic` matches, and `condition` holds of the first bytes where that is not enough."""

    magic: re.Pattern[bytes]
    condition: Callable[[bytes], bool] | None = None


class Container(Protocol):
    """A module of this folder."""

    SIGNATURE: HeadSignature

    def read_entries(self, packed: "ContainerFile") -> Iterator[Entry]:
        """Its members; raises `UnsupportedFile` or `DamagedFile`."""
        ...


def find_container(head: bytes) -> Container | None:
    """The kind of container that begins so."""
    for container in plugins.load_all(sys.modules[__name__]).values():
        magic, condition = container.SIGNATURE.magic, container.SIGNATURE.condition
        if magic.match(head) and (condition is None or condition(head)):
            return container
    return None


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
            self.growth.packed_bytes += self._original.seek(0, io.SEEK_END)
            yield self._original
            return
        with tempfile.TemporaryFile() as spooled:
            while chunk := self.file.read(CHUNK_SIZE):
                if spooled.tell() > SPOOL_LIMIT:
                    what = f"more than {SPOOL_LIMIT >> 30} GiB that must be read from the end"
                    raise UnsupportedFile(what, "unpack it first")
                spooled.write(chunk)
            yield spooled


class FilePart:
    """The next bytes of a file as a file, and the padding behind them."""

    def __init__(self, file: Readable, size: int, padding: int, cut_short: str) -> None:
        self.left = size
        self._file = file
        self._padding = padding
        self._cut_short = cut_short

    def read(self, size: int, /) -> bytes:
        """At most so many; raises `OSError` where the file ends before."""
        if not (part := self._file.read(min(size, self.left))) and self.left and size:
            raise OSError(self._cut_short)
        self.left -= len(part)
        return part

    def skip_rest(self) -> None:
        """Move behind the part and its padding, whatever of it was read."""
        self.left, self._padding = self.left + self._padding, 0
        while self.left:
            self.read(CHUNK_SIZE)


class BoundedFile(io.BufferedIOBase):
    """A file of which no single piece larger than `limit` is read, for it says itself how long its pieces are."""

    def __init__(self, file: BinaryIO, limit: int, too_long: str) -> None:
        self._file = file
        self._limit = limit
        self._too_long = too_long
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable  # type: ignore[method-assign]

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file, up to one byte more than the limit."""
        wanted = self._limit + 1 if size is None or size < 0 else size
        if wanted > self._limit + 1:
            raise OSError(self._too_long)
        return self._file.read(wanted)


def read_exactly(file: Readable, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    parts = io.BytesIO()
    while (missing := size - parts.tell()) > 0 and (part := file.read(missing)):
        parts.write(part)
    return parts.getvalue()
