"""A tar, as `tar`, the storage tools and backups write it (ustar, GNU's and POSIX's long names).

Source: "POSIX.1-2017: pax, ustar Interchange Format", "GNU tar: Basic Tar Format". Only headers are kept in memory, and
those are bounded: the standard library's reader keeps every member's and reads a long name of any length.
"""

import tarfile
from collections.abc import Iterator

from vmdiag.sources.files.containers import CHUNK_SIZE, ContainerFile, DamagedFile, Entry, read_exactly
from vmdiag.sources.files.streams import Readable
from vmdiag.sources.files.unsupported_files import UnsupportedFile

BLOCK = tarfile.BLOCKSIZE
HEADER_LIMIT = 1 << 20  # of a long name or a set of POSIX attributes
UNSUPPORTED_LINK = UnsupportedFile("a link or a device inside a tar", "pack the files themselves (tar --dereference)")
SPARSE_FILE = "it holds a sparse file: pack it again without --sparse"
ENDS_INSIDE = "the tar ends inside a file: it was cut short"
SKIPPED_TYPES = (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)
NAME_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)


def recognises_head(head: bytes) -> bool:
    """A header whose checksum fits; older tars have no other mark."""
    return len(head) >= BLOCK and any(head[:BLOCK]) and _parse_header(head[:BLOCK]) is not None


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """The plain files; links and devices are told, folders passed over."""
    name, size = "", -1
    while any(block := read_exactly(packed.file, BLOCK)):
        header = _parse_header(block)
        if header is None:
            message = "the tar is damaged or cut short"
            raise DamagedFile(message)
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise DamagedFile(SPARSE_FILE)
        holds_data = (
            header.isreg() or header.type not in tarfile.SUPPORTED_TYPES or header.type in (*NAME_TYPES, *SKIPPED_TYPES)
        )
        is_named = header.type not in (*NAME_TYPES, *SKIPPED_TYPES)
        body = _MemberBody(
            packed.file, _check_size(header.size if size < 0 or not is_named else size) if holds_data else 0
        )
        if header.type in NAME_TYPES:
            name, size = _read_name_header(header, body, name, size)
        elif is_named:
            if not header.isdir():
                yield name or header.name, body if holds_data else UNSUPPORTED_LINK
            name, size = "", -1
        body.skip_rest()
    if len(block) < BLOCK:
        message = "the tar ends without its end mark: it was cut short"
        raise DamagedFile(message)


def _parse_header(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError, OverflowError):
        return None


def _check_size(size: int) -> int:
    if size < 0:
        message = "a header of the tar names a size below zero"
        raise DamagedFile(message)
    return size


def _read_name_header(header: tarfile.TarInfo, body: "_MemberBody", name: str, size: int) -> tuple[str, int]:
    """The name, and perhaps the size, that a header of its own gives to the member that follows."""
    try:
        raw = read_exactly(body, min(body.left, HEADER_LIMIT))
    except OSError:
        raise DamagedFile(ENDS_INSIDE) from None
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return raw.rstrip(b"\0").decode("utf-8", "replace"), size
    told = dict(_parse_attributes(raw))
    if any(key.startswith("GNU.sparse.") for key in told):
        raise DamagedFile(SPARSE_FILE)
    written = told.get("size", "")
    return told.get("path", name), int(written) if written.isdecimal() and len(written) < NUMBER_LENGTH else size


NUMBER_LENGTH = 20


def _parse_attributes(raw: bytes) -> Iterator[tuple[str, str]]:
    """POSIX's `LENGTH key=value` lines; what does not fit that ends them."""
    while raw:
        length, _, _ = raw[:NUMBER_LENGTH].partition(b" ")
        if not length.isdigit() or not len(length) < int(length) <= len(raw):
            return
        line, raw = raw[len(length) + 1 : int(length)], raw[int(length) :]
        key, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
        yield key, value


class _MemberBody:
    """The data of one member, and the padding behind it."""

    def __init__(self, file: Readable, size: int) -> None:
        self.left = size
        self._file = file
        self._padding = -size % BLOCK

    def read(self, size: int, /) -> bytes:
        if not (part := self._file.read(min(size, self.left))) and self.left and size:
            message = "the tar ends inside this file"
            raise OSError(message)
        self.left -= len(part)
        return part

    def skip_rest(self) -> None:
        """Move behind the member, whatever of it was read."""
        self.left += self._padding
        self._padding = 0
        try:
            while self.left:
                self.read(min(self.left, CHUNK_SIZE))
        except OSError:
            raise DamagedFile(ENDS_INSIDE) from None
