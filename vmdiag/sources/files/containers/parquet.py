"""Parquet, and the other columnar files that exports come in; not read, for what reads them weighs 40 MB and more.

Sources: "Apache Parquet: File Format", "Apache Arrow Columnar Format: IPC File Format", "ORC Specification v1".
"""

from collections.abc import Iterator

from vmdiag.sources.files.containers import ContainerFile, Entry, UnsupportedFile

SIGNATURES = {b"PAR1": "Parquet", b"PARE": "Parquet (encrypted)", b"ARROW1": "Arrow", b"ORC": "ORC"}

CONVERT_ADVICE = "export JSON lines, CSV or (Event Hub Capture) Avro; DuckDB converts: copy 'in.parquet' to 'out.json'"


def recognises_head(head: bytes) -> bool:
    """One of the signatures."""
    return head.startswith(tuple(SIGNATURES))


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """None: it is refused whole."""
    head = packed.file.read(8)
    kind = next((name for magic, name in SIGNATURES.items() if head.startswith(magic)), "columnar")
    what = f"a {kind} file, which is not read"
    raise UnsupportedFile(what, CONVERT_ADVICE)
