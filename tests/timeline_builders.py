"""Stories in notation and their diagnosis, as the tests tell them."""

from tests import notation
from vmdiag.diagnosis.model import Case, Diagnosis
from vmdiag.diagnosis.ranking import diagnose
from vmdiag.identity import VmId
from vmdiag.model import Timeline
from vmdiag.pipeline import ASKED, find_latest_readings, load_scenarios
from vmdiag.values import replace

SCENARIOS = load_scenarios()


def diagnose_story(story: str | Timeline) -> Diagnosis:
    """The whole answer about a story: the asked scenario against all its rivals."""
    timeline = notation.timeline(story) if isinstance(story, str) else story
    return diagnose(timeline, SCENARIOS[ASKED], [one for name, one in SCENARIOS.items() if name != ASKED])


def make_case(story: str, name: str = "web-01", location: str | None = "westeurope") -> Case:
    """A story as the case of a VM with this name."""
    timeline = notation.timeline(story)
    vm = replace(timeline.vm, id=VmId(subscription="s", resource_group="prod", name=name), location=location)
    timeline = replace(timeline, vm=vm)
    return Case(
        vm=vm,
        window=timeline.window,
        diagnosis=diagnose_story(timeline),
        events=timeline.events,
        gaps=timeline.gaps,
        latest=find_latest_readings(timeline),
    )
