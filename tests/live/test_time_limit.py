"""`--timeout` ends the reading whatever a server, or another program, does; what was read by then is told."""

import threading
import time
from itertools import product
from pathlib import Path

import pytest

from tests.arm import Fault, SilentServer, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.conftest import CommandResult
from tests.live.conftest import ID, METRICS, AzureStarter, LocalAzure, get_gap_reasons
from vmdiag.arm import _deadline
from vmdiag.arm._transport import Transport

# Far more than any of it takes, and far less than what is waited for would.
AT_MOST = 25.0


def check_in_time(there: LocalAzure, *more: str, **settings: str) -> CommandResult:
    """A check with 3 s of time, which ends."""
    began = time.monotonic()
    ran = there.run_command("check", ID, "--timeout", "3s", "--since", "1d", *more, **settings)
    assert time.monotonic() - began < AT_MOST
    assert "Traceback" not in ran.err
    return ran


@pytest.mark.parametrize("part", ["header", "body"])
def test_an_answer_that_trickles_is_a_gap_and_the_report_stands(azure: AzureStarter, part: str) -> None:
    began = time.monotonic()
    ran, (case,) = azure(Fault(path=METRICS, kind="trickle", part=part)).check_vms(ID, "--timeout", "3s")

    assert time.monotonic() - began < AT_MOST
    assert "--timeout" in get_gap_reasons(case)["traffic"]
    assert "health" not in get_gap_reasons(case)
    assert case["migrated_at"]
    assert ran.code in {1, 3}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        *product(("oauth2", "openid-configuration", "metadata"), ("header", "body")),
        ("msi/token", "body"),
        ("the Azure CLI", "body"),
    ],
)
def test_a_sign_in_that_trickles_or_hangs_ends_with_the_runs_time(
    azure: AzureStarter, tmp_path: Path, path: str, part: str
) -> None:
    there = azure(Fault(path=path, kind="trickle", part=part))
    endpoint = {"IDENTITY_ENDPOINT": f"{there.arm.url}/msi/token", "IDENTITY_HEADER": "x"}
    ways: dict[str, tuple[str, dict[str, str]]] = {
        "msi/token": ("managed", endpoint),
        "the Azure CLI": ("cli", {"PATH": install_cli(tmp_path, "exec sleep 40")}),
    }
    credential, settings = ways.get(path, ("", {}))
    ran = check_in_time(there, *(("--credential", credential) if credential else ()), **settings)

    assert (ran.code, ran.out) == (4, "")
    assert "--timeout" in ran.err


def test_a_server_that_is_silent_from_the_first_byte_of_tls_on_ends_with_the_runs_time(azure: AzureStarter) -> None:
    there = azure()
    with SilentServer() as silent:
        began = time.monotonic()
        ran = there.runner("check", ID, "--timeout", "3s", "--cloud", silent.url, **there.arm.environment)

        assert silent.connections
    assert time.monotonic() - began < AT_MOST
    assert (ran.code, ran.out) == (4, "")
    assert "--timeout" in ran.err


def test_one_host_that_is_silent_costs_only_what_it_alone_knows(azure: AzureStarter) -> None:
    world = World.with_one_vm()
    with SilentServer() as silent:
        world.logs = silent.url
        ran, (case,) = azure(world).check_vms(ID, "--timeout", "5s")

        assert silent.connections
    reasons = get_gap_reasons(case)
    assert set(reasons) == {"heartbeat", "monitor"}
    assert all("--timeout" in reason for reason in reasons.values())
    assert ran.code == 1


def test_the_doctor_ends_too_and_tells_what_it_has_tried(azure: AzureStarter) -> None:
    there = azure(Fault(path=METRICS, kind="trickle", part="body"))
    began = time.monotonic()
    ran = there.run_command("doctor", "--timeout", "4s", "--subscription", SUBSCRIPTION)

    assert time.monotonic() - began < AT_MOST
    assert ran.code == 3
    assert "run's time was over" in ran.out
    assert "health" in ran.out


def install_cli(folder: Path, script: str) -> str:
    """A PATH on which the Azure CLI is this script."""
    program = folder / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def test_what_was_given_up_leaves_no_thread_behind(azure: AzureStarter) -> None:
    arm = azure().arm
    arm.add_fault(Fault(path="metadata", kind="trickle", part="header"))
    session = Transport(connections=1).session
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        _deadline.run_with_deadline(
            lambda: session.get(f"{arm.url}/metadata/endpoints", verify=str(arm.ca_bundle), timeout=60), 2
        )
    ends = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < ends:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_who_is_interrupted_does_not_wait() -> None:
    stop, release = threading.Event(), threading.Event()
    stop.set()
    with pytest.raises(InterruptedError):
        _deadline.run_with_deadline(release.wait, 60, stop)
    release.set()


def test_what_is_in_time_gives_its_result_or_its_error() -> None:
    assert _deadline.run_with_deadline(lambda: 7, 60) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        _deadline.run_with_deadline(lambda: int("x"), 60)
