"""How much a file on disk has grown by being unpacked, however often; must not know how it is packed."""

# No log of Azure's packs a hundredfold. Deflate cannot do more than 1,032-fold in one layer (zlib's own manual), so
# what exceeds this is zeros, or was packed twice to get past such a limit. A quarter of a GiB is free.
GROWTH_LIMIT = 1_000
FREE_BYTES = 1 << 28


class DecompressionBomb(Exception):  # noqa: N818 - that is what it is called
    """A file that unpacks to absurdly more than it is."""


class Growth:
    """Counts what was taken from the file and what came out of it."""

    def __init__(self) -> None:
        self.packed_bytes = 0
        self.unpacked_bytes = 0

    @property
    def is_absurd(self) -> bool:
        """Whether there is nothing more to be had from this file."""
        return self.unpacked_bytes > FREE_BYTES + GROWTH_LIMIT * self.packed_bytes

    def add_packed(self, size: int) -> None:
        """So many bytes were read from the file itself."""
        self.packed_bytes += size

    def add_unpacked(self, size: int) -> None:
        """So many were made of them; raises `DecompressionBomb` when that cannot be true."""
        self.unpacked_bytes += size
        if self.is_absurd:
            message = f"it unpacks to more than {GROWTH_LIMIT} times its size"
            raise DecompressionBomb(message)
