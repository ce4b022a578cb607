"""The load balancers in front of suspects, asked live: how often, for whom, and what is made of their answers."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.arm import World
from tests.incidents.corpus import INCIDENT_CLASSES
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.live.conftest import ID, AzureStarter, LocalAzure, build_fleet, get_gap_reasons

RULE_ACTION = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
GATEWAY_ACTION = "Microsoft.Network/applicationGateways/backendhealth/action"
READ = "Microsoft.Insights/metrics/read"
LOOKS = ("connectivityCheck", "ipFlowVerify", "nextHop")
TESTS = "NWConnectionMonitorTestResult"


def list_balancer_requests(there: LocalAzure) -> list[tuple[str, str]]:
    """Method and balancer of each request that went to one."""
    paths = [(seen.method, seen.path.lower().partition("/loadbalancers/")[2]) for seen in there.arm.requests]
    return [(method, rest.partition("/")[0]) for method, rest in paths if rest]


def list_actions(there: LocalAzure) -> list[str]:
    """The balancers and gateways that were asked to look, and how."""
    paths = [
        seen.path.lower().partition("/microsoft.network/")[2] for seen in there.arm.requests if seen.method == "POST"
    ]
    return sorted(path.partition("/")[2] for path in paths if path)[::-1]


def test_a_probe_that_ends_with_a_migration_makes_suspected_what_nothing_else_shows(azure: AzureStarter) -> None:
    one = World.with_one_vm(heartbeats=False)
    one.denied.add((READ, ID))
    there = azure(one)
    _, (before,) = there.check_vms(ID)
    without = len(there.arm.requests)
    one.add_balancer("front", ID)
    ran, (case,) = there.check_vms(ID)

    # Without a balancer nothing is asked, and nothing missed.
    assert (before["verdict"], "balancer" in get_gap_reasons(before)) == ("inconclusive", False)
    assert (case["verdict"], case["state"], ran.code) == ("suspected", "open", 1)
    assert case["losses"][-1]["signals"] == ["balancer"]
    assert "the load balancer's probe of port 443 is no longer answered" in ran.out
    assert list_balancer_requests(there) == [("GET", "front")]
    assert len(there.arm.requests) == 2 * without + 1


def test_a_balancer_is_asked_once_for_the_suspects_behind_it_and_not_for_the_calm(azure: AzureStarter) -> None:
    many = build_fleet(vms=30, groups=2, migrated=3)
    suspects = [vm.id for vm in many if vm.truth.annotations]
    calm = [vm.id for vm in many if not vm.truth.annotations]
    behind, refused = suspects[::2], suspects[1::2]
    many.add_balancer("front", *behind, *calm[:2])
    many.add_balancer("quiet", *calm[2:4])
    many.denied.add((READ, many.add_balancer("shut", *refused)))
    there = azure(many)
    _, cases = there.check_vms("--all", "--since", "14d")

    assert sorted(list_balancer_requests(there)) == [("GET", "front"), ("GET", "shut")]
    assert sum(case["verdict"] == "confirmed" for case in cases) == 3
    gaps = {
        case["vm"]["id"]: get_gap_reasons(case)["balancer"] for case in cases if "balancer" in get_gap_reasons(case)
    }
    assert gaps == dict.fromkeys(
        refused, f"probes of the load balancer shut: refused, it needs {READ} (403 AuthorizationFailed)"
    )
    lost = [case for case in cases if case["verdict"] == "confirmed" and case["vm"]["id"] in behind]
    assert lost
    assert all("balancer" in case["losses"][-1]["signals"] for case in lost)


def test_of_more_suspects_than_are_read_at_once_each_balancer_and_workspace_is_still_asked_once(
    azure: AzureStarter,
) -> None:
    many = build_fleet(vms=17, groups=1, migrated=17)
    many.denied |= {(f"Microsoft.Network/networkWatchers/{look}/action", "/") for look in LOOKS}
    many.add_balancer("front", *[vm.id for vm in many])
    # Who is read last could look at the others, were it no suspect itself.
    last = max(many, key=lambda vm: vm.id.lower())
    many.witnesses.agents[last.id.lower()] = "Succeeded"
    many.witnesses.regions.add(last.machine.location)
    there = azure(many)
    _, cases = there.check_vms("--all", "--since", "1d", "--prove")
    unproved = [gap["reason"] for case in cases for gap in case["gaps"] if gap["signal"] == "proof"]

    asked = list_balancer_requests(there)
    queries = [seen.path for seen in there.arm.list_posts("/query") if TESTS.encode() in seen.body]
    assert (asked.count(("POST", "front")), len(queries)) == (1, len(set(queries)))
    assert unproved
    assert not any(f"/{last.name} in its own" in reason for reason in unproved)
    assert sum("balancer" in case["losses"][-1]["signals"] for case in cases if case["losses"]) == 17


def test_with_prove_balancer_and_gateway_tell_what_they_find_and_without_the_right_nobody_is_asked(
    azure: AzureStarter,
) -> None:
    one = World.with_one_vm(heartbeats=False)
    one.denied.add((READ, ID))
    one.add_balancer("front", ID)
    one.add_gateway("gate", ID)
    one.probes[0] = replace(one.probes[0], reason="Down_Platform")
    there = azure(one)
    ran, (case,) = there.check_vms(ID, "--prove")
    sent = list_actions(there)
    one.role = "reader"
    _, (unproved,) = there.check_vms(ID, "--prove")

    # A rule without a probe is not asked; each answer is fetched at the place that Azure names, and not at once.
    assert sent == ["gate/backendhealth", "front/loadbalancingrules/tcp-443/health"]
    assert there.count_requests("operationResults/lb-") == 4
    assert (case["verdict"], ran.code) == ("confirmed", 1)
    assert "Azure's own infrastructure keeps the VM down" in str(case["findings"][0]["evidence"])
    assert "balancer" not in get_gap_reasons(case)
    assert list_actions(there) == sent
    assert unproved["verdict"] == "suspected"
    reasons = {gap["reason"] for gap in unproved["gaps"] if gap["signal"] == "balancer"}
    assert {reason.rpartition(" lacks ")[2] for reason in reasons} == {RULE_ACTION, GATEWAY_ACTION}


def test_who_was_suspected_for_want_of_a_second_channel_is_confirmed_and_no_look_alike_is_flagged(
    azure: AzureStarter,
) -> None:
    until, names = datetime(2026, 5, 1, 12, tzinfo=UTC), ["health_and_platform_down"] * 3
    names += ["clean_migration_with_witnesses", "balancer_probe_only"] * 2
    staged = []
    for number, name in enumerate(names):
        scene = Scene(7, number, until)
        staged.append(stage_incident(name, 7, number, scene, INCIDENT_CLASSES[name](scene)))
    there = azure(World.from_incidents(*staged), throttle=False)
    struck, others = ([one.vm for one in staged if (one.name == names[0]) is so] for so in (True, False))
    # Nobody may read the traffic of those that are struck, and no agent writes: health and a balancer are all there is.
    there.arm.world.denied.update((READ, vm) for vm in struck)
    for vm in struck:
        there.arm.world.vms[vm.lower()].sends_heartbeats = False
    verdicts = []
    for more in ((), ("--prove",)):
        _, cases = there.check_vms("--all", "--since", "14d", *more)
        found = {case["vm"]["id"]: case["verdict"] for case in cases}
        verdicts.append([{found[vm] for vm in some} for some in (struck, others)])

    assert verdicts == [[{"suspected"}, {"clear"}], [{"confirmed"}, {"clear"}]]
