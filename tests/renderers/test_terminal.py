"""The terminal: the answer first, nothing too wide, nothing that needs colour."""

import io
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.renderers import cases, redeploy_cases
from tests.renderers.gallery import draw_on_terminal, list_scenes, render_report, write
from vmdiag.diagnosis.model import Case, State
from vmdiag.identity import VmId
from vmdiag.model import Event, Kind, Signal
from vmdiag.renderers import begin_report, terminal
from vmdiag.values import replace
from vmdiag.wording.redeploy_texts import get_banner_word

SCENES = dict(list_scenes())
LONG = "word " * 400


def draw(*found: Case, width: int = 80) -> str:
    return draw_on_terminal(cases.make_report(found), width)


def top(case: Case, width: int = 80) -> str:
    """The first dozen lines."""
    return "\n".join(draw(case, width=width).splitlines()[:12])


def advised(case: Case, **changes: object) -> Case:
    """The case with another diagnosis."""
    return replace(case, diagnosis=replace(case.diagnosis, **changes))


def pooled(case: Case) -> Case:
    """The case of a uniform scale set's instance."""
    return replace(case, vm=replace(case.vm, id=VmId(subscription="s", resource_group="g", name="3", scale_set="pool")))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("name", SCENES)
def test_no_line_is_wider_than_the_screen(name: str, width: int) -> None:
    lines = draw_on_terminal(cases.make_report(SCENES[name], others=412), width).splitlines()
    # A command is never wrapped: half of one is worse than a long line.
    prose = [line for line in lines if not line.startswith("    ") or not ("--" in line or "vmdiag check" in line)]

    assert max(map(cell_len, prose)) <= width
    assert width < 80 or max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("name", cases.CASE_BUILDERS | redeploy_cases.CASE_BUILDERS)
def test_the_first_dozen_lines_answer(name: str) -> None:
    case = (cases.CASE_BUILDERS | redeploy_cases.CASE_BUILDERS)[name]()
    told = top(case)

    word = get_banner_word(case)
    assert (word or case.diagnosis.verdict.upper()) in told.splitlines()[0]
    assert case.diagnosis.verdict in told.lower()
    for label in ("VM", "Migrated", "Lost", "Now", "Why", "Next"):
        assert re.search(rf"^  {label}  ", told, re.MULTILINE), label


@pytest.mark.parametrize("width", [80, 120])
def test_the_first_dozen_lines_answer_however_long_the_words_are(width: int) -> None:
    case = cases.make_confirmed_case()
    advice = replace(case.diagnosis.recommendation, says=LONG)
    evidence = tuple(replace(one, says=LONG) for one in case.diagnosis.finding.evidence)
    finding = replace(case.diagnosis.finding, evidence=evidence)
    case = advised(case, finding=finding, findings=(finding,), recommendation=advice)
    told = top(replace(case, vm=cases.make_machine("n" * 64, group="g" * 90)), width)

    assert re.findall(r"^  (\w+)  ", told, re.MULTILINE) == ["VM", "Migrated", "Lost", "Now", "Why", "Next"]
    assert "…" in told


CONFIRMED = cases.make_confirmed_case()
IDS = "--subscription 11111111-2222-3333-4444-555555555555 --resource-group prod --name web-01"
LINUX, WINDOWS = "redeploy-to-new-node-linux", "redeploy-to-new-node-windows"


@pytest.mark.parametrize(
    ("case", "told", "untold"),
    [
        pytest.param(CONFIRMED, ["2026-03-02 08:14:05 UTC, 1 h 45 min ago", "still unreachable, for 1 h 44 min",
         "2026-03-02 08:16:00 UTC, 1 min 55 s after the migration"], [], id="when and for how long"),
        pytest.param(CONFIRMED, [f"az vm redeploy {IDS}"], [], id="the command names exactly this VM"),
        pytest.param(pooled(CONFIRMED), ["az rest --method post --url '/subscriptions/s/resourceGroups/g/"],
         ["az vm redeploy"], id="a uniform scale set's instance is redeployed by its address"),
        *(pytest.param(cases.CASE_BUILDERS[name](), [], ["az vm redeploy", "How to redeploy"], id=f"{name}: no advice")
          for name in ("recovered", "escalate", "inconclusive", "clear")),
        pytest.param(replace(CONFIRMED, vm=cases.make_machine("web-01", None)), [LINUX, WINDOWS], [],
         id="an unknown operating system"),
        pytest.param(advised(cases.make_suspected_case(), recommendation=replace(
            CONFIRMED.diagnosis.recommendation, links=())), [WINDOWS], [LINUX], id="Windows"),
        pytest.param(advised(cases.make_recovered_case(), state=State.REDEPLOYED),
         ["and a redeploy helped", "could not be reached"], [], id="what a redeploy brought back, in the past"),
        pytest.param(CONFIRMED, ["inferred from public signals; Azure has not confirmed it",
         "ephemeral OS disk everything on it is lost"], [], id="what is only inferred"),
        pytest.param(cases.make_escalated_case(), ["cache-04", "11111111-2222-3333-4444-555555555555",
         "2026-03-02T08:16:00Z", "2026-03-02T09:01:00Z"], [], id="a ticket holds what support asks for"),
    ],
)  # fmt: skip
def test_a_page_says_what_fits_the_case_and_nothing_else(case: Case, told: list[str], untold: list[str]) -> None:
    shown = " ".join(draw(case, width=200).split())

    assert [says for says in told if says not in shown] == []
    assert [says for says in untold if says in shown] == []


