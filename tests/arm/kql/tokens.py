"""A query's text as tokens; must not know the grammar."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.arm.kql.errors import KqlError
from tests.arm.times import parse_time

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PATTERNS = (
    ("blank", r"(?:\s|//[^\n]*)+"),
    ("datetime", r"datetime\(\s*[^)'\"]+\)"),
    ("string", r"@'(?:''|[^'])*'|@\"(?:\"\"|[^\"])*\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""),
    ("timespan", r"\d+(?:\.\d+)?(?:ms|d|h|m|s)\b"),
    ("number", r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b"),
    ("word", r"(?:mv-expand|project-away|project-rename|project-keep)\b|!?in~|![a-z_]+~?|\$?[A-Za-z_]\w*"),
    ("sign", r"\.\.|=~|!~|==|!=|<=|>=|[|()\[\].,=<>+*/%-]"),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `kind` is one of the patterns' names, or `end`."""

    kind: str
    text: str
    line: int

    @property
    def value(self) -> str | float | datetime | timedelta:
        """What a literal stands for."""
        match self.kind:
            case "string":
                return _parse_string(self)
            case "number":
                return float(self.text) if set(self.text) & set(".eE") else int(self.text)
            case "timespan":
                return _parse_timespan(self.text)
            case "datetime":
                return _parse_datetime(self.text.removeprefix("datetime(").removesuffix(")").strip())
            case _:
                return self.text


def tokenize_query(query: str) -> list[Token]:
    """All tokens, and one of kind `end`."""
    found: list[Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        line = query.count("\n", 0, position) + 1
        if match is None or match.lastgroup is None:
            raise build_syntax_error(Token("unknown", query[position], line))
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup, match.group(), line))
        position = match.end()
    return [*found, Token("end", "<EOF>", query.count("\n") + 1)]


def build_syntax_error(token: Token) -> KqlError:
    """The token has no place where it stands."""
    message = f"Unexpected '{token.text}' in line {token.line}"
    return KqlError(message, code="ParserFailure", token=token.text, line=token.line)


def _parse_datetime(text: str) -> datetime:
    at = parse_time(text)
    if at is None:
        message = f"'{text}' is not a datetime"
        raise KqlError(message, code="ParserFailure", token=text)
    return at


def _parse_timespan(text: str) -> timedelta:
    amount, unit = re.findall(r"[\d.]+|[a-z]+", text)
    return float(amount) * _UNITS[unit]


def _parse_string(token: Token) -> str:
    text = token.text
    if text.startswith("@"):
        quote = text[1]
        return text[2:-1].replace(quote * 2, quote)
    parts = re.split(r"\\(.)", text[1:-1])
    unknown = [escape for escape in parts[1::2] if escape not in _ESCAPES]
    if unknown:
        raise build_syntax_error(Token("string", f"\\{unknown[0]}", token.line))
    return "".join(_ESCAPES[part] if number % 2 else part for number, part in enumerate(parts))
