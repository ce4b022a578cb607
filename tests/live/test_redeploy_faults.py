"""Whatever Azure answers to a redeploy, one request reaches it, and what became of it is found out and told."""

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from tests.arm import ArmServer, Fault, ForeignServer
from tests.live.conftest import AzureStarter, LocalAzure, build_fleet, build_redeploy, build_world
from tests.redeploy.guard_cases import make_order
from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.redeploy.journal import Step
from vmdiag.redeploy.operation import read_progress
from vmdiag.redeploy.request import apply_order, read_boot_seconds

LONG = timedelta(minutes=10)
ALLOCATION = "Allocation failed. We do not have sufficient capacity for the requested VM size in this region."


def build_post_fault(**how: Any) -> Fault:
    """Something that happens to the request for a redeploy, and to no question."""
    return Fault(path=r"/redeploy\?", method="POST", **how)


def read_last_step(there: LocalAzure) -> Step:
    """How far the one redeploy of the journal is."""
    (deed,) = there.journal.read_entries(pytest.fail)
    return deed.step


@pytest.mark.parametrize(
    ("refuse", "said", "advised"),
    [
        ((409, "Conflict", "Busy."), "(409 Conflict): Busy", "Another operation runs"),
        ((409, "OperationNotAllowed", "Not now."), "(409 OperationNotAllowed): Not now", "look at its power state"),
        ((409, "ScopeLocked", "Locked."), "(409 ScopeLocked): Locked", "remove the lock"),
        ((429, "OperationNotAllowed", "Too many."), "it is throttled", "run again later"),
        ((429, "RetryableErrorDueToAnotherOperation", "Wait."), "(429 RetryableError", "holds its network"),
        ((403, "AuthorizationFailed", "bob may not."), "(403 AuthorizationFailed)", "virtualMachines/redeploy/action"),
        ((403, "RequestDisallowedByPolicy", "No."), "(403 RequestDisallowedByPolicy)", "A policy forbids it"),
        ((404, "ResourceNotFound", "Gone."), "(404 ResourceNotFound): Gone", "the VM is gone"),
        ((401, "ExpiredAuthenticationToken", "Old."), "(401 ExpiredAuthenticationToken)", "sign in again"),
        ((400, "BadThing", "Odd."), "(400 BadThing): Odd", "Nothing was done"),
    ],
    ids=lambda each: f"{each[0]} {each[1]}" if isinstance(each, tuple) else "",
)
def test_a_refusal_is_told_in_words_and_is_not_asked_again(
    azure: AzureStarter, refuse: tuple[int, str, str], said: str, advised: str
) -> None:
    there = azure(build_world(redeploying=build_redeploy(refuse=refuse)))
    ran, (case,) = there.redeploy_vms()
    done = case["mitigation"]

    assert (ran.code, there.redeploy_count) == (6, 1)
    assert (done["status"], done["started_at"]) == ("failed", None)
    assert said in done["says"]
    assert advised in case["recommendation"]["says"]
    assert "bob" not in ran.out + ran.err
    assert read_last_step(there) is Step.VOID


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 409, "retry_after": 1200},
        {"kind": "status", "status": 429, "retry_after": 1200},
        {"kind": "claims_challenge"},
    ],
    ids=lambda each: str(each.get("status", each["kind"])),
)
def test_a_pause_is_told_and_not_sat_out_and_a_challenge_not_answered_with_a_second_request(
    azure: AzureStarter, fault: dict[str, Any]
) -> None:
    there = azure(build_world(), build_post_fault(**fault))
    ran, (case,) = there.redeploy_vms()

    assert (ran.code, there.redeploy_count, case["mitigation"]["status"]) == (6, 1, "failed")
    assert ("until " in case["mitigation"]["says"]) == (fault.get("status") == 429)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "retry_after": 1},
        {"kind": "status", "status": 408},
        {"kind": "reset"},
    ],
    ids=lambda each: str(each.get("status", each["kind"])),
)
def test_where_it_may_have_happened_it_is_looked_up_and_never_asked_again(
    azure: AzureStarter, fault: dict[str, Any]
) -> None:
    there = azure(build_world(), build_post_fault(**fault))
    ran, (case,) = there.redeploy_vms("--wait-for", "4s")

    assert (ran.code, there.redeploy_count, case["mitigation"]["status"]) == (6, 1, "unknown")
    assert "whether Azure took the request is not known" in ran.err
    assert case["recommendation"]["says"].startswith("Do not redeploy again")
    assert read_last_step(there) is Step.INTENDED
    # The next run finds it unfinished, and asks for nothing either.
    there.arm.clear_faults()
    again, _ = there.redeploy_vms()
    assert (again.code, there.redeploy_count) == (5, 1)
    # A quarter of an hour later the log would have it.
    there.arm.world.skew = timedelta(minutes=20)
    later = there.run_command("mitigations", "--resume", "-o", "json")
    (told,) = json.loads(later.out)["mitigations"]
    assert (later.code, told["status"], told["finished"], there.redeploy_count) == (6, "failed", True, 1)
    assert "never arrived" in told["says"]


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled_after_accept", "reset_mid_body"])
def test_an_answer_that_is_lost_after_acceptance_is_found_in_the_log(azure: AzureStarter, kind: str) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(seconds=3))), build_post_fault(kind=kind))
    ran, (case,) = there.redeploy_vms()

    assert (ran.code, there.redeploy_count) == (0, 1)
    assert (case["mitigation"]["status"], case["mitigation"]["reachable_again"]) == ("succeeded", True)
    assert read_last_step(there) is Step.VERIFIED


