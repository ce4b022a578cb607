"""Files packed in a way that is not unpacked here, and other files that are certainly no export: refused by name."""

from collections.abc import Iterator

from vmdiag.sources.files.containers import ContainerFile, Entry, UnsupportedFile

UNPACK_ADVICE = "unpack it first; gzip, zstd, tar and zip are read as they are"
EXPORT_ADVICE = "export JSON or CSV instead"
# Signatures as their formats' own descriptions give them.
SIGNATURES = {
    b"\xfd7zXZ\x00": ("packed by xz", UNPACK_ADVICE),
    b"BZh": ("packed by bzip2", UNPACK_ADVICE),
    b"7z\xbc\xaf\x27\x1c": ("packed by 7-Zip", UNPACK_ADVICE),
    b"Rar!\x1a\x07": ("packed by RAR", UNPACK_ADVICE),
    b"\x04\x22\x4d\x18": ("packed by LZ4", UNPACK_ADVICE),
    b"\xff\x06\x00\x00sNaPpY": ("packed by Snappy", UNPACK_ADVICE),
    b"%PDF-": ("a PDF document, not data", EXPORT_ADVICE),
    b"SQLite format 3\x00": ("an SQLite database", EXPORT_ADVICE),
    b"\x89PNG\r\n\x1a\n": ("a picture, not data", EXPORT_ADVICE),
    b"\xff\xd8\xff": ("a picture, not data", EXPORT_ADVICE),
    b"GIF8": ("a picture, not data", EXPORT_ADVICE),
    b"{\\rtf": ("a text document (RTF), not data", EXPORT_ADVICE),
}


def recognises_head(head: bytes) -> bool:
    """One of the signatures."""
    return head.startswith(tuple(SIGNATURES))


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """None: it is refused whole."""
    head = packed.file.read(16)
    what, instead = next(
        (told for magic, told in SIGNATURES.items() if head.startswith(magic)), ("no export", EXPORT_ADVICE)
    )
    raise UnsupportedFile(what, instead)
