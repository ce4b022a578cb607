"""What servers, gateways and proxies between here and Azure do, and what is told of it."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, Proxy, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.conftest import CommandResult
from tests.live.conftest import GRAPH, ID, METRICS, AzureStarter, LocalAzure, build_world, get_gap_reasons


def check_whole(there: LocalAzure, **settings: str) -> CommandResult:
    """A check that misses nothing."""
    ran, (case,) = there.check_vms(ID, **settings)
    assert (ran.code, ran.err, case["verdict"], case["gaps"]) == (1, "", "confirmed", [])
    return ran


# logins that lie about


def test_a_login_in_netrc_takes_no_tokens_place(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure()
    (tmp_path / ".netrc").write_text("machine localhost login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    check_whole(there, HOME=str(tmp_path), NETRC=str(tmp_path / ".netrc"))

    sent = {seen.authorization.partition(" ")[0] for seen in there.arm.requests}
    assert sent == {"Bearer", ""}
    signing = [seen for seen in there.arm.requests if "oauth2" in seen.path]
    assert signing
    assert {seen.authorization for seen in signing} == {""}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_says_whom_to_trust(azure: AzureStarter, variable: str) -> None:
    there = azure()
    none = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""}
    check_whole(there, **(none | {variable: str(there.arm.ca_bundle)}))


def test_a_host_of_another_name_than_its_certificates_is_not_trusted(azure: AzureStarter) -> None:
    there = azure()
    with Proxy(there.arm.port) as proxy:
        through = {"HTTPS_PROXY": f"http://{proxy.address}", "NO_PROXY": "", "no_proxy": ""}
        ran = there.runner("check", ID, "--cloud", "https://other.example", **there.environment, **through)
        assert any("other.example" in host for host in proxy.requested_hosts)
    assert (ran.code, ran.out, there.arm.requests) == (4, "", [])
    assert "its TLS certificate is not trusted" in ran.err


# spelling


def test_upper_case_makes_no_other_host(azure: AzureStarter) -> None:
    there = azure(page=2)
    # What a token is made out to is no address, and is spelt in one way.
    there.arm.world.audience = "https://management.core.localhost"
    there.arm.add_fault(Fault(path="", kind="respelt", as_=there.arm.url.replace("localhost", "LocalHost")))
    check_whole(there)


def test_the_default_port_makes_no_other_host(azure: AzureStarter) -> None:
    # Its audience must be one that it knows, however its address is spelt.
    there = azure(World.with_one_vm(), page=2)
    there.arm.world.audience = "https://management.core.localhost"
    there.arm.add_fault(Fault(path="", kind="respelt", as_="https://localhost:443"))
    with Proxy(there.arm.port) as proxy:
        through = {"HTTPS_PROXY": f"http://{proxy.address}", "NO_PROXY": "", "no_proxy": ""}
        ran = there.runner(
            "check", ID, "--cloud", "https://localhost", "--since", "1d", "-o", "json", **there.environment, **through
        )
        (case,) = json.loads(ran.out)["cases"]

        assert "localhost:443" in proxy.requested_hosts
    assert (ran.code, ran.err, case["gaps"]) == (1, "", [])


def test_an_operations_address_may_spell_the_host_otherwise(azure: AzureStarter) -> None:
    there = azure(build_world())
    there.arm.add_fault(Fault(path="redeploy", kind="respelt", as_=there.arm.url.replace("localhost", "LOCALHOST")))
    ran, (case,) = there.redeploy_vms()

    assert ran.code == 0, ran.err
    assert case["mitigation"]["status"] == "succeeded"


def test_a_byte_order_mark_is_taken_off(azure: AzureStarter) -> None:
    check_whole(azure(Fault(path="^(?!.*oauth2)", kind="byte_order_mark")))


# Resource Graph


def test_what_is_too_large_for_one_page_is_asked_for_in_smaller_ones(azure: AzureStarter) -> None:
    fleet = World.with_fleet(vms=60, groups=3, migrated=3)
    fleet.graph_bytes = 30_000
    there = azure(fleet, throttle=False)
    ran, cases = there.check_vms("--all")

    assert len(cases) == 60, ran.err
    assert not [gap for case in cases for gap in case["gaps"] if "Resource Graph" in gap["reason"]]
    assert "listed instead" not in ran.err
    refused = [seen for seen in there.arm.requests if GRAPH in seen.path and seen.status == 400]
    assert 0 < len(refused) < 10


def test_a_row_that_is_too_large_by_itself_is_told_with_azures_reason(azure: AzureStarter) -> None:
    ran, (case,) = azure(World.with_one_vm(graph_bytes=300)).check_vms(ID)

    told = ran.err + json.dumps(case["gaps"])
    assert "ResponsePayloadTooLarge: Response payload size is" in told
    assert "asking for support" not in told
    assert ran.code in {1, 3}


def test_a_query_that_is_refused_is_told_with_the_reason_in_its_details(azure: AzureStarter) -> None:
    there = azure(Fault(path=GRAPH, kind="graph_refusal", code="DisallowedLogicalOperator", message="no such operator"))
    ran, (case,) = there.check_vms(ID)

    assert "DisallowedLogicalOperator: no such operator" in ran.err + json.dumps(case["gaps"])


def test_a_quota_that_is_used_up_is_waited_for(azure: AzureStarter) -> None:
    there = azure()
    quota = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:02"}
    there.arm.add_fault(Fault(path=GRAPH, kind="status", status=429, headers=quota, times=1))
    began = time.monotonic()
    check_whole(there)

    assert time.monotonic() - began > 2


# pauses


def test_a_pause_of_no_length_or_without_a_number_is_short_and_may_be_asked_for_again_and_again(
    azure: AzureStarter,
) -> None:
    began = time.monotonic()
    nameless = Fault(path="management/values", kind="status", status=429, times=4)
    check_whole(azure(Fault(path=METRICS, kind="status", status=503, retry_after=0, times=4), nameless))

    assert time.monotonic() - began > 2


def test_short_pauses_may_follow_one_another_as_long_as_there_is_time(azure: AzureStarter) -> None:
    there = azure(Fault(path=METRICS, kind="status", status=429, retry_after=1, times=5))
    check_whole(there)

    there.arm.add_fault(Fault(path=METRICS, kind="status", status=429, retry_after=1))
    ran, (case,) = there.check_vms(ID, "--timeout", "5s")
    assert "--timeout" in get_gap_reasons(case)["traffic"]
    assert ran.code == 1


# the way there


def test_a_proxy_that_is_not_there_is_told_with_the_variables_to_look_at(azure: AzureStarter) -> None:
    ran = azure().run_command("check", ID, HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="", no_proxy="")

    assert (ran.code, ran.out) == (4, "")
    assert "the proxy cannot be reached" in ran.err
    assert "HTTPS_PROXY" in ran.err
    assert "NO_PROXY" in ran.err


def test_a_proxy_that_wants_a_login_gets_the_one_of_its_address_and_is_told_without(azure: AzureStarter) -> None:
    there = azure()
    with Proxy(there.arm.port, login="night:watch") as proxy:
        ran = there.run_command("check", ID, HTTPS_PROXY=f"http://{proxy.address}", NO_PROXY="", no_proxy="")
        assert (ran.code, ran.out) == (4, "")
        assert "the proxy wants a login (407)" in ran.err
        assert "HTTPS_PROXY=http://NAME:PASSWORD@" in ran.err

        check_whole(there, HTTPS_PROXY=f"http://night:watch@{proxy.address}", NO_PROXY="", no_proxy="")
        seen = len(proxy.requested_hosts)
        assert seen
        check_whole(there, HTTPS_PROXY=f"http://{proxy.address}", NO_PROXY="localhost,127.0.0.1")
        assert len(proxy.requested_hosts) == seen


def test_a_provider_that_is_not_registered_is_told_with_the_command_that_does_it(azure: AzureStarter) -> None:
    there = azure()
    message = (
        "The subscription is not registered to use namespace 'Microsoft.Insights'. See https://aka.ms/rps-not-found"
    )
    fault: dict[str, Any] = {
        "kind": "status",
        "status": 409,
        "code": "MissingSubscriptionRegistration",
        "message": message,
    }
    there.arm.add_fault(Fault(path="virtualMachines|ResourceGraph|Insights|ResourceHealth|v1", **fault))
    ran = there.run_command("doctor", "--subscription", SUBSCRIPTION)

    assert "is not registered" in ran.out
    assert f"az provider register --namespace Microsoft.Insights --subscription {SUBSCRIPTION}" in ran.out


# who signs in


def test_a_cloud_that_asks_for_tokens_of_microsofts_gets_none(azure: AzureStarter) -> None:
    for audience in ("https://management.azure.com:443/", "00000003-0000-0000-c000-000000000000"):
        there = azure()
        there.arm.world.audience = audience
        ran = there.run_command("check", ID)

        assert (ran.code, ran.out) == (4, "")
        assert audience in ran.err
        assert not [seen for seen in there.arm.requests if "oauth2" in seen.path]


def test_the_tenant_that_is_named_is_signed_in_to(azure: AzureStarter) -> None:
    there = azure()
    own = there.arm.world.principal.tenant
    other = "11111111-2222-4333-a444-555566667777"
    check_whole(there, AZURE_TENANT_ID=other, VMDIAG_TENANT=own)
    assert {seen.path.split("/")[1] for seen in there.arm.requests if "oauth2" in seen.path} == {own}

    ran = there.run_command("check", ID, "--tenant", other)
    assert (ran.code, ran.out) == (4, "")
    assert {seen.path.split("/")[1] for seen in there.arm.requests if "openid" in seen.path} == {own, other}

    ran = there.run_command("check", ID, "--tenant", "no tenant")
    assert (ran.code, ran.out) == (2, "")
    assert "--tenant" in ran.err


def test_a_credential_that_is_misspelt_is_told_with_those_that_there_are(azure: AzureStarter) -> None:
    there = azure()
    for variable, words in (("AZURE_TOKEN_CREDENTIALS", "azureclicredential"), ("VMDIAG_CREDENTIAL", "'environment'")):
        ran = there.run_command("check", ID, **{variable: "clii"})

        assert (ran.code, ran.out) == (2 if variable.startswith("VMDIAG") else 4, "")
        assert "clii" in ran.err
        assert words in ran.err
    assert not [seen for seen in there.arm.requests if "oauth2" in seen.path]


def test_a_managed_identity_is_the_one_of_the_client_id(azure: AzureStarter) -> None:
    there = azure()
    endpoint = {"IDENTITY_ENDPOINT": f"{there.arm.url}/msi/token", "IDENTITY_HEADER": "x"}
    ran = there.run_command("check", ID, "--credential", "managed", **endpoint, AZURE_CLIENT_ID="my-own-identity")

    assert ran.code == 1, ran.err
    (asked,) = {seen.query["client_id"] for seen in there.arm.requests if seen.path == "/msi/token"}
    assert asked == "my-own-identity"


def install_cli(folder: Path, there: LocalAzure, *, sleeps: float = 0) -> dict[str, str]:
    """An environment in which the Azure CLI answers after a while with a token that holds."""
    from tests.arm.client import Client

    client = Client(there.arm)
    assert client.sign_in().status == 200
    told = {"accessToken": client.headers["Authorization"].split()[1], "expires_on": int(time.time()) + 3000}
    program = folder / "azure-cli" / "az"
    program.parent.mkdir()
    script = (
        "#!/bin/sh",
        f'echo "$@" >> {folder}/asked',
        f"[ -e {folder}/late ] || sleep {sleeps}",
        f"touch {folder}/late",
        f"cat <<'END'\n{json.dumps(told)}\nEND\n",
    )
    program.write_text("\n".join(script))
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin", "VMDIAG_CREDENTIAL": "cli"}


def test_the_azure_cli_may_take_its_time_and_is_asked_for_the_tenant(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure()
    # azure-identity gives it 10 s.
    environment = install_cli(tmp_path, there, sleeps=11)
    ran = there.run_command("check", ID, "--tenant", "contoso.example", **environment)

    assert ran.code in {1, 3}, ran.err
    asked = (tmp_path / "asked").read_text()
    assert "--tenant contoso.example" in asked


def test_a_claims_challenges_command_is_told_whole(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(Fault(path=r"^/(subscriptions|providers|v1)", kind="claims_challenge", size=600))
    ran = there.run_command("check", ID, **install_cli(tmp_path, there))

    assert (ran.code, ran.out) == (4, "")
    told = next(word for word in ran.err.split() if len(word) > 400)
    assert json.loads(base64.b64decode(told))["access_token"]["nbf"]["value"] == "1700000000"
    assert "az login --claims-challenge" in ran.err
