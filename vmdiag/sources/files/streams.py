"""A file as plain UTF-8 chunks, however it is packed and encoded, and how much it grows by being unpacked.

Packing is told by content: gzip by `1f 8b` (RFC 1952), zstd by `28 b5 2f fd` (RFC 8878), the encoding by a byte order
mark. Decompression is bounded, so a small file that unpacks to gigabytes passes through like any other stream.
"""

import codecs
import importlib
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple, Protocol

CHUNK_SIZE = 1 << 20
HEAD_SIZE = 4096
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a frame to be skipped, such as a seek table or pzstd's size.
ZSTD_SKIPPED = tuple(bytes((0x50 + low, 0x2A, 0x4D, 0x18)) for low in range(16))
# A file packed twice by mistake is common enough; a thousand times is an attack.
LAYER_LIMIT = 2
# No log of Azure's packs a hundredfold. Deflate cannot do more than 1,032-fold in one layer (zlib's own manual), so
# what exceeds this is zeros, or was packed twice to get past such a limit. A quarter of a GiB is free.
GROWTH_LIMIT = 1_000
FREE_BYTES = 1 << 28
# Chunks that wait. Who unpacks one needs Python's lock to begin the next, and by default gets it after 5 ms, more
# than a chunk is used for.
AHEAD = 2
SWITCH_SECONDS = 0.0002
# Of memory; a few chunks.
KEPT_SIZE = 8 << 20
MOSTLY_ASCII = 0.7  # of the characters: names and values may be in any script, everything between them is ASCII
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Chunks = Iterator[bytes]


@cache
def keep_freed_memory() -> None:
    """Have large pieces of memory used again when they are freed: to ask the system for each takes longer than to read.

    What is larger than any piece freed before is given back at once, and so is the end of all memory from twice that
    size on. Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    bytearray(KEPT_SIZE)  # never written to, and so never there


class DecompressionBomb(Exception):  # noqa: N818 - that is what it is called
    """A file that unpacks to absurdly more than it is."""


class Growth:
    """Counts what was taken from the file on disk and what came out of it, however often it is packed."""

    def __init__(self) -> None:
        self.packed_bytes = 0
        self.unpacked_bytes = 0

    @property
    def is_absurd(self) -> bool:
        """Whether there is nothing more to be had from this file."""
        return self.unpacked_bytes > FREE_BYTES + GROWTH_LIMIT * self.packed_bytes

    def add_unpacked(self, size: int) -> None:
        """So many were made of them; raises `DecompressionBomb` when that cannot be true."""
        self.unpacked_bytes += size
        if self.is_absurd:
            message = f"it unpacks to more than {GROWTH_LIMIT} times its size"
            raise DecompressionBomb(message)


class UnsupportedFile(Exception):  # noqa: N818 - nothing failed: it is told what to do instead
    """A file that is not read at all: what it is, and what to hand over instead."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what}: {instead}")
        self.description = what
        self.advice = instead


