"""`--prove`: Network Watcher is asked about suspects, and what it says, or why it was not asked, is told."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.arm import ArmServer, Fault, World
from tests.arm.client import create_client
from tests.arm.witnesses import add_vm, add_witnesses
from tests.incidents.model import HealthChange, ReachTest
from tests.live.conftest import ID, AzureStarter, LocalAzure, build_world
from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.diagnosis.model import Case
from vmdiag.identity import Selector
from vmdiag.model import Signal, Viewpoint
from vmdiag.pipeline import examine_vms
from vmdiag.sources.azure import AzureSource
from vmdiag.sources.protocol import Scope
from vmdiag.values import replace

METRICS_READ = "Microsoft.Insights/metrics/read"
WATCHER = "Microsoft.Network/networkWatchers"
VM, MIGRATION = ID.lower(), "live-migration-datapath"
ACTIONS = ["connectivityCheck", "connectivityCheck", "ipFlowVerify", "nextHop"]


def build_ill_world(**knobs: Any) -> World:
    """A migrated VM whose health says Unavailable since, and of which nothing else is measured: suspected."""
    one = World.with_one_vm(heartbeats=False, **knobs)
    one.denied.add((METRICS_READ, ID))
    (vm,) = one
    lost = HealthChange(at=one.now() - timedelta(minutes=117), vm=vm.id, before="Available", after="Unavailable")
    vm.truth = dataclasses.replace(vm.truth, health=(*vm.truth.health, lost))
    return one


def build_watched_world(one: World, **changes: Any) -> World:
    """The world with somebody to look from inside and from a peered network; `changes` are of its `Witnesses`."""
    add_witnesses(one)
    for name, value in changes.items():
        setattr(one.witnesses, name, value)
    return one


def list_actions(arm: ArmServer) -> list[str]:
    """What was asked of Network Watcher."""
    return sorted(
        seen.path.rpartition("/")[2] for seen in arm.requests if seen.method == "POST" and WATCHER in seen.path
    )


@dataclasses.dataclass(slots=True)
class QuietConsole:
    """Who is told by a reading in this process."""

    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    told: list[str] = dataclasses.field(default_factory=list)

    def warn(self, text: str) -> None:
        """A warning."""
        self.told.append(text)

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Nothing."""


Look = Callable[..., tuple[list[Case], ArmServer]]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """Diagnose `prod/web-01`, or all of a world, with proofs and in this process: `look(world, fault, jobs=1)`."""
    with ExitStack() as running:

        def read_cases(
            world: World, *faults: Fault, whole: bool = False, past: timedelta | None = None, **settings: Any
        ) -> tuple[list[Case], ArmServer]:
            arm = running.enter_context(ArmServer(world))
            for name, value in arm.environment.items():
                monkeypatch.setenv(name, value)
            for fault in faults:
                arm.add_fault(fault)
            known = AzureSettings(cloud=arm.url, authority=arm.url, credential="environment", proves=True)
            access = replace(known, ca_bundle=str(arm.ca_bundle), **settings)
            console = QuietConsole()
            source = AzureSource(console, Session(access, lambda: datetime.now(UTC), console.stop))
            scope = Scope(vms=() if whole else (Selector(ID),), everything=whole, since=timedelta(days=1))
            scope = replace(scope, until=None if past is None else world.now() - past)
            return list(examine_vms(source, scope).cases), arm

        yield read_cases


def join_reasons(case: Case) -> str:
    return " | ".join(gap.reason for gap in case.gaps if gap.signal is Signal.PROOF)


