"""Finds what is known of a scenario besides its id: title, Azure's code, clouds; must not judge anything."""

from functools import cache

from vmdiag import plugins
from vmdiag.diagnosis import scenarios
from vmdiag.diagnosis.model import Case, Scenario


def get_scenario(case: Case) -> Scenario | None:
    """The scenario that was asked about, when it is known."""
    return case.scenario or load_scenario(case.diagnosis.finding.scenario)


@cache
def load_scenario(scenario: str) -> Scenario | None:
    """The scenario with this id; `None` when there is no such plug-in."""
    if scenario not in plugins.list_names(scenarios):
        return None
    found = getattr(plugins.load(scenarios, scenario), "SCENARIO", None)
    return found if isinstance(found, Scenario) else None


def format_scenario_title(scenario: str) -> str:
    """A few words for a scenario id, or the id itself."""
    found = load_scenario(scenario)
    return scenario if found is None else f"{found.title} ({scenario})"


def describe_unpublished_cloud(case: Case, cloud: str) -> str | None:
    """A sentence when Azure never published the scenario for the cloud that was read."""
    scenario = get_scenario(case)
    # Of a cloud that is given by its address nothing is known, so nothing is said.
    if scenario is None or not scenario.clouds or cloud in scenario.clouds or "://" in cloud:
        return None
    return f"Azure did not publish the scenario {scenario.id} for the cloud {cloud}: read the verdicts with care."
