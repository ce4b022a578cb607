"""The texts in a file: one, or those of a container, as if the folder had been given; must not know what they say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vmdiag.sources.files import containers
from vmdiag.sources.files.containers import Container, Packed, Refused, Torn
from vmdiag.sources.files.streams import Stream
from vmdiag.sources.files.text_forms import refusal

# A tar in a zip in a tar is how far people go; a thousand is an attack.
MOST_DEPTH = 3
DEEPER = Refused(f"packed more than {MOST_DEPTH} deep", "unpack it first")
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Member:
    """A text to read; or why it is not read, or what is wrong with the container that `name` names."""

    name: str
    stream: Stream | None = None
    refused: Refused | None = None
    torn: str = ""


def members(name: str, stream: Stream, original: BinaryIO | None = None, depth: int = 0) -> Iterator[Member]:
    """The texts one after another, each to be read before the next is asked for.

    `original` is the file itself where it can be read from anywhere.
    """
    head = stream.head
    container = containers.find(head)
    if container is None:
        refused = refusal(head) if head else None
        yield Member(name, None if refused else stream, refused)
    elif depth >= MOST_DEPTH:
        yield Member(name, refused=DEEPER)
    else:
        packed = Packed(stream.as_file(), None if stream.is_packed else original, stream.growth)
        yield from _inside(name, stream, container, packed, depth)


def _inside(name: str, stream: Stream, container: Container, packed: Packed, depth: int) -> Iterator[Member]:
    try:
        for inner, found in container.entries(packed):
            label = f"{name}/{inner[:LONGEST_NAME]}" if inner else name
            if isinstance(found, Refused):
                yield Member(label, refused=found)
            else:
                yield from members(label, Stream(found, lambda _: None, stream.growth), depth=depth + 1)
            if stream.growth.is_absurd:
                break
    except Refused as refused:
        yield Member(name, refused=refused)
    except Torn as torn:
        yield Member(name, torn=stream.broken or str(torn))
    else:
        if stream.broken or stream.growth.is_absurd:
            yield Member(name, torn=stream.broken or "it unpacks to absurdly more than it is")
