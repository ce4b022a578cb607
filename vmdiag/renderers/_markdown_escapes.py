"""Writes a stranger's text into Markdown so that it stays text; must not know cases.

Used by `markdown` only. Checked against CommonMark and the extensions of GitHub (tables, bare links, strike-through).
"""

import re
from collections.abc import Iterable, Iterator

from vmdiag.wording.plain_text import escape_controls, truncate_text

_MAX_LENGTH = 4000
_SPECIAL_CHARACTER = re.compile(r"([\\`*_{}\[\]<>&|~#!$^])")
# Words that some readers make links or mentions of, whatever is escaped around them: they become code.
_LINK_LIKE_WORD = re.compile(r"(\S*(?:@|:/|www\.|mailto:|xmpp:)\S*)", re.IGNORECASE)
# What makes a block at the beginning of a line.
_BLOCK_START = re.compile(r"^(\s*)([-+=>])")
_LIST_NUMBER = re.compile(r"^(\s*)(\d)(?=\d*[.)])")
_FENCE = re.compile(r"`{3,}")


def escape_text(text: str) -> str:
    """Text with every character escaped that could mean something; fit for a paragraph, a list item or a cell."""
    words = _LINK_LIKE_WORD.split(escape_controls(truncate_text(text, _MAX_LENGTH)).strip())
    written = "".join(
        escape_cell(format_code(word)) if number % 2 else _SPECIAL_CHARACTER.sub(r"\\\1", word)
        for number, word in enumerate(words)
    )
    # A digit cannot be escaped with a backslash.
    return _LIST_NUMBER.sub(lambda found: f"{found[1]}&#{ord(found[2])};", _BLOCK_START.sub(r"\1\\\2", written))


def format_code(text: str) -> str:
    """A code span; a backtick in it becomes an apostrophe, because no fence is safe in a table."""
    shown = escape_controls(truncate_text(text, _MAX_LENGTH)).replace("`", "'")
    return f"`{shown}`" if shown.strip() else "` `"


def escape_cell(text: str) -> str:
    """The same, with bars that do not end a cell."""
    return text.replace("|", "\\|")


def format_row(cells: Iterable[str]) -> str:
    """One line of a table; the cells are written already."""
    return f"| {' | '.join(cells)} |"


def format_code_block(lines: Iterable[str], language: str = "text") -> Iterator[str]:
    """A block of code whose lines cannot end it."""
    shown = [escape_controls(truncate_text(line, _MAX_LENGTH)).rstrip() for line in lines]
    longest = max((len(run) for line in shown for run in _FENCE.findall(line)), default=2)
    fence = "`" * (longest + 1)
    yield from (fence + language, *shown, fence)
