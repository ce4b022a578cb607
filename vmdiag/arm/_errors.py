"""Turns every error of Azure's libraries and every refusal of a server into one of ours; must not retry or print.

The border is crossed here alone: `translated` for what was raised, `refused` for what was answered.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
from azure.core import exceptions as core

from vmdiag.arm.request import Request
from vmdiag.errors import BadAnswer, NotAllowed, NotFound, NotSignedIn, SourceError, Throttled, Unreachable
from vmdiag.redaction import redacted

SIGN_IN = (
    "Run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; 'vmdiag doctor' says what works."
)
ROLE = "'vmdiag doctor' prints the smallest role that allows it; Reader does, too."
LATER = "Try again later."
NETWORK = "Check the network, the proxy and --cloud; REQUESTS_CA_BUNDLE names the certificates to trust."
TRUST = "Set REQUESTS_CA_BUNDLE to a file with the certificate of the authority that signed it (a proxy's, perhaps)."


class Untrusted(Unreachable):
    """A certificate that nobody signed whom this machine trusts: to try again does not help."""


# Every class of azure.core.exceptions, and what it means to a person; a test holds this list against the library.
IMAGES: Mapping[type[Exception], type[SourceError]] = {
    core.ClientAuthenticationError: NotSignedIn,
    core.ResourceNotFoundError: NotFound,
    core.ServiceRequestTimeoutError: Unreachable,
    core.ServiceRequestError: Unreachable,
    core.ServiceResponseTimeoutError: Unreachable,
    core.ServiceResponseError: Unreachable,
    core.IncompleteReadError: Unreachable,
    core.DecodeError: BadAnswer,
    core.DeserializationError: BadAnswer,
    core.SerializationError: BadAnswer,
    core.ODataV4Error: BadAnswer,
    core.ResourceExistsError: BadAnswer,
    core.ResourceModifiedError: BadAnswer,
    core.ResourceNotModifiedError: BadAnswer,
    core.TooManyRedirectsError: BadAnswer,
    core.ResponseNotReadError: BadAnswer,
    core.StreamClosedError: BadAnswer,
    core.StreamConsumedError: BadAnswer,
    core.HttpResponseError: BadAnswer,
    core.AzureError: BadAnswer,
}
HINTS: Mapping[type[SourceError], str] = {
    NotSignedIn: SIGN_IN,
    NotFound: "Check the name.",
    Unreachable: NETWORK,
    BadAnswer: "Try again; if it stays so, look at it with --debug.",
}
# What the transport's long words mean, the telling part of them first.
CAUSES = (
    ("CA certificate bundle", "the file that REQUESTS_CA_BUNDLE names is not there"),
    ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted"),
    ("certificate", "its TLS certificate is not trusted"),
    ("Failed to resolve", "its name cannot be resolved"),
    ("getaddrinfo", "its name cannot be resolved"),
    ("Name or service not known", "its name cannot be resolved"),
    ("Connection refused", "it refuses connections"),
    ("ProxyError", "the proxy does not let it through"),
    ("Connection reset", "the connection was cut"),
    ("Remote end closed", "the connection was closed without an answer"),
    ("IncompleteRead", "the answer broke off"),
    ("Connection broken", "the answer broke off"),
    ("imed out", "it did not answer in time"),
)
SHORT = 300
# How azure-identity's chain lists what it tried, what of it helps nobody, and how much of the rest is enough.
_ATTEMPT = re.compile(r"^\t(\w+Credential): (.*)$", re.MULTILINE)
_NOISE = re.compile(r"^\w+ authentication unavailable\.\s*(?=.)|\S*https?://\S+|See the [^:]*:\s*|Please visit .*")
_REASON = 160
_VERSION = re.compile(r"\b20\d\d-\d\d-\d\d\b(?!-)")  # not a preview
_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,120}?)\s*</title", re.IGNORECASE)


@contextmanager
def translated(what: str, otherwise: type[SourceError] = Unreachable) -> Iterator[None]:
    """Errors of Azure's libraries leave as ours; `what` says for people what was under way.

    `otherwise` is what those of Python's own mean, which the libraries let through.
    """
    try:
        yield
    except (core.AzureError, OSError, ValueError) as error:
        image = next((IMAGES[kind] for kind in type(error).__mro__ if kind in IMAGES), otherwise)
        said, hint = _told(error, image)
        message = f"{what}: {said}"
        raise (Untrusted if hint is TRUST else image)(message, hint) from error


def refused(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> SourceError:
    """What an answer that is no success means."""
    code, said = words(body)
    image: type[SourceError]
    hint = LATER
    match status:
        case 401:
            image, means, hint = NotSignedIn, "Azure does not accept the sign-in", SIGN_IN
        case 403:
            # Azure's own sentence names who was refused.
            image, means, said, hint = NotAllowed, f"refused, it needs {request.permission}", "", ROLE
        case 404:
            image, means, hint = NotFound, "not found", "Check the name, the group and --subscription."
        case 429:
            image, means = Throttled, "throttled"
        case 408 | 500 | 502 | 503 | 504:
            image, means = Unreachable, "Azure cannot answer now"
        case 301 | 302 | 303 | 307 | 308:
            image, means, hint = BadAnswer, "sent on elsewhere, and a token is not taken along", NETWORK
            said = redacted(headers.get("Location", ""))[:SHORT]
        case _:
            image, means = BadAnswer, "not understood"
            hint = f"Where this cloud speaks another version, give --api-version {request.service}=YYYY-MM-DD."
    told = f"{request.what}: {means} ({status}{' ' * bool(code)}{code})"
    return image(f"{told}: {said}" if said else told, hint)


def words(body: bytes) -> tuple[str, str]:
    """Code and message of an error's body, wrapped in `error` or not, in any letter case; of a page its title."""
    if body.lstrip()[:1] == b"<":
        title = _TITLE.search(body)
        return "", f"a web page, {title[1].decode('utf-8', 'replace')!r}" if title else "a web page"
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError):
        return "", ""
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        value = value["error"]
    if not isinstance(value, dict):
        return "", ""
    told = {str(key).lower(): each for key, each in value.items() if isinstance(each, str)}
    if isinstance(value.get("error"), str):
        told = {"code": value["error"], "message": str(value.get("error_description", ""))}
    return told.get("code", "")[:100], short(told.get("message", ""))


