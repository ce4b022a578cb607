"""`--prove` and `--from`: what is refused before anything is read, and what passes the door to Azure."""

import pytest

from vmdiag.arm.request import AzureSettings, Request, require_proof_action
from vmdiag.cli.options import require_switch
from vmdiag.cli.proof_options import ProofOptions
from vmdiag.errors import NotAllowed, UsageError

NETWORK = "/subscriptions/S/resourceGroups/prod/providers/Microsoft.Network"
ASKED = [
    f"{NETWORK}/networkWatchers/w/connectivityCheck",
    f"{NETWORK}/networkWatchers/w/ipFlowVerify",
    f"{NETWORK}/networkWatchers/w/nextHop",
    f"{NETWORK}/loadBalancers/lb/loadBalancingRules/web/health",
    f"{NETWORK}/applicationGateways/gw/backendhealth",
]
NEVER_ASKED = [
    f"{NETWORK}/networkWatchers/w/packetCaptures/p/stop",
    f"{NETWORK}/networkWatchers/w",
    f"{NETWORK}/networkWatchers/w/ipFlowVerify/more",
    "/subscriptions/S/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01/redeploy",
    "/subscriptions/S/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01/runCommand",
]


def _build_action(path: str) -> Request:
    return Request(description="it", service="network", path=path, permission="", is_action=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ProofOptions(prove=True, origins=["a/b/c"]), "does not name a VM"),
        (ProofOptions(prove=True, origins=["prod/"]), "does not name a VM"),
        (ProofOptions(prove=True, origins=[f"web-{number}" for number in range(6)]), "6 times"),
    ],
)
def test_from_names_few_vms(options: ProofOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        options.validate_origins()


def test_from_goes_with_prove() -> None:
    with pytest.raises(UsageError, match="--from goes with --prove, and --prove is not given"):
        require_switch("--prove", ProofOptions(origins=["web-02"]), {"origins"})


def test_without_prove_no_action_is_allowed_and_no_origin_counts() -> None:
    assert not ProofOptions(origins=["web-02"]).add_settings(AzureSettings()).proof_origins
    for path in (*ASKED, *NEVER_ASKED):
        with pytest.raises(NotAllowed, match="not asked for"):
            require_proof_action(_build_action(path), proves=False)


def test_with_prove_the_actions_that_look_are_allowed_and_no_others() -> None:
    for path in ASKED:
        require_proof_action(_build_action(path), proves=True)
    for path in NEVER_ASKED:
        with pytest.raises(NotAllowed):
            require_proof_action(_build_action(path), proves=True)
