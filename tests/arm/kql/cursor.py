"""A place in a query's tokens; must not know what stands there."""

from collections.abc import Callable
from typing import TypeVar

from tests.arm.kql.errors import KqlError
from tests.arm.kql.tokens import Token, build_syntax_error, tokenize_query

Parsed = TypeVar("Parsed")

RESERVED = frozenset(
    (
        *("and", "as", "asc", "between", "by", "card", "contains", "date", "datetime", "decimal", "desc"),
        *("double", "dynamic", "earliest", "endswith", "false", "find", "first", "flags", "float", "has"),
        *("has_all", "has_any", "in", "int", "invoke", "kind", "last", "latest", "like", "long"),
        *("materialize", "missing", "of", "or", "others", "print", "project", "queries", "real", "sample"),
        *("search", "seal", "set", "simple", "startswith", "string", "time", "timechart", "timeline"),
        *("timespan", "title", "to", "toscalar", "totable", "true", "union", "verbose", "views", "where"),
    )
)
"""Words that are no names unless written ["word"], as Microsoft's parser has it (Kusto.Language 12)."""
ALLOWED_AS_MEMBERS = frozenset({"kind"})
"""Of these, what may follow a dot all the same."""


class Cursor:
    """Takes tokens one by one, and refuses what is not there."""

    def __init__(self, query: str) -> None:
        self._tokens = tokenize_query(query)
        self._next = 0

    @property
    def next_token(self) -> Token:
        """The next one."""
        return self._tokens[self._next]

    def is_at(self, *texts: str) -> bool:
        """Whether the next token is one of these words or signs, and no string that looks like one."""
        return self.next_token.kind in ("word", "sign") and self.next_token.text in texts

    def advance(self) -> Token:
        """The next token, passed."""
        token = self.next_token
        self._next += token.kind != "end"
        return token

    def skip_any(self, *texts: str) -> bool:
        """Pass it if it is one of these."""
        found = self.is_at(*texts)
        if found:
            self.advance()
        return found

    def expect(self, *texts: str) -> Token:
        """Pass one of these, or refuse."""
        if not self.is_at(*texts):
            raise self.build_error()
        return self.advance()

    def build_error(self) -> KqlError:
        """The next token has no place here."""
        return build_syntax_error(self.next_token)

    def parse_name(self, *, allowed: frozenset[str] = frozenset()) -> str:
        """A plain name, or one in brackets; `allowed` are reserved words that are names here."""
        if self.is_at("["):
            return self.parse_bracketed()
        if (
            self.next_token.kind != "word"
            or self.next_token.text in RESERVED - allowed
            or self.next_token.text[0] in "!$"
        ):
            raise self.build_error()
        return self.advance().text

    def parse_bracketed(self) -> str:
        """`["any name"]`."""
        self.expect("[")
        if self.next_token.kind != "string":
            raise self.build_error()
        text = str(self.advance().value)
        self.expect("]")
        return text

    def can_parse(self, reads: Callable[[], Parsed]) -> bool:
        """Whether that could be read from here; nothing is passed."""
        start = self._next
        try:
            reads()
        except KqlError:
            return False
        finally:
            self._next = start
        return True

    def parse_list(self, reads: Callable[[], Parsed]) -> tuple[Parsed, ...]:
        """One or more, with commas between."""
        found = [reads()]
        while self.skip_any(","):
            found.append(reads())
        return tuple(found)
