"""The texts in a file: one, or those of a container, as if the folder had been given; must not know what they say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vmdiag.sources.files import containers
from vmdiag.sources.files.containers import Container, ContainerFile, DamagedFile, UnsupportedFile
from vmdiag.sources.files.streams import TextStream
from vmdiag.sources.files.text_forms import detect_unsupported_text

# A tar in a zip in a tar is how far people go; a thousand is an attack.
DEPTH_LIMIT = 3
TOO_DEEP = UnsupportedFile(f"packed more than {DEPTH_LIMIT} deep", "unpack it first")
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class FileMember:
    """A text to read; or why it is not read, or what is wrong with the container that `name` names."""

    name: str
    stream: TextStream | None = None
    unsupported: UnsupportedFile | None = None
    damage: str = ""


def iter_members(
    name: str, stream: TextStream, original: BinaryIO | None = None, depth: int = 0
) -> Iterator[FileMember]:
    """The texts one after another, each to be read before the next is asked for.

    `original` is the file itself where it can be read from anywhere.
    """
    head = stream.head
    container = containers.find_container(head)
    if container is None:
        refused = detect_unsupported_text(head) if head else None
        yield FileMember(name, None if refused else stream, refused)
    elif depth >= DEPTH_LIMIT:
        yield FileMember(name, unsupported=TOO_DEEP)
    else:
        packed = ContainerFile(stream.as_file(), None if stream.is_packed else original, stream.growth)
        yield from _iter_container(name, stream, container, packed, depth)


def _iter_container(
    name: str, stream: TextStream, container: Container, packed: ContainerFile, depth: int
) -> Iterator[FileMember]:
    try:
        for inner, found in container.read_entries(packed):
            label = f"{name}/{inner[:LONGEST_NAME]}" if inner else name
            if isinstance(found, UnsupportedFile):
                yield FileMember(label, unsupported=found)
            else:
                yield from iter_members(label, TextStream(found, lambda _: None, stream.growth), depth=depth + 1)
            if stream.growth.is_absurd:
                break
    except UnsupportedFile as refused:
        yield FileMember(name, unsupported=refused)
    except DamagedFile as torn:
        yield FileMember(name, damage=stream.damage or str(torn))
    else:
        if stream.damage or stream.growth.is_absurd:
            yield FileMember(name, damage=stream.damage or "it unpacks to absurdly more than it is")
