"""Neutralises text that strangers wrote before anybody sees it; must not know a format, a case or a colour.

Names and sentences come from Azure, and whoever names a VM or writes a log entry may put terminal escapes,
bidirectional overrides or a megabyte of letters in them.
"""

import re

SENTENCE = 300
NAME = 64
_PLACE = 44
_REPLACEMENT = "\ufffd"
_CONTROL_PICTURES = 0x2400
_FIRST_PRINTABLE = 0x20
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def visible(text: str) -> str:
    """The text on one line, every control, format or broken character replaced by one that shows."""
    return text if text.isprintable() else "".join(map(_shown, text))


def cut(text: str, limit: int, ellipsis: str = "…") -> str:
    """At most `limit` characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - len(ellipsis)].rstrip() + ellipsis


def place(text: str) -> str:
    """Where something was read, at a length that fits a line; the end tells more than the beginning."""
    return text if len(text) <= _PLACE else f"…{text[1 - _PLACE :]}"


def sentence(text: str) -> str:
    """A stranger's sentence at the length a person reads, without the blanks and the full stop around it."""
    return cut(text.strip().rstrip("."), SENTENCE)


def name(text: str) -> str:
    """A stranger's name at the length that still fits a line."""
    return cut(text.strip(), NAME)


def whole(text: str) -> str:
    """The text in full, lone surrogates replaced: what every encoder accepts."""
    return _SURROGATES.sub(_REPLACEMENT, text)


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    if char in _BLANKS or char.isspace():
        return " "
    return chr(_CONTROL_PICTURES + ord(char)) if ord(char) < _FIRST_PRINTABLE else _REPLACEMENT
