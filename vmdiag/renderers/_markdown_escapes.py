"""Writes a stranger's text into Markdown so that it stays text; must not know cases.

Used by `markdown` only. Checked against CommonMark and the extensions of GitHub (tables, bare links, strike-through).
"""

import re
from collections.abc import Iterable, Iterator

from vmdiag.wording.sanitize import cut, visible

_LONGEST = 4000
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|~#!$^])")
# Words that some readers make links or mentions of, whatever is escaped around them: they become code.
_LINKISH = re.compile(r"(\S*(?:@|:/|www\.|mailto:|xmpp:)\S*)", re.IGNORECASE)
# What makes a block at the beginning of a line.
_BLOCK = re.compile(r"^(\s*)([-+=>]|\d+(?=[.)]))")
_FENCE = re.compile(r"`{3,}")


def plain(text: str) -> str:
    """Text with every character escaped that could mean something; fit for a paragraph, a list item or a cell."""
    words = _LINKISH.split(visible(cut(text, _LONGEST)).strip())
    written = "".join(
        cell(code(word)) if number % 2 else _SPECIAL.sub(r"\\\1", word) for number, word in enumerate(words)
    )
    return _BLOCK.sub(_unblocked, written)


def code(text: str) -> str:
    """A code span; a backtick in it becomes an apostrophe, because no fence is safe in a table."""
    shown = visible(cut(text, _LONGEST)).replace("`", "'")
    return f"`{shown}`" if shown.strip() else "` `"


def cell(text: str) -> str:
    """The same, with bars that do not end a cell."""
    return text.replace("|", "\\|")


def row(cells: Iterable[str]) -> str:
    """One line of a table; the cells are written already."""
    return f"| {' | '.join(cells)} |"


def fenced(lines: Iterable[str], language: str = "text") -> Iterator[str]:
    """A block of code whose lines cannot end it."""
    shown = [visible(cut(line, _LONGEST)).rstrip() for line in lines]
    longest = max((len(run) for line in shown for run in _FENCE.findall(line)), default=2)
    fence = "`" * (longest + 1)
    yield from (fence + language, *shown, fence)


def _unblocked(found: re.Match[str]) -> str:
    sign = found[2]
    # A digit cannot be escaped with a backslash.
    return f"{found[1]}\\{sign}" if not sign.isdigit() else f"{found[1]}&#{ord(sign[0])};{sign[1:]}"