def test_what_was_suspected_is_confirmed_by_the_pair_and_nothing_else_is_sent(azure: AzureStarter) -> None:
    one = build_watched_world(build_ill_world())
    there = azure(one)
    _, (before,) = there.check_vms(ID)
    silent = {seen.path.rpartition("/")[2] for seen in there.arm.requests if seen.method == "POST"}
    ran, (case,) = there.check_vms(ID, "--prove", "--from", "hub/jump")
    posts = {seen.path.rpartition("/")[2] for seen in there.arm.requests if seen.method == "POST"}

    assert (before["verdict"], silent) == ("suspected", {"resources", "token"})
    assert (ran.code, case["verdict"], case["losses"][0]["scope"]) == (1, "confirmed", "peered")
    assert (list_actions(there.arm), posts) == (ACTIONS, {*ACTIONS, "resources", "token"})
    assert {seen.method for seen in there.arm.requests} == {"GET", "POST"}
    told = {one["says"]: one["at"] for one in case["findings"][0]["evidence"] if one["signal"] == "proof"}
    assert any(says.startswith("port 22 is reached from prod/web-02 in its own virtual network") for says in told)
    assert any(says.startswith("port 22 is not reached from hub/jump in another virtual") for says in told)
    assert min(told.values()) > case["losses"][0]["from"]
    assert "--prove sends actions, which change nothing" in ran.err
    # One look at the rights of the watcher, and one at the subscription's, where answers are fetched.
    assert there.count_requests("Authorization/permissions") == 2


def test_a_vm_that_is_no_suspect_is_not_looked_at(look: Look) -> None:
    one = build_watched_world(World.with_one_vm())
    add_vm(one, "web-03", "prod", "10.0.0.6")
    cases, arm = look(one, whole=True)

    assert [case.vm.id.name for case in cases if case.diagnosis.verdict.is_flagged] == ["web-01"]
    assert list_actions(arm) == ACTIONS
    assert not [gap for case in cases for gap in case.gaps if gap.signal is Signal.PROOF]


@pytest.mark.parametrize(
    ("changes", "verdict", "explanation", "words"),
    [
        ({"reached": {VM: frozenset()}}, "suspected", MIGRATION, "it points to guest, host or interface"),
        # Of a port that is only assumed a denial says nothing; of one that is named it explains the loss.
        ({"flows": {VM: "DenyAll"}}, "confirmed", MIGRATION, ""),
        ({"flows": {VM: "DenyAll"}, "probe_port": 443}, "clear", "network-change", "the rule DenyAll denies it"),
        (
            {"issue": "NetworkSecurityRule", "probe_port": 443},
            "clear",
            "network-change",
            "a rule or a route on the way",
        ),
        ({"hops": {VM: ("None", "")}}, "clear", "network-change", "no next hop"),
        ({"hops": {VM: ("VirtualAppliance", "10.9.0.4")}}, "suspected", MIGRATION, "the appliance 10.9.0.4"),
        (
            {"reached": {VM: frozenset({"inside", "peered"})}},
            "suspected",
            MIGRATION,
            "new connections are answered",
        ),
    ],
)
def test_what_is_found_decides(look: Look, changes: dict[str, Any], verdict: str, explanation: str, words: str) -> None:
    # Without a proof it is confirmed: traffic is gone, and the VM works on.
    port = changes.get("probe_port")
    found = {name: value for name, value in changes.items() if name != "probe_port"}
    (case,), arm = look(
        build_watched_world(World.with_one_vm(heartbeats=False, public_ip=None), **found), probe_port=port
    )
    told = " | ".join(each.says for found in case.diagnosis.findings for each in found.evidence)

    assert (case.diagnosis.verdict, case.diagnosis.explanation) == (verdict, explanation)
    assert words in told
    assert list_actions(arm) == ACTIONS


POLL, CHECK, STATUS = r"/operationResults/", "connectivityCheck", "status"
ELSEWHERE = {"Location": "https://example.org/x"}
# A year that no machine can count.
ENDLESS = "Wed, 21 Oct 99999999999 07:28:00 GMT"


