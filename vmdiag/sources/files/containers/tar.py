"""A tar, as `tar`, the storage tools and backups write it (ustar, GNU's and POSIX's long names).

Source: "POSIX.1-2017: pax, ustar Interchange Format", "GNU tar: Basic Tar Format". Only headers are kept in memory, and
those are bounded: the standard library's reader keeps every member's and reads a long name of any length.
"""

import re
import tarfile
from collections.abc import Iterator

from vmdiag.sources.files.containers import ContainerFile, DamagedFile, Entry, FilePart, HeadSignature, read_exactly
from vmdiag.sources.files.streams import UnsupportedFile

BLOCK = tarfile.BLOCKSIZE
HEADER_LIMIT = 1 << 20  # of a long name or a set of POSIX attributes
NUMBER_LENGTH = 20
UNSUPPORTED_LINK = UnsupportedFile("a link or a device inside a tar", "pack the files themselves (tar --dereference)")
DAMAGED_HEADER = "the tar is damaged or cut short"
NEGATIVE_SIZE = "a header of the tar names a size below zero"
SPARSE_FILE = "it holds a sparse file: pack it again without --sparse"
ENDS_INSIDE = "the tar ends inside a file: it was cut short"
NO_END_MARK = "the tar ends without its end mark: it was cut short"
NAME_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
HEADER_TYPES = (*NAME_TYPES, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)


def has_checksum(head: bytes) -> bool:
    """Whether a header's checksum fits."""
    return len(head) >= BLOCK and any(head[:BLOCK]) and _parse_header(head[:BLOCK]) is not None


# Older tars have no other mark than the checksum, in octal digits.
SIGNATURE = HeadSignature(re.compile(rb"(?s).{148}[0-7 \0]{8}"), has_checksum)


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """The plain files; links and devices are told, folders passed over."""
    name, size = "", -1
    while any(block := read_exactly(packed.file, BLOCK)):
        header = _parse_header(block)
        if header is None:
            raise DamagedFile(DAMAGED_HEADER)
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise DamagedFile(SPARSE_FILE)
        is_named = header.type not in HEADER_TYPES
        holds_data = not is_named or header.isreg() or header.type not in tarfile.SUPPORTED_TYPES
        length = (size if is_named and size >= 0 else header.size) if holds_data else 0
        if length < 0:
            raise DamagedFile(NEGATIVE_SIZE)
        body = FilePart(packed.file, length, -length % BLOCK, "the tar ends inside this file")
        if is_named and not header.isdir():
            yield name or header.name, body if holds_data else UNSUPPORTED_LINK
        try:
            if header.type in NAME_TYPES:
                name, size = _read_name_header(header, body, name, size)
            elif is_named:
                name, size = "", -1
            body.skip_rest()
        except OSError:
            raise DamagedFile(ENDS_INSIDE) from None
    if len(block) < BLOCK:
        raise DamagedFile(NO_END_MARK)


def _parse_header(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError, OverflowError):
        return None


def _read_name_header(header: tarfile.TarInfo, body: FilePart, name: str, size: int) -> tuple[str, int]:
    """The name, and perhaps the size, that a header of its own gives to the member that follows."""
    raw = read_exactly(body, min(body.left, HEADER_LIMIT))
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return raw.rstrip(b"\0").decode("utf-8", "replace"), size
    told: dict[str, str] = {}
    while raw:  # POSIX's `LENGTH key=value` lines; what does not fit that ends them
        length, _, _ = raw[:NUMBER_LENGTH].partition(b" ")
        if not length.isdigit() or not len(length) < int(length) <= len(raw):
            break
        line, raw = raw[len(length) + 1 : int(length)], raw[int(length) :]
        key, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
        told[key] = value
    if any(key.startswith("GNU.sparse.") for key in told):
        raise DamagedFile(SPARSE_FILE)
    written = told.get("size", "")
    return told.get("path", name), int(written) if written.isdecimal() and len(written) < NUMBER_LENGTH else size
