"""The page as a parser sees it: self-contained, said in the other formats' words, and never too large."""

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from tests.renderers import cases
from tests.renderers.gallery import render_report
from tests.renderers.page_reader import read_page
from vmdiag.diagnosis.model import Case, State
from vmdiag.model import Gap, Series, Signal, Window
from vmdiag.renderers._timeline_chart import build_chart, list_ticks
from vmdiag.values import replace
from vmdiag.wording import evidence, narrative

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def make_large_fleet(count: int) -> list[Case]:
    """So many VMs, one in ten of them affected."""
    build = (cases.make_confirmed_case, *[cases.make_clear_case] * 9)
    return [
        replace(build[number % len(build)](), vm=cases.make_machine(f"web-{number:05}", group=f"rg-shop-{number % 40}"))
        for number in range(count)
    ]


def test_the_policy_lets_nothing_run_but_the_one_style_and_the_one_script_of_the_page() -> None:
    page = read_page(render_report("html", cases.make_report(cases.make_fleet())))
    digests = {name: b64encode(sha256(text.encode()).digest()).decode() for name, text in page.parts.items()}

    assert page.policy == (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    attributes = {name for _, *names in page.outline for name in names}
    assert not {name for name in attributes if name in {"src", "srcset", "style", "action"} or name.startswith("on")}
    assert not {tag for tag, *_ in page.outline} & {"img", "link", "iframe", "object", "embed", "base"}
    assert not re.search(r"url\((?!#)|@import", page.parts["style"])


@pytest.mark.parametrize("build", cases.CASE_BUILDERS.values())
def test_a_story_says_what_the_other_formats_say(build: Callable[[], Case]) -> None:
    case = build()
    told = " ".join(" ".join(read_page(render_report("html", cases.make_report([case]))).texts).split())
    wanted = [narrative.write_headline(case), *narrative.write_narrative(case), *narrative.write_next_steps(case)]
    wanted += [text for row in narrative.list_summary_rows(case) for text in row]
    wanted += [one.says for _, found in evidence.group_evidence(case) for one in found]
    wanted += [gap.reason for gap in case.gaps]

    if case.diagnosis.verdict.value != "clear" or case.diagnosis.state is State.OPEN:
        assert not [text for text in wanted if text not in told]


def test_two_thousand_vms_are_at_most_three_megabytes_and_stories_that_find_no_room_are_counted() -> None:
    usual = render_report("html", cases.make_report(make_large_fleet(2000)))
    dead = [cases.make_hostile_case("<&\U0001f600>" * 3000 + str(number)) for number in range(200)]
    worst = render_report("html", cases.make_report([*dead, *make_large_fleet(1800)]))

    assert len(read_page(usual).rows) == len(read_page(worst).rows) == 2000
    assert len(usual.encode()) <= 3_000_000
    assert len(worst.encode()) <= 5_000_000
    assert "more are told in the table only" in worst


def test_the_chart_shows_the_loss_the_unread_and_the_readings_where_they_lie() -> None:
    case = replace(
        cases.make_recovered_case(),
        heartbeats=cases.make_heartbeats(),
        gaps=(Gap(signal=Signal.HEALTH, window=Window(cases.LOST, cases.END), reason="no permission"),),
    )
    chart = build_chart(case)
    assert chart is not None
    (band,), lanes = chart.bands, {lane.title: lane for lane in chart.lanes}
    marks = {mark.look: mark.x for mark in chart.marks}

    assert marks["migration"] < marks["lost"] == band.x
    assert band.x + band.width == pytest.approx(marks["back"], abs=0.2)
    assert {bar.look for bar in lanes["health"].bars} == {"unread"}
    assert {bar.look for bar in lanes["heartbeat"].bars} == {"shows-loss"}
    assert lanes["heartbeat"].curve
    assert lanes["heartbeat"].peak == "Heartbeat, peak 1 a minute"
    assert lanes["traffic"].curve.count("Z") == 1
    assert "lost from 2026-03-02 08:16:00 UTC to 2026-03-02 09:01:00 UTC, 45 min" in chart.says


def test_a_curve_is_broken_where_readings_are_missing() -> None:
    whole = cases.make_curve()
    kept = [pair for number, pair in enumerate(zip(whole.times, whole.values, strict=True)) if not 40 < number < 60]
    curve = replace(whole, times=tuple(at for at, _ in kept), values=tuple(value for _, value in kept))
    chart = build_chart(replace(cases.make_confirmed_case(), curve=curve))

    assert chart is not None
    assert chart.lanes[0].curve.count("M") == 2


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (timedelta(hours=4), ["12:00", "12:30", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00"]),
        (timedelta(days=3), ["12:00", "03-03", "12:00", "03-04", "12:00", "03-05", "12:00"]),
        (timedelta(), ["12:00"]),
    ],
)
def test_an_axis_has_round_times(length: timedelta, labels: list[str]) -> None:
    assert [label for _, label in list_ticks(Window(NOON, NOON + length))] == labels


@pytest.mark.parametrize("values", [(float("inf"), 1.0), (float("nan"),) * 2, (1e308, -5.0), (0.0, 0.0)])
def test_no_instant_and_no_reading_is_too_strange_to_be_drawn(values: tuple[float, float]) -> None:
    curve = Series(name="x" * 500, signal=Signal.TRAFFIC, times=(FIRST, LAST), values=values)
    diagnosis = replace(cases.make_confirmed_case().diagnosis, migrated_at=FIRST, failed_at=LAST)
    for strange in (curve, replace(curve, times=(), values=()), None):
        case = replace(cases.make_confirmed_case(), curve=strange, diagnosis=diagnosis, window=Window(FIRST, LAST))
        told = render_report("html", cases.make_report([case]))

        assert "<svg viewBox" in told
        assert not re.search(
            r"(?<![a-z])(?:nan|inf)(?![a-z])", " ".join(re.findall(r"<(?:rect|path|line)[^>]*>", told))
        )
