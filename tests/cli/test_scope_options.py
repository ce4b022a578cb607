"""Who and when: the words of a command line as a scope, and the contradictions among them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli import story
from tests.conftest import Runner
from vmdiag.cli.scope_options import ScopeOptions, resolve_unreachable_since
from vmdiag.errors import UsageError
from vmdiag.identity import Selector

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NOTHING = ScopeOptions()


def test_nothing_asked_is_the_last_fortnight_of_whoever_had_trouble() -> None:
    scope = NOTHING.build_scope(NOW)

    assert (scope.vms, scope.everything, scope.since, scope.until) == ((), False, timedelta(days=14), None)


def test_vms_keep_their_order_and_come_once() -> None:
    scope = replace(NOTHING, vms=["web-02", "prod/web-01", "web-02", story.make_vm_id("db")]).build_scope(NOW)

    assert scope.vms == (Selector("web-02"), Selector("prod/web-01"), Selector(story.make_vm_id("db")))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        *(
            ({"vms": [one]}, "not name a VM")
            for one in ("", "/", "a/b/c", "/subscriptions/1/resourceGroups/2", "prod/")
        ),
        *(({"resource_group": [word]}, "names no resource group") for word in ("a/b", "", "   ", "/")),
        *(({"tag": [word]}, "KEY=VALUE") for word in ("app", "=shop")),
        ({"subscription": ["a/../b"]}, "no subscription's id"),
        ({"vms": ["web-01"], "everything": True}, "contradict"),
        ({"since": "2026-03-02T09:00Z", "until": "2026-03-02T08:00Z"}, "does not lie before"),
        ({"since": "2026-03-02T09:00Z", "until": "2026-03-02T09:00Z"}, "does not lie before"),
        ({"since": "1d", "until": "3d"}, "does not lie before"),
        ({"since": "0h"}, "does not lie before"),
        ({"since": "2026-03-01", "until": "2d"}, "does not lie before"),
    ],
)
def test_words_that_make_no_scope_are_a_usage_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        replace(NOTHING, **options).build_scope(NOW)


def test_a_list_that_is_not_there_or_not_text_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "vms.bin"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UsageError, match="neither UTF-8"):
        replace(NOTHING, vms_from=str(file)).build_scope(NOW)
    with pytest.raises(UsageError, match="No such file"):
        replace(NOTHING, vms_from=str(tmp_path / "none")).build_scope(NOW)


def test_unreachable_since_is_said_of_named_vms() -> None:
    stated = "2026-03-02T08:16Z"
    named = replace(NOTHING, vms=["web-01"]).build_scope(NOW)

    assert resolve_unreachable_since(stated, named, NOW, is_live=True) == datetime(2026, 3, 2, 8, 16, tzinfo=UTC)
    assert resolve_unreachable_since(None, named, NOW, is_live=True) is None
    with pytest.raises(UsageError, match="none is named"):
        resolve_unreachable_since(stated, NOTHING.build_scope(NOW), NOW, is_live=True)


@pytest.mark.parametrize("until", [None, "2026-03-02T08:00Z"])
def test_unreachable_since_lies_within_what_is_looked_at(until: str | None) -> None:
    lost = "2026-03-02T11:00Z" if until is None else "2026-03-02T08:16Z"
    scope = replace(NOTHING, vms=["web-01"], until=until).build_scope(NOW)

    with pytest.raises(UsageError, match="lies after"):
        resolve_unreachable_since(lost, scope, NOW, is_live=True)


def test_tags_are_pairs_of_which_only_the_key_must_be_there() -> None:
    assert replace(NOTHING, tag=["app=shop=1", "on="]).build_scope(NOW).tags == (("app", "shop=1"), ("on", ""))


def test_the_subscription_of_the_environment_counts_only_where_none_is_named() -> None:
    assert NOTHING.build_scope(NOW, "AAA").subscriptions == {"aaa"}
    assert replace(NOTHING, subscription=["bbb"]).build_scope(NOW, "aaa").subscriptions == {"bbb"}


def test_archive_and_list_cannot_share_standard_input(vmdiag: Runner) -> None:
    ran = vmdiag("check", "-", "--source", "-")

    assert ran.code == 2
    assert "standard input" in ran.err


@pytest.mark.parametrize(
    ("since", "until", "end", "expected"),
    [
        ("3d", "1d", "2026-03-02T10:00", ("2026-02-27T10:00", "2026-03-01T10:00")),
        ("2h", "2026-03-01T12:00Z", "2026-03-02T10:00", ("2026-03-01T10:00", "2026-03-01T12:00")),
        ("08:16", None, "2026-03-02T10:00", ("2026-03-02T08:16", "2026-03-02T10:00")),
        ("08:16Z", None, "2026-02-10T07:00", ("2026-02-09T08:16", "2026-02-10T07:00")),
        ("08:16", "09:30", "2026-03-02T10:00", ("2026-03-02T08:16", "2026-03-02T09:30")),
        ("09:30", "08:16", "2026-03-02T10:00", ("2026-03-01T09:30", "2026-03-02T08:16")),
        ("08:16", "08:16", "2026-03-02T10:00", ("2026-03-01T08:16", "2026-03-02T08:16")),
        ("2h", "08:16", "2026-02-10T07:00", ("2026-02-09T06:16", "2026-02-09T08:16")),
        ("08:16", "2026-01-05T03:00Z", "2026-03-02T10:00", ("2026-01-04T08:16", "2026-01-05T03:00")),
        ("08:16", "4h", "2026-03-02T10:00", ("2026-03-01T08:16", "2026-03-02T06:00")),
    ],
)
def test_spans_count_back_and_times_of_day_lie_before_the_end(
    since: str, until: str | None, end: str, expected: tuple[str, str]
) -> None:
    scope = replace(NOTHING, since=since, until=until).build_scope(NOW)
    window = scope.window(datetime.fromisoformat(end).replace(tzinfo=UTC))

    assert (window.start, window.end) == tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in expected)


def test_a_time_of_day_of_an_archive_lies_before_its_last_record(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "web-01", "--source", log, "--since", "07:00", "--unreachable-since", "08:16Z", "-o", "json")
    report = json.loads(ran.out)

    assert report["window"] == {"from": "2026-03-02T07:00:00Z", "to": "2026-03-02T10:00:00Z"}
    assert report["cases"][0]["failed_at"] == "2026-03-02T08:16:00Z"
    assert "operator" in report["cases"][0]["losses"][0]["signals"]


@pytest.mark.parametrize(("stated", "where"), [("2026-03-03", "after"), ("2026-01-01", "before")])
def test_what_the_operator_states_of_a_time_that_was_not_read_is_an_error_and_not_left_out(
    vmdiag: Runner, log: Path, stated: str, where: str
) -> None:
    ran = vmdiag("check", "web-01", "--source", log, "--unreachable-since", stated)

    assert (ran.code, ran.out) == (2, "")
    assert f"lies {where} what is looked at" in ran.err
