"""Who gets a token and who does not, and what a token is good for."""

import base64
import json
from datetime import timedelta

import pytest

from tests.arm import ArmServer
from tests.arm.client import COMPUTE, Client, create_client


def _decode_payload(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_token_says_for_whom_and_until_when(arm: ArmServer) -> None:
    arm.world.expires_in = 60
    reply = Client(arm).sign_in()
    payload = _decode_payload(reply.json["access_token"])

    assert reply.json["expires_in"] == 60
    assert payload["aud"] == arm.url
    assert payload["tid"] == arm.world.principal.tenant
    assert payload["oid"] == arm.world.principal.object_id


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"client_secret": "guess"}, 401, "invalid_client", 7000215),
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://management.azure.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://management.azure.com"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_who_may_not_sign_in_is_told_as_entra_does(
    arm: ArmServer, form: dict[str, str], status: int, error: str, code: int
) -> None:
    reply = Client(arm).sign_in(**form)

    assert (reply.status, reply.json["error"], reply.json["error_codes"]) == (status, error, [code])
    assert reply.json["error_description"].startswith(f"AADSTS{code}: ")


def test_an_unknown_tenant_is_not_found(arm: ArmServer) -> None:
    reply = Client(arm).get("/11111111-0000-4000-a000-000000000000/v2.0/.well-known/openid-configuration")

    assert (reply.status, reply.json["error_codes"]) == (400, [90002])


def test_discovery_leads_to_this_server(arm: ArmServer) -> None:
    found = Client(arm).get(f"/{arm.world.principal.tenant}/v2.0/.well-known/openid-configuration").json

    assert found["token_endpoint"] == f"{arm.url}/{arm.world.principal.tenant}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [(None, "AuthenticationFailed"), ("Basic x", "AuthenticationFailed"), ("Bearer x", "InvalidAuthenticationToken")],
)
def test_without_a_token_of_ours_nothing_is_told(arm: ArmServer, authorization: str | None, code: str) -> None:
    client = Client(arm, {"Authorization": authorization} if authorization else {})
    reply = client.get("/subscriptions", "2020-01-01")

    assert (reply.status, reply.error_code) == (401, code)
    assert reply.headers["www-authenticate"].startswith("Bearer authorization_uri=")
    assert not arm.requests[-1].authorized


def test_a_token_expires(arm: ArmServer) -> None:
    client = create_client(arm)
    assert client.get("/subscriptions", "2020-01-01").status == 200
    arm.world.skew = timedelta(hours=2)
    reply = client.get("/subscriptions", "2020-01-01")

    assert (reply.status, reply.error_code) == (401, "ExpiredAuthenticationToken")


def test_a_token_for_the_logs_does_not_open_resource_manager_nor_the_other_way_round(arm: ArmServer) -> None:
    path, logs = f"/v1/workspaces/{arm.world.workspace}/query", arm.url.replace("localhost", "127.0.0.1")
    client = Client(arm)
    client.sign_in(logs)
    refused, answered = client.get("/subscriptions", "2020-01-01"), client.post(path, body={"query": "Heartbeat"})
    client.sign_in()
    refused_as_well = client.post(path, body={"query": "Heartbeat"})

    assert (refused.status, refused.error_code) == (401, "InvalidAuthenticationTokenAudience")
    assert answered.status == 200
    assert (refused_as_well.status, refused_as_well.error_code) == (403, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize(
    ("path", "header"), [("/msi/token", "X-IDENTITY-HEADER"), ("/metadata/identity/oauth2/token", "Metadata")]
)
def test_a_managed_identity_needs_its_header(arm: ArmServer, path: str, header: str) -> None:
    client = Client(arm)
    assert client.get(path, resource=arm.url).status == 400
    client.headers[header] = "true"
    token = client.get(path, resource=arm.url).json["access_token"]
    client.headers = {"Authorization": f"Bearer {token}"}

    assert client.get("/subscriptions", "2020-01-01").status == 200


def test_the_clock_of_the_server_can_be_wrong(arm: ArmServer) -> None:
    straight = Client(arm).get("/metadata/endpoints", "2022-09-01").headers["date"]
    arm.world.skew = timedelta(days=400)

    assert Client(arm).get("/metadata/endpoints", "2022-09-01").headers["date"][8:16] != straight[8:16]


def test_the_right_is_asked_before_anything_is_told(arm: ArmServer) -> None:
    client, (vm,) = create_client(arm), arm.world
    arm.world.denied.add(("Microsoft.Compute/virtualMachines/read", vm.id))
    reply = client.get(vm.id, COMPUTE)

    assert (reply.status, reply.error_code) == (403, "AuthorizationFailed")
    assert (
        f"perform action 'Microsoft.Compute/virtualMachines/read' over scope '{vm.id}'"
        in reply.json["error"]["message"]
    )
    vms = client.get(f"/subscriptions/{vm.subscription}/providers/Microsoft.Compute/virtualMachines", COMPUTE)
    assert vms.json == {"value": []}
