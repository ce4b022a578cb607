"""Takes secrets out of text that may have been quoted back at us; must not know where the text comes from."""

import re

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


def redact_secrets(text: str) -> str:
    """The text with every secret that can be told by its form replaced."""
    return _SECRETS.sub("[secret]", text)
