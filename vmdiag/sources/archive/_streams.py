"""A file as plain UTF-8 chunks, however it is packed and encoded; must not know what the text says.

Packing is told by content: gzip by `1f 8b` (RFC 1952), zstd by `28 b5 2f fd` (RFC 8878), the encoding by a byte order
mark. Decompression is bounded, so a small file that unpacks to gigabytes passes through like any other stream.
"""

import codecs
import importlib
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a frame to be skipped, such as a seek table or pzstd's size.
ZSTD_SKIPPED = tuple(bytes((0x50 + low, 0x2A, 0x4D, 0x18)) for low in range(16))
# A file packed twice by mistake is common enough; a thousand times is an attack.
MOST_LAYERS = 2
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Chunks = Iterator[bytes]


class Unpacker(Protocol):
    """One gzip member or zstd frame being unpacked, a bounded piece at a time."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came after its end."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many bytes; the rest of the input is kept for the next call."""
        ...


class Stream:
    """The text of a file in chunks; `broken` says, after the last chunk, why the file ends where it should not."""

    def __init__(self, file: BinaryIO, read: Callable[[int], None]) -> None:
        self.broken: str | None = None
        self._read = read
        self._chunks = _recoded(self._unpacked(self._raw(file)))

    def __iter__(self) -> Chunks:
        return self._chunks

    def _raw(self, file: BinaryIO) -> Chunks:
        try:
            while chunk := file.read(CHUNK):
                self._read(len(chunk))
                yield chunk
        except OSError as error:
            self.broken = f"reading stopped: {error.strerror or error}"

    def _unpacked(self, chunks: Chunks) -> Chunks:
        for _ in range(MOST_LAYERS):
            head, chunks = _peeked(chunks, 4)
            if head.startswith(GZIP):
                chunks = self._members(chunks, _Gzip, GZIP)
            elif head.startswith((ZSTD, *ZSTD_SKIPPED)):
                chunks = self._members(chunks, _zstd(), None)
        return chunks

    def _members(self, chunks: Chunks, unpacker: Callable[[], Unpacker], magic: bytes | None) -> Chunks:
        """Member after member; what was unpacked before a fault is given out all the same."""
        current, data = unpacker(), b""
        try:
            while True:
                text = current.decompress(data, CHUNK)
                data = b""
                if text:
                    yield text
                if current.eof:
                    data = current.unused_data or next(chunks, b"")
                    if not data or (magic and not data.startswith(magic[: len(data)])):
                        # As gzip does: what follows the last member (padding to a tape's block) is not part of it.
                        return
                    current = unpacker()
                elif not text:
                    data = next(chunks, b"")
                    if not data:
                        self.broken = self.broken or "the compressed file is cut short"
                        return
        except (zlib.error, _zstd_error()) as error:
            self.broken = f"the compressed file is damaged: {error}"


class _Gzip:
    """One gzip member, with the interface that zstd and the other modules of the standard library have."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)


def _zstd() -> Callable[[], Unpacker]:
    """Imported when the first such file is met: most users have none."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    made: Callable[[], Unpacker] = importlib.import_module(name).ZstdDecompressor
    return made


def _zstd_error() -> type[Exception]:
    """What the zstd module raises; before one was imported none can be."""
    for name in ("compression.zstd", "backports.zstd"):
        if name in sys.modules:
            error: type[Exception] = sys.modules[name].ZstdError
            return error
    return zlib.error


def _peeked(chunks: Chunks, size: int) -> tuple[bytes, Chunks]:
    """The first bytes, and the chunks with them still in place."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head[:size], _joined(head, chunks)


def _joined(head: bytes, chunks: Chunks) -> Chunks:
    if head:
        yield head
    yield from chunks


def _recoded(chunks: Chunks) -> Chunks:
    """The same text as UTF-8 without a byte order mark; without a mark it is taken as it is."""
    head, chunks = _peeked(chunks, 3)
    if not head.startswith(UTF_16):
        yield from chunks if not head.startswith(codecs.BOM_UTF8) else _without_mark(chunks)
        return
    # PowerShell 5 writes UTF-16 when it redirects output into a file.
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _without_mark(chunks: Chunks) -> Chunks:
    yield next(chunks)[len(codecs.BOM_UTF8) :]
    yield from chunks
