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

from vmdiag.sources.files.containers import ContainerFile, DamagedFile, Entry
from vmdiag.sources.files.streams import Growth, Readable
from vmdiag.sources.files.unsupported_files import WORKBOOK, UnsupportedFile

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
OFFICE_MEMBERS = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
# The list of members, which the standard library keeps in memory: some 100,000 of them.
MEMBER_LIST_LIMIT = 32 << 20
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED_FLAG = 1
UNSUPPORTED_LINK = UnsupportedFile("a link inside a zip", "pack the files themselves")
ENCRYPTED_MEMBER = UnsupportedFile("an encrypted member of a zip", "unpack it, or pack it without a password")
UNSUPPORTED_METHOD = UnsupportedFile(
    "a member of a zip that is packed in an unusual way", "unpack it, or pack it as tar.gz"
)
DAMAGE_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def recognises_head(head: bytes) -> bool:
    """A first member, or the end of an empty list."""
    return head.startswith(MAGIC)


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """The plain files, in the order of the list."""
    with packed.open_seekable() as file, _open_zip(file) as archive:
        members = archive.infolist()
        if not OFFICE_MEMBERS.isdisjoint(member.filename for member in members):
            raise UnsupportedFile(*WORKBOOK)
        for member in members:
            if not member.filename.endswith("/"):  # not `is_dir`: of an empty name it raises IndexError
                yield member.filename, _make_entry(archive, member, packed.growth)


def _open_zip(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_BoundedFile(file))
    except (*DAMAGE_ERRORS, OSError, OverflowError) as error:
        message = f"the zip is damaged or cut short: {error}"
        raise DamagedFile(message) from error


def _make_entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo, growth: Growth) -> Readable | UnsupportedFile:
    if member.flag_bits & ENCRYPTED_FLAG:
        return ENCRYPTED_MEMBER
    if stat.S_ISLNK(member.external_attr >> 16):
        return UNSUPPORTED_LINK
    return _MemberBody(archive, member, growth) if member.compress_type in METHODS else UNSUPPORTED_METHOD


class _BoundedFile(io.BufferedIOBase):
    """A file of which no single piece larger than a list of members is read: the list says itself how long it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file; at most the longest list."""
        wanted = MEMBER_LIST_LIMIT + 1 if size is None or size < 0 else size
        if wanted > MEMBER_LIST_LIMIT + 1:
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


class _MemberBody:
    """The data of one member, opened when it is first read."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, growth: Growth) -> None:
        self._archive = archive
        self._member = member
        self._growth = growth
        self._file: Readable | None = None

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; raises `OSError` for whatever is damaged, `DecompressionBomb` for one."""
        try:
            if self._file is None:
                self._file = self._archive.open(self._member)
            part = self._file.read(size)
        except DAMAGE_ERRORS as error:
            message = f"damaged inside the zip: {error}"
            raise OSError(message) from error
        self._growth.add_unpacked(len(part))
        return part
