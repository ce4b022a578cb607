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
from vmdiag.errors import (
    BadAnswer,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotUnderstood,
    SourceError,
    Throttled,
    Unreachable,
)
from vmdiag.redaction import redacted

SIGN_IN = (
    "Run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; 'vmdiag doctor' says what works."
)
ROLE = "'vmdiag doctor' prints the smallest role that allows it; Reader does, too."
LATER = "Try again later."
NETWORK = "Check the network, the proxy and --cloud; REQUESTS_CA_BUNDLE names the certificates to trust."
TRUST = (
    "Set REQUESTS_CA_BUNDLE or SSL_CERT_FILE to a file with the certificate of the authority that signed it (a proxy's,"
    " perhaps)."
)
PROXY = "Check HTTPS_PROXY; hosts that are reached without it belong into NO_PROXY."
PROXY_LOGIN = "Give a name and a password in HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, or the host in NO_PROXY."


class Untrusted(Unreachable):
    """A certificate that nobody signed whom this machine trusts: to try again does not help."""


class TooLarge(BadAnswer):
    """An answer that Azure would have to give and that is larger than it may be: a smaller page may do.

    `share` is how much of the page there would have been room for.
    """

    share = 0.5


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
# The variable by which azure-identity's chain is narrowed; what it may hold stands in the error.
CHOICE = "AZURE_TOKEN_CREDENTIALS"
# What the transport's long words mean, the telling part of them first.
CAUSES = (
    ("CA certificate bundle", "the file of trusted certificates (REQUESTS_CA_BUNDLE, SSL_CERT_FILE) is not there"),
    ("407 Proxy", "the proxy wants a login (407)"),
    ("Tunnel connection failed", "the proxy does not let it through"),
    ("Unable to connect to proxy", "the proxy cannot be reached"),
    ("ProxyError", "the proxy does not let it through"),
    ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted"),
    ("certificate", "its TLS certificate is not trusted"),
    ("Failed to resolve", "its name cannot be resolved"),
    ("getaddrinfo", "its name cannot be resolved"),
    ("Name or service not known", "its name cannot be resolved"),
    ("Connection refused", "it refuses connections"),
    ("Connection reset", "the connection was cut"),
    ("Remote end closed", "the connection was closed without an answer"),
    ("IncompleteRead", "the answer broke off"),
    ("Connection broken", "the answer broke off"),
    ("imed out", "it did not answer in time"),
)
# What to do about some of them.
_WAYS_OUT: Mapping[str, str] = {
    "the proxy wants a login (407)": PROXY_LOGIN,
    "the proxy does not let it through": PROXY,
    "the proxy cannot be reached": PROXY,
}
# What the CLI is to be asked for after a claims challenge, as azure-identity puts it; it is of no use when it is cut.
_CLAIMS = re.compile(r"az login --claims-challenge [\w+/=-]+(?: --tenant [\w.-]+)?(?: --scope [\w:/.~-]+(?!\S))?")
# Resource Graph's words for everybody.
_SUPPORT = "Please provide below info when asking for support"
_TOO_LARGE = re.compile(r"size is (\d+), and has exceeded the limit of (\d+)")
_RESETS = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)", re.ASCII)
_NAMESPACE = re.compile(r"namespace '([\w.]+)'")
SHORT = 300
# How azure-identity's chain lists what it tried, what of it helps nobody, and how much of the rest is enough.
_ATTEMPT = re.compile(r"^\t(\w+Credential): (.*)$", re.MULTILINE)
_NOISE = re.compile(r"^\w+ authentication unavailable\.\s*(?=.)|\S*https?://\S+|See the [^:]*:\s*|Please visit .*")
_REASON = 160
MOST_DETAILS = 5  # of an error are told
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
        case 407:
            image, means, hint = Unreachable, "the proxy wants a login", PROXY_LOGIN
        case 429:
            image, means = Throttled, "throttled"
        case 408 | 500 | 502 | 503 | 504:
            image, means = Unreachable, "Azure cannot answer now"
        case 301 | 302 | 303 | 307 | 308:
            image, means, hint = BadAnswer, "sent on elsewhere, and a token is not taken along", NETWORK
            said = redacted(headers.get("Location", ""))[:SHORT]
        case _:
            image, means, hint = _not_understood(request, body)
    told = f"{request.what}: {means} ({status}{' ' * bool(code)}{code})"
    error = image(f"{told}: {said}" if said else told, hint)
    sizes = _TOO_LARGE.search(said)
    if isinstance(error, TooLarge) and sizes and int(sizes[1]) > int(sizes[2]) > 0:
        # Rows differ in size, so some room is left.
        error.share = 0.8 * int(sizes[2]) / int(sizes[1])
    return error


