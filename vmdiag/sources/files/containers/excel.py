"""A workbook of the old kind (`.xls`); those of the new kind are zips. Neither is read: a sheet is exported as text.

Source: "[MS-CFB]: Compound File Binary File Format" (the header's signature).
"""

from collections.abc import Iterator

from vmdiag.sources.files.containers import ContainerFile, Entry, UnsupportedFile

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
UNSUPPORTED_WORKBOOK = UnsupportedFile(
    "an Excel workbook or another office file, which is not read",
    "save the sheet as 'CSV UTF-8', or export JSON from where it came from",
)


def recognises_head(head: bytes) -> bool:
    """The signature of Office files before 2007."""
    return head.startswith(MAGIC)


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """None: it is refused whole."""
    del packed
    raise UNSUPPORTED_WORKBOOK
