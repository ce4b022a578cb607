"""Event Hub Capture's Avro: each event's `Body` is a message of a diagnostic setting, `{"records": [...]}`.

Sources: "Capture Azure Event Hubs data: Exploring captured Avro files" (the schema `EventData`), "Apache Avro
Specification: Object Container Files". The blocks are followed here, so that each can be bounded; what is in them is
read by fastavro (the extra `avro`). No schema is followed but Capture's own kind: one with arrays in it could make much
of nothing.
"""

import importlib.util
import io
import re
import zlib
from collections.abc import Iterator

import msgspec

from vmdiag.sources.files.containers import ContainerFile, DamagedFile, Entry, HeadSignature, read_exactly
from vmdiag.sources.files.streams import ChunkFile, Readable, UnsupportedFile

MAGIC = b"Obj\x01"
SIGNATURE = HeadSignature(re.compile(MAGIC))
SYNC_MARKER_SIZE = 16  # bytes between blocks
HEADER_LIMIT = 1 << 20
BLOCK_LIMIT = 64 << 20
CODECS = frozenset({"null", "deflate"})
PLAIN_TYPES = frozenset({"null", "boolean", "int", "long", "float", "double", "string", "bytes"})
LIBRARY = "fastavro"
INVALID_BLOCK = "a block of the Avro file is too large, or makes no sense"
LIBRARY_MISSING = UnsupportedFile(
    "an Avro file, and what reads it is not installed", "install it: pip install 'vmdiag[avro]'"
)
NOT_CAPTURE = UnsupportedFile(
    "an Avro file that is not Event Hub Capture's, which is not read", "export JSON or CSV from where it came from"
)


def read_entries(packed: ContainerFile) -> Iterator[Entry]:
    """One member: the bodies of all events, a line each."""
    if importlib.util.find_spec(LIBRARY) is None:
        raise LIBRARY_MISSING
    schema, codec, sync_marker = _read_header(packed.file)
    if not is_capture_schema(schema):
        raise NOT_CAPTURE
    if codec not in CODECS:
        what = f"an Avro file packed by {codec[:20]!r}"
        raise UnsupportedFile(what, "capture it without that codec")
    yield "", ChunkFile(_read_bodies(schema, _read_blocks(packed, codec, sync_marker)))


def is_capture_schema(schema: object) -> bool:
    """Whether a schema is a record of plain values and maps with a body of bytes."""
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        return False
    fields = [each for each in schema["fields"] if isinstance(each, dict)]
    kinds = {str(each.get("name")): each.get("type") for each in fields}
    if len(kinds) != len(schema["fields"]) or not all(_is_plain_type(kind) for kind in kinds.values()):
        return False
    body = kinds.get("Body")
    return body == "bytes" or (isinstance(body, list) and "bytes" in body)


def _is_plain_type(kind: object) -> bool:
    if isinstance(kind, list):
        return all(_is_plain_type(each) for each in kind)
    if isinstance(kind, dict):
        is_map = kind.get("type") == "map" and not isinstance(kind.get("values"), dict)
        return (is_map and _is_plain_type(kind.get("values"))) or kind.get("type") in PLAIN_TYPES
    return kind in PLAIN_TYPES


def _read_bodies(capture_schema: object, blocks: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """The bodies as one text; a block that cannot be read raises `OSError`."""
    from fastavro import parse_schema, schemaless_reader
    from fastavro.schema import SchemaParseException, UnknownType

    try:
        schema = parse_schema(capture_schema)  # type: ignore[arg-type]
        for count, block in blocks:
            events = io.BytesIO(block)
            for _ in range(count):
                event = schemaless_reader(events, schema, None)
                body = event.get("Body") if isinstance(event, dict) else None
                if isinstance(body, bytes) and body.strip():
                    yield body + b"\n"
    except DamagedFile as error:
        raise OSError(str(error)) from error
    except (
        SchemaParseException,
        UnknownType,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        message = f"an event of the Avro file cannot be read: {type(error).__name__}"
        raise OSError(message) from error


def _read_blocks(packed: ContainerFile, codec: str, sync_marker: bytes) -> Iterator[tuple[int, bytes]]:
    """How many events a block holds, and its bytes."""
    while first := packed.file.read(1):
        count, size = _read_long(packed.file, first), _read_long(packed.file)
        if not 0 <= size <= BLOCK_LIMIT or count < 0:
            raise DamagedFile(INVALID_BLOCK)
        raw = read_exactly(packed.file, size)
        mark = read_exactly(packed.file, SYNC_MARKER_SIZE)
        if len(raw) < size or mark != sync_marker:
            message = "the Avro file is damaged or cut short"
            raise DamagedFile(message)
        if codec == "deflate":
            inflate = zlib.decompressobj(-15)
            raw = inflate.decompress(raw, BLOCK_LIMIT)
            packed.growth.add_unpacked(len(raw))
            if inflate.unconsumed_tail:
                raise DamagedFile(INVALID_BLOCK)
        if count > len(raw):
            raise DamagedFile(INVALID_BLOCK)
        yield count, raw


def _read_header(file: Readable) -> tuple[object, str, bytes]:
    """The schema, the codec, and what stands between blocks."""
    read_exactly(file, len(MAGIC))
    told: dict[bytes, bytes] = {}
    while count := _read_long(file):
        if count < 0:
            _read_long(file)  # the block's length in bytes, for those who pass over it
        for _ in range(min(abs(count), HEADER_LIMIT)):
            key = _read_bytes(file)
            told[key] = _read_bytes(file)
            if len(told) > HEADER_LIMIT >> 10:
                message = "the header of the Avro file makes no sense"
                raise DamagedFile(message)
    codec = told.get(b"avro.codec", b"null").decode("utf-8", "replace")
    try:
        schema = msgspec.json.decode(told.get(b"avro.schema", b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        schema = None
    return schema, codec, read_exactly(file, SYNC_MARKER_SIZE)


def _read_bytes(file: Readable) -> bytes:
    size = _read_long(file)
    raw = read_exactly(file, size) if 0 <= size <= HEADER_LIMIT else b""
    if len(raw) != size:
        message = "the header of the Avro file is damaged or cut short"
        raise DamagedFile(message)
    return raw


def _read_long(file: Readable, first: bytes = b"") -> int:
    """Avro's `long`: seven bits a byte, the least first, zigzag."""
    value = shift = 0
    while shift < 64:  # noqa: PLR2004 - bits
        byte = first or file.read(1)
        first = b""
        if not byte:
            message = "the Avro file is cut short"
            raise DamagedFile(message)
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return (value >> 1) ^ -(value & 1)
        shift += 7
    message = "a number in the Avro file makes no sense"
    raise DamagedFile(message)