def _not_understood(request: Request, body: bytes) -> tuple[type[SourceError], str, str]:
    """What a refusal means that no status tells apart, and what to do about it."""
    codes = {code for code, _ in _reasons(_error_of(body))}
    if "ResponsePayloadTooLarge" in codes:
        return TooLarge, "the answer would be too large", "Ask for less: fewer VMs or subscriptions."
    if codes & {"MissingSubscriptionRegistration", "SubscriptionNotRegistered"}:
        found = _NAMESPACE.search(body.decode("utf-8", "replace"))
        namespace = found[1] if found else "NAMESPACE"
        parts = request.path.split("/")
        where = f" --subscription {parts[2]}" if parts[1:2] == ["subscriptions"] and len(parts) > 2 else ""  # noqa: PLR2004
        way = f"Register it once: az provider register --namespace {namespace}{where}"
        return BadAnswer, "the subscription is not registered for it", way
    hint = f"Where this cloud speaks another version, give --api-version {request.service}=YYYY-MM-DD."
    return NotUnderstood, "not understood", hint


def words(body: bytes) -> tuple[str, str]:
    """Code and message of an error's body, wrapped in `error` or not, in any letter case; of a page its title.

    Where the message says nothing, or not all, what stands in `details` and in `innererror` is told, too.
    """
    if body.lstrip()[:1] == b"<":
        title = _TITLE.search(body)
        return "", f"a web page, {title[1].decode('utf-8', 'replace')!r}" if title else "a web page"
    (code, message), *more = _reasons(_error_of(body)) or [("", "")]
    told = ["" if message.startswith(_SUPPORT) else message]
    told += [f"{inner}: {why}" if why else inner for inner, why in more if (inner, why) != (code, message)]
    return code[:100], short("; ".join(dict.fromkeys(filter(None, told))))


def _error_of(body: bytes) -> object:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return {"code": value["error"], "message": value.get("error_description", "")}
    inner = value.get("error") if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else value


def _reasons(error: object, depth: int = 3) -> list[tuple[str, str]]:
    """Codes and messages of an error and of what it holds, the outer first."""
    if not isinstance(error, dict) or not depth:
        return []
    known = {str(key).lower(): each for key, each in error.items()}
    own = tuple(each if isinstance(each := known.get(key), str) else "" for key in ("code", "message"))
    details = known.get("details")
    inner = [*(details[:MOST_DETAILS] if isinstance(details, list) else ()), known.get("innererror")]
    found = [reason for each in inner for reason in _reasons(each, depth - 1)]
    return [(own[0], own[1]), *(reason for reason in found if any(reason))]


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


def quota_reset(headers: Mapping[str, str]) -> float | None:
    """After how many seconds Resource Graph answers again, where its quota is used up; `None` where it is not.

    Source: "Guidance for throttled requests in Azure Resource Graph": `hh:mm:ss`.
    """
    found = _RESETS.fullmatch(headers.get("x-ms-user-quota-resets-after", "").strip())
    if found is None or headers.get("x-ms-user-quota-remaining", "").strip() != "0":
        return None
    hours, minutes, seconds = map(float, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _told(error: Exception, image: type[SourceError]) -> tuple[str, str]:
    text = str(error)
    command = _CLAIMS.search(text)
    if command:
        return f"Azure asks for a new sign-in (a claims challenge): {command[0]}", "Run that command, then try again."
    if CHOICE in text:
        return short(text), f"Correct the variable {CHOICE}, or unset it and give --credential."
    tried = _ATTEMPT.findall(text)
    if tried:
        told = (f"{name}: {_cause(why) or short(_NOISE.sub('', why))[:_REASON]}" for name, why in tried)
        # Where the network was in the way no other sign-in helps.
        ways = (_way_out(_cause(why)) for _, why in tried)
        return "\n  ".join(("no credential could", *told)), next(filter(None, ways), HINTS[NotSignedIn])
    if image is Unreachable:
        said = _cause(text)
        return said or short(text), _way_out(said) or NETWORK
    return short(text), HINTS[image]


def _cause(text: str) -> str:
    return next((says for word, says in CAUSES if word in text), "")


def _way_out(said: str) -> str:
    return TRUST if "certificate" in said else _WAYS_OUT.get(said, "")


def short(text: str) -> str:
    """A message at the length of a line, without its second thoughts and without secrets."""
    told = redacted(" ".join(text.split()))
    return told if len(told) <= SHORT else told[: SHORT - 1] + "…"