@pytest.mark.parametrize(("said", "columns"), [("", 80), ("0", 80), ("120", 120)])
def test_a_pipe_gets_no_escape_and_columns_say_its_width(
    monkeypatch: pytest.MonkeyPatch, said: str, columns: int
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", said)
    told = render_report("terminal", cases.make_report(cases.make_fleet()))

    assert "\x1b" not in told
    assert max(map(cell_len, told.splitlines())) <= columns
    assert said != "120" or told == draw_on_terminal(cases.make_report(cases.make_fleet()), columns)
    assert "web-01" in told


@pytest.mark.parametrize("name", SCENES)
def test_colour_adds_nothing_that_words_do_not_say(name: str) -> None:
    out = io.StringIO()
    terminal.draw_report(
        cases.make_report(SCENES[name]), Console(file=out, width=80, force_terminal=True, color_system="truecolor")
    )
    bare = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[0-9;]*m", "", out.getvalue())

    assert bare == draw_on_terminal(cases.make_report(SCENES[name]), 80)
    assert not re.search(r"\x1b\[[0-9;]*\b(?:30|33|37|90|97)m", out.getvalue())


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Berlin", "2026-03-02 08:16:00 UTC / 09:16:00 CET,"),
        ("America/St_Johns", "2026-03-02 08:16:00 UTC / 04:46:00 NST,"),
        ("Pacific/Kiritimati", "2026-03-02 08:16:00 UTC / 22:16:00 UTC+1400,"),
        ("Pacific/Pago_Pago", "2026-03-02 08:16:00 UTC / 2026-03-01 21:16:00 SST,"),
        ("UTC", "2026-03-02 08:16:00 UTC,"),
    ],
)
def test_a_terminal_shows_its_own_times_beside_utc(zone: str, told: str) -> None:
    """In a process of its own: the zone is the process's."""
    code = (
        "from tests.renderers import cases; from vmdiag.renderers import terminal; from rich.console import Console\n"
        "report = cases.make_report([cases.make_confirmed_case()])\n"
        "terminal.draw_report(report, Console(width=120), local_times=True)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True
    )

    assert f"Lost      {told}" in ran.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_stream_gets_only_what_its_encoding_can_carry(encoding: str) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    report = cases.make_report([*cases.make_fleet(), cases.make_hostile_case("名前 ▁ é")])
    write(begin_report(terminal, report.header, out), report)
    out.flush()

    assert "CONFIRMED" in raw.getvalue().decode(encoding)


def test_the_curve_falls_at_the_marker() -> None:
    lines = draw(CONFIRMED).splitlines()
    curve = next(line for line in lines if "█" in line)
    beats, marker = lines[lines.index(curve) + 1 : lines.index(curve) + 3]

    assert marker.strip() == "└ 08:14 live migration, 08:16 lost"
    assert set(curve[marker.index("└") + 1 :]) == {"▁"}
    assert "▁" not in curve[: marker.index("└") - 1]
    assert beats.endswith("▁  heartbeats")


def test_affected_vms_come_first() -> None:
    told = draw_on_terminal(cases.make_report(cases.make_fleet(), others=1), 80)
    column = re.findall(r"^(confirmed|suspected|inconclusive|clear) +\S+/(\S+)", told, re.MULTILINE)

    assert [name for _, name in column] == ["web-01", "cache-04", "api-03", "sql-02", "job-05", "batch-06"]
    assert "1 other VM was seen" in told


def test_a_story_of_many_events_shows_those_near_the_incident_and_says_so() -> None:
    many = tuple(
        Event(
            at=cases.LOST - timedelta(hours=number), kind=Kind.AVAILABLE, signal=Signal.HEALTH, says=f"event {number}"
        )
        for number in range(200)
    )
    told = draw(replace(CONFIRMED, events=many))

    assert "event 3\n" in told
    assert "event 150" not in told
    assert "more: see the JSON report" in told


def test_hundreds_of_vms_stay_one_line_each() -> None:
    many = [replace(cases.make_clear_case(), vm=cases.make_machine(f"vm-{number}")) for number in range(500)]
    lines = draw(*many, CONFIRMED).splitlines()

    assert sum(line.startswith("clear ") for line in lines) == 500
    assert len(lines) < 560


def test_stories_beyond_what_anybody_reads_are_counted() -> None:
    many = [replace(CONFIRMED, vm=cases.make_machine(f"vm-{number}")) for number in range(40)]

    assert "15 more affected VMs are told in the table only" in draw(*many)


def test_a_cloud_without_the_scenario_is_named() -> None:
    assert "for the cloud china" in draw_on_terminal(cases.make_report([CONFIRMED], cloud="china"), 120)


def test_affected_vms_of_one_group_and_name_are_told_apart_by_their_subscription() -> None:
    first, other = (replace(CONFIRMED, vm=replace(CONFIRMED.vm, id=replace(CONFIRMED.vm.id, subscription=word)))
                    for word in ("sub-a", "sub-b"))  # fmt: skip
    told = draw_on_terminal(cases.make_report([first, other]), 120)

    assert (told.count("subscription sub-a"), told.count("subscription sub-b")) == (1, 1)
    assert "subscription" not in draw_on_terminal(cases.make_report([first, cases.make_suspected_case()]), 120)
