"""Which cloud is meant, and what a stranger's endpoint may ask for."""

from typing import Any

import pytest

from vmdiag.arm.clouds import BUILTIN_CLOUDS, find_builtin_cloud, parse_cloud_metadata, parse_endpoint, strip_origin
from vmdiag.errors import BadAnswer, UsageError

ARM = "https://management.hub.example"


def build_metadata(**changed: Any) -> dict[str, Any]:
    known = {
        "name": "hub",
        "authentication": {"loginEndpoint": "https://login.hub.example/", "audiences": ["https://hub.example/one"]},
        "resourceManager": f"{ARM}/",
        "logAnalyticsResourceId": "https://logs.hub.example",
    }
    return {**known, **changed}


@pytest.mark.parametrize("words", ["public", "PUBLIC", " usgovernment ", "china", "usnat", "ussec"])
def test_the_clouds_that_are_built_in_go_by_name(words: str) -> None:
    assert find_builtin_cloud(words) == BUILTIN_CLOUDS[words.strip().lower()]


def test_a_built_in_cloud_is_known_by_its_endpoint_too() -> None:
    assert find_builtin_cloud("https://management.usgovcloudapi.net/") is BUILTIN_CLOUDS["usgovernment"]
    assert find_builtin_cloud("https://Management.AZURE.com.:443") is BUILTIN_CLOUDS["public"]
    assert find_builtin_cloud(ARM) is None


@pytest.mark.parametrize(
    "words",
    ["", "publik", "http://management.hub.example", "https://", "https://a@hub.example", f"{ARM}/path", f"{ARM}?x=1",
     "https://hub.example:port", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_neither_a_name_nor_a_safe_address_is_a_usage_error(words: str) -> None:
    with pytest.raises(UsageError, match="--cloud"):
        find_builtin_cloud(words)


def test_an_address_is_its_origin() -> None:
    assert parse_endpoint("https://LOCALHOST:8443/") == "https://localhost:8443"
    assert parse_endpoint("https://hub.example.:443/") == "https://hub.example"
    assert parse_endpoint("https://[::1]:8443") == "https://[::1]:8443"


def test_an_object_is_a_cloud_and_of_a_list_the_one_of_the_endpoint_itself() -> None:
    cloud = parse_cloud_metadata(build_metadata(), ARM)
    other = build_metadata(resourceManager="https://elsewhere.example", authentication={"audiences": ["https://x"]})

    assert (cloud.name, cloud.arm, cloud.authority) == (ARM, ARM, "https://login.hub.example")
    assert cloud.token_scope == "https://hub.example/one/.default"  # noqa: S105 - an address
    assert cloud.logs == "https://logs.hub.example"
    assert not cloud.is_known_to_entra
    assert parse_cloud_metadata([None, other, build_metadata()], ARM) == cloud
    # The operator's authority stands in for the announced one.
    assert parse_cloud_metadata(build_metadata(), ARM, "https://localhost:1").authority == "https://localhost:1"


@pytest.mark.parametrize(
    "odd",
    [None, [], {}, "x", build_metadata(authentication=None), build_metadata(authentication={"audiences": []}),
     build_metadata(authentication={"audiences": ["https://x"], "loginEndpoint": "http://login.hub.example"})],
)  # fmt: skip
def test_an_endpoint_that_does_not_say_where_to_sign_in_is_an_error(odd: object) -> None:
    with pytest.raises(BadAnswer, match="does not announce"):
        parse_cloud_metadata(odd, ARM)


GRAPH = "00000003-0000-0000-c000-000000000000"  # as an application Microsoft Graph has this id in every tenant


@pytest.mark.parametrize(
    ("audience", "whose"),
    [
        ("https://management.azure.com/", "the cloud public"),
        ("https://management.core.windows.net", "the cloud public"),
        ("https://Management.Azure.Com:443/", "the cloud public"),
        ("https://management.azure.com./", "the cloud public"),
        ("https://management.core.usgovcloudapi.net/", "the cloud usgovernment"),
        ("https://management.azure.eaglex.ic.gov", "the cloud usnat"),
        ("https://management.azure.com:8443", "Microsoft's"),
        ("https://westeurope.management.azure.com", "Microsoft's"),
        ("https://graph.microsoft.com", "Microsoft's"),
        ("https://vault.azure.net", "Microsoft's"),
        ("https://api.loganalytics.io", "Microsoft's"),
        ("https://database.windows.net/", "Microsoft's"),
        (GRAPH, "Microsoft's"),
        (f"api://{GRAPH}", "Microsoft's"),
        (f"spn:{GRAPH}", "Microsoft's"),
        ("urn:ms-drs:enterpriseregistration.windows.net", "Microsoft's"),
        ("http://management.hub.example", "Microsoft's"),
        ("https://hub.example/ https://management.azure.com", "Microsoft's"),
        ("https://hub.example@management.azure.com", "Microsoft's"),
        ("https://management.azure.com\\@hub.example", "Microsoft's"),
        ("https://management.azure。com", "Microsoft's"),
    ],
)
@pytest.mark.parametrize("arm", [ARM, "https://localhost:8443"])
def test_another_cloud_gets_no_token_that_a_service_of_microsofts_would_take(
    audience: str, whose: str, arm: str
) -> None:
    signing = {"loginEndpoint": "https://login.microsoftonline.com", "audiences": [audience]}

    with pytest.raises(BadAnswer, match=whose):
        parse_cloud_metadata(build_metadata(authentication=signing), arm)


@pytest.mark.parametrize(
    "audience",
    ["https://management.contoso.onmicrosoft.com/8a2c1c27-6d4b-4b1b-8a55-0d1c2a4b6e01", "https://management.adfs.hub.local/x",
     "https://azure.com.hub.example", "https://notazure.com", "https://management.hub.example:30005/"],
)  # fmt: skip
def test_an_audience_of_its_own_is_taken_as_it_is_announced(audience: str) -> None:
    signing = {"loginEndpoint": "https://login.microsoftonline.com", "audiences": [audience]}

    assert parse_cloud_metadata(build_metadata(authentication=signing), ARM).audience == audience


def test_no_token_for_microsofts_own_logs_is_asked_for_in_another_cloud() -> None:
    assert parse_cloud_metadata(build_metadata(logAnalyticsResourceId="https://api.loganalytics.io"), ARM).logs is None


@pytest.mark.parametrize(
    "link",
    ["https://management.hub.example/a?b=c", "https://MANAGEMENT.hub.example:443/a?b=c",
     "https://management.hub.example./a?b=c", "HTTPS://management.hub.example/a?b=c#d"],
)  # fmt: skip
def test_a_link_leads_to_an_origin_however_it_is_spelt(link: str) -> None:
    assert strip_origin(ARM, link) == "/a?b=c"


@pytest.mark.parametrize(
    "link",
    ["https://management.hub.example:8443/a", "http://management.hub.example/a", "https://a@management.hub.example/",
     "https://:@management.hub.example/", "https://management.hub.example@evil.example/", "/a", "//evil.example/a",
     "https://management.hub.example.evil.example/", "https://management.hub.example:port/", "https://[::1/"],
)  # fmt: skip
def test_a_link_to_anywhere_else_does_not(link: str) -> None:
    assert strip_origin(ARM, link) is None


def test_only_entras_own_hosts_are_looked_up_there() -> None:
    known = {name for name, cloud in BUILTIN_CLOUDS.items() if cloud.is_known_to_entra}

    assert known == {"public", "usgovernment", "china"}
