"""Files packed in a way that is not unpacked here, and other files that are certainly no export: refused by name."""

from collections.abc import Iterator

from vmdiag.sources.files.containers import Entry, Packed, Refused

UNPACK = "unpack it first; gzip, zstd, tar and zip are read as they are"
NO_DATA = "export JSON or CSV instead"
# Signatures as their formats' own descriptions give them.
KINDS = {
    b"\xfd7zXZ\x00": ("packed by xz", UNPACK),
    b"BZh": ("packed by bzip2", UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("packed by 7-Zip", UNPACK),
    b"Rar!\x1a\x07": ("packed by RAR", UNPACK),
    b"\x04\x22\x4d\x18": ("packed by LZ4", UNPACK),
    b"\xff\x06\x00\x00sNaPpY": ("packed by Snappy", UNPACK),
    b"%PDF-": ("a PDF document, not data", NO_DATA),
    b"SQLite format 3\x00": ("an SQLite database", NO_DATA),
    b"\x89PNG\r\n\x1a\n": ("a picture, not data", NO_DATA),
    b"\xff\xd8\xff": ("a picture, not data", NO_DATA),
    b"GIF8": ("a picture, not data", NO_DATA),
    b"{\\rtf": ("a text document (RTF), not data", NO_DATA),
}


def recognises(head: bytes) -> bool:
    """One of the signatures."""
    return head.startswith(tuple(KINDS))


def entries(packed: Packed) -> Iterator[Entry]:
    """None: it is refused whole."""
    head = packed.file.read(16)
    what, instead = next((told for magic, told in KINDS.items() if head.startswith(magic)), ("no export", NO_DATA))
    raise Refused(what, instead)
