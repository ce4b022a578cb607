"""Event Hub Capture's Avro: each event's `Body` is a message of a diagnostic setting, `{"records": [...]}`.

Sources: "Capture Azure Event Hubs data: Exploring captured Avro files" (the schema `EventData`), "Apache Avro
Specification: Object Container Files". The blocks are followed here, so that each can be bounded; what is in them is
read by fastavro (the extra `avro`). No schema is followed but Capture's own kind: one with arrays in it could make much
of nothing.
"""

import importlib.util
import io
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from vmdiag.sources.files.containers import Entry, Packed, Readable, Refused, Torn, read_exactly

MAGIC = b"Obj\x01"
MARK = 16  # bytes between blocks
LONGEST_HEADER = 1 << 20
LONGEST_BLOCK = 64 << 20
CODECS = frozenset({"null", "deflate"})
PLAIN = frozenset({"null", "boolean", "int", "long", "float", "double", "string", "bytes"})
LIBRARY = "fastavro"
SENSELESS = "a block of the Avro file is too large, or makes no sense"
UNREAD = Refused("an Avro file, and what reads it is not installed", "install it: pip install 'vmdiag[avro]'")
FOREIGN = Refused(
    "an Avro file that is not Event Hub Capture's, which is not read", "export JSON or CSV from where it came from"
)


class _Header(NamedTuple):
    schema: object
    codec: str
    mark: bytes


def recognises(head: bytes) -> bool:
    """The signature of an Avro file."""
    return head.startswith(MAGIC)


def entries(packed: Packed) -> Iterator[Entry]:
    """One member: the bodies of all events, a line each."""
    if importlib.util.find_spec(LIBRARY) is None:
        raise UNREAD
    header = _header(packed.file)
    if not is_capture(header.schema):
        raise FOREIGN
    if header.codec not in CODECS:
        what = f"an Avro file packed by {header.codec[:20]!r}"
        raise Refused(what, "capture it without that codec")
    yield "", _Bodies(packed, header)


def is_capture(schema: object) -> bool:
    """Whether a schema is a record of plain values and maps with a body of bytes."""
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        return False
    fields = [each for each in schema["fields"] if isinstance(each, dict)]
    kinds = {str(each.get("name")): each.get("type") for each in fields}
    if len(kinds) != len(schema["fields"]) or not all(_is_plain(kind) for kind in kinds.values()):
        return False
    body = kinds.get("Body")
    return body == "bytes" or (isinstance(body, list) and "bytes" in body)


def _is_plain(kind: object) -> bool:
    if isinstance(kind, list):
        return all(_is_plain(each) for each in kind)
    if isinstance(kind, dict):
        is_map = kind.get("type") == "map" and not isinstance(kind.get("values"), dict)
        return (is_map and _is_plain(kind.get("values"))) or kind.get("type") in PLAIN
    return kind in PLAIN


class _Bodies:
    """The bodies as one text; a block that cannot be read raises `OSError`."""

    def __init__(self, packed: Packed, header: _Header) -> None:
        self._packed = packed
        self._parts = _bodies(packed, header)

    def read(self, size: int, /) -> bytes:
        """The next body, whole: whoever reads chunks does not mind their size."""
        del size
        return next(self._parts, b"")


def _bodies(packed: Packed, header: _Header) -> Iterator[bytes]:
    from fastavro import parse_schema, schemaless_reader
    from fastavro.schema import SchemaParseException, UnknownType

    try:
        schema = parse_schema(header.schema)  # type: ignore[arg-type]
        for count, block in _blocks(packed, header):
            events = io.BytesIO(block)
            for _ in range(count):
                event = schemaless_reader(events, schema, None)
                body = event.get("Body") if isinstance(event, dict) else None
                if isinstance(body, bytes) and body.strip():
                    yield body + b"\n"
    except Torn as error:
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


def _blocks(packed: Packed, header: _Header) -> Iterator[tuple[int, bytes]]:
    """How many events a block holds, and its bytes."""
    while first := packed.file.read(1):
        count, size = _number(packed.file, first), _number(packed.file)
        if not 0 <= size <= LONGEST_BLOCK or count < 0:
            raise Torn(SENSELESS)
        raw = read_exactly(packed.file, size)
        mark = read_exactly(packed.file, MARK)
        if len(raw) < size or mark != header.mark:
            message = "the Avro file is damaged or cut short"
            raise Torn(message)
        if header.codec == "deflate":
            inflate = zlib.decompressobj(-15)
            raw = inflate.decompress(raw, LONGEST_BLOCK)
            packed.growth.give(len(raw))
            if inflate.unconsumed_tail:
                raise Torn(SENSELESS)
        if count > len(raw):
            raise Torn(SENSELESS)
        yield count, raw


def _header(file: Readable) -> _Header:
    read_exactly(file, len(MAGIC))
    told: dict[bytes, bytes] = {}
    while count := _number(file):
        if count < 0:
            _number(file)  # the block's length in bytes, for those who pass over it
        for _ in range(min(abs(count), LONGEST_HEADER)):
            key = _bytes(file)
            told[key] = _bytes(file)
            if len(told) > LONGEST_HEADER >> 10:
                message = "the header of the Avro file makes no sense"
                raise Torn(message)
    codec = told.get(b"avro.codec", b"null").decode("utf-8", "replace")
    try:
        schema = msgspec.json.decode(told.get(b"avro.schema", b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        schema = None
    return _Header(schema, codec, read_exactly(file, MARK))


def _bytes(file: Readable) -> bytes:
    size = _number(file)
    raw = read_exactly(file, size) if 0 <= size <= LONGEST_HEADER else b""
    if len(raw) != size:
        message = "the header of the Avro file is damaged or cut short"
        raise Torn(message)
    return raw


def _number(file: Readable, first: bytes = b"") -> int:
    """Avro's `long`: seven bits a byte, the least first, zigzag."""
    value = shift = 0
    while shift < 64:  # noqa: PLR2004 - bits
        byte = first or file.read(1)
        first = b""
        if not byte:
            message = "the Avro file is cut short"
            raise Torn(message)
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return (value >> 1) ^ -(value & 1)
        shift += 7
    message = "a number in the Avro file makes no sense"
    raise Torn(message)
