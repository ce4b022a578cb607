"""A page of lines on a Rich console: wraps, indents and neutralises; must not know cases or verdicts.

Every text passes through `Page.text`, so nothing that a stranger wrote reaches the terminal as markup or as an escape.
"""

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from vmdiag.wording import sparkline
from vmdiag.wording.sanitize import cut, visible

BOLD = "bold"
_LONGEST = 4000
_PROSE = 100
_NARROWEST = 30
_INDENT = 2


class Page:
    """Where lines go, and how wide they may be."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._encoding = console.encoding
        self.width = max(console.width, _NARROWEST)
        self.prose = min(self.width, _PROSE)
        self.is_ascii = not self._carries("✖▲✔│└▁█…")
        self.pens = sparkline.ASCII if self.is_ascii else sparkline.UNICODE
        self.ellipsis = "..." if self.is_ascii else "…"

    def text(self, text: str, style: str | Style = "") -> Text:
        """A stranger's text or ours, as something that is shown and never obeyed."""
        shown = visible(cut(text, _LONGEST))
        if self.is_ascii:
            shown = shown.replace("…", self.ellipsis)
        return Text(shown.encode(self._encoding, "replace").decode(self._encoding), style=style, end="")

    def line(self, *parts: Text | str) -> None:
        """One line as it is, parts side by side; the caller has seen to its length."""
        whole = Text().join(part if isinstance(part, Text) else self.text(part) for part in parts)
        whole.rstrip()
        self._console.print(whole, soft_wrap=True)

    def blank(self) -> None:
        """An empty line."""
        self.line()

    def heading(self, title: str) -> None:
        """A blank line and a title."""
        self.blank()
        self.beside("", self.text(title, BOLD), 0)

    def wrapped(self, text: Text, width: int, most: int | None = None) -> list[Text]:
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

    def beside(self, label: Text | str, text: Text, column: int, most: int | None = None) -> None:
        """A label, and the text wrapped in a column of its own to the right of it."""
        head = label if isinstance(label, Text) else self.text(label)
        if head.plain and cell_len(head.plain.rstrip()) >= column:
            self.line(head)
            head = Text()
        for number, line in enumerate(self.wrapped(text, self.prose - column, most)):
            if number:
                self.line(" " * column, line)
            else:
                self.line(head, " " * max(0, column - cell_len(head.plain)), line)

    def paragraph(self, text: str) -> None:
        """Prose, indented."""
        for line in self.wrapped(self.text(text), self.prose - _INDENT):
            self.line(" " * _INDENT, line)

    def fields(self, label: str, text: str, column: int) -> None:
        """An indented label with its text."""
        self.beside(self.text(" " * _INDENT + label), self.text(text), column)

    def address(self, url: str) -> None:
        """A link on its own, broken only after a slash; every piece leads to the whole address where terminals can."""
        room = self.width - 2 * _INDENT
        shown = self.text(url)
        pieces = pack([piece + "/" for piece in shown.plain.split("/")], room, "")
        pieces[-1] = pieces[-1].removesuffix("/")
        link = Style(link=url) if url.startswith("https://") and url.isprintable() else Style()
        for piece in pieces:
            for line in self.wrapped(Text(piece, style=link), room):
                self.line(" " * 2 * _INDENT, line)

    def drawing(self, line: str, style: str = "") -> None:
        """A line of a picture, indented: cut where the screen ends, for wrapped it would be none."""
        self.cells([self.text(" " * _INDENT + line, style)], [self.prose])

    def cells(self, texts: list[Text], widths: list[int]) -> None:
        """One line of a table: each text in its width, a blank between two."""
        parts = [self._cell(text, width) for text, width in zip(texts, widths, strict=True)]
        self.line(Text(" ").join(parts))

    def _cell(self, text: Text, width: int) -> Text:
        """The text in exactly this many columns; what is too long loses its end."""
        plain = text.plain
        if cell_len(plain) > width:
            plain = set_cell_size(plain, max(0, width - len(self.ellipsis))) + self.ellipsis
        return Text(set_cell_size(plain, width), style=text.style)

    def _carries(self, characters: str) -> bool:
        try:
            characters.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True


def pack(pieces: list[str], room: int, between: str) -> list[str]:
    """Pieces joined into as few lines of this room as they need, in order; a piece is never broken."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        joined = lines[-1] + between + piece
        if cell_len(joined) > room:
            lines.append(piece)
        else:
            lines[-1] = joined
    return lines
