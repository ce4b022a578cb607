"""The tree of errors a user can meet: message, hint and exit code; must not know who raises them.

    VmdiagError
    |- UsageError          2  the command line is wrong
    `- SourceError         4  nothing could be read
       |- NotFound            what was named is not there
       `- BadArchive          a file in no known format, or one that cannot be opened

Raise one when the *run* cannot go on; record a `Gap` when one VM or one signal cannot be read.
"""

from typing import ClassVar


class VmdiagError(Exception):
    """What happened, and in `hint` what to do about it, as an instruction."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VmdiagError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class SourceError(VmdiagError):
    """Nothing could be read from the source."""

    exit_code = 4


class NotFound(SourceError):  # noqa: N818 - the tree says what happened
    """What was named does not exist in the source."""


class BadArchive(SourceError):  # noqa: N818 - the tree says what happened
    """A path that cannot be read, or a file in no known format."""
