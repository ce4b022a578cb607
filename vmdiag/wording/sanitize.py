"""Neutralises text that strangers wrote before anybody sees it; must not know a format, a case or a colour.

Names and sentences come from Azure, and whoever names a VM or writes a log entry may put terminal escapes,
bidirectional overrides or a megabyte of letters in them.
"""

import re

MAX_SENTENCE = 300
MAX_NAME = 64
_MAX_SOURCE_REF = 44
_REPLACEMENT = "\ufffd"
_CONTROL_PICTURES = 0x2400
_FIRST_PRINTABLE = 0x20
_SURROGATES = re.compile("[\ud800-\udfff]")
_WHITESPACE = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def escape_controls(text: str) -> str:
    """The text on one line, every control, format or broken character replaced by one that shows."""
    return text if text.isprintable() else "".join(map(_replace_control, text))


def truncate_text(text: str, limit: int, ellipsis: str = "…") -> str:
    """At most `limit` characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - len(ellipsis)].rstrip() + ellipsis


def shorten_source_ref(text: str) -> str:
    """Where something was read, at a length that fits a line; the end tells more than the beginning."""
    return text if len(text) <= _MAX_SOURCE_REF else f"…{text[1 - _MAX_SOURCE_REF :]}"


def shorten_sentence(text: str) -> str:
    """A stranger's sentence at the length a person reads, without the blanks and the full stop around it."""
    return truncate_text(text.strip().rstrip("."), MAX_SENTENCE)


def shorten_name(text: str) -> str:
    """A stranger's name at the length that still fits a line."""
    return truncate_text(text.strip(), MAX_NAME)


def replace_surrogates(text: str) -> str:
    """The text in full, lone surrogates replaced: what every encoder accepts."""
    return _SURROGATES.sub(_REPLACEMENT, text)


def _replace_control(char: str) -> str:
    if char.isprintable():
        return char
    if char in _WHITESPACE or char.isspace():
        return " "
    return chr(_CONTROL_PICTURES + ord(char)) if ord(char) < _FIRST_PRINTABLE else _REPLACEMENT
