"""What an answer holds: a page, decoded, and where the next one is."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from vmdiag.arm import error_translation
from vmdiag.arm._exchange import Answer
from vmdiag.arm.request import Request, get_members
from vmdiag.errors import BadAnswer, SourceError

HTTP_OK = 200  # of HTTP


def decode_answer(request: Request, answer: Answer | SourceError) -> tuple[object, SourceError | None]:
    """What an answer says, or the error that it is."""
    if isinstance(answer, SourceError):
        return None, answer
    if answer.status != HTTP_OK:
        return None, error_translation.build_refusal(request, answer.status, answer.headers, answer.body)
    try:
        with suppress(msgspec.ValidationError):
            return msgspec.json.decode(answer.body, type=request.answer_type or Any), None
        # Something is odd in it, which costs only itself when it is read plainly.
        return msgspec.json.decode(answer.body), None
    except (msgspec.DecodeError, RecursionError, ValueError):
        _, said = error_translation.parse_error_body(answer.body)
        message = f"{request.description}: the answer is {said or 'not JSON, or was cut off'}"
        return None, BadAnswer(message, error_translation.NETWORK_HINT)


def build_next_query(body: Mapping[str, object], token: str) -> Mapping[str, object]:
    """The same query for the next page."""
    options = body.get("options")
    kept = {name: value for name, value in options.items() if name != "$skip"} if isinstance(options, dict) else {}
    return {**body, "options": {**kept, "$skipToken": token}}


def count_rows(page: object) -> int:
    """How many rows of Resource Graph's a page holds."""
    rows = get_members(page).get("data")
    return len(rows) if isinstance(rows, list) else 0


def build_smaller_query(
    body: Mapping[str, object] | None, rows_read: int, error: error_translation.AnswerTooLarge
) -> Mapping[str, object]:
    """The same query for a smaller page, behind the rows that were read; raises the error where none is smaller.

    Without the token, which holds the size of the page that it was given with (as its decoded text shows).
    """
    options = (body or {}).get("options")
    kept = {name: value for name, value in options.items() if name != "$skipToken"} if isinstance(options, dict) else {}
    most = kept.get("$top")
    if not isinstance(most, int) or most <= 1:
        raise error
    return {**(body or {}), "options": {**kept, "$top": max(1, int(most * error.page_fraction)), "$skip": rows_read}}
