"""Files that are certainly no export, or packed in a way that is not unpacked here: refused by name.

What reads columnar files weighs 40 MB and more; a workbook's sheet is exported as text. Sources of the signatures:
"Apache Parquet: File Format", "Apache Arrow Columnar Format: IPC File Format", "ORC Specification v1",
"[MS-CFB]: Compound File Binary File Format" (`.xls`; newer workbooks are zips), the other formats' own descriptions.
"""

from collections.abc import Iterator

from vmdiag.sources.files.containers import ContainerFile, Entry, UnsupportedFile

UNPACK_ADVICE = "unpack it first; gzip, zstd, tar and zip are read as they are"
EXPORT_ADVICE = "export JSON or CSV instead"
CONVERT_ADVICE = "export JSON lines, CSV or (Event Hub Capture) Avro; DuckDB converts: copy 'in.parquet' to 'out.json'"
WORKBOOK = (
    "an Excel workbook or another office file, which is not read",
    "save the sheet as 'CSV UTF-8', or export JSON from where it came from",
)
SIGNATURES = {
    bytes.fromhex("d0cf11e0a1b11ae1"): WORKBOOK,
    b"PAR1": ("a Parquet file, which is not read", CONVERT_ADVICE),
    b"PARE": ("a Parquet (encrypted) file, which is not read", CONVERT_ADVICE),
    b"ARROW1": ("an Arrow file, which is not read", CONVERT_ADVICE),
    b"ORC": ("an ORC file, which is not read", CONVERT_ADVICE),
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
