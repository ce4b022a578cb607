"""The laws that every scenario keeps, found by listing the folder: a new file is under them at once."""

import pytest

import vmdiag.diagnosis.scenarios
from tests import notation
from tests.timeline_builders import SCENARIOS
from vmdiag import plugins
from vmdiag.diagnosis.model import Scenario, Verdict
from vmdiag.diagnosis.ranking import diagnose
from vmdiag.model import Coverage, Gap, Signal, Timeline, Window

EXAMPLES = [(name, *example) for name, one in SCENARIOS.items() for example in one.examples]


def without(timeline: Timeline, scenario: Scenario) -> Timeline:
    """The same timeline with the scenario's triggers taken away."""
    events = tuple(event for event in timeline.events if event.kind not in scenario.needs.triggers)
    return Timeline(vm=timeline.vm, window=timeline.window, events=events, series=timeline.series, gaps=timeline.gaps)


def test_every_scenario_of_the_folder_is_loaded() -> None:
    assert plugins.list_names(vmdiag.diagnosis.scenarios) == tuple(sorted(SCENARIOS))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_s_file_name_is_its_id(name: str) -> None:
    assert SCENARIOS[name].id == name
    assert SCENARIOS[name].detect(notation.timeline("12:00 available")).scenario == name


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_s_page_says_what_it_is_how_it_is_told_and_what_to_do(name: str) -> None:
    page = SCENARIOS[name].page

    for part in ("What it is:", "Told from look-alikes", "What to do:", "Source: https://learn.microsoft.com/"):
        assert part in page
    assert SCENARIOS[name].remedies


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_shows_a_look_alike_and_a_hit(name: str) -> None:
    verdicts = {verdict for verdict, _ in SCENARIOS[name].examples}

    assert {Verdict.CLEAR, Verdict.CONFIRMED} <= verdicts


@pytest.mark.parametrize(("name", "verdict", "story"), EXAMPLES)
def test_every_example_is_judged_as_told(name: str, verdict: Verdict, story: str) -> None:
    timeline = notation.timeline(story)

    assert SCENARIOS[name].detect(timeline).verdict is verdict


@pytest.mark.parametrize(("name", "verdict", "story"), EXAMPLES)
def test_no_rival_wins_another_s_confirmed_example(name: str, verdict: Verdict, story: str) -> None:
    asked, rivals = SCENARIOS[name], [one for other, one in SCENARIOS.items() if other != name]
    diagnosis = diagnose(notation.timeline(story), asked, rivals)

    assert diagnosis.verdict is verdict
    if verdict is Verdict.CONFIRMED:
        assert diagnosis.explanation == name


@pytest.mark.parametrize(("name", "story"), [(name, story) for name, _, story in EXAMPLES])
def test_without_its_triggers_a_scenario_is_clear(name: str, story: str) -> None:
    timeline = without(notation.timeline(story), SCENARIOS[name])

    assert SCENARIOS[name].detect(timeline).verdict is Verdict.CLEAR


@pytest.mark.parametrize("name", SCENARIOS)
def test_with_all_signals_missing_nothing_is_clear_or_confirmed(name: str) -> None:
    heard = notation.timeline("12:00 available")
    gaps = tuple(Gap(signal=signal, window=heard.window, reason="not read") for signal in Signal)
    deaf = Timeline(vm=heard.vm, window=heard.window, gaps=gaps)

    assert SCENARIOS[name].detect(deaf).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_triggers(name: str) -> None:
    assert SCENARIOS[name].needs.triggers


def test_a_gap_elsewhere_leaves_a_feed_heard() -> None:
    timeline = notation.timeline("12:00 available")
    early = Window(timeline.window.start, timeline.window.start)
    late = Window(timeline.window.end, timeline.window.end)
    gap = Gap(signal=Signal.HEALTH, window=early, reason="begins later")
    timeline = Timeline(vm=timeline.vm, window=timeline.window, gaps=(gap,))

    assert timeline.measure_coverage(Signal.HEALTH, late) is Coverage.ALL
    assert timeline.measure_coverage(Signal.HEALTH, early) is Coverage.NONE
