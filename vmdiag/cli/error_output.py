"""How an error is told: what happened and what to do, on standard error; must not know why.

Whoever listened there may be gone, with the terminal or the pipe: that ends no run, and changes no exit code.
"""

import sys
from contextlib import suppress

from vmdiag.wording.sanitize import escape_controls


def print_error(message: str, hint: str) -> None:
    """Print both; line breaks are the message's own, but what a file or VM is called may hold escapes."""
    for label, text in (("error", message), ("hint", hint)):
        write_stderr(f"{label}: " + "\n".join(escape_controls(line) for line in text.split("\n")))


def write_stderr(text: str, end: str = "\n") -> None:
    """Print what is fit to be shown, if anybody can be told."""
    if sys.stderr is None:
        return  # closed before the start; `print` would take standard output instead
    with suppress(OSError, ValueError):
        print(text, end=end, file=sys.stderr, flush=True)
