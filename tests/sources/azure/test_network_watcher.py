"""What Network Watcher is asked about a suspect, from where and at which port, and what its answers say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmdiag.arm.rate_limits import parse_retry_after
from vmdiag.arm.request import require_proof_action
from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.errors import NotAllowed
from vmdiag.identity import VmId
from vmdiag.model import Kind, Viewpoint, VirtualMachine
from vmdiag.sources.azure.proof_request import ProofGap, ProofRequest
from vmdiag.sources.azure.provers import network_watcher
from vmdiag.sources.azure.provers._proof_places import Origin, ProofPlaces, Target, decode_ports, decode_targets
from vmdiag.sources.azure.provers.network_watcher import Check, plan_questions
from vmdiag.values import replace

AT, LATE = datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(seconds=3)
NETWORK = "/subscriptions/s/resourcegroups/g/providers/microsoft.network"
WATCHER, BALANCER = f"{NETWORK}/networkWatchers/w", f"{NETWORK}/loadbalancers/front"
VNETS = {name: f"{NETWORK}/virtualnetworks/{name}" for name in ("own", "hub", "far")}
WEB = VmId(subscription="s", resource_group="g", name="web")
MACHINE = VirtualMachine(id=WEB, location="westeurope", os="linux", network=frozenset({BALANCER}))
TARGET = Target(
    vm=WEB,
    interface=f"{NETWORK}/networkinterfaces/web-nic",
    private="10.0.0.4",
    public="203.0.113.10",
    subnet=f"{VNETS['own']}/subnets/a",
    network=VNETS["own"],
    peered=frozenset({VNETS["hub"]}),
)


def make_origin(name: str, vnet: str, private: str) -> Origin:
    """A VM that can look."""
    vm = VmId(subscription="s", resource_group="g", name=name)
    networks = frozenset({VNETS[vnet]})
    return Origin(
        vm=vm, region="westeurope", subnets=frozenset({f"{VNETS[vnet]}/subnets/a"}), networks=networks, private=private
    )


NEAR, HUB, FAR = (
    make_origin(*one) for one in (("near", "own", "10.0.0.5"), ("hub", "hub", "10.1.0.4"), ("far", "far", ""))
)
PLACES = ProofPlaces(watchers={("s", "westeurope"): WATCHER}, targets={WEB: TARGET}, found=(FAR, NEAR, HUB))


def plan(places: ProofPlaces, stated: int | None = None) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The bodies of what is asked, by action and by who looks, and why something is not asked."""
    planned = list(plan_questions(MACHINE, places, stated))
    bodies: dict[str, dict[str, Any]] = {}
    for one in planned:
        if isinstance(one, ProofRequest):
            body: dict[str, Any] = dict(one.request.body or {})
            source = body.get("source", {}).get("resourceId", "").rpartition("/")[2]
            bodies[f"{one.request.path.rpartition('/')[2]} {source}".strip()] = body
    return bodies, [one.reason for one in planned if isinstance(one, ProofGap)]


def test_the_pair_looks_from_the_same_subnet_and_from_a_peered_network_at_the_private_address() -> None:
    bodies, gaps = plan(PLACES)

    assert (set(bodies), gaps) == (
        {"connectivityCheck near", "connectivityCheck hub", "ipFlowVerify", "nextHop"},
        [],
    )
    ends = {(one["destination"]["address"], one["destination"]["port"]) for key, one in bodies.items() if " " in key}
    assert ends == {("10.0.0.4", 22)}
    assert (bodies["ipFlowVerify"]["remoteIPAddress"], bodies["nextHop"]["destinationIPAddress"]) == ("10.1.0.4",) * 2
    assert bodies["ipFlowVerify"]["localPort"] == "22"


