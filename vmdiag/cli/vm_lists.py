"""The VMs that a person lists, as arguments, in a file or on standard input; must not know where VMs are looked for."""

import codecs
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vmdiag.cli.scope_options import STANDARD_INPUT
from vmdiag.errors import UsageError
from vmdiag.identity import Selector, VmId

_SHORT_FORM_PARTS = 2  # group/name
_EXCERPT_LENGTH = 80  # characters of what names no VM
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LIST_FORMAT_HINT = "Write one VM a line, or a JSON array: az vm list --query '[].id' -o json."
# What an answer of Azure's, or of its command line, says of itself where more is to come.
_NEXT_PAGE_KEYS = ("nextlink", "odata.nextlink", "skip_token", "skiptoken", "$skiptoken")


def read_selectors(words: Sequence[str], vms_from: str | None, *, allow_empty: bool = False) -> tuple[Selector, ...]:
    """The VMs in the order given, each once; `UsageError` when a list was given and it is empty."""
    named = tuple(dict.fromkeys(_collect_selectors(words, vms_from)))
    if not named and (words or vms_from) and not allow_empty:
        # Else an empty list, perhaps the output of a query that failed, would mean every VM.
        message = "the list of VMs is empty"
        raise UsageError(message, "List at least one VM, or say that there may be none: --allow-empty.")
    return named


def _collect_selectors(words: Sequence[str], vms_from: str | None) -> Iterator[Selector]:
    for word in words:
        if word == STANDARD_INPUT:
            yield from _read_list(STANDARD_INPUT)
        else:
            yield _parse_selector(word)
    if vms_from is not None:
        yield from _read_list(vms_from)


def _read_list(path: str) -> Iterator[Selector]:
    where = "standard input" if path == STANDARD_INPUT else path
    lines = [line.strip() for line in _read_list_text(path, where).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    words = _parse_json_ids("\n".join(lines), where) if lines and lines[0][0] in "[{" else _strip_comments(lines)
    yield from map(_parse_selector, words)


def _read_list_text(path: str, where: str) -> str:
    """The list as text: UTF-8, or UTF-16 with its mark, as PowerShell redirects it."""
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        mark = next((mark for mark in _BYTE_ORDER_MARKS if content.startswith(mark)), b"")
        text = content.removeprefix(mark).decode(_BYTE_ORDER_MARKS.get(mark, "utf-8"))
    except OSError as error:
        message = f"the list of VMs in {where} cannot be read: {error.strerror}"
        raise UsageError(message, "Give a text file with one VM a line.") from error
    except UnicodeDecodeError as error:
        message = f"the list of VMs in {where} is neither UTF-8 text nor UTF-16 with its byte order mark"
        raise UsageError(message, _LIST_FORMAT_HINT) from error
    if "\0" in text:
        message = (
            f"the list of VMs in {where} is no text: it holds zero bytes (UTF-16 must begin with its byte order mark)"
        )
        raise UsageError(message, _LIST_FORMAT_HINT)
    return text


def _strip_comments(lines: Sequence[str]) -> Iterator[str]:
    """A VM a line; what stands behind `#` is a comment."""
    return (word for line in lines if (word := line.partition("#")[0].strip()))


def _parse_json_ids(text: str, where: str) -> Iterator[str]:
    """The ids in a JSON array of them or of objects that have one, bare or inside an answer of Azure's."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"the list of VMs in {where} begins like JSON and is none"
        raise UsageError(message, _LIST_FORMAT_HINT) from error
    if isinstance(found, dict):
        found = _extract_rows(found, where)
    for number, each in enumerate(found, 1):
        one = _lowercase_keys(each).get("id") if isinstance(each, dict) else each
        if not isinstance(one, str):
            message = f"element {number} of the list of VMs in {where} is no id and has none"
            raise UsageError(message, _LIST_FORMAT_HINT)
        yield one


def _extract_rows(answer: Mapping[str, object], where: str) -> Sequence[object]:
    """The elements of an answer that holds a list; a single object with an id is a list of one."""
    folded = _lowercase_keys(answer)
    rows = next((rows for key in ("value", "data") if isinstance(rows := folded.get(key), list)), None)
    if rows is None:
        return [answer]
    total = folded.get("totalrecords", folded.get("total_records", len(rows)))
    if any(folded.get(key) for key in _NEXT_PAGE_KEYS) or (isinstance(total, int) and total > len(rows)):
        message = f"the list of VMs in {where} says that it is not whole: more was to follow"
        raise UsageError(message, "Fetch the rest; a VM that is left out in silence would not be looked at.")
    return rows


def _lowercase_keys(each: Mapping[str, object]) -> dict[str, object]:
    return {key.lower(): value for key, value in each.items()}


def _parse_selector(word: str) -> Selector:
    parts = word.strip().split("/")
    is_short = len(parts) <= _SHORT_FORM_PARTS and all(part.strip() for part in parts)
    if not is_short and VmId.parse(word.strip()) is None:
        message = f"{word[:_EXCERPT_LENGTH]!r} does not name a VM"
        raise UsageError(message, "Name it web-01, prod/web-01, or /subscriptions/.../virtualMachines/web-01.")
    return Selector(word.strip())
