"""What a verdict stands on: its scenario, the evidence in order and under headings, and what a support ticket needs."""

from collections.abc import Iterable, Iterator
from functools import cache
from operator import attrgetter

from vmdiag import plugins
from vmdiag.diagnosis import scenarios
from vmdiag.diagnosis.model import Action, Case, Evidence, Scenario, Stance, State, order_evidence
from vmdiag.model import Signal
from vmdiag.wording.plain_text import format_iso, shorten_name, shorten_sentence
from vmdiag.wording.redeploy_texts import list_redeploys_since_loss

# How a piece of evidence is marked.
STANCE_SIGNS = {Stance.FOR: "+", Stance.AGAINST: "-", Stance.MISSING: "?"}


def get_scenario(case: Case) -> Scenario | None:
    """The scenario that was asked about, when it is known."""
    return case.scenario or load_scenario(case.diagnosis.finding.scenario)


@cache
def load_scenario(scenario: str) -> Scenario | None:
    """The scenario with this id; `None` when there is no such plug-in."""
    known = scenario in plugins.list_names(scenarios)
    return plugins.load(scenarios, scenario).SCENARIO if known else None


def format_scenario_title(scenario: str) -> str:
    """A few words for a scenario id, or the id itself."""
    found = load_scenario(scenario)
    return scenario if found is None else f"{found.title} ({scenario})"


def list_cloud_notes(cases: Iterable[Case], cloud: str) -> list[str]:
    """A sentence for each scenario of the cases that Azure never published for the cloud that was read."""
    asked = {scenario.id: scenario for scenario in map(get_scenario, cases) if scenario is not None}
    # Of a cloud that is given by its address nothing is known, so nothing is said.
    return [
        f"Azure did not publish the scenario {name} for the cloud {cloud}: read the verdicts with care."
        for name, scenario in asked.items()
        if scenario.clouds and cloud not in scenario.clouds and "://" not in cloud
    ]


def select_evidence(case: Case, *stances: Stance) -> list[Evidence]:
    """What was found about the scenario asked for, of these stances, in the report's order."""
    return [one for one in order_evidence(case.diagnosis.finding.evidence) if one.stance in stances]


def collect_sentences(case: Case, stance: Stance) -> list[str]:
    """The sentences of one stance, each once, what shows the loss first: that is what a verdict stands on."""
    diagnosis = case.diagnosis
    found = select_evidence(case, stance)
    if diagnosis.finding.wait and stance is Stance.MISSING:
        # Why to wait comes last in the finding and first in what a person wants to know.
        found.reverse()
    signals = [
        signal for loss in diagnosis.losses if loss.interval.start == diagnosis.failed_at for signal in loss.signals
    ]
    if stance is Stance.FOR:
        found.sort(key=lambda one: signals.index(one.signal) if one.signal in signals else len(signals))
    # The migration has a line of its own.
    news = [one for one in found if one.at != diagnosis.migrated_at] or found
    return list(dict.fromkeys(map(shorten_sentence, map(attrgetter("says"), news))))


def describe_observers(case: Case) -> str:
    """Who reached the VM during its latest loss, and who did not any more; empty where nobody looked."""
    loss = case.diagnosis.loss
    if loss is None:
        return ""
    found = select_evidence(case, Stance.FOR, Stance.AGAINST)
    lost = {one.says: one.interval.start for one in loss.channels if one.signal is Signal.MONITOR}
    seen = [one.says for one in found if one.signal in (Signal.MONITOR, Signal.PROOF)]
    reached = [says for says in dict.fromkeys(seen) if says not in lost]
    return "; ".join(map(shorten_sentence, (*reached, *(f"{says}, since {at:%H:%M}Z" for says, at in lost.items()))))


def group_evidence(case: Case) -> Iterator[tuple[str, list[Evidence]]]:
    """The evidence with what it is for or against: the scenario asked for, what explains the loss, the loss itself."""
    diagnosis = case.diagnosis
    asked = select_evidence(case, *Stance)
    if asked:
        yield "For (+) or against (-) a loss by live migration, ? not seen", asked
    explaining = [one for one in diagnosis.findings if one.scenario == diagnosis.explanation]
    if explaining and explaining[0].scenario != diagnosis.finding.scenario and explaining[0].evidence:
        yield f"For (+) or against (-) {explaining[0].scenario}", list(order_evidence(explaining[0].evidence))
    if diagnosis.loss is not None and diagnosis.loss.explained_by != diagnosis.finding.scenario:
        shown = (
            Evidence(
                stance=Stance.FOR, signal=one.signal, says=one.says, at=one.seen_at or one.interval.start, ref=one.ref
            )
            for one in diagnosis.loss.channels
        )
        yield "What shows the loss", list(order_evidence(shown))


def needs_ticket(case: Case) -> bool:
    """Whether support is to be asked: the VM did not come back, and nobody but Azure can do more."""
    return case.diagnosis.recommendation.action is Action.ESCALATE and case.diagnosis.state is not State.RECOVERED


def list_ticket_fields(case: Case) -> Iterator[tuple[str, str]]:
    """Label and text of every line that identifies the VM and the incident."""
    vm, diagnosis = case.vm, case.diagnosis
    yield "Virtual machine", shorten_name(vm.id.name)
    if vm.id.scale_set:
        yield "Scale set", shorten_name(vm.id.scale_set)
    yield "Resource group", shorten_name(vm.id.resource_group)
    yield "Subscription", shorten_name(vm.id.subscription)
    yield "Region", shorten_name(vm.location or "unknown")
    yield "Size, OS", f"{shorten_name(vm.size or 'unknown')}, {shorten_name(vm.os or 'unknown')}"
    if diagnosis.migrated_at:
        yield "Live migration", format_iso(diagnosis.migrated_at)
    if diagnosis.failed_at:
        yield "Lost since", f"{format_iso(diagnosis.failed_at)}, still lost at {format_iso(case.window.end)}"
    done = case.mitigation
    ours = [done.started_at] if done is not None and done.started_at is not None else []
    yield "Redeployed", ", ".join(map(format_iso, ours or list_redeploys_since_loss(case))) or "yes"
    if done is not None:
        # Of the operation's long address support needs the last part.
        operation = (done.operation or "").rpartition("/")[2]
        ids = (("Operation", operation), ("Correlation id", done.correlation), ("Request id", done.request))
        yield from ((title, shorten_name(text)) for title, text in ids if text)
    scenario = get_scenario(case)
    yield "Pattern", (scenario.code if scenario else None) or diagnosis.finding.scenario


def format_evidence(case: Case) -> Iterator[str]:
    """The reasons for the verdict, one a line."""
    for found in select_evidence(case, Stance.FOR, Stance.AGAINST):
        at = f"{format_iso(found.at)} " if found.at else ""
        against = "speaks against it: " if found.stance is Stance.AGAINST else ""
        yield f"{at}{found.signal}: {against}{shorten_sentence(found.says)}"