@pytest.mark.parametrize(
    ("places", "keys", "gaps"),
    [
        # Not peered: the public address, and the internet for rules and routes.
        (replace(PLACES, found=(NEAR, FAR)), {"connectivityCheck near", "connectivityCheck far"}, 0),
        (replace(PLACES, found=(NEAR,), named=(FAR,)), {"connectivityCheck near", "connectivityCheck far"}, 0),
        (replace(PLACES, found=(HUB,)), {"connectivityCheck hub"}, 1),
        (replace(PLACES, found=()), set(), 2),
        (replace(PLACES, found=(NEAR,), unnamed=("no such VM",)), {"connectivityCheck near"}, 1),
        (replace(PLACES, found=(NEAR, FAR), targets={WEB: replace(TARGET, public="")}), {"connectivityCheck near"}, 1),
        (
            replace(PLACES, found=(NEAR,), named=(FAR,), targets={WEB: replace(TARGET, public="")}),
            {"connectivityCheck near"},
            1,
        ),
    ],
)
def test_who_cannot_look_is_a_gap_and_who_can_does(places: ProofPlaces, keys: set[str], gaps: int) -> None:
    bodies, reasons = plan(places)

    assert (set(bodies), len(reasons)) == ({*keys, "ipFlowVerify", "nextHop"}, gaps)


def test_without_watcher_or_interface_nothing_is_asked() -> None:
    for places in (replace(PLACES, watchers={}), replace(PLACES, targets={})):
        bodies, reasons = plan(places)
        assert bodies == {}
        assert reasons


@pytest.mark.parametrize(
    ("places", "stated", "port"),
    [
        (PLACES, None, 22),
        (replace(PLACES, ports={BALANCER: 443}), None, 443),
        (replace(PLACES, ports={BALANCER: 443}), 80, 80),
    ],
)
def test_the_port_is_the_operators_else_the_balancers_else_assumed(
    places: ProofPlaces, stated: int | None, port: int
) -> None:
    assert plan(places, stated)[0]["connectivityCheck hub"]["destination"]["port"] == port


def test_rows_of_resource_graph_give_the_first_port_and_the_first_address_of_ipv4() -> None:
    rules = [
        {"properties": {"protocol": p, "backendPort": port}} for p, port in (("Udp", 53), ("Tcp", 8443), ("Tcp", 443))
    ]
    rows = [
        {"vm": WEB.key, "id": "a", "private": "fd00::4", "main": "true", "leading": "true"},
        {"vm": WEB.key, "id": "b", "private": "10.0.0.9", "main": "false"},
        {"vm": WEB.key, "id": "c", "private": "10.0.0.4", "main": "true"},
        {"vm": "no id", "private": "10.0.0.7"},
    ]

    assert dict(decode_ports([{"balancer": BALANCER, "rules": rules}, {"balancer": "odd", "rules": "x"}])) == {
        BALANCER: 443
    }
    assert dict(decode_targets(rows))[WEB].private == "10.0.0.4"


CHECK = Check(target=TARGET, port=443, is_assumed=False, place=Viewpoint.PEERED, origin="g/hub")


def answer_connectivity(status: str, *issues: tuple[str, str]) -> dict[str, Any]:
    """An answer in the API's shape."""
    told = [
        {"type": kind, "severity": severity, "origin": "Inbound", "context": [{"a": "b"}]} for kind, severity in issues
    ]
    return {"connectionStatus": status, "hops": [{"type": "Source", "issues": []}, {"id": "2", "issues": told}]}


