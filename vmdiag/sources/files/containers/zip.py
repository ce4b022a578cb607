"""A zip, as Windows, macOS and browsers pack a folder; its list of members stands at its end.

Source: "APPNOTE.TXT - .ZIP File Format Specification". Workbooks and other office files are zips, too, and are refused.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from vmdiag.sources.files.containers import BoundedFile, ContainerFile, DamagedFile, Entry, HeadSignature
from vmdiag.sources.files.streams import CHUNK_SIZE, ChunkFile, Growth, UnsupportedFile
from vmdiag.sources.files.unsupported_files import WORKBOOK

SIGNATURE = HeadSignature(re.compile(rb"PK(?:\x03\x04|\x05\x06)"))  # a first member, or the end of an empty list
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


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """The plain files, in the order of the list."""
    with packed.open_seekable() as file:
        try:
            archive = zipfile.ZipFile(BoundedFile(file, MEMBER_LIST_LIMIT, "its list of members is too long"))
        except (*DAMAGE_ERRORS, OSError, OverflowError) as error:
            message = f"the zip is damaged or cut short: {error}"
            raise DamagedFile(message) from error
        with archive:
            members = archive.infolist()
            if not OFFICE_MEMBERS.isdisjoint(member.filename for member in members):
                raise UnsupportedFile(*WORKBOOK)
            for member in members:
                if member.filename.endswith("/"):  # not `is_dir`: of an empty name it raises IndexError
                    continue
                if member.flag_bits & ENCRYPTED_FLAG:
                    yield member.filename, ENCRYPTED_MEMBER
                elif stat.S_ISLNK(member.external_attr >> 16):
                    yield member.filename, UNSUPPORTED_LINK
                elif member.compress_type not in METHODS:
                    yield member.filename, UNSUPPORTED_METHOD
                else:
                    yield member.filename, ChunkFile(_read_member(archive, member, packed.growth))


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, growth: Growth) -> Iterator[bytes]:
    """The data of one member; raises `OSError` for whatever is damaged, `DecompressionBomb` for one."""
    try:
        file = archive.open(member)
        while part := file.read(CHUNK_SIZE):
            growth.add_unpacked(len(part))
            yield part
    except DAMAGE_ERRORS as error:
        message = f"damaged inside the zip: {error}"
        raise OSError(message) from error
