"""The clouds that the server announces, and the subscriptions in them."""

import pytest

from tests.arm import ArmServer
from tests.arm.client import COMPUTE, Client

VMS = "/providers/Microsoft.Compute/virtualMachines"


def test_the_older_version_lists_clouds_and_this_one_is_the_second(arm: ArmServer) -> None:
    decoy, own = Client(arm).get("/metadata/endpoints", "2019-05-01").json

    assert decoy["resourceManager"].startswith("https://management.decoy.example")
    assert own["resourceManager"].rstrip("/") == own["authentication"]["loginEndpoint"] == arm.url


@pytest.mark.parametrize("version", ["2022-09-01", "2023-11-01"])
def test_the_newer_versions_give_this_cloud_alone(arm: ArmServer, version: str) -> None:
    own = Client(arm).get("/metadata/endpoints", version).json

    assert own["authentication"]["audiences"][0] == f"{arm.url}/"
    assert own["logAnalyticsResourceId"] == arm.url.replace("localhost", "127.0.0.1")
    assert {"name", "portal", "suffixes"} <= set(own)


@pytest.mark.parametrize(("form", "version", "kind"), [("object", "2019-05-01", dict), ("array", "2022-09-01", list)])
def test_either_form_can_be_forced(arm: ArmServer, form: str, version: str, kind: type) -> None:
    arm.world.metadata = form

    assert isinstance(Client(arm).get("/metadata/endpoints", version).json, kind)
    assert Client(arm).get("/metadata/endpoints").status == 400


def test_subscriptions_are_those_that_may_be_read(client: Client) -> None:
    (vm,) = client.arm.world
    (told,) = client.get("/subscriptions", "2020-01-01").json["value"]
    client.arm.world.denied.add(("Microsoft.Resources/subscriptions/read", f"/subscriptions/{vm.subscription}"))

    assert (told["subscriptionId"], told["displayName"]) == (vm.subscription, "contoso-1")
    assert client.get("/subscriptions", "2020-01-01").json == {"value": []}


@pytest.mark.parametrize(
    ("path", "version", "status", "code"),
    [
        ("/subscriptions", "", 400, "MissingApiVersionParameter"),
        ("/subscriptions", "1999-01-01", 400, "InvalidApiVersionParameter"),
        (f"/subscriptions/none{VMS}", COMPUTE, 400, "InvalidSubscriptionId"),
        (f"/subscriptions/11111111-0000-4000-a000-000000000000{VMS}", COMPUTE, 404, "SubscriptionNotFound"),
        ("/providers/Microsoft.Nothing/things", "2020-01-01", 404, "InvalidResourceType"),
        ("/providers/Microsoft.ResourceGraph/resources", "2021-03-01", 405, "HttpMethodNotAllowed"),
    ],
)
def test_what_does_not_exist_is_refused_in_azures_words(
    client: Client, path: str, version: str, status: int, code: str
) -> None:
    reply = client.get(path, version)

    assert (reply.status, reply.error_code) == (status, code)


def test_every_answer_can_be_traced_and_is_packed_for_who_takes_it(client: Client) -> None:
    client.headers |= {"x-ms-client-request-id": "mine", "Accept-Encoding": "gzip"}
    reply = client.get("/subscriptions", "2020-01-01")
    failed = client.get("/subscriptions", "1999-01-01")

    for each in (reply, failed):
        assert each.headers["x-ms-client-request-id"] == "mine"
        assert {"x-ms-request-id", "x-ms-correlation-request-id", "date"} <= set(each.headers)
        assert each.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["content-encoding"] == "gzip"
    assert client.arm.requests[-2].client_request_id == "mine"
    assert client.arm.requests[-2].bytes_sent == len(reply.content)