@pytest.mark.parametrize(
    ("decode", "answer", "kind"),
    [
        ("decode_connectivity", answer_connectivity("Connected"), Kind.PROOF_REACHED),
        ("decode_connectivity", answer_connectivity("Connected", ("CPU", "Error")), Kind.PROOF_REACHED),
        ("decode_connectivity", answer_connectivity("Degraded"), Kind.PROOF_REACHED),
        ("decode_connectivity", answer_connectivity("Disconnected", ("Platform", "Error")), Kind.PROOF_LOST),
        (
            "decode_connectivity",
            answer_connectivity("Disconnected", ("NetworkSecurityRule", "Error")),
            Kind.PROOF_DENIED,
        ),
        ("decode_connectivity", answer_connectivity("Disconnected", ("UserDefinedRoute", "Warning")), Kind.PROOF_LOST),
        ("decode_connectivity", answer_connectivity("Disconnected", ("GuestFirewall", "Error")), Kind.PROOF_DENIED),
        # A rule that keeps the origin itself from getting out says nothing of the VM.
        (
            "decode_connectivity",
            {
                "connectionStatus": "Disconnected",
                "hops": [{"type": "Source", "issues": [{"type": "NetworkSecurityRule", "severity": "Error"}]}],
            },
            None,
        ),
        ("decode_connectivity", answer_connectivity("Disconnected", ("AgentStopped", "Error")), None),
        ("decode_connectivity", answer_connectivity("Unknown"), None),
        ("decode_connectivity", answer_connectivity("SomethingNew"), Kind.OTHER),
        ("decode_connectivity", None, None),
        ("decode_connectivity", {"connectionStatus": "Disconnected", "hops": "odd"}, Kind.PROOF_LOST),
        ("decode_flow", {"access": "Deny", "ruleName": "securityRules/DenyAll"}, Kind.PROOF_DENIED),
        ("decode_flow", {"access": "Allow"}, Kind.PROOF_ALLOWED),
        ("decode_flow", {}, None),
        ("decode_hop", {"nextHopType": "None", "routeTableId": f"{NETWORK}/routeTables/rt"}, Kind.PROOF_DENIED),
        ("decode_hop", {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.9.0.4"}, Kind.PROOF_APPLIANCE),
        ("decode_hop", {"nextHopType": "VnetLocal"}, Kind.PROOF_ALLOWED),
        ("decode_hop", {"nextHopType": "HyperNetGateway"}, Kind.OTHER),
        ("decode_hop", [], None),
    ],
)
def test_each_answer_is_told_as_what_it_means_and_one_that_says_nothing_is_refused(
    decode: str, answer: object, kind: Kind | None
) -> None:
    told = getattr(network_watcher, decode)(CHECK, answer, AT, LATE, "ref")
    if kind is None:
        with pytest.raises(MalformedRow):
            list(told)
        return
    ((vm, record),) = ((one.vm, one.record) for one in told)

    assert (vm, record.at, record.blur) == (WEB, AT, LATE)
    assert interpret_record(record.signal, record.name, record.status, record.facts) is kind
    assert (record.facts["port"], record.facts["viewpoint"], record.facts["origin"]) == ("443", "peered", "g/hub")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("-5", None),
        ("99999999999999999999", 999_999_999.0),
        ("Mon, 02 Mar 2026 09:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2020 09:01:00 GMT", 0.0),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
        ("Mon, 02 Mar 2026 09:01:00 -0000", None),
        ("soon", None),
    ],
)
def test_whenever_azure_says_to_look_again_the_wait_is_a_number_or_its_own(said: str, seconds: float | None) -> None:
    assert parse_retry_after({"Retry-After": said}, AT) == seconds


def test_what_resource_graph_says_of_a_watcher_leads_to_no_other_action() -> None:
    hostile = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web/redeploy?x={WATCHER}"
    climbing = [f"{NETWORK}/networkWatchers/{name}" for name in ("..", "w?x=", "w#", "..%2f..%2fx", "..\\x", "w x")]
    for watcher in (WATCHER, hostile, f"{WATCHER}/packetCaptures/p", *climbing):
        planned = plan_questions(MACHINE, replace(PLACES, watchers={("s", "westeurope"): watcher}), None)
        for one in planned:
            assert isinstance(one, ProofRequest)
            if watcher == WATCHER:
                require_proof_action(one.request, proves=True)
                continue
            with pytest.raises(NotAllowed):
                require_proof_action(one.request, proves=True)
