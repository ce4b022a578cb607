"""Plain data as JSON text that is safe to print anywhere; must not know what the data mean."""

import json


def dump_json(data: object, indent: int | None = None) -> str:
    """JSON in ASCII: whatever a terminal might obey, and whatever an encoding might lack, is written as an escape."""
    # DEL is ASCII, so the encoder lets it through; it can only stand inside a string.
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")
