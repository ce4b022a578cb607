"""A zip, as Windows, macOS and browsers pack a folder; its list of members stands at its end.

Source: "APPNOTE.TXT - .ZIP File Format Specification". Workbooks and other office files are zips, too, and are refused.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from vmdiag.sources.files.containers import Entry, Packed, Readable, Refused, Torn
from vmdiag.sources.files.containers.excel import WORKBOOK
from vmdiag.sources.files.unpacked_size import Growth

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
OFFICE = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
# The list of members, which the standard library keeps in memory: some 100,000 of them.
LONGEST_LIST = 32 << 20
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 1
LINK = Refused("a link inside a zip", "pack the files themselves")
LOCKED = Refused("an encrypted member of a zip", "unpack it, or pack it without a password")
UNUSUAL = Refused("a member of a zip that is packed in an unusual way", "unpack it, or pack it as tar.gz")
DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def recognises(head: bytes) -> bool:
    """A first member, or the end of an empty list."""
    return head.startswith(MAGIC)


def entries(packed: Packed) -> Iterator[Entry]:
    """The plain files, in the order of the list."""
    with packed.seekable() as file, _opened(file) as archive:
        members = archive.infolist()
        if not OFFICE.isdisjoint(member.filename for member in members):
            raise WORKBOOK
        for member in members:
            if not member.filename.endswith("/"):  # not `is_dir`: of an empty name it raises IndexError
                yield member.filename, _entry(archive, member, packed.growth)


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Bounded(file))
    except (*DAMAGES, OSError, OverflowError) as error:
        message = f"the zip is damaged or cut short: {error}"
        raise Torn(message) from error


def _entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo, growth: Growth) -> Readable | Refused:
    if member.flag_bits & ENCRYPTED:
        return LOCKED
    if stat.S_ISLNK(member.external_attr >> 16):
        return LINK
    return _Body(archive, member, growth) if member.compress_type in METHODS else UNUSUAL


class _Bounded(io.BufferedIOBase):
    """A file of which no single piece larger than a list of members is read: the list says itself how long it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file; at most the longest list."""
        wanted = LONGEST_LIST + 1 if size is None or size < 0 else size
        if wanted > LONGEST_LIST + 1:
            message = "its list of members is too long"
            raise OSError(message)
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As a file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As a file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """As a file that is on disk."""
        return True

    def readable(self) -> bool:
        """As a file."""
        return True


class _Body:
    """The data of one member, opened when it is first read."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, growth: Growth) -> None:
        self._archive = archive
        self._member = member
        self._growth = growth
        self._file: Readable | None = None

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; raises `OSError` for whatever is damaged, `Bomb` for one."""
        try:
            if self._file is None:
                self._file = self._archive.open(self._member)
            part = self._file.read(size)
        except DAMAGES as error:
            message = f"damaged inside the zip: {error}"
            raise OSError(message) from error
        self._growth.give(len(part))
        return part
