"""`vmdiag explain`: the list, the pages, and what to do with a name nobody knows."""

import pytest

from tests.conftest import Runner
from vmdiag import plugins
from vmdiag.cli.explain import format_page
from vmdiag.diagnosis import scenarios
from vmdiag.diagnosis.model import Scenario

CODE = "NetworkDatapathLiveMigrationSerializationError"
SCENARIOS = [plugins.load(scenarios, name).SCENARIO for name in plugins.list_names(scenarios)]


def test_the_list_holds_every_scenario_with_its_title(vmdiag: Runner) -> None:
    ran = vmdiag("explain")

    assert ran.code == 0
    for scenario in SCENARIOS:
        assert f"{scenario.id} " in ran.out
        assert scenario.title in ran.out
    assert CODE in ran.out


@pytest.mark.parametrize("name", ["live-migration-datapath", "LIVE-Migration-Datapath", CODE, CODE.lower()])
def test_a_scenario_is_found_by_id_or_azures_code_in_any_letter_case(vmdiag: Runner, name: str) -> None:
    ran = vmdiag("explain", name)

    assert ran.code == 0
    assert f"Azure's code: {CODE}" in ran.out
    assert "Published for: public, US Government, USNat, USSec (not China)" in ran.out


def test_an_unknown_name_is_a_usage_error_with_near_names(vmdiag: Runner) -> None:
    ran = vmdiag("explain", "live-migration")

    assert ran.code == 2
    assert "Did you mean live-migration-datapath?" in ran.err


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.id))
@pytest.mark.parametrize("width", [1, 60, 80, 500])
def test_a_page_is_wrapped_loses_no_word_and_indents_a_list_item(scenario: Scenario, width: int) -> None:
    lines = list(format_page(scenario, width))

    assert all(len(line) <= min(max(width, 40), 100) for line in lines[3:] if " " in line.strip("- "))
    assert set(scenario.page.split()) <= set("\n".join(lines).split())
    assert all(remedy.split()[0] in "\n".join(lines) for remedy in scenario.remedies)
    if (scenario.id, width) == ("live-migration-datapath", 1):
        item = next(number for number, line in enumerate(lines) if line.startswith("B  "))
        assert lines[item + 1].startswith("   ")


def test_the_page_has_the_terminals_width(vmdiag: Runner) -> None:
    narrow = vmdiag("explain", "user-stop", COLUMNS="50")

    assert max(len(line) for line in narrow.out.splitlines() if "://" not in line) <= 50
