"""Every fault does to a client what its name says, and to no request that it does not match."""

import contextlib
import http.client
import json
import socket
import threading
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.arm import ArmServer, Fault, ForeignServer, Proxy, SilentServer, World
from tests.arm.client import COMPUTE, LOG, Client, Reply, create_client

PAGE = 2
BROKEN = (ConnectionError, http.client.HTTPException, OSError)
VERSION = "2020-01-01"


def _list_subscriptions(client: Client) -> Reply:
    return client.get("/subscriptions", VERSION)


def _query_log(client: Client) -> Reply:
    (vm,) = client.arm.world
    path = f"/subscriptions/{vm.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    start = client.arm.world.now() - timedelta(days=14)
    return client.get(path, LOG, _filter=f"eventTimestamp ge '{start:%Y-%m-%dT%H:%M:%SZ}'")


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"status": 503}, {"error": {"code": "ServiceUnavailable", "message": "Not now."}}),
        ({"status": 429, "retry_after": 7}, {"error": {"code": "TooManyRequests", "message": "Not now."}}),
        ({"status": 400, "body": "capitals"}, {"Code": "BadRequest", "Message": "Not now."}),
        ({"status": 409, "code": "ScopeLocked"}, {"error": {"code": "ScopeLocked", "message": "Not now."}}),
    ],
)
def test_a_status_comes_with_an_error_in_the_form_asked_for(
    client: Client, settings: dict[str, Any], body: Any
) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="status", message="Not now.", **settings))
    reply = _list_subscriptions(client)

    assert (reply.status, reply.json) == (settings["status"], body)
    assert reply.headers.get("retry-after") == (str(settings["retry_after"]) if "retry_after" in settings else None)
    assert "x-ms-request-id" in reply.headers


@pytest.mark.parametrize(("body", "content"), [("empty", b""), ("html", b"<!DOCTYPE html>")])
def test_a_status_may_come_without_json(client: Client, body: str, content: bytes) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="status", status=502, body=body))
    reply = _list_subscriptions(client)

    assert (reply.status, reply.content[:15]) == (502, content)


def test_a_fault_strikes_only_what_it_matches_after_so_many_and_so_often(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", method="POST", kind="status", status=500))
    client.arm.add_fault(Fault(path=r"api-version=2020-01-01", kind="status", status=503, after=1, times=2))

    assert [_list_subscriptions(client).status for _ in range(4)] == [200, 503, 503, 200]


def test_faults_end(client: Client) -> None:
    client.arm.add_fault(Fault(path=".", kind="status", status=500))
    struck = _list_subscriptions(client).status
    client.arm.clear_faults()

    assert (struck, _list_subscriptions(client).status) == (500, 200)


@pytest.mark.parametrize("kind", ["reset", "reset_mid_body"])
def test_a_reset_leaves_no_whole_answer(client: Client, kind: str) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind=kind, times=1))

    with pytest.raises(BROKEN):
        _list_subscriptions(client)
    assert _list_subscriptions(client).status == 200
    assert [seen.status for seen in client.arm.requests[-2:]] == [0 if kind == "reset" else 200, 200]


def test_what_was_accepted_is_done_even_if_nobody_hears_of_it(client: Client) -> None:
    (vm,) = client.arm.world
    client.arm.add_fault(Fault(path="/redeploy", method="POST", kind="drop_after_accept"))

    with pytest.raises(BROKEN):
        client.post(f"{vm.id}/redeploy", COMPUTE)
    assert len(client.arm.world.operations) == len(client.arm.list_posts("/redeploy")) == 1


def test_a_slow_body_takes_its_time(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="slow", seconds=0.3))
    start = time.monotonic()
    reply = _list_subscriptions(client)

    assert reply.json["value"]
    assert time.monotonic() - start >= 0.3


def test_what_hangs_hangs_until_the_client_has_had_enough(client: Client) -> None:
    client.timeout = 0.2
    client.arm.add_fault(Fault(path="/subscriptions", kind="hang"))

    with pytest.raises(TimeoutError):
        _list_subscriptions(client)
    start = time.monotonic()
    assert time.monotonic() - start < 5


def test_a_truncated_body_is_no_json(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="truncated"))
    reply = _list_subscriptions(client)

    assert reply.headers["content-length"] == str(len(reply.content))
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def test_a_page_for_people_is_no_json_either(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="html"))
    reply = _list_subscriptions(client)

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_huge_body_is_valid_json(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="huge", megabytes=3))
    reply = _list_subscriptions(client)

    assert len(reply.content) > 3 << 20
    assert len(reply.json["value"]) == 1


def test_an_empty_page_leads_to_the_real_first_one(client: Client) -> None:
    first = _query_log(client).json["value"]
    client.arm.add_fault(Fault(path="/eventtypes/", kind="empty_page"))
    empty = _query_log(client).json

    assert empty["value"] == []
    assert client.follow_link(empty["nextLink"]).json["value"] == first


def test_a_page_may_lead_to_itself_or_to_ever_more(client: Client) -> None:
    client.arm.add_fault(Fault(path="/eventtypes/", kind="page_loop", times=1))
    looped = _query_log(client).json
    client.arm.add_fault(Fault(path="/eventtypes/", kind="page_loop", times=1))
    again = client.follow_link(looped["nextLink"]).json
    client.arm.clear_faults()
    client.arm.add_fault(Fault(path="/eventtypes/", kind="endless_pages"))
    one = _query_log(client).json["nextLink"]
    two = client.follow_link(one).json["nextLink"]
    three = client.follow_link(two).json["nextLink"]

    assert again["nextLink"] == looped["nextLink"]
    assert again["value"] == looped["value"]
    assert len({one, two, three}) == 3


