"""What works and what does not, found out by trying."""

import json
from typing import Any

import jsonschema

from tests.arm import Fault, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.conftest import CommandResult
from tests.live.conftest import ID, AzureStarter, LocalAzure
from vmdiag.command_answers import DoctorAnswer
from vmdiag.report import make_schema


def run_doctor(there: LocalAzure, *more: str, **settings: Any) -> tuple[CommandResult, dict[str, Any], dict[str, str]]:
    ran = there.run_command("doctor", "-o", "json", *more, **settings)
    answer = json.loads(ran.out)
    return ran, answer, {check["about"]: check["status"] for check in answer["checks"]}


def test_where_all_is_well_it_says_so_with_the_roles_that_write_nothing_but_the_redeploy(azure: AzureStarter) -> None:
    one = World.with_one_vm()
    one.add_balancer("front", ID)
    ran, answer, status = run_doctor(azure(one))
    read, redeploy = answer["roles"]["read"], answer["roles"]["redeploy"]

    assert ran.code == 0, ran
    jsonschema.validate(answer, make_schema(DoctorAnswer, "doctor"))
    assert set(status.values()) == {"ok"}
    assert {"cloud", "sign-in", "clock", "subscription", "activity-log", "metrics", "balancer-metrics"} <= set(status)
    assert "EnvironmentCredential" in next(c["says"] for c in answer["checks"] if c["about"] == "sign-in")
    assert all(action.endswith("/read") for action in read["Actions"])
    assert [each for each in redeploy["Actions"] if not each.endswith("/read")] == [
        "Microsoft.Compute/virtualMachines/redeploy/action"
    ]
    actions = {action for actions in answer["rights"].values() for action in actions}
    assert actions == set(read["Actions"])
    assert {"connection-monitor", "balancer-metrics", "heartbeat"} <= answer["rights"].keys()
    assert read["AssignableScopes"] == redeploy["AssignableScopes"]
    assert read["AssignableScopes"][0].startswith("/subscriptions/")


def test_what_prove_asks_is_looked_up_and_never_tried_and_its_role_writes_nothing(azure: AzureStarter) -> None:
    one = World.with_one_vm(role="reader")
    there = azure(one)
    ran, answer, status = run_doctor(there)
    (check,) = [check for check in answer["checks"] if check["about"] == "prove"]
    actions = answer["roles"]["prove"]["Actions"]

    assert (ran.code, status["prove"]) == (0, "skipped")
    assert [action for action in actions if not action.endswith("/read") and action not in check["says"]] == []
    assert any(action.endswith("/action") for action in actions)
    assert not [action for action in actions if action.lower().endswith("/write") or "*" in action]
    assert set(actions).isdisjoint(answer["roles"]["read"]["Actions"])
    assert set(actions) <= {action for actions in answer["proving_rights"].values() for action in actions}
    assert {seen.path.rpartition("/")[2] for seen in there.arm.list_posts("")} == {"token", "resources"}


def test_a_feed_that_may_not_be_read_is_named_with_its_permission(azure: AzureStarter) -> None:
    ran, answer, status = run_doctor(azure(Fault(path="Insights/metrics", kind="status", status=403)))
    failed = [check for check in answer["checks"] if check["status"] == "failed"]

    assert ran.code == 3
    assert [check["about"] for check in failed] == ["metrics"]
    assert "Microsoft.Insights/metrics/read" in failed[0]["says"]
    assert status["activity-log"] == "ok"


def test_who_cannot_sign_in_gets_4_and_what_was_tried(azure: AzureStarter) -> None:
    ran, answer, status = run_doctor(azure(), AZURE_CLIENT_SECRET="wrong")  # noqa: S106 - it is wrong
    check = answer["checks"][-1]

    assert ran.code == 4
    assert status["sign-in"] == "failed"
    assert "AADSTS7000215" in check["says"]
    assert check["hint"]


def test_a_subscription_that_cannot_be_seen_is_named(azure: AzureStarter) -> None:
    ran, answer, _ = run_doctor(azure(), "-s", "11111111-2222-3333-4444-555555555555")

    assert ran.code == 4
    assert any("cannot see" in check["says"] for check in answer["checks"])


def test_without_a_vm_what_takes_one_is_skipped(azure: AzureStarter) -> None:
    denied = ("Microsoft.Compute/virtualMachines/read", f"/subscriptions/{SUBSCRIPTION}")
    _, _, status = run_doctor(azure(World.with_one_vm(denied={denied})))

    assert status["metrics"] == "skipped"
    assert status["virtual-machine-list"] == "failed"


def test_people_read_lines_that_fit_and_hold_no_secret(azure: AzureStarter) -> None:
    there = azure()
    ran = there.run_command("doctor")

    assert ran.code == 0
    assert "metrics" in ran.out
    assert there.arm.environment["AZURE_CLIENT_SECRET"] not in ran.out
    assert "eyJ" not in ran.out
    assert "What --prove needs besides, never a write:" in ran.out
    json.loads(ran.out[ran.out.index("{") : ran.out.index("The smallest role to prove")])


def test_a_workspace_is_tried(azure: AzureStarter) -> None:
    ran, answer, _ = run_doctor(azure(), "--workspace", "00000000-0000-0000-0000-000000000000")
    (check,) = [each for each in answer["checks"] if each["about"].startswith("workspace")]

    assert ran.code == 3
    assert check["status"] == "failed"


def test_a_subscription_that_does_not_publish_scheduled_events_is_told_so_and_fails_nothing(
    azure: AzureStarter,
) -> None:
    one = World.with_one_vm()
    one.features.clear()
    ran, answer, status = run_doctor(azure(one))
    (check,) = [check for check in answer["checks"] if check["about"] == "scheduled-events"]

    assert (ran.code, status["scheduled-events"]) == (0, "skipped")
    assert check["says"].startswith("not opted in: ")
    assert "SendScheduledEventsPolicy" in check["hint"]