class Readable(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """At most so many; empty at the end."""
        ...


class ChunkFile:
    """Chunks as a file that is read in order."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._held = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        if not self._held:
            self._held = memoryview(next(self._chunks, b""))
        part, self._held = self._held[:size], self._held[size:]
        return bytes(part)


class TextStream:
    """The text of a file in chunks; `damage` says, after the last chunk, why the file ends where it should not.

    `head` are its first bytes, unpacked; `growth` is that of the file on disk which this one is a member of. Where it
    `reads_ahead` the next chunk is unpacked by a thread while the last is used; the `original`, where it is given, is
    the file itself, that can be read again. What `is_torn` ends within what is packed, or is damaged there.
    """

    def __init__(
        self,
        file: Readable,
        on_read: Callable[[int], None],
        growth: Growth | None = None,
        *,
        original: BinaryIO | None = None,
        reads_ahead: bool = False,
    ) -> None:
        keep_freed_memory()
        self.damage: str | None = None
        self.is_packed = self.is_torn = False
        self.growth = growth or Growth()
        self._on_read = on_read
        self._reads_ahead = reads_ahead
        # A member of a container is made of what was taken before.
        chunks = self._read_raw(file, counts_packed=growth is None)
        for layer in range(LAYER_LIMIT):
            head, chunks = _peek_chunks(chunks, len(ZSTD))
            if head.startswith(GZIP):
                chunks = self._unpack_gzip(chunks, original if layer == 0 else None)
            elif head.startswith((ZSTD, *ZSTD_SKIPPED)):
                # Imported when the first such file is met: most users have none.
                zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
                chunks = self._unpack_members(chunks, Packing(zstd.ZstdDecompressor, zstd.ZstdError))
            else:
                break
            self.is_packed = True
        self.head, self._chunks = _peek_chunks(chunks, HEAD_SIZE)

    def __iter__(self) -> Chunks:
        """The same text as UTF-8 without a byte order mark, its lines ended as they are ended anywhere else."""
        head, chunks = self.head, self._chunks
        if self.is_packed and self._reads_ahead:
            chunks = self._read_ahead(chunks)
        encoding = detect_utf16(head)
        if encoding is not None:
            # PowerShell 5 writes UTF-16 when it redirects output into a file.
            chunks = (text.encode() for text in codecs.iterdecode(chunks, encoding, "replace"))
            head, chunks = _peek_chunks(chunks, HEAD_SIZE)
        if head.startswith(codecs.BOM_UTF8):
            chunks = chain((next(chunks)[len(codecs.BOM_UTF8) :],), chunks)
        # As "CSV (Macintosh)" ends lines. Where both are found a return alone ends none.
        return _normalise_newlines(chunks) if b"\r" in head and b"\n" not in head else chunks

    def as_file(self) -> Readable:
        """The bytes, unpacked and not recoded, to be read in pieces of any size."""
        return ChunkFile(self._chunks)

    def _read_raw(self, file: Readable, *, counts_packed: bool) -> Chunks:
        try:
            while chunk := file.read(CHUNK_SIZE):
                self._on_read(len(chunk))
                self.growth.packed_bytes += len(chunk) * counts_packed
                yield chunk
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"
        except DecompressionBomb as error:
            self.damage = str(error)

    def _read_ahead(self, chunks: Chunks) -> Chunks:
        """The chunks, of which the next are made while the last is used: who unpacks lets go of Python's lock."""
        from concurrent.futures import ThreadPoolExecutor

        # What is shown to people is shown by who asked, not by the thread.
        report, taken = self._on_read, list[int]()
        self._on_read = taken.append
        interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            with ThreadPoolExecutor(1) as pool:
                coming = deque(pool.submit(next, chunks, b"") for _ in range(AHEAD))
                while chunk := coming.popleft().result():
                    while taken:
                        report(taken.pop())
                    coming.append(pool.submit(next, chunks, b""))
                    yield chunk
        finally:
            sys.setswitchinterval(interval)

    def _unpack_gzip(self, chunks: Chunks, original: BinaryIO | None) -> Chunks:
        """The text of gzip, by `isal` where it is installed and, if anything is wrong, zlib can say what."""
        given = 0
        isal: Any = None
        with suppress(ImportError):  # where the extra `fast` is not installed
            isal = importlib.import_module("isal.isal_zlib") if original is not None else None
        if isal is not None and original is not None:
            fast = Packing(partial(isal.decompressobj, wbits=31), isal.error, GZIP)
            for text in self._unpack_members(chunks, fast):
                given += len(text)
                yield text
            if not self.is_torn:
                return
            original.seek(0)
            self.growth.unpacked_bytes -= given
            self.damage, self._on_read = None, lambda _: None
            chunks = self._read_raw(original, counts_packed=False)
        for text in self._unpack_members(chunks, Packing(partial(zlib.decompressobj, wbits=31), zlib.error, GZIP)):
            fresh = text[given:]
            given -= len(text) - len(fresh)
            if fresh:
                yield fresh

    def _unpack_members(self, chunks: Chunks, packing: "Packing") -> Chunks:
        """Member after member; what was unpacked before a fault is given out all the same."""
        current, data, before = packing.unpacker(), b"", None
        try:
            while True:
                # zlib's, or zstd's, which has no `unconsumed_tail` but keeps it
                data = getattr(current, "unconsumed_tail", b"") + data
                before = current.copy() if hasattr(current, "copy") else None
                text = current.decompress(data, CHUNK_SIZE)
                data = b""
                if text:
                    self.growth.add_unpacked(len(text))
                    yield text
                if current.eof:
                    data = current.unused_data or next(chunks, b"")
                    if not data or not data.startswith(packing.magic[: len(data)]):
                        # As gzip does: what follows the last member (padding to a tape's block) is not part of it.
                        return
                    current = packing.unpacker()
                elif not text:
                    data = next(chunks, b"")
                    if not data:
                        self.is_torn = self.damage is None
                        self.damage = self.damage or "the compressed file is cut short"
                        return
        except packing.fault as error:
            yield from _unpack_before_fault(before, data, packing.fault)
            self.is_torn = True
            self.damage = f"the compressed file is damaged: {error}"
        except DecompressionBomb as error:
            self.damage = str(error)


class Packing(NamedTuple):
    """How members are unpacked, what is raised where that cannot be done, and how another one begins."""

    unpacker: Callable[[], Any]
    fault: type[Exception]
    magic: bytes = b""


def _unpack_before_fault(unpacker: Any, data: bytes, fault: type[Exception]) -> Chunks:  # noqa: ANN401 - zlib's, or none
    """What can be unpacked before the place that cannot, to the byte."""
    size = CHUNK_SIZE if unpacker is not None else 0
    while size := size // 2:
        with suppress(fault):
            while text := (tried := unpacker.copy()).decompress(data, size):
                yield text
                unpacker, data = tried, tried.unconsumed_tail


def _peek_chunks(chunks: Chunks, size: int) -> tuple[bytes, Chunks]:
    """The first bytes, and the chunks with them still in place."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head[:size], chain(filter(None, (head,)), chunks)


def detect_utf16(head: bytes) -> str | None:
    """UTF-16 by its mark, or told by its zeros: every other byte of what is mostly ASCII."""
    low, high = head[0::2], head[1::2]
    if head.startswith(UTF_16_MARKS):
        return "utf-16"
    if len(high) < 4 or b"\0" not in head:  # noqa: PLR2004 - of less nothing can be told
        return None
    if high.count(0) > MOSTLY_ASCII * len(high) and not low.count(0):
        return "utf-16-le"
    return "utf-16-be" if low.count(0) > MOSTLY_ASCII * len(low) and not high.count(0) else None


def _normalise_newlines(chunks: Chunks) -> Chunks:
    """Returns as line ends; of a return and a line feed one is kept, also where they lie in two chunks."""
    after_return = False
    for chunk in chunks:
        plain = chunk[1:] if after_return and chunk.startswith(b"\n") else chunk
        after_return = chunk.endswith(b"\r")
        yield plain.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
