"""What may go wrong between here and Azure: never a hang, a traceback, a lost VM or a leaked secret."""

import json
import os
import signal
import subprocess
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.arm import Fault, ForeignServer, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.conftest import COMMAND, CommandResult
from tests.live.conftest import ID, LOG, METRICS, AzureStarter, LocalAzure, get_gap_reasons

SECRETS = ("eyJ", "open-sesame")


def is_safe(ran: CommandResult) -> bool:
    """Whether it ended in an orderly way and gave nothing away."""
    told = ran.out + ran.err
    return "Traceback" not in told and not any(secret in told for secret in SECRETS)


def check_vm(there: LocalAzure, *more: str, **settings: Any) -> tuple[CommandResult, dict[str, Any]]:
    ran, cases = there.check_vms(ID, *more, **settings)
    assert is_safe(ran), ran.err
    assert len(cases) == 1, ran.err
    return ran, cases[0]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "status", "status": 403}, "Microsoft.Insights/metrics/read"),
        ({"kind": "status", "status": 404}, "not found (404"),
        ({"kind": "status", "status": 409}, "not understood (409"),
        ({"kind": "status", "status": 429, "retry_after": 1200}, "throttled until"),
        ({"kind": "status", "status": 500}, "cannot answer now (500"),
        ({"kind": "status", "status": 503, "body": "html"}, "cannot answer now (503)"),
        ({"kind": "status", "status": 400, "body": "capitals"}, "not understood (400 BadRequest)"),
        ({"kind": "reset"}, "connection"),
        ({"kind": "reset_mid_body"}, "broke off"),
        ({"kind": "truncated"}, "cut off"),
        ({"kind": "html"}, "a web page, 'Sign in'"),
        ({"kind": "redirect", "url": "https://elsewhere.example/"}, "token is not taken along"),
        ({"kind": "huge", "megabytes": 65}, "more than 64 MiB"),
        ({"kind": "echo_authorization"}, "metrics of web-01"),
    ],
    ids=lambda each: str(each.get("status", each["kind"])) if isinstance(each, dict) else "",
)
def test_a_feed_that_fails_is_a_gap_and_the_report_stands(
    azure: AzureStarter, fault: dict[str, Any], told: str
) -> None:
    ran, case = check_vm(azure(Fault(path=METRICS, **fault)))

    assert ran.code == 1, ran.err
    # The heartbeats alone show the loss, and the host says that the VM runs.
    assert case["verdict"] == "confirmed"
    assert told in get_gap_reasons(case)["traffic"]
    assert {"traffic", "cpu", "disk", "availability"} <= set(get_gap_reasons(case))


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(path=METRICS, kind=kind, times=1) for kind in ("reset", "reset_mid_body", "truncated")),
        Fault(path=METRICS, kind="expire_token"),
        Fault(path=METRICS, kind="claims_challenge"),
        Fault(path=LOG, kind="empty_page", times=1),
    ],
    ids=lambda fault: fault.kind,
)
def test_what_is_mended_by_asking_again_leaves_no_gap(azure: AzureStarter, fault: Fault) -> None:
    ran, case = check_vm(azure(fault))

    assert (ran.code, case["gaps"]) == (1, [])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_short_pause_that_azure_asks_for_is_kept(azure: AzureStarter, status: int) -> None:
    there = azure(Fault(path=METRICS, kind="status", status=status, retry_after=1, times=2))
    ran, case = check_vm(there)

    assert (ran.code, case["gaps"]) == (1, [])
    # Twice for nothing, then by the hour, and four spans by the minute.
    assert there.count_requests("Insights/metrics") == 7


def test_a_long_pause_is_not_sat_out_and_nobody_else_of_that_provider_asks(azure: AzureStarter) -> None:
    there = azure(Fault(path=METRICS, kind="status", status=429, retry_after=1200))
    began = time.monotonic()
    ran, case = check_vm(there)

    assert time.monotonic() - began < 20
    assert there.count_requests("Insights/metrics") == 1
    assert ran.code == 1
    assert case["verdict"] == "confirmed"


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, ("needs Microsoft.", "vmdiag doctor")), (401, ("does not accept the sign-in",))],
)
def test_no_permission_for_anything_or_no_sign_in_is_4_and_names_what_is_missing(
    azure: AzureStarter, status: int, told: tuple[str, ...]
) -> None:
    ran = azure(Fault(path=r"^/(subscriptions|providers|v1)", kind="status", status=status)).run_command("check", ID)

    assert (ran.code, ran.out) == (4, "")
    assert is_safe(ran)
    assert [words for words in told if words not in ran.err] == []


def test_no_permission_anywhere_is_4_even_where_resource_graph_answers(azure: AzureStarter) -> None:
    ran = azure(World.with_one_vm(denied={("*/read", f"/subscriptions/{SUBSCRIPTION}")})).run_command("check", ID)

    assert (ran.code, ran.out) == (4, ""), ran
    assert is_safe(ran)


def test_a_group_that_may_not_be_read_does_not_hide_the_others(azure: AzureStarter) -> None:
    world = World.with_fleet(vms=12, groups=2, migrated=2)
    ran, cases = azure(world, Fault(path=f"{LOG}.*rg-01", kind="status", status=403)).check_vms("--all")

    assert is_safe(ran)
    assert len(cases) == 12
    refused = {case["vm"]["resource_group"] for case in cases if "refused" in get_gap_reasons(case).get("activity", "")}
    assert refused == {"rg-01"}


