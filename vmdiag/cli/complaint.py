"""How an error is told: what happened and what to do, on standard error; must not know why."""

import sys

from vmdiag.renderers._safe import visible


def complain(message: str, hint: str) -> None:
    """Print both; line breaks are the message's own, but what a file or VM is called may hold escapes."""
    for label, text in (("error", message), ("hint", hint)):
        print(f"{label}: " + "\n".join(visible(line) for line in text.split("\n")), file=sys.stderr)
