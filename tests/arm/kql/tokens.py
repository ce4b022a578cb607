"""A query's text as tokens, and a place among them; must not know the grammar."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from tests.arm.kql.syntax import Literal
from tests.arm.times import parse_time

Parsed = TypeVar("Parsed")

_PATTERNS = (
    ("blank", r"\s+"),
    ("datetime", r"datetime\(\s*[^)'\"]+\)"),
    ("string", r"'(?:\\.|[^'\\\n])*'"),
    ("timespan", r"\d+[dhs]\b"),
    ("number", r"\d+\b"),
    ("word", r"mv-expand\b|in~|[A-Za-z_]\w*"),
    ("sign", r"=~|!~|<=|>=|[|()\[\].,=]"),
)
_TIMESPAN_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "s": timedelta(seconds=1)}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))
_RESERVED = frozenset(
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


class KqlError(Exception):
    """The query is wrong, or more than this evaluator knows; the codes are Resource Graph's."""

    def __init__(self, message: str, *, code: str = "InvalidQuery", token: str = "", line: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.token = token
        self.line = line


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `kind` is one of the patterns' names, or `end`."""

    kind: str
    text: str
    line: int


class Cursor:
    """Takes tokens one by one, and refuses what is not there."""

    def __init__(self, query: str) -> None:
        self._tokens = _tokenize_query(query)
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

    def skip(self, text: str) -> bool:
        """Pass it if it is this."""
        found = self.is_at(text)
        if found:
            self.advance()
        return found

    def expect(self, *texts: str) -> str:
        """Pass one of these, or refuse."""
        if not self.is_at(*texts):
            raise _build_syntax_error(self.next_token)
        return self.advance().text

    def parse_name(self) -> str:
        """A plain name."""
        if self.next_token.kind != "word" or self.next_token.text in _RESERVED:
            raise _build_syntax_error(self.next_token)
        return self.advance().text

    def parse_number(self) -> int:
        """A whole number."""
        if self.next_token.kind != "number":
            raise _build_syntax_error(self.next_token)
        return int(self.advance().text)

    def parse_string(self) -> str:
        """What a string literal stands for."""
        token = self.advance()
        if token.kind != "string":
            raise _build_syntax_error(token)
        parts = re.split(r"\\(.)", token.text[1:-1])
        unknown = [escape for escape in parts[1::2] if escape not in "\\'"]
        if unknown:
            raise _build_syntax_error(Token("string", f"\\{unknown[0]}", token.line))
        return "".join(parts)

    def parse_literal(self) -> Literal | None:
        """The constant that stands here; None where there is none."""
        text = self.next_token.text
        match self.next_token.kind:
            case "string":
                return Literal(self.parse_string())
            case "timespan":
                self.advance()
                return Literal(int(text[:-1]) * _TIMESPAN_UNITS[text[-1]])
            case "number":
                return Literal(self.parse_number())
            case "datetime":
                at = parse_time(text.removeprefix("datetime(").removesuffix(")").strip())
                if at is None:
                    raise _build_syntax_error(self.next_token)
                self.advance()
                return Literal(at)
            case _:
                return None

    def parse_list(self, reads: Callable[[], Parsed]) -> tuple[Parsed, ...]:
        """One or more, with commas between."""
        found = [reads()]
        while self.skip(","):
            found.append(reads())
        return tuple(found)


def _tokenize_query(query: str) -> list[Token]:
    """All tokens, and one of kind `end`."""
    found: list[Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        line = query.count("\n", 0, position) + 1
        if match is None or match.lastgroup is None:
            raise _build_syntax_error(Token("unknown", query[position], line))
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup, match.group(), line))
        position = match.end()
    return [*found, Token("end", "<EOF>", query.count("\n") + 1)]


def _build_syntax_error(token: Token) -> KqlError:
    message = f"Unexpected '{token.text}' in line {token.line}"
    return KqlError(message, code="ParserFailure", token=token.text, line=token.line)
