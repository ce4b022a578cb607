"""Which form a report shall have; must not import one, nor know it by name."""

from vmdiag import plugins, renderers
from vmdiag.errors import UsageError


def known(form: str) -> str:
    """The form, if there is such a one; `UsageError` with a near name otherwise."""
    formats = plugins.names(renderers)
    if form in formats:
        return form
    from difflib import get_close_matches

    near = get_close_matches(form, formats, n=1)
    message = f"--output {form} is not a format that this version knows"
    guess = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(message, f"{guess}Give one of {', '.join(formats)}.")