@pytest.mark.parametrize(
    ("kind", "told"), [("page_loop", "was read before"), ("endless_pages", "only the first 1000 pages")]
)
def test_pages_end_somewhere(azure: AzureStarter, kind: str, told: str) -> None:
    ran, case = check_vm(azure(Fault(path=LOG, kind=kind), throttle=False))

    assert ran.code == 1
    assert told in get_gap_reasons(case)["activity"]


def test_no_token_goes_to_another_host(azure: AzureStarter) -> None:
    there = azure()
    with ForeignServer() as stranger:
        there.arm.add_fault(Fault(path=LOG, kind="foreign_next", url=f"{stranger.url}/subscriptions/x?page=2"))
        there.arm.add_fault(Fault(path=METRICS, kind="redirect", url=f"{stranger.url}/metrics"))
        ran, case = check_vm(there)

        assert stranger.requests == []
    assert ran.code == 1
    assert "another host" in get_gap_reasons(case)["activity"]


def test_malformed_records_cost_only_themselves(azure: AzureStarter) -> None:
    ran, case = check_vm(azure(Fault(path=f"{LOG}|availabilityStatuses|ResourceGraph", kind="malformed")))

    assert ran.code in {1, 3}
    assert any("malformed" in gap["reason"] for gap in case["gaps"])
    assert len(ran.out) < 1_000_000


def test_a_slow_answer_is_waited_for_and_one_that_hangs_is_not(azure: AzureStarter) -> None:
    there = azure(Fault(path="availabilityStatuses", kind="slow", seconds=1), Fault(path=METRICS, kind="hang"))
    began = time.monotonic()
    ran, case = check_vm(there, "--timeout", "4s")

    assert time.monotonic() - began < 9
    assert "timeout" in get_gap_reasons(case)["traffic"]
    assert "health" not in get_gap_reasons(case)
    assert ran.code in {1, 3}


def test_a_clock_that_is_an_hour_off_is_put_right(azure: AzureStarter) -> None:
    for hours in (-1, 1):
        world = World.with_one_vm(skew=timedelta(hours=hours))
        ran, case = check_vm(azure(world))
        assert ran.code == 1, ran.err
        assert "clock is 60 min" in ran.err
        assert (case["verdict"], case["gaps"]) == ("confirmed", [])


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon"])
def test_a_clock_that_nobody_can_have_is_not_believed(azure: AzureStarter, date: str) -> None:
    ran, (case,) = azure(Fault(path="", kind="dated", date=date)).check_vms("prod/web-01")

    assert (ran.code, ran.err, case["verdict"]) == (1, "", "confirmed")


def test_azure_throttles_a_burst_and_nobody_is_lost(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=60, groups=3, migrated=6))
    ran, cases = there.check_vms("--all", "--jobs", "32")

    assert len(cases) == 60, ran.err
    assert not any(seen.status == 429 for seen in there.arm.requests)


def run_and_interrupt(there: LocalAzure, *arguments: str, after: float) -> tuple[CommandResult, float]:
    """A run that gets Ctrl-C after so many seconds; and how long it took to end."""
    command = [str(COMMAND), *arguments, "--cloud", there.arm.url]
    with subprocess.Popen(
        command, env=os.environ | there.arm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        time.sleep(after)
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = running.communicate(timeout=30)
        return CommandResult(running.returncode, out, err), time.monotonic() - began


def test_ctrl_c_ends_with_what_is_known(azure: AzureStarter) -> None:
    there = azure(Fault(path=METRICS, kind="hang"))
    ran, seconds = run_and_interrupt(there, "check", ID, "-o", "json", "--since", "1d", after=4)
    (case,) = json.loads(ran.out)["cases"]

    assert ran.code == 130
    assert seconds < 3
    assert is_safe(ran)
    assert case["migrated_at"]
    assert "interrupted" in get_gap_reasons(case)["traffic"]


def test_ctrl_c_before_anything_is_known_is_130_and_no_report(azure: AzureStarter) -> None:
    ran, seconds = run_and_interrupt(azure(Fault(path="oauth2", kind="hang")), "check", ID, after=2)

    assert (ran.code, ran.out) == (130, "")
    assert seconds < 3
    assert is_safe(ran)


def test_a_sign_in_that_hangs_ends_with_the_runs_time(azure: AzureStarter) -> None:
    began = time.monotonic()
    ran = azure(Fault(path="oauth2", kind="hang")).run_command("check", ID, "--timeout", "2s")

    assert (ran.code, ran.out) == (4, "")
    assert time.monotonic() - began < 6
    assert "--timeout" in ran.err


@pytest.mark.parametrize(
    ("cloud", "bundle", "told"),
    [
        ("https://localhost:1", {}, ("it refuses connections",)),
        ("", {"REQUESTS_CA_BUNDLE": ""}, ("its TLS certificate is not trusted", "REQUESTS_CA_BUNDLE")),
    ],
    ids=["no network", "a certificate that nobody signed"],
)
def test_no_way_to_azure_is_told_in_words(
    azure: AzureStarter, cloud: str, bundle: dict[str, str], told: tuple[str, ...]
) -> None:
    there = azure()
    ran = there.runner("check", ID, "--cloud", cloud or there.arm.url, **(there.environment | bundle))

    assert (ran.code, ran.out) == (4, "")
    assert [words for words in told if words not in ran.err] == []
    assert is_safe(ran)


@pytest.mark.parametrize("path", ["oauth2", "metadata"])
@pytest.mark.parametrize("kind", ["reset", "html", "truncated"])
def test_a_sign_in_that_breaks_is_4(azure: AzureStarter, path: str, kind: str) -> None:
    ran = azure(Fault(path=path, kind=kind)).run_command("check", ID, "--credential", "environment")

    assert (ran.code, ran.out) == (4, ""), ran
    assert is_safe(ran)
