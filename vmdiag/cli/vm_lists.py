"""The VMs that a person lists, as arguments, in a file or on standard input; must not know where VMs are looked for."""

import codecs
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vmdiag.cli.scope_options import STANDARD_INPUT
from vmdiag.errors import UsageError
from vmdiag.identity import Selector, VmId

_LONGEST_SHORT_FORM = 2  # group/name
_SHOWN = 80  # characters of what names no VM
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WHOLE = "Write one VM a line, or a JSON array: az vm list --query '[].id' -o json."
# What an answer of Azure's, or of its command line, says of itself where more is to come.
_MORE = ("nextlink", "odata.nextlink", "skip_token", "skiptoken", "$skiptoken")


def selectors(words: Sequence[str], vms_from: str | None, *, allow_empty: bool = False) -> tuple[Selector, ...]:
    """The VMs in the order given, each once; `UsageError` when a list was given and it is empty."""
    named = tuple(dict.fromkeys(_named(words, vms_from)))
    if not named and (words or vms_from) and not allow_empty:
        # Else an empty list, perhaps the output of a query that failed, would mean every VM.
        message = "the list of VMs is empty"
        raise UsageError(message, "List at least one VM, or say that there may be none: --allow-empty.")
    return named


def _named(words: Sequence[str], vms_from: str | None) -> Iterator[Selector]:
    for word in words:
        if word == STANDARD_INPUT:
            yield from _listed(STANDARD_INPUT)
        else:
            yield _selector(word)
    if vms_from is not None:
        yield from _listed(vms_from)


def _listed(path: str) -> Iterator[Selector]:
    where = "standard input" if path == STANDARD_INPUT else path
    lines = [line.strip() for line in _text(path, where).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    words = _ids("\n".join(lines), where) if lines and lines[0][0] in "[{" else _words(lines)
    yield from map(_selector, words)


def _text(path: str, where: str) -> str:
    """The list as text: UTF-8, or UTF-16 with its mark, as PowerShell redirects it."""
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
        text = content.removeprefix(mark).decode(_MARKS.get(mark, "utf-8"))
    except OSError as error:
        message = f"the list of VMs in {where} cannot be read: {error.strerror}"
        raise UsageError(message, "Give a text file with one VM a line.") from error
    except UnicodeDecodeError as error:
        message = f"the list of VMs in {where} is neither UTF-8 text nor UTF-16 with its byte order mark"
        raise UsageError(message, _WHOLE) from error
    if "\0" in text:
        message = (
            f"the list of VMs in {where} is no text: it holds zero bytes (UTF-16 must begin with its byte order mark)"
        )
        raise UsageError(message, _WHOLE)
    return text


def _words(lines: Sequence[str]) -> Iterator[str]:
    """A VM a line; what stands behind `#` is a comment."""
    return (word for line in lines if (word := line.partition("#")[0].strip()))


def _ids(text: str, where: str) -> Iterator[str]:
    """The ids in a JSON array of them or of objects that have one, bare or inside an answer of Azure's."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"the list of VMs in {where} begins like JSON and is none"
        raise UsageError(message, _WHOLE) from error
    if isinstance(found, dict):
        found = _rows(found, where)
    for number, each in enumerate(found, 1):
        one = _folded(each).get("id") if isinstance(each, dict) else each
        if not isinstance(one, str):
            message = f"element {number} of the list of VMs in {where} is no id and has none"
            raise UsageError(message, _WHOLE)
        yield one


def _rows(answer: Mapping[str, object], where: str) -> Sequence[object]:
    """The elements of an answer that holds a list; a single object with an id is a list of one."""
    folded = _folded(answer)
    rows = next((rows for key in ("value", "data") if isinstance(rows := folded.get(key), list)), None)
    if rows is None:
        return [answer]
    total = folded.get("totalrecords", folded.get("total_records", len(rows)))
    if any(folded.get(key) for key in _MORE) or (isinstance(total, int) and total > len(rows)):
        message = f"the list of VMs in {where} says that it is not whole: more was to follow"
        raise UsageError(message, "Fetch the rest; a VM that is left out in silence would not be looked at.")
    return rows


def _folded(each: Mapping[str, object]) -> dict[str, object]:
    return {key.lower(): value for key, value in each.items()}


def _selector(word: str) -> Selector:
    parts = word.strip().split("/")
    is_short = len(parts) <= _LONGEST_SHORT_FORM and all(part.strip() for part in parts)
    if not is_short and VmId.parse(word.strip()) is None:
        message = f"{word[:_SHOWN]!r} does not name a VM"
        raise UsageError(message, "Name it web-01, prod/web-01, or /subscriptions/.../virtualMachines/web-01.")
    return Selector(word.strip())
