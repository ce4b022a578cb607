"""Which cloud is meant, and what a stranger's endpoint may ask for."""

from typing import Any

import pytest

from vmdiag.arm.clouds import BUILT_IN, discovered, endpoint, named
from vmdiag.errors import BadAnswer, UsageError

ARM = "https://management.hub.example"


def announced(**changed: Any) -> dict[str, Any]:
    known = {
        "name": "hub",
        "authentication": {"loginEndpoint": "https://login.hub.example/", "audiences": ["https://hub.example/one"]},
        "resourceManager": f"{ARM}/",
        "logAnalyticsResourceId": "https://logs.hub.example",
    }
    return {**known, **changed}


@pytest.mark.parametrize("words", ["public", "PUBLIC", " usgovernment ", "china", "usnat", "ussec"])
def test_the_clouds_that_are_built_in_go_by_name(words: str) -> None:
    assert named(words) == BUILT_IN[words.strip().lower()]


def test_a_built_in_cloud_is_known_by_its_endpoint_too() -> None:
    assert named("https://management.usgovcloudapi.net/") is BUILT_IN["usgovernment"]
    assert named(ARM) is None


@pytest.mark.parametrize(
    "words",
    ["", "publik", "http://management.hub.example", "https://", "https://a@hub.example", f"{ARM}/path", f"{ARM}?x=1",
     "https://hub.example:port", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_neither_a_name_nor_a_safe_address_is_a_usage_error(words: str) -> None:
    with pytest.raises(UsageError, match="--cloud"):
        named(words)


def test_an_address_is_its_origin() -> None:
    assert endpoint("https://LOCALHOST:8443/") == "https://localhost:8443"
    assert endpoint("https://[::1]:8443") == "https://[::1]:8443"


def test_an_object_is_a_cloud() -> None:
    cloud = discovered(announced(), ARM)

    assert (cloud.name, cloud.arm, cloud.authority) == (ARM, ARM, "https://login.hub.example")
    assert cloud.scope == "https://hub.example/one/.default"
    assert cloud.logs == "https://logs.hub.example"
    assert not cloud.is_known_to_entra


def test_of_a_list_the_cloud_of_the_endpoint_itself_is_taken() -> None:
    other = announced(resourceManager="https://elsewhere.example", authentication={"audiences": ["https://x"]})

    assert discovered([None, other, announced()], ARM) == discovered(announced(), ARM)


def test_the_operators_authority_stands_in_for_the_announced_one() -> None:
    assert discovered(announced(), ARM, "https://localhost:1").authority == "https://localhost:1"


@pytest.mark.parametrize(
    "odd",
    [None, [], {}, "x", announced(authentication=None), announced(authentication={"audiences": []}),
     announced(authentication={"audiences": ["https://x"], "loginEndpoint": "http://login.hub.example"})],
)  # fmt: skip
def test_an_endpoint_that_does_not_say_where_to_sign_in_is_an_error(odd: object) -> None:
    with pytest.raises(BadAnswer, match="does not announce"):
        discovered(odd, ARM)


@pytest.mark.parametrize("audience", ["https://management.azure.com/", "https://management.core.windows.net/"])
def test_a_stranger_gets_no_token_that_azure_itself_would_take(audience: str) -> None:
    signing = {"loginEndpoint": "https://login.microsoftonline.com", "audiences": [audience]}

    with pytest.raises(BadAnswer, match="belongs to the cloud public"):
        discovered(announced(authentication=signing), ARM)
    # A proxy on this very machine is the operator's own.
    assert discovered(announced(authentication=signing), "https://localhost:8443").audience == audience


def test_only_entras_own_hosts_are_looked_up_there() -> None:
    assert {name for name, cloud in BUILT_IN.items() if cloud.is_known_to_entra} == {"public", "usgovernment", "china"}
