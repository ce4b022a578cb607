"""The HTML report read back by the standard library's parser; knows nothing of how it is written."""

from html.parser import HTMLParser


class PageReader(HTMLParser):
    """The rows of the table by column, every element with its attributes' names, the links, the policy, all text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self.outline: list[tuple[str, ...]] = []
        self.links: list[str] = []
        self.policy = ""
        self.texts: list[str] = []
        self.parts = {"style": "", "script": ""}
        self._columns: list[str] = []
        self._open = ""
        self._is_list = self._is_body = False
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = {name: value or "" for name, value in attrs}
        # An address that may be none is no link, and what is empty has no place of its own.
        if not (tag in {"a", "code", "small"} and "id" not in found):
            self.outline.append((tag, *found))
        self._open = tag
        if tag == "a":
            self.links.append(found["href"])
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        if tag == "table":
            self._is_list = found.get("id") == "vms"
        if tag in {"thead", "tbody"}:
            self._is_body = tag == "tbody"
        if self._is_list and "data-name" in found:
            self._columns.append(found["data-name"])
        if tag == "tr" and self._is_list and self._is_body:
            self._cells = []
        if tag in {"td", "th"} and self._cells is not None:
            self._cells.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a row, the table, a style or a script."""
        if tag == "tr" and self._cells is not None:
            cells = (cell.strip() for cell in self._cells)
            self.rows.append(dict(zip(self._columns, cells, strict=True)))
            self._cells = None
        if tag == "table":
            self._is_list = False
        if tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        """Note a text where it stands."""
        if self._open in self.parts:
            self.parts[self._open] += data
        else:
            self.texts.append(data)
        if self._cells:
            self._cells[-1] += data


def read_page(text: str) -> PageReader:
    """The page as a parser sees it."""
    reader = PageReader()
    reader.feed(text)
    reader.close()
    return reader
