"""Turns every error of Azure's libraries and every refusal of a server into one of ours.

The border is crossed here alone: `translate_errors` for what was raised, `build_refusal` for what was answered.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

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
    redact_secrets,
)

SIGN_IN_HINT = (
    "Run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; 'vmdiag doctor' says what works."
)
ROLE_HINT = "'vmdiag doctor' prints the smallest role that allows it; Reader does, too."
RETRY_HINT = "Try again later."
NETWORK_HINT = "Check the network, the proxy and --cloud; REQUESTS_CA_BUNDLE names the certificates to trust."
CERTIFICATE_HINT = (
    "Set REQUESTS_CA_BUNDLE or SSL_CERT_FILE to a file with the certificate of the authority that signed it (a proxy's,"
    " perhaps)."
)
PROXY_HINT = "Check HTTPS_PROXY; hosts that are reached without it belong into NO_PROXY."
PROXY_LOGIN_HINT = "Give a name and a password in HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, or the host in NO_PROXY."


class UntrustedCertificate(Unreachable):
    """A certificate that nobody signed whom this machine trusts: to try again does not help."""


class AnswerTooLarge(BadAnswer):
    """An answer that Azure would have to give and that is larger than it may be: a smaller page may do."""

    page_fraction = 0.5  # there would have been room for so much of the page


# What the classes of azure.core.exceptions, and so those below them, mean to a person; a test looks for all.
ERROR_TYPES: Mapping[type[Exception], type[SourceError]] = {
    core.ClientAuthenticationError: NotSignedIn,
    core.ResourceNotFoundError: NotFound,
    core.ServiceRequestError: Unreachable,
    core.ServiceResponseError: Unreachable,
    core.IncompleteReadError: Unreachable,
    core.DeserializationError: BadAnswer,
    core.SerializationError: BadAnswer,
    core.AzureError: BadAnswer,
}
HINTS_BY_ERROR: Mapping[type[SourceError], str] = {
    NotSignedIn: SIGN_IN_HINT,
    NotFound: "Check the name.",
    Unreachable: NETWORK_HINT,
    BadAnswer: "Try again; if it stays so, look at it with --debug.",
}
# The variable by which azure-identity's chain is narrowed; what it may hold stands in the error.
CREDENTIALS_VARIABLE = "AZURE_TOKEN_CREDENTIALS"
# What the transport's long words mean, the telling part of them first, and what to do about some of them.
NETWORK_CAUSES = (
    ("CA certificate bundle", "the file of trusted certificates (REQUESTS_CA_BUNDLE, SSL_CERT_FILE) is not there",
     CERTIFICATE_HINT),
    ("407 Proxy", "the proxy wants a login (407)", PROXY_LOGIN_HINT),
    ("Tunnel connection failed", "the proxy does not let it through", PROXY_HINT),
    ("Unable to connect to proxy", "the proxy cannot be reached", PROXY_HINT),
    ("ProxyError", "the proxy does not let it through", PROXY_HINT),
    ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted", CERTIFICATE_HINT),
    ("certificate", "its TLS certificate is not trusted", CERTIFICATE_HINT),
    ("Failed to resolve", "its name cannot be resolved", ""),
    ("getaddrinfo", "its name cannot be resolved", ""),
    ("Name or service not known", "its name cannot be resolved", ""),
    ("Connection refused", "it refuses connections", ""),
    ("Connection reset", "the connection was cut", ""),
    ("Remote end closed", "the connection was closed without an answer", ""),
    ("IncompleteRead", "the answer broke off", ""),
    ("Connection broken", "the answer broke off", ""),
    ("imed out", "it did not answer in time", ""),
)  # fmt: skip
# What the CLI is to be asked for after a claims challenge, as azure-identity puts it; it is of no use when it is cut.
_CLAIMS_COMMAND = re.compile(
    r"az login --claims-challenge [\w+/=-]+(?: --tenant [\w.-]+)?(?: --scope [\w:/.~-]+(?!\S))?"
)
# Resource Graph's words for everybody.
_SUPPORT_BOILERPLATE = "Please provide below info when asking for support"
_PAYLOAD_SIZES = re.compile(r"size is (\d+), and has exceeded the limit of (\d+)")
# A query that needs more rows, bytes or memory than it may have ("Query limits" of Azure Data Explorer). Beside rows
# Kusto writes so in the answer; that it refuses alike where it has none yet is inferred from the words that go along.
_QUERY_LIMIT = re.compile(rb'"LimitsExceeded"|E_(?:RUNAWAY_QUERY|LOW_MEMORY_CONDITION|QUERY_RESULT_SET_TOO_LARGE)')
_NAMESPACE = re.compile(r"namespace '([\w.]+)'")
MESSAGE_LIMIT = 300
# How azure-identity's chain lists what it tried, what of it helps nobody, and how much of the rest is enough.
_CREDENTIAL_ATTEMPT = re.compile(r"^\t(\w+Credential): (.*)$", re.MULTILINE)
_ATTEMPT_NOISE = re.compile(
    r"^\w+ authentication unavailable\.\s*(?=.)|\S*https?://\S+|See the [^:]*:\s*|Please visit .*"
)
_ATTEMPT_LIMIT = 160
DETAIL_LIMIT = 5  # of an error are told
_API_VERSION = re.compile(r"\b20\d\d-\d\d-\d\d\b(?!-)")  # not a preview
_PAGE_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,120}?)\s*</title", re.IGNORECASE)


@contextmanager
def translate_errors(what: str, default_type: type[SourceError] = Unreachable) -> Iterator[None]:
    """Errors of Azure's libraries leave as ours; `default_type` is what Python's own mean, which they let through."""
    try:
        yield
    except (core.AzureError, OSError, ValueError) as error:
        error_type = next((ERROR_TYPES[kind] for kind in type(error).__mro__ if kind in ERROR_TYPES), default_type)
        text, hint = _describe_exception(error, error_type)
        message = f"{what}: {text}"
        raise (UntrustedCertificate if hint is CERTIFICATE_HINT else error_type)(message, hint) from error


def build_refusal(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> SourceError:
    """What an answer that is no success means."""
    code, message = parse_error_body(body)
    error_type: type[SourceError]
    hint = RETRY_HINT
    match status:
        case 401:
            error_type, meaning, hint = NotSignedIn, "Azure does not accept the sign-in", SIGN_IN_HINT
        case 403:
            # Azure's own sentence names who was refused.
            error_type, meaning, message = NotAllowed, f"refused, it needs {request.permission}", ""
            hint = request.hint or ROLE_HINT
        case 404:
            error_type, meaning, hint = NotFound, "not found", "Check the name, the group and --subscription."
        case 407:
            error_type, meaning, hint = Unreachable, "the proxy wants a login", PROXY_LOGIN_HINT
        case 429:
            error_type, meaning = Throttled, "throttled"
        case 504 if request.patience is not None:
            # Log Analytics' word for a query that took longer than it may ("Azure Monitor Log Analytics API timeouts").
            error_type, meaning, hint = AnswerTooLarge, "the query took too long", "Ask for less: a shorter --since."
        case 408 | 500 | 502 | 503 | 504:
            error_type, meaning = Unreachable, "Azure cannot answer now"
        case 301 | 302 | 303 | 307 | 308:
            error_type, meaning, hint = BadAnswer, "sent on elsewhere, and a token is not taken along", NETWORK_HINT
            message = redact_secrets(headers.get("Location", ""))[:MESSAGE_LIMIT]
        case _:
            error_type, meaning, hint = _classify_bad_request(request, body)
    summary = f"{request.description}: {meaning} ({status}{' ' * bool(code)}{code})"
    error = error_type(f"{summary}: {message}" if message else summary, hint)
    sizes = _PAYLOAD_SIZES.search(message)
    if isinstance(error, AnswerTooLarge) and sizes and int(sizes[1]) > int(sizes[2]) > 0:
        # Rows differ in size, so some room is left.
        error.page_fraction = 0.8 * int(sizes[2]) / int(sizes[1])
    return error


def _classify_bad_request(request: Request, body: bytes) -> tuple[type[SourceError], str, str]:
    """What a refusal means that no status tells apart, and what to do about it."""
    codes = {code for code, _ in _collect_reasons(_decode_error(body))}
    if "ResponsePayloadTooLarge" in codes:
        return AnswerTooLarge, "the answer would be too large", "Ask for less: fewer VMs or subscriptions."
    if request.patience is not None and _QUERY_LIMIT.search(body):
        return AnswerTooLarge, "the query needs more than it may", "Ask for less: a shorter --since."
    if codes & {"MissingSubscriptionRegistration", "SubscriptionNotRegistered"}:
        found = _NAMESPACE.search(body.decode("utf-8", "replace"))
        inside = re.match(r"/subscriptions/([^/]*)", request.path)
        where = f" --subscription {inside[1]}" if inside else ""
        way = f"Register it once: az provider register --namespace {found[1] if found else 'NAMESPACE'}{where}"
        return BadAnswer, "the subscription is not registered for it", way
    hint = f"Where this cloud speaks another version, give --api-version {request.service}=YYYY-MM-DD."
    return NotUnderstood, "not understood", hint


def parse_error_body(body: bytes) -> tuple[str, str]:
    """Code and message of an error's body, wrapped in `error` or not, in any letter case; of a page its title.

    Where the message says nothing, or not all, what stands in `details` and in `innererror` is told, too.
    """
    if body.lstrip()[:1] == b"<":
        title = _PAGE_TITLE.search(body)
        return "", f"a web page, {title[1].decode('utf-8', 'replace')!r}" if title else "a web page"
    (code, message), *more = _collect_reasons(_decode_error(body)) or [("", "")]
    messages = ["" if message.startswith(_SUPPORT_BOILERPLATE) else message]
    messages += [f"{inner}: {why}" if why else inner for inner, why in more if (inner, why) != (code, message)]
    return code[:100], shorten_message("; ".join(dict.fromkeys(filter(None, messages))))


def _decode_error(body: bytes) -> object:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    inner = value.get("error") if isinstance(value, dict) else None
    if isinstance(inner, str):
        return {"code": inner, "message": value.get("error_description", "")}
    return inner if isinstance(inner, dict) else value


def _collect_reasons(error: object, depth: int = 3) -> list[tuple[str, str]]:
    """Codes and messages of an error and of what it holds, the outer first."""
    if not isinstance(error, dict) or not depth:
        return []
    known = {str(key).lower(): each for key, each in error.items()}
    own = tuple(each if isinstance(each := known.get(key), str) else "" for key in ("code", "message"))
    details = known.get("details")
    inner = [*(details[:DETAIL_LIMIT] if isinstance(details, list) else ()), known.get("innererror")]
    found = [reason for each in inner for reason in _collect_reasons(each, depth - 1)]
    return [(own[0], own[1]), *(reason for reason in found if any(reason))]


def find_supported_version(body: bytes, current: str) -> str | None:
    """The newest version that a server says it speaks and that is older than ours; `None` where that is not its point.

    Clouds lag behind one another, and say so in words: "The supported api-versions are '2020-06-01, ...'".
    """
    code, _ = parse_error_body(body)
    if code not in ("InvalidApiVersionParameter", "NoRegisteredProviderFound", "UnsupportedApiVersion"):
        return None
    known = _API_VERSION.findall(body.decode("utf-8", "replace"))
    return max((each for each in known if each < current), default=None)


def is_unknown_table(error: SourceError, table: str) -> bool:
    """Whether a query was not understood because there is no such table: nothing was ever written to it.

    Kusto's words are "Failed to resolve table or column expression named 'Perf'" (SEM0100); of a column it says the
    name of that.
    """
    return bool(table) and isinstance(error, NotUnderstood) and f" named '{table}'" in error.message


def is_throttled_by_arm(body: bytes) -> bool:
    """Whether Resource Manager itself throttles, not the provider behind it."""
    return parse_error_body(body)[0].endswith("RequestsThrottled")


def _describe_exception(error: Exception, error_type: type[SourceError]) -> tuple[str, str]:
    text = str(error)
    command = _CLAIMS_COMMAND.search(text)
    if command:
        return f"Azure asks for a new sign-in (a claims challenge): {command[0]}", "Run that command, then try again."
    if CREDENTIALS_VARIABLE in text:
        return shorten_message(text), f"Correct the variable {CREDENTIALS_VARIABLE}, or unset it and give --credential."
    attempts = [(name, why, *_find_network_cause(why)) for name, why in _CREDENTIAL_ATTEMPT.findall(text)]
    if attempts:
        told = (
            f"{name}: {cause or shorten_message(_ATTEMPT_NOISE.sub('', why))[:_ATTEMPT_LIMIT]}"
            for name, why, cause, _ in attempts
        )
        # Where the network was in the way no other sign-in helps.
        hints = (hint for *_, hint in attempts if hint)
        return "\n  ".join(("no credential could", *told)), next(hints, SIGN_IN_HINT)
    cause, hint = _find_network_cause(text) if error_type is Unreachable else ("", "")
    return cause or shorten_message(text), hint or HINTS_BY_ERROR[error_type]


def _find_network_cause(text: str) -> tuple[str, str]:
    """What a transport's words mean, and what to do about it; empty where that is not known."""
    return next(((cause, hint) for word, cause, hint in NETWORK_CAUSES if word in text), ("", ""))


def shorten_message(text: str) -> str:
    """A message at the length of a line, without its second thoughts and without secrets."""
    told = redact_secrets(" ".join(text.split()))
    return told if len(told) <= MESSAGE_LIMIT else told[: MESSAGE_LIMIT - 1] + "…"