def test_only_where_no_connection_was_made_the_request_is_known_never_to_have_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ArmServer(build_world()) as arm:
        for name, value in arm.environment.items():
            monkeypatch.setenv(name, value)
        # The server takes its certificate away when it goes.
        kept = copy(arm.environment["REQUESTS_CA_BUNDLE"], tmp_path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(kept))
        session = Session(AzureSettings(cloud=arm.url), lambda: datetime.now(UTC), threading.Event())
        session.get_token(session.cloud.token_scope, enable_cae=True)

    sent = apply_order(make_order(read_boot_seconds()), session)

    assert (sent.step, sent.says) == (Step.VOID, "Azure could not be reached: it refuses connections")


def test_a_redirect_is_not_followed_and_no_token_goes_along(azure: AzureStarter) -> None:
    there = azure(build_world())
    with ForeignServer() as stranger:
        there.arm.add_fault(build_post_fault(kind="redirect", url=f"{stranger.url}/redeploy"))
        ran, (case,) = there.redeploy_vms()
        assert stranger.requests == []

    assert (ran.code, there.redeploy_count, case["mitigation"]["status"]) == (6, 1, "failed")


def test_an_operation_on_another_host_is_not_asked() -> None:
    session = Session(AzureSettings(), lambda: datetime.now(UTC), threading.Event())

    with pytest.raises(BadAnswer, match="another host"):
        read_progress(session, "https://management.azure.com.evil.example/operations/1")


@pytest.mark.parametrize(
    ("code", "message", "advised"),
    [
        ("AllocationFailed", ALLOCATION, "probably down now"),
        ("ZonalAllocationFailed", ALLOCATION, "probably down now"),
        ("OSProvisioningTimedOut", "Too long.", "boot diagnostics"),
        ("NeverSeen", "Odd.", "Look at what is going on"),
    ],
)
def test_a_redeploy_that_fails_says_what_that_means(azure: AzureStarter, code: str, message: str, advised: str) -> None:
    there = azure(build_world(redeploying=build_redeploy(outcome="Failed", code=code, message=message)))
    ran, (case,) = there.redeploy_vms()
    done = case["mitigation"]

    assert (ran.code, there.redeploy_count, done["status"]) == (6, 1, "failed")
    assert f"the redeploy failed ({code}): {message[:20]}" in done["says"]
    assert advised in case["recommendation"]["says"]
    assert done["started_at"]
    assert done["finished_at"]
    assert read_last_step(there) is Step.FINISHED


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "times": 4},
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 403},
        {"kind": "html"},
        {"kind": "reset", "times": 4},
    ],
    ids=lambda each: str(each.get("status", each["kind"])),
)
def test_an_operation_that_cannot_be_asked_is_followed_by_its_traces(
    azure: AzureStarter, fault: dict[str, Any]
) -> None:
    there = azure(
        build_world(redeploying=build_redeploy(takes=timedelta(seconds=3))), Fault(path="/operations/", **fault)
    )
    ran, (case,) = there.redeploy_vms()

    assert (ran.code, there.redeploy_count, case["mitigation"]["reachable_again"]) == (0, 1, True)
    # Told once, though the end is looked for again and again.
    assert ran.err.count("are looked at instead") == ("times" not in fault)


def test_a_cloud_that_lags_is_asked_in_a_version_that_it_knows(azure: AzureStarter) -> None:
    there = azure(build_world(api_ceiling="2021-03-01"))
    ran, _ = there.redeploy_vms()

    assert (ran.code, there.redeploy_count) == (0, 1)


def test_the_first_that_does_not_come_back_ends_the_run(azure: AzureStarter) -> None:
    there = azure(build_fleet(40, 2, 3, outcome="Failed", code="AllocationFailed", message=ALLOCATION))
    ran, cases = there.redeploy_vms("--all", "--max", "3")
    done = [case["mitigation"] for case in cases if case["mitigation"]]
    (failed,) = [one for one in done if one["status"] == "failed"]
    rest = [one for one in done if one is not failed]

    assert (ran.code, there.redeploy_count) == (6, 1)
    assert {one["status"] for one in rest} == {"planned"}
    assert all("not touched: " in one["says"] and "was not seen to be reachable again" in one["says"] for one in rest)


def test_several_are_redeployed_one_after_another(azure: AzureStarter) -> None:
    # The server's clock must stay within what the guards allow.
    there = azure(build_fleet(40, 2, 2, leap=timedelta(minutes=4, seconds=40)))
    ran, cases = there.redeploy_vms("--all", "--max", "2")
    deeds = there.journal.read_entries(pytest.fail)
    ends = [(one.started, one.ends) for one in sorted(there.arm.world.operations.values(), key=lambda one: one.started)]

    assert (ran.code, there.redeploy_count) == (0, 2)
    assert {case["mitigation"]["reachable_again"] for case in cases if case["mitigation"]} == {True}
    assert [deed.step for deed in deeds] == [Step.VERIFIED] * 2
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_without_waiting_only_one_is_begun(azure: AzureStarter) -> None:
    there = azure(build_fleet(40, 2, 3))
    ran, cases = there.redeploy_vms("--all", "--max", "3", "--no-wait")
    done = sorted(case["mitigation"]["status"] for case in cases if case["mitigation"])

    assert (ran.code, there.redeploy_count, done) == (1, 1, ["planned", "planned", "started"])
