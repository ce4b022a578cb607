"""What is asked of the balancers in front of suspects, and why something is not."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from vmdiag.arm.pending_operations import OPERATION_PERMISSION
from vmdiag.arm.request import Request, require_proof_action
from vmdiag.errors import NotAllowed, SourceError
from vmdiag.identity import VmId
from vmdiag.model import VirtualMachine
from vmdiag.sources.azure.proof_request import ProofGap, ProofRequest
from vmdiag.sources.azure.provers import balancers
from vmdiag.sources.items import IncompleteRead, VmRecord

if TYPE_CHECKING:
    from vmdiag.arm.session import Session

NETWORK = "/subscriptions/s/resourcegroups/g/providers/microsoft.network"
BALANCER, GATEWAY, NIC = (
    f"{NETWORK}/loadbalancers/front",
    f"{NETWORK}/applicationgateways/gate",
    "networkinterfaces/nic",
)
WEB, DB = (VmId(subscription="s", resource_group="g", name=name) for name in ("web", "db"))
RULES = "web: rules of the load balancer front"
AT, LATE = datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(seconds=3)


class AnsweringSession:
    """A session whose every answer is the same."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def read_pages(self, request: Request) -> Iterator[object]:
        """The answer; nothing else than the balancer is read."""
        assert (request.path, request.is_action) == (BALANCER, False)
        if isinstance(self._answer, SourceError):
            raise self._answer
        yield self._answer


def describe_rule(name: str, probe: str | None, pool: str = "web") -> dict[str, object]:
    reference = {"probe": {"id": f"{BALANCER}/probes/{probe}"}} if probe else {}
    return {"name": name, "properties": {"backendAddressPools": [{"id": f"{BALANCER}/pools/{pool}"}], **reference}}


def describe_balancer(*rules: dict[str, object], **sku: str) -> dict[str, object]:
    """A balancer with the first VM in one pool, and nobody who is known in another."""
    pools = [
        {
            "id": f"{BALANCER}/Pools/{pool}",
            "properties": {"backendIPConfigurations": [{"id": f"{NETWORK}/{NIC}-{owner}/ipConfigurations/ip1"}]},
        }
        for pool, owner in (("Web", "web"), ("Other", "else"))
    ]
    return {"sku": sku, "properties": {"backendAddressPools": pools, "loadBalancingRules": list(rules)}}


def plan_requests(answer: object, *vms: VmId) -> tuple[list[ProofRequest], list[str]]:
    """What is asked, and for whom something is not, and why."""
    network = {vm: frozenset({f"{NETWORK}/{NIC}-{vm.name}", BALANCER}) for vm in vms or (WEB,)}
    machines = [VirtualMachine(id=vm, network=parts) for vm, parts in network.items()]
    planned = balancers.build_proof_requests(machines, cast("Session", AnsweringSession(answer)), {}, ())
    asked = [one for one in planned if isinstance(one, ProofRequest)]
    return asked, [f"{one.vm.name}: {one.reason}" for one in planned if isinstance(one, ProofGap)]


@pytest.mark.parametrize(
    ("answer", "rules", "reasons"),
    [
        (describe_balancer(describe_rule("blind", None)), [], [f"{RULES}: none with a probe"]),
        (describe_balancer(describe_rule("foreign", "p", "other")), [], [f"{RULES}: none with a probe"]),
        (describe_balancer(describe_rule("a", "p"), describe_rule("b", "p"), describe_rule("c", "q")), ["a", "c"], []),
        (describe_balancer(describe_rule("a", "p"), name="Gateway"), [], [f"{RULES}: a Gateway Load Balancer"]),
        (describe_balancer(describe_rule("a", "p"), tier="Global"), [], [f"{RULES}: a global one"]),
        (describe_balancer(describe_rule("a", "p"), name="Basic"), ["a"], []),
        (describe_balancer(describe_rule("../../else", "p")), [], [f"{RULES}: none with a probe"]),
        (
            describe_balancer(*(describe_rule(f"r{port}", f"{port}") for port in range(7))),
            [f"r{port}" for port in range(5)],
            [f"{RULES}: 2 more were not asked"],
        ),
        (NotAllowed("rules of the load balancer front: refused", ""), [], [f"{RULES}: refused"]),
    ],
)
def test_each_probe_that_leads_to_a_suspect_is_asked_once_and_what_cannot_be_asked_is_told(
    answer: object, rules: Sequence[str], reasons: Sequence[str]
) -> None:
    asked, gaps = plan_requests(answer)

    assert [one.request.path for one in asked] == [f"{BALANCER}/loadBalancingRules/{rule}/health" for rule in rules]
    assert len(gaps) == len(reasons)
    assert all(gap.startswith(reason) for gap, reason in zip(gaps, reasons, strict=True))
    for one in asked:
        require_proof_action(one.request, proves=True)
        assert one.rights == ((BALANCER, balancers.RULE_ACTION), ("/subscriptions/s", OPERATION_PERMISSION))


@pytest.mark.parametrize(
    ("reason", "told"), [("Down_Platform", ["Down_Platform"]), ("Up_Admin", ["Up_Admin"]), ("NA", []), ("", [])]
)
def test_an_answer_is_told_of_its_suspect_at_its_own_time_and_silence_is_a_gap(reason: str, told: list[str]) -> None:
    (one,), gaps = plan_requests(describe_balancer(describe_rule("a", "p")), WEB, DB)
    backends = [
        {"networkInterfaceIPConfigurationId": f"{NETWORK}/{NIC}-{name}/ipConfigurations/ip1", "reason": reason}
        for name in ("web", "else")
    ]
    items = list(one.read_items({"loadBalancerBackendAddresses": backends}, AT, LATE, "ref"))
    records = [item for item in items if isinstance(item, VmRecord)]

    assert [gap.partition(":")[0] for gap in gaps] == ["db"]
    assert one.vms == (WEB,)
    assert [(each.vm, each.record.name, each.record.at, each.record.blur) for each in records] == [
        (WEB, name, AT, LATE) for name in told
    ]
    lacks = [item for item in items if isinstance(item, IncompleteRead)]
    assert [(lack.scope, lack.lowers_verdict) for lack in lacks] == ([] if told else [(WEB.key, False)])
