"""The VMs that a person lists, as arguments, in a file or on standard input; must not know where VMs are looked for."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from vmdiag.cli.asked import STANDARD_INPUT
from vmdiag.errors import UsageError
from vmdiag.identity import Selector, VmId

_LONGEST_SHORT_FORM = 2  # group/name


def selectors(words: Sequence[str], vms_from: str | None) -> tuple[Selector, ...]:
    """The VMs in the order given, each once; `UsageError` when a list was given and it is empty."""
    named = tuple(dict.fromkeys(_named(words, vms_from)))
    if not named and (words or vms_from):
        # Else an empty list, perhaps the output of a query that failed, would mean every VM.
        message = "the list of VMs is empty"
        raise UsageError(message, "List at least one VM, or leave the list out to look at all that had trouble.")
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
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        # A list that PowerShell wrote begins with a byte order mark.
        lines = content.decode("utf-8-sig").splitlines()
    except OSError as error:
        message = f"the list of VMs in {where} cannot be read: {error.strerror}"
        raise UsageError(message, "Give a text file with one VM a line.") from error
    except UnicodeDecodeError as error:
        message = f"the list of VMs in {where} is not UTF-8 text"
        raise UsageError(message, "Write one VM a line, as UTF-8.") from error
    for line in lines:
        word = line.partition("#")[0].strip()
        if word:
            yield _selector(word)


def _selector(word: str) -> Selector:
    parts = word.strip().split("/")
    is_short = len(parts) <= _LONGEST_SHORT_FORM and all(parts)
    if not is_short and VmId.parse(word) is None:
        message = f"{word!r} does not name a VM"
        raise UsageError(message, "Name it web-01, prod/web-01, or /subscriptions/.../virtualMachines/web-01.")
    return Selector(word.strip())
