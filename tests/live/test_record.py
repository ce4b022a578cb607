"""What was heard is written down, and judged again offline: the same report, and no socket opened."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World, timeline_stories
from tests.live.conftest import AzureStarter

# Sockets are refused by the interpreter itself, whoever asks for one.
OFFLINE = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"a socket was opened: {event}")
sys.addaudithook(refuse)
from vmdiag.cli.app import main
sys.exit(main(sys.argv[1:]))
"""
OWN = ("generated_at", "source")


def run_offline(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, *arguments], capture_output=True, check=False, text=True, timeout=60
    )
    assert "socket" not in ran.stderr, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def drop_run_fields(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what is a run's own."""
    return {name: value for name, value in report.items() if name not in OWN}


@pytest.mark.parametrize("story", ["affected", "clean", "network_change_after_migration", "user_stop_after_migration"])
def test_a_recording_gives_the_same_report_offline(azure: AzureStarter, tmp_path: Path, story: str) -> None:
    world = timeline_stories.WORLDS_BY_NAME[story]()
    there = azure(world)
    vm = next(iter(world)).id
    there.arm.add_fault(Fault(path="availabilityStatuses", kind="status", status=403))
    # One end for both runs, else they end at their own now; and no minute whose measurement is still to come.
    until = f"{world.now() - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"
    recorded = there.run_command("record", vm, "--out", "kept.jsonl", "--until", until)
    live = there.run_command("check", vm, "-o", "json", "--until", until)
    code, replayed = run_offline("check", "--source", tmp_path / "kept.jsonl", "--all", "-o", "json")

    assert recorded.code == 0, recorded.err
    assert code == live.code
    assert drop_run_fields(replayed) == drop_run_fields(json.loads(live.out))


def test_no_secret_claim_or_caller_is_in_a_recording(azure: AzureStarter) -> None:
    there = azure(timeline_stories.WORLDS_BY_NAME["network_change_after_migration"]())
    vm = next(iter(there.arm.world)).id
    ran = there.run_command("record", vm)

    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1
    assert json.loads(ran.out)["cloud"] == there.arm.url
    for word in ("eyJ", there.arm.environment["AZURE_CLIENT_SECRET"], "@contoso", "claims", "caller", "203.0.113.9"):
        assert word not in ran.out


def test_what_fails_is_recorded_as_what_was_not_heard(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(Fault(path="Insights/metrics", kind="status", status=403))
    there.run_command(
        "record", "prod/web-01", "--out", "kept.jsonl", AZURE_SUBSCRIPTION_ID=get_subscription(there.arm.world)
    )
    _, report = run_offline("check", "--source", tmp_path / "kept.jsonl", "-o", "json")
    reasons = {gap["signal"]: gap["reason"] for gap in report["cases"][0]["gaps"]}

    assert "Microsoft.Insights/metrics/read" in reasons["traffic"]


def get_subscription(world: World) -> str:
    return next(iter(world)).subscription


def test_a_fleet_is_recorded_a_vm_a_line(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(World.with_fleet(vms=20, groups=2, migrated=3))
    ran = there.run_command("record", "--all", "--since", "1d", "--out", "kept.jsonl")
    _, report = run_offline("check", "--source", tmp_path / "kept.jsonl", "--since", "1d", "--all", "-o", "json")

    assert ran.code == 0, ran.err
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 20
    assert report["summary"]["confirmed"] == 3
