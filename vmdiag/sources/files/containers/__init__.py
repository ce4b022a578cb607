"""What holds other files, or is none that can be read, told by its first bytes; must not know what members say.

Each module of this folder is one kind: `recognises(head)` looks at the first bytes and at nothing else,
`entries(packed)` gives out the members one after another, each read or passed over before the next is asked for. Names
of members are labels for people: nothing is ever written where they point.
"""

import contextlib
import importlib
import io
import pkgutil
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from vmdiag.sources.files.unpacked_size import Growth

# What has to be looked at from its end (a zip in a tar, or from a pipe) waits in an unnamed temporary file.
MOST_SPOOLED = 1 << 30
CHUNK = 1 << 20
HEAD = 4096


class Readable(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """At most so many; empty at the end."""
        ...


class Refused(Exception):  # noqa: N818 - nothing failed: it is told what to do instead
    """A file that is not read at all: what it is, and what to hand over instead."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what}: {instead}")
        self.what = what
        self.instead = instead


class Torn(Exception):  # noqa: N818 - it is the container that is damaged, not the program
    """A container that ends where it should not, or cannot be followed any further."""


Entry = tuple[str, Readable | Refused]


class Packed:
    """A container: its bytes in order, or from wherever they are wanted."""

    def __init__(self, file: Readable, original: BinaryIO | None, growth: Growth) -> None:
        self.file = file
        self.growth = growth
        self._original = original

    @contextlib.contextmanager
    def seekable(self) -> Iterator[BinaryIO]:
        """The whole container, to be read from anywhere."""
        if self._original is not None:
            self.growth.take(self._original.seek(0, io.SEEK_END))
            yield self._original
            return
        with tempfile.TemporaryFile() as spooled:
            while chunk := self.file.read(CHUNK):
                if spooled.tell() > MOST_SPOOLED:
                    what = f"more than {MOST_SPOOLED >> 30} GiB that must be read from the end"
                    raise Refused(what, "unpack it first")
                spooled.write(chunk)
            yield spooled


class Container(Protocol):
    """A module of this folder."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins so is of this kind."""
        ...

    def entries(self, packed: Packed) -> Iterator[Entry]:
        """Its members; raises `Refused` or `Torn`."""
        ...


def find(head: bytes) -> Container | None:
    """The kind of container that begins so."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        container: Container = importlib.import_module(f"{__name__}.{module.name}")
        if container.recognises(head):
            return container
    return None


def read_exactly(file: Readable, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    parts = io.BytesIO()
    while (missing := size - parts.tell()) > 0 and (part := file.read(missing)):
        parts.write(part)
    return parts.getvalue()
