"""What a support ticket needs, as lines to paste; must not know a format."""

from collections.abc import Iterator

from vmdiag.diagnosis.model import Case, Stance
from vmdiag.wording import narrative, redeploy_outcome, scenario_texts
from vmdiag.wording.sanitize import name, sentence
from vmdiag.wording.time_formats import iso


def fields(case: Case) -> Iterator[tuple[str, str]]:
    """Label and text of every line that identifies the VM and the incident."""
    vm, diagnosis = case.vm, case.diagnosis
    yield "Virtual machine", name(vm.id.name)
    if vm.id.scale_set:
        yield "Scale set", name(vm.id.scale_set)
    yield "Resource group", name(vm.id.resource_group)
    yield "Subscription", name(vm.id.subscription)
    yield "Region", name(vm.location or "unknown")
    yield "Size, OS", f"{name(vm.size or 'unknown')}, {name(vm.os or 'unknown')}"
    if diagnosis.migrated_at:
        yield "Live migration", iso(diagnosis.migrated_at)
    if diagnosis.failed_at:
        yield "Lost since", f"{iso(diagnosis.failed_at)}, still lost at {iso(case.window.end)}"
    done = case.mitigation
    ours = [done.started_at] if done is not None and done.started_at is not None else []
    yield "Redeployed", ", ".join(map(iso, ours or redeploy_outcome.redeploys(case))) or "yes"
    if done is not None:
        # Of the operation's long address support needs the last part.
        operation = (done.operation or "").rpartition("/")[2]
        ids = (("Operation", operation), ("Correlation id", done.correlation), ("Request id", done.request))
        yield from ((title, name(text)) for title, text in ids if text)
    yield "Pattern", _pattern(case)


def evidence(case: Case) -> Iterator[str]:
    """The reasons for the verdict, one a line."""
    for found in narrative.evidence(case, Stance.FOR, Stance.AGAINST):
        at = f"{iso(found.at)} " if found.at else ""
        against = "speaks against it: " if found.stance is Stance.AGAINST else ""
        yield f"{at}{found.signal}: {against}{sentence(found.says)}"


def _pattern(case: Case) -> str:
    scenario = scenario_texts.scenario_of(case)
    return (scenario.code if scenario else None) or case.diagnosis.finding.scenario