@pytest.mark.parametrize(
    ("changes", "fault", "settings", "words"),
    [
        # Nobody to look from, a watcher that is not there, a name that means nobody or somebody who cannot look.
        ({"agents": {}}, {}, {}, "no running VM with the Network Watcher agent"),
        ({"regions": set()}, {}, {}, "no Network Watcher of westeurope is shown"),
        ({}, {}, {"proof_origins": ("nobody",)}, "from nobody, outside: not asked, no such VM"),
        ({}, {}, {"proof_origins": ("web-03",)}, "it has no Network Watcher agent"),
        # Who is suspected himself: whose path is dead would not be told.
        ({"agents": {VM: "Succeeded"}}, {}, {"proof_origins": ("prod/web-01",)}, "it is a suspect itself"),
        # The service: throttled for longer than is waited, working for ever, sending the token elsewhere, refusing.
        ({}, {"path": CHECK, "kind": STATUS, "status": 429, "retry_after": 99}, {}, "throttled until"),
        ({"pending": -1}, {}, {"timeout": timedelta(seconds=3)}, "the run's time was over"),
        ({}, {"path": CHECK, "kind": STATUS, "status": 202, "headers": ELSEWHERE}, {}, "names no place of its own"),
        ({}, {"path": POLL, "kind": STATUS, "status": 403}, {}, "locations/operationResults/read"),
        # A clock that cannot be read ends no reading.
        ({"regions": set()}, {"path": ".", "kind": "dated", "date": ENDLESS}, {}, "no Network Watcher of westeurope"),
        # The source itself could not look.
        ({"issue": "AgentStopped"}, {}, {}, "it could not look (agentstopped)"),
    ],
)
def test_a_check_that_cannot_run_is_a_gap_with_its_reason_and_proves_nothing(
    look: Look, changes: dict[str, Any], fault: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    one = build_watched_world(build_ill_world(public_ip=None), **changes)
    add_vm(one, "web-03", "hub", "10.1.0.9")
    (case,), _ = look(one, *([Fault(**fault)] if fault else []), **settings)

    assert words in join_reasons(case)
    assert case.diagnosis.verdict == "suspected"
    assert case.diagnosis.losses[-1].scope in (Viewpoint.UNKNOWN, Viewpoint.INSIDE)


def test_without_the_right_nothing_is_sent_and_the_right_is_named(look: Look) -> None:
    one = build_watched_world(build_ill_world())
    one.role = "reader"
    (case,), arm = look(one)

    assert list_actions(arm) == []
    for action in set(ACTIONS):
        assert f"this sign-in lacks {WATCHER}/{action}/action" in join_reasons(case)


def test_the_local_watcher_is_strict(azure: AzureStarter) -> None:
    one = build_watched_world(build_world())
    client = create_client(azure(one).arm)
    root = f"{ID.partition('/resourceGroups/')[0]}/resourceGroups/NetworkWatcherRG/providers/{WATCHER}"
    path, source = f"{root}/NetworkWatcher_westeurope", {"resourceId": ID}
    check = {"source": source, "destination": {"address": "10.0.0.5", "port": 22}, "protocol": "Tcp"}

    assert client.post(f"{path}/connectivityCheck", "2021-08-01", check).error_code == "AgentExtensionNotInstalled"
    assert client.post(f"{path}/connectivityCheck", "2099-01-01", check).status == 400
    assert client.post(f"{path}/ipFlowVerify", "2021-08-01", {"targetResourceId": ID}).status == 400
    assert client.post(f"{root}/NetworkWatcher_eastus/nextHop", "2021-08-01", {}).status in (400, 404)
    assert client.get(f"{path}/nextHop", "2021-08-01").status == 405


def test_a_proof_right_before_the_request_is_made_anew_and_none_after_it(azure: AzureStarter) -> None:
    one = build_watched_world(build_world())
    there: LocalAzure = azure(one)
    ran, (case,) = there.redeploy_vms("--prove")

    assert (ran.code, case["mitigation"]["status"], case["mitigation"]["reachable_again"]) == (0, "succeeded", True)
    assert list_actions(there.arm) == sorted(ACTIONS * 2)


def test_the_port_that_connection_monitor_tests_is_known_to_be_served(look: Look) -> None:
    one = build_watched_world(World.with_one_vm(heartbeats=False, public_ip=None), flows={VM: "DenyAll"})
    source = next(vm.id for vm in one if vm.name == "web-02")
    one.tests.append(ReachTest(source=source, vm=ID, minutes=5))
    (case,), arm = look(one)
    (flow,) = arm.list_posts("/ipFlowVerify")

    assert b'"localPort": "443"' in flow.body
    assert case.diagnosis.explanation == "network-change"


def test_what_is_past_cannot_be_looked_at(look: Look) -> None:
    (case,), arm = look(build_watched_world(World.with_one_vm()), past=timedelta(hours=1))

    assert "only the present can be looked at" in join_reasons(case)
    assert list_actions(arm) == []
