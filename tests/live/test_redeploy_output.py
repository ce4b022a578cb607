"""The exit code where the report's reader is gone or its disk is full: it tells what was done to VMs."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.live.conftest import AzureStarter, LocalAzure, build_fleet, build_redeploy, build_world

FORMS = ("terminal", "json", "ndjson", "csv", "markdown")
FAILS = {"outcome": "Failed", "code": "AllocationFailed", "message": "no capacity"}


def into(there: LocalAzure, place: str, *arguments: str) -> tuple[int, str]:
    """The exit code and the words of a run whose report goes into a pipe that nobody reads, or onto a full disk."""
    if place == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    try:
        ran = subprocess.run(
            [COMMAND, "check", *arguments, "--since", "1d", "--cloud", there.arm.url],
            # Unbuffered, a header that stands before the first row would fail first, and nothing would be begun.
            env={**os.environ, **there.environment, "PYTHONUNBUFFERED": ""},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        os.close(writer)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    return ran.returncode, ran.stderr


places = pytest.mark.parametrize(
    "place",
    [
        "pipe",
        pytest.param("full", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has none")),
    ],
)


@places
@pytest.mark.parametrize("form", FORMS)
def test_a_redeploy_that_failed_among_healthy_vms_is_told_by_the_code(
    azure: AzureStarter, place: str, form: str
) -> None:
    there = azure(build_fleet(6, 1, 1, **FAILS))
    code, said = into(there, place, "--all", "-o", form, "--redeploy", "--yes")

    if form == "ndjson":
        # It streams: the first healthy VM could not be told, and nothing was begun by then.
        assert (code, there.redeploy_count) in {(141 if place == "pipe" else 2, 0), (1, 0)}, said
    else:
        assert (code, there.redeploy_count) == (6, 1), said
    assert ("cannot be written" in said) == (place == "full")


@places
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_of_one_vm_the_code_is_the_redeploys(azure: AzureStarter, place: str, form: str) -> None:
    there = azure(build_world(redeploying=build_redeploy(**FAILS)))
    code, said = into(there, place, "prod/web-01", "-o", form, "--redeploy", "--yes")

    assert (code, there.redeploy_count) == (6, 1), said


def test_a_reader_that_leaves_after_five_bytes_hides_no_failed_redeploy(azure: AzureStarter) -> None:
    there = azure(build_fleet(6, 1, 1, **FAILS))
    ran = there.run_in_shell("check --all --since 1d -o csv --redeploy --yes", "| head -c 5; exit ${PIPESTATUS[0]}")

    assert (ran.returncode, there.redeploy_count, len(ran.stdout)) == (6, 1, 5), ran.stderr


@places
def test_one_that_was_not_come_to_is_still_affected(azure: AzureStarter, place: str) -> None:
    there = azure(build_fleet(2, 1, 2, leap=timedelta(minutes=4, seconds=40)))
    code, said = into(there, place, "--all", "-o", "ndjson", "--redeploy", "--yes", "--max", "2")

    assert (code, there.redeploy_count) == (1, 1), said


@places
@pytest.mark.parametrize("form", ["terminal", "csv"])
@pytest.mark.parametrize(("more", "wanted"), [((), None), (("--redeploy", "--dry-run"), 1), (("--redeploy",), 5)])
def test_where_nothing_is_done_the_decision_outranks_the_report(
    azure: AzureStarter, place: str, form: str, more: tuple[str, ...], wanted: int | None
) -> None:
    there = azure(build_world())
    code, said = into(there, place, "prod/web-01", "-o", form, *more)

    # Who only looked sees what the shell calls a closed pipe, or that the report has no place.
    assert (code, there.redeploy_count) == (wanted or (141 if place == "pipe" else 2), 0), said
