"""Foreign errors cross the border in one place, each with words for a person and without secrets."""

import inspect
import json

import pytest
from azure.core import exceptions as core
from azure.core.rest import HttpRequest

from vmdiag.arm import error_translation
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
from vmdiag.values import replace

ASKED = Request(
    description="metrics of web-01", service="metrics", path="/x", permission="Microsoft.Insights/metrics/read"
)
TOKEN = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"  # noqa: S105 - of no use

IMAGES: dict[type[Exception], type[SourceError]] = {
    core.ClientAuthenticationError: NotSignedIn, core.ResourceNotFoundError: NotFound,
    core.ServiceRequestError: Unreachable, core.ServiceResponseError: Unreachable,
    core.IncompleteReadError: Unreachable,
}  # fmt: skip
MADE_OF_ANSWERS = {core.ODataV4Error, core.ResponseNotReadError, core.StreamClosedError, core.StreamConsumedError}


class Broken:
    """An answer that is an error of OData's kind."""

    status_code = 400
    reason = "Bad Request"
    request = HttpRequest("GET", "https://localhost")

    def text(self) -> str:
        """Its body."""
        return '{"error": {"code": "Odd", "message": "it broke"}}'

    def body(self) -> bytes:
        """Its body, too."""
        return self.text().encode()


@pytest.mark.parametrize("kind", [kind for _, kind in inspect.getmembers(core, inspect.isclass)
                                  if issubclass(kind, Exception) and kind.__module__ == core.__name__])  # fmt: skip
def test_every_error_of_azures_library_leaves_as_ours_with_what_was_under_way(kind: type[Exception]) -> None:
    image = next((ours for known, ours in IMAGES.items() if issubclass(kind, known)), BadAnswer)
    error = kind(Broken()) if kind in MADE_OF_ANSWERS else kind("it broke")
    with pytest.raises(image) as caught, error_translation.translate_errors("health history of web-01"):
        raise error

    assert caught.value.message.startswith("health history of web-01: ")
    assert caught.value.hint
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("status", "image"),
    [(401, NotSignedIn), (403, NotAllowed), (404, NotFound), (429, Throttled), (408, Unreachable), (500, Unreachable),
     (503, Unreachable), (302, BadAnswer), (400, NotUnderstood), (409, NotUnderstood), (418, NotUnderstood)],
)  # fmt: skip
def test_a_refusal_is_told_by_its_status_with_azures_code(status: int, image: type[SourceError]) -> None:
    error = error_translation.build_refusal(ASKED, status, {}, b'{"error": {"code": "Odd", "message": "It is so."}}')

    assert type(error) is image
    assert error.message.startswith("metrics of web-01: ")
    assert f"({status} Odd)" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [("LimitsExceeded", "Request is invalid and cannot be executed."), ("EngineError", "Runaway (E_RUNAWAY_QUERY).")],
)
def test_a_query_that_needs_more_than_it_may_can_be_asked_in_parts(code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    query = replace(ASKED, patience=190.0)

    assert type(error_translation.build_refusal(query, 400, {}, body)) is error_translation.AnswerTooLarge
    assert type(error_translation.build_refusal(ASKED, 400, {}, body)) is NotUnderstood


def test_who_was_refused_is_nobodys_business_but_the_missing_permission_is() -> None:
    said = b'{"error": {"code": "AuthorizationFailed", "message": "The client \'a@b.example\' has no authorization."}}'
    error = error_translation.build_refusal(ASKED, 403, {}, said)

    assert "Microsoft.Insights/metrics/read" in error.message
    assert "a@b.example" not in error.message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error": {"code": "A", "message": "m"}}', ("A", "m")),
        (b'{"code": "A", "message": "m"}', ("A", "m")),
        (b'{"Code": "A", "Message": "m"}', ("A", "m")),
        (b'{"error": "invalid_client", "error_description": "m"}', ("invalid_client", "m")),
        (b"<!DOCTYPE html><html><title> Sign in </title>", ("", "a web page, 'Sign in'")),
        (b"<html>", ("", "a web page")),
        (b'"text"', ("", "")),
        (b"", ("", "")),
        (b"{", ("", "")),
        (b'{"error": {"code": 1}}', ("", "")),
    ],
)
def test_errors_come_wrapped_or_not_or_as_a_web_page(body: bytes, told: tuple[str, str]) -> None:
    assert error_translation.parse_error_body(body) == told


def test_a_secret_that_is_quoted_back_is_taken_out() -> None:
    said = f'{{"error": {{"code": "X", "message": "not Bearer {TOKEN} please, nor client_secret=hunter22"}}}}'
    error = error_translation.build_refusal(ASKED, 500, {}, said.encode())

    assert TOKEN not in error.message
    assert "hunter22" not in error.message
    assert "please" in error.message


def test_a_message_is_no_longer_than_a_few_lines() -> None:
    _, told = error_translation.parse_error_body(b'{"code": "A", "message": "' + b"x" * 100_000 + b'"}')

    assert len(told) == error_translation.MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("code", "asked", "taken"),
    [
        ("NoRegisteredProviderFound", "2023-03-01", "2020-12-01"),
        ("NoRegisteredProviderFound", "2019-01-01", None),
        ("BadRequest", "2023-03-01", None),
    ],
)
def test_an_older_version_is_taken_where_the_server_names_it(code: str, asked: str, taken: str | None) -> None:
    named = "The supported api-versions are '2019-07-01, 2020-12-01, 2021-03-01-preview, 2024-01-01'."
    said = f'{{"error": {{"code": "{code}", "message": "... {named}"}}}}'

    assert error_translation.find_supported_version(said.encode(), asked) == taken


def test_what_the_network_says_is_told_in_words() -> None:
    pool = "HTTPSConnectionPool(host='x', port=443): Max retries exceeded (Caused by {})"
    for said, told in (
        ("NewConnectionError('Failed to establish: [Errno 111] Connection refused')", "it refuses connections"),
        ("NameResolutionError('Failed to resolve x ([Errno -2])')", "its name cannot be resolved"),
        ("SSLError(SSLCertVerificationError('CERTIFICATE_VERIFY_FAILED'))", "its TLS certificate is not trusted"),
    ):
        with pytest.raises(Unreachable, match=told), error_translation.translate_errors("VM web-01"):
            raise core.ServiceRequestError(pool.format(said))
