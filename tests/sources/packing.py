"""Packs files as people and Azure pack them; nothing of the reader is used."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from vmdiag.completeness import MalformedRow
from vmdiag.sources.files.input_files import FileMember, iter_members
from vmdiag.sources.files.rows import read_rows
from vmdiag.sources.files.streams import TextStream

Told = dict[str, object]


def tar(files: Mapping[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of files; `w:gz` packs it as well."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return out.getvalue()


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return out.getvalue()


def unpack(raw: bytes, *, seekable: bool = False) -> Told:
    """What is found in a file, by the names of its members: their rows, why one is refused, or what is torn."""
    file = io.BytesIO(raw)
    found = iter_members("a", TextStream(file, lambda _: None), file if seekable else None)
    return {f"{one.name}!" if one.damage else one.name: told(one) for one in found}


def unpack_file(path: Path) -> Told:
    """The same of a file on disk, read as the reader does."""
    with path.open("rb", buffering=0) as file:
        found = iter_members("a", TextStream(file, lambda _: None), file)
        return {f"{one.name}!" if one.damage else one.name: told(one) for one in found}


def told(one: FileMember) -> object:
    """The rows of a member, with why it breaks off; or why it is not read."""
    if one.stream is None:
        return str(one.unsupported) if one.unsupported else one.damage
    found: list[object] = [
        cut.row.reason if isinstance(cut.row, MalformedRow) else cut.row for cut in read_rows(iter(one.stream))
    ]
    return [*found, one.stream.damage] if one.stream.damage else found
