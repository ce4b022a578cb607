"""Which form a report shall have, and the report that it continues; must not import a form, nor know it by name."""

from collections.abc import Sequence
from pathlib import Path

from vmdiag import plugins, renderers
from vmdiag.errors import UsageError


def check_format(format_name: str) -> str:
    """The form, if there is such a one; `UsageError` with a near name otherwise."""
    formats = plugins.list_names(renderers)
    if format_name in formats:
        return format_name
    from difflib import get_close_matches

    near = get_close_matches(format_name, formats, n=1)
    message = f"--output {format_name} is not a format that this version knows"
    guess = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(message, f"{guess}Give one of {', '.join(formats)}.")


def read_report_lines(path: str | None) -> Sequence[str]:
    """The lines of the report that is resumed, none where none is; `UsageError` for a file that cannot be read."""
    if path is None:
        return ()
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        message = f"the report {path} cannot be read: {error.strerror}"
        raise UsageError(message, "Give the file that an earlier run wrote with -o ndjson.") from error
