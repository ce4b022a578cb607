"""A page of lines on a Rich console: wraps, indents and neutralises; with the signs and colours of verdicts.

Every text passes through `Page.sanitize_text`, so nothing that a stranger wrote reaches the terminal as markup or as an
escape. Bold and the standard colours are read on dark and on light grounds, and mean nothing that no word says.
"""

import re
from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from vmdiag.diagnosis.model import Case, State, Verdict
from vmdiag.wording import timeline_view
from vmdiag.wording.plain_text import escape_controls, truncate_text
from vmdiag.wording.redeploy_texts import get_banner_word

BOLD = "bold"
LABEL_WIDTH = 12
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_MAX_ZONE_NAME = 5
_MAX_LENGTH = 4000
_PROSE_WIDTH = 120
_MIN_WIDTH = 30
_INDENT = 2
_SIGNS = {
    Verdict.CONFIRMED: ("✖", "X", "bold red"),
    Verdict.SUSPECTED: ("▲", "!", "bold magenta"),
    Verdict.INCONCLUSIVE: ("?", "?", "bold"),
    Verdict.CLEAR: ("✔", "ok", "bold green"),
}
# For a VM that is clear of what was asked about and down for another reason: no tick.
_DOWN = ("▼", "v", "bold")


class Page:
    """Where lines go, and how wide they may be."""

    def __init__(self, console: Console, *, local_times: bool = False) -> None:
        self._console = console
        self._local_times = local_times
        self._encoding = console.encoding
        self.width = max(console.width, _MIN_WIDTH)
        self.prose_width = min(self.width, _PROSE_WIDTH)
        self.is_ascii = "?" in "✖▲✔▼│└▁█…".encode(self._encoding, "replace").decode(self._encoding)
        self.glyphs = timeline_view.ASCII if self.is_ascii else timeline_view.UNICODE
        self.ellipsis = "..." if self.is_ascii else "…"

    def sanitize_text(self, text: str, style: str | Style = "") -> Text:
        """A stranger's text or ours, as something that is shown and never obeyed."""
        shown = escape_controls(truncate_text(text, _MAX_LENGTH))
        if self.is_ascii:
            shown = shown.replace("…", self.ellipsis)
        return Text(shown.encode(self._encoding, "replace").decode(self._encoding), style=style, end="")

    def add_local_times(self, text: str) -> str:
        """The text with each instant in the machine's own zone, too, where that is wanted and not UTC."""
        return _INSTANT.sub(_add_local_time, text) if self._local_times else text

    def print_line(self, *parts: Text | str) -> None:
        """One line as it is, parts side by side, or an empty one; the caller has seen to its length."""
        whole = Text().join(part if isinstance(part, Text) else self.sanitize_text(part) for part in parts)
        whole.rstrip()
        self._console.print(whole, soft_wrap=True)

    def print_heading(self, title: str) -> None:
        """A blank line and a title."""
        self.print_line()
        self.print_labelled("", self.sanitize_text(title, BOLD), 0)

    def wrap_text(self, text: Text, width: int, most: int | None = None) -> list[Text]:
        """The text in lines that break between words; cut with an ellipsis after `most`."""
        lines = list(text.wrap(self._console, max(width, 1), justify="left", overflow="fold"))
        for line in lines:
            line.rstrip()
        if most is None or len(lines) <= most:
            return lines
        last = lines[most - 1]
        if cell_len(last.plain) > width - len(self.ellipsis):
            last.truncate(max(width - len(self.ellipsis), 0), overflow="crop")
            last.rstrip()
        last.append(self.ellipsis)
        return lines[:most]

    def print_labelled(self, label: Text | str, text: Text, column: int, most: int | None = None) -> None:
        """A label, and the text wrapped in a column of its own to the right of it."""
        head = label if isinstance(label, Text) else self.sanitize_text(label)
        if head.plain and cell_len(head.plain.rstrip()) >= column:
            self.print_line(head)
            head = Text()
        for number, line in enumerate(self.wrap_text(text, self.prose_width - column, most)):
            if number:
                self.print_line(" " * column, line)
            else:
                self.print_line(head, " " * max(0, column - cell_len(head.plain)), line)

    def print_row(self, title: str, text: Text, most: int | None = None) -> None:
        """A row of a VM's summary: its title in bold, and what stands beside it."""
        self.print_labelled(self.sanitize_text(f"  {title}", BOLD), text, LABEL_WIDTH, most)

    def format_lead(self, lead: str, rest: str) -> Text:
        """A sentence whose first words are bold."""
        return Text.assemble(self.sanitize_text(lead, BOLD), self.sanitize_text(rest))

    def print_paragraph(self, text: str) -> None:
        """Prose, indented."""
        for line in self.wrap_text(self.sanitize_text(text), self.prose_width - _INDENT):
            self.print_line(" " * _INDENT, line)

    def print_link(self, url: str) -> None:
        """A link on its own, broken only after a slash; every piece leads to the whole address where terminals can."""
        room = self.width - 2 * _INDENT
        shown = self.sanitize_text(url)
        pieces = pack_lines([piece + "/" for piece in shown.plain.split("/")], room, "")
        pieces[-1] = pieces[-1].removesuffix("/")
        link = Style(link=url) if url.startswith("https://") and url.isprintable() else Style()
        for piece in pieces:
            for line in self.wrap_text(Text(piece, style=link), room):
                self.print_line(" " * 2 * _INDENT, line)

    def print_drawing(self, line: str, lost: range = range(0)) -> None:
        """A line of a picture, indented: cut where the screen ends, for wrapped it would be none; `lost` in red."""
        text = self.sanitize_text(" " * _INDENT + line)
        text.stylize("red", _INDENT + lost.start, _INDENT + lost.stop)
        text.truncate(self.prose_width)
        self.print_line(text)

    def print_cells(self, texts: list[Text], widths: list[int]) -> None:
        """One line of a table: each text in its width, a blank between two; what is too long loses its end."""
        cells = []
        for text, width in zip(texts, widths, strict=True):
            plain = text.plain
            if cell_len(plain) > width:
                plain = set_cell_size(plain, max(0, width - len(self.ellipsis))) + self.ellipsis
            cells.append(Text(set_cell_size(plain, width), style=text.style))
        self.print_line(Text(" ").join(cells))

    def get_verdict_sign(self, verdict: Verdict) -> str:
        """The verdict as one sign."""
        return _SIGNS[verdict][self.is_ascii]

    def format_verdict(self, verdict: Verdict, text: str | None = None) -> Text:
        """Sign and word (or another text) in the verdict's colour."""
        return self.sanitize_text(
            f"{self.get_verdict_sign(verdict)} {text or verdict.upper()}", get_verdict_style(verdict)
        )

    def format_banner(self, case: Case) -> Text:
        """The verdict, or once a redeploy was asked for what became of it: green only where it was seen to help."""
        word = get_banner_word(case)
        if word is None or case.mitigation is None:
            verdict = case.diagnosis.verdict
            if verdict is Verdict.CLEAR and case.diagnosis.state is State.OPEN:
                return self.sanitize_text(f"{_DOWN[self.is_ascii]} {verdict.upper()}", _DOWN[2])
            return self.format_verdict(verdict)
        has_helped = case.mitigation.reachable_again is True
        return self.format_verdict(Verdict.CLEAR if has_helped else Verdict.CONFIRMED, word)


def _add_local_time(found: re.Match[str]) -> str:
    try:
        at = datetime.fromisoformat(f"{found[1]}+00:00")
        local = at.astimezone()
    except (ValueError, OverflowError, OSError):
        return found[0]
    if not local.utcoffset():
        return found[0]
    # Some systems have a sentence for a zone's name.
    name = local.tzname() or ""
    zone = name if name.isalnum() and len(name) <= _MAX_ZONE_NAME else f"UTC{local:%z}"
    day = f"{local:%Y-%m-%d} " if local.date() != at.date() else ""
    return f"{found[0]} / {day}{local:%H:%M:%S} {zone}"


def get_verdict_style(verdict: Verdict) -> str:
    """The verdict's colour."""
    return _SIGNS[verdict][2]


def pack_lines(pieces: list[str], room: int, between: str) -> list[str]:
    """Pieces joined into as few lines of this room as they need, in order; a piece is never broken."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        joined = lines[-1] + between + piece
        if cell_len(joined) > room:
            lines.append(piece)
        else:
            lines[-1] = joined
    return lines