def spoken(body: bytes, ours: str) -> str | None:
    """The newest version that a server says it speaks and that is older than ours; `None` where that is not its point.

    Clouds lag behind one another, and say so in words: "The supported api-versions are '2020-06-01, ...'".
    """
    code, _ = words(body)
    if code not in ("InvalidApiVersionParameter", "NoRegisteredProviderFound", "UnsupportedApiVersion"):
        return None
    known = _VERSION.findall(body.decode("utf-8", "replace"))
    return max((each for each in known if each < ours), default=None)


def is_for_all(body: bytes) -> bool:
    """Whether Resource Manager itself throttles, not the provider behind it."""
    return words(body)[0].endswith("RequestsThrottled")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds a server asks to wait; `None` when it does not say."""
    for name, unit in (("retry-after-ms", 1000), ("x-ms-retry-after-ms", 1000), ("Retry-After", 1)):
        said = headers.get(name, "")
        if said.isascii() and said.isdigit():
            return int(said[:9]) / unit
    try:
        return max(0.0, (parsedate_to_datetime(headers.get("Retry-After", "")) - now) / timedelta(seconds=1))
    except (TypeError, ValueError):
        return None


def _told(error: Exception, image: type[SourceError]) -> tuple[str, str]:
    text = str(error)
    tried = _ATTEMPT.findall(text)
    if tried:
        told = (f"{name}: {short(_NOISE.sub('', why))[:_REASON]}" for name, why in tried)
        return "\n  ".join(("no credential could", *told)), HINTS[NotSignedIn]
    if image is Unreachable:
        said = next((says for word, says in CAUSES if word in text), None)
        return said or short(text), TRUST if said and "certificate" in said else NETWORK
    return short(text), HINTS[image]


def short(text: str) -> str:
    """A message at the length of a line, without its second thoughts and without secrets."""
    told = redacted(" ".join(text.split()))
    return told if len(told) <= SHORT else told[: SHORT - 1] + "…"
