"""How much a file on disk has grown by being unpacked, however often; must not know how it is packed."""

# No log of Azure's packs a hundredfold. Deflate cannot do more than 1,032-fold in one layer (zlib's own manual), so
# what exceeds this is zeros, or was packed twice to get past such a limit. A quarter of a GiB is free.
MOST_GROWTH = 1_000
FREE = 1 << 28


class Bomb(Exception):  # noqa: N818 - that is what it is called
    """A file that unpacks to absurdly more than it is."""


class Growth:
    """Counts what was taken from the file and what came out of it."""

    def __init__(self) -> None:
        self.taken = 0
        self.given = 0

    @property
    def is_absurd(self) -> bool:
        """Whether there is nothing more to be had from this file."""
        return self.given > FREE + MOST_GROWTH * self.taken

    def take(self, size: int) -> None:
        """So many bytes were read from the file itself."""
        self.taken += size

    def give(self, size: int) -> None:
        """So many were made of them; raises `Bomb` when that cannot be true."""
        self.given += size
        if self.is_absurd:
            message = f"it unpacks to more than {MOST_GROWTH} times its size"
            raise Bomb(message)