def test_links_and_redirects_to_a_stranger_are_his_to_see() -> None:
    with ForeignServer() as stranger, ArmServer(World.with_one_vm()) as arm:
        client = create_client(arm)
        arm.add_fault(Fault(path="/eventtypes/", kind="foreign_next", url=f"{stranger.url}/more"))
        arm.add_fault(Fault(path="/subscriptions", kind="redirect", url=f"{stranger.url}/elsewhere"))
        link, redirected = _query_log(client).json["nextLink"], _list_subscriptions(client)

        assert (redirected.status, redirected.headers["location"]) == (302, f"{stranger.url}/elsewhere")
        assert link == f"{stranger.url}/more"
        assert stranger.requests == []


def test_a_stranger_remembers_who_gave_a_token_away() -> None:
    with ForeignServer() as stranger, ArmServer(World.with_one_vm()) as arm:
        careless = Client(arm, {"Authorization": "Bearer secret"}, origin=stranger.url)
        careless.send("GET", "/more")

        assert [visit.path for visit in stranger.requests] == ["/more"]
        assert stranger.tokens == ["Bearer secret"]


def test_malformed_records_stand_among_the_others(client: Client) -> None:
    client.arm.add_fault(Fault(path="/eventtypes/", kind="malformed", every=2))
    first, second = _query_log(client).json["value"]

    assert not isinstance(first, dict)
    assert second["eventDataId"]


def test_what_is_to_be_spared_stays_whole(client: Client) -> None:
    client.arm.add_fault(Fault(path="/eventtypes/", kind="malformed", every=1, spare="LiveMigration"))
    first, *rest = _query_log(client).json["value"]

    assert "LiveMigration" in str(first)
    assert not any(isinstance(each, dict) for each in rest)


def test_a_token_expires_and_the_next_one_holds(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="expire_token"))
    replies = [_list_subscriptions(client), _list_subscriptions(client)]
    client.sign_in()

    assert [reply.error_code for reply in replies] == ["ExpiredAuthenticationToken"] * 2
    assert _list_subscriptions(client).status == 200


def test_a_claims_challenge_is_met_by_a_token_that_was_asked_for_with_claims(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="claims_challenge"))
    challenged = _list_subscriptions(client)
    client.sign_in()
    still = _list_subscriptions(client)
    client.sign_in(claims='{"access_token":{"nbf":{"essential":true}}}')

    assert (challenged.status, still.status) == (401, 401)
    assert 'error="insufficient_claims", claims="' in challenged.headers["www-authenticate"]
    assert _list_subscriptions(client).status == 200


def test_an_error_may_tell_the_token(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="echo_authorization"))
    reply = _list_subscriptions(client)

    assert reply.status == 400
    assert client.headers["Authorization"] in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "settings"), [("storm", {}), ("slow", {}), ("slow", {"second": 1}), ("reset", {"status": 500})]
)
def test_a_fault_that_makes_no_sense_is_none(kind: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=kind):
        Fault(path=".", kind=kind, **settings)


@pytest.mark.parametrize("part", ["header", "body"])
def test_a_byte_now_and_then_keeps_a_client_that_waits_for_each(client: Client, part: str) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="trickle", part=part, every=0.05))
    client.timeout = 1.5
    reader = threading.Thread(target=_list_ignoring_errors, args=(client,), daemon=True)
    reader.start()
    reader.join(3)

    assert reader.is_alive()


def _list_ignoring_errors(client: Client) -> None:
    with contextlib.suppress(*BROKEN):
        _list_subscriptions(client)


def test_a_byte_order_mark_stands_before_the_true_answer(client: Client) -> None:
    client.arm.add_fault(Fault(path="/subscriptions", kind="byte_order_mark"))
    reply = _list_subscriptions(client)

    assert reply.content.startswith(b"\xef\xbb\xbf{")
    assert json.loads(reply.content.decode("utf-8-sig"))["value"]


def test_links_and_headers_are_spelt_otherwise(client: Client) -> None:
    client.arm.add_fault(Fault(path="eventtypes", kind="respelt", as_="https://LOCALHOST:443"))

    assert _query_log(client).json["nextLink"].startswith("https://LOCALHOST:443/subscriptions/")


def test_an_answer_of_resource_graphs_that_is_too_large_is_refused_with_its_size(client: Client) -> None:
    client.arm.world.graph_bytes = 100
    (told,) = client.query_graph("resources | project id").json["error"]["details"]

    assert told["code"] == "ResponsePayloadTooLarge"
    assert "has exceeded the limit of 100" in told["message"]


def test_a_silent_server_takes_the_connection_and_says_nothing() -> None:
    with SilentServer() as silent, socket.create_connection(("localhost", urlsplit(silent.url).port or 0), 5) as caller:
        caller.settimeout(0.3)
        caller.sendall(b"hello")
        with pytest.raises(TimeoutError):
            caller.recv(1)


@pytest.mark.parametrize(("login", "status"), [("", b"200"), ("a:b", b"407")])
def test_a_proxy_leads_every_host_to_the_server_unless_it_wants_a_login(
    arm: ArmServer, login: str, status: bytes
) -> None:
    with Proxy(arm.port, login) as proxy:
        host, _, port = proxy.address.partition(":")
        with socket.create_connection((host, int(port)), 5) as caller:
            caller.sendall(b"CONNECT anywhere.example:443 HTTP/1.1\r\nHost: anywhere.example\r\n\r\n")
            assert caller.recv(100).split()[1] == status
        assert proxy.requested_hosts == ["anywhere.example:443"]
