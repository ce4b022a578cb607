"""What can still be read of a broken JSON record, to tell what was lost with it.

A file that ends inside a record, or a record with a fault in it, has a beginning: the members before the fault say of
which form it was and whom it concerned.
"""

import re

import msgspec

from vmdiag.completeness import Row

# The names and ids of a record stand in its first members; more is not looked at.
PREFIX_LIMIT = 1 << 16
# Behind the fault nothing is JSON any more: so many ends are tried, from the last one back.
ATTEMPT_LIMIT = 40

_TOKEN = re.compile(rb'[^"{}\[\],]*+(?:"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrtu])*+"|([{}\[\],]))')
_CLOSING = {ord("{"): b"}", ord("["): b"]"}


def decode_readable_part(raw: bytes) -> Row | None:
    """The object that the text begins with, as far as it can be read; `None` where that is nothing."""
    raw = raw[:PREFIX_LIMIT]
    # Where a member or an element is complete, and which brackets are open there.
    ends: list[tuple[int, bytes]] = []
    stack = bytearray()
    position = 0
    while len(stack) <= ATTEMPT_LIMIT and (token := _TOKEN.match(raw, position)) is not None:
        position, mark = token.end(), token[1]
        if mark in (b"{", b"["):
            stack += mark
        elif mark == b",":
            ends.append((position - 1, bytes(stack)))
        elif mark is not None:
            if not stack:
                break
            stack.pop()
            ends.append((position, bytes(stack)))
    for end, open_brackets in reversed(ends[-ATTEMPT_LIMIT:]):
        closing = b"".join(_CLOSING[bracket] for bracket in reversed(open_brackets))
        try:
            value = msgspec.json.decode(raw[:end] + closing)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        return value if isinstance(value, dict) and value else None
    return None
