"""The tree of errors a user can meet: message, hint and exit code; and how secrets are kept out of what they quote.

    VmdiagError
    |- UsageError          2  the command line is wrong
    |- MitigationError     5  a mitigation must not go on
    `- SourceError         4  nothing could be read
       |- NotSignedIn         no credential, or one that Azure does not accept
       |- NotAllowed          a permission is missing
       |- NotFound            what was named is not there
       |- Throttled           too many requests, and too long to wait
       |- Unreachable         no connection, no answer in time, or Azure cannot answer now
       |- BadAnswer           an answer that makes no sense, or a request that Azure does not understand
       |  `- NotUnderstood       the latter: nothing was answered, and so nothing in part
       |- OutOfTime           the run's own time limit
       |- Interrupted   130   the person pressed Ctrl-C
       `- BadArchive          a file in no known format, or one that cannot be opened

Raise one when the *run* cannot go on; record a `Gap` when one VM or one signal cannot be read.
"""

import re
from typing import ClassVar

# A JSON web token, an authorization header, a shared-access signature, or a secret in a form or a URL.
_SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"
    r"|(?<=bearer )[\w.~+/=-]{8,}"
    r"|(?<=[?&]sig=)[^&\s\"']+"
    r"|(?<=accountkey=)[^;&\s\"']+"
    r"|(?<=client_secret=)[^&\s\"']+"
    r"|(?<=client_assertion=)[^&\s\"']+",
    re.IGNORECASE,
)


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


class MitigationError(VmdiagError):
    """Something forbids to go on with a mitigation."""

    exit_code = 5


class SourceError(VmdiagError):
    """Nothing could be read from the source."""

    exit_code = 4


class NotSignedIn(SourceError):  # noqa: N818 - the tree says what happened
    """No credential could sign in, or Azure does not accept the one that did."""


class NotAllowed(SourceError):  # noqa: N818 - the tree says what happened
    """Azure knows who asks, and a permission is missing."""


class NotFound(SourceError):  # noqa: N818 - the tree says what happened
    """What was named does not exist in the source."""


class Throttled(SourceError):  # noqa: N818 - the tree says what happened
    """Azure wants fewer requests, and a longer pause than a run can wait."""


class Unreachable(SourceError):  # noqa: N818 - the tree says what happened
    """No connection, no whole answer in time, or a server that cannot answer now."""


class BadAnswer(SourceError):  # noqa: N818 - the tree says what happened
    """An answer that is not what was asked for, or a request that was not understood."""


class NotUnderstood(BadAnswer):
    """A request that was refused because it, or what it names, is not known there."""


class OutOfTime(SourceError):  # noqa: N818 - the tree says what happened
    """The run's own time limit was reached."""


class Interrupted(SourceError):  # noqa: N818 - the tree says what happened
    """The person at the terminal ended the run; what a shell reports for SIGINT."""

    exit_code = 130


class BadArchive(SourceError):  # noqa: N818 - the tree says what happened
    """A path that cannot be read, or a file in no known format."""


def redact_secrets(text: str) -> str:
    """The text with every secret that can be told by its form replaced."""
    return _SECRETS.sub("[secret]", text)
