"""What a support ticket needs, as lines to paste; must not know a format."""

from collections.abc import Iterator

from vmdiag.diagnosis.model import Case, Stance
from vmdiag.wording import narrative, redeploy_outcome, scenario_texts
from vmdiag.wording.sanitize import shorten_name, shorten_sentence
from vmdiag.wording.time_formats import format_iso


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
    yield "Redeployed", ", ".join(map(format_iso, ours or redeploy_outcome.list_redeploy_times(case))) or "yes"
    if done is not None:
        # Of the operation's long address support needs the last part.
        operation = (done.operation or "").rpartition("/")[2]
        ids = (("Operation", operation), ("Correlation id", done.correlation), ("Request id", done.request))
        yield from ((title, shorten_name(text)) for title, text in ids if text)
    yield "Pattern", _get_pattern_code(case)


def format_evidence(case: Case) -> Iterator[str]:
    """The reasons for the verdict, one a line."""
    for found in narrative.select_evidence(case, Stance.FOR, Stance.AGAINST):
        at = f"{format_iso(found.at)} " if found.at else ""
        against = "speaks against it: " if found.stance is Stance.AGAINST else ""
        yield f"{at}{found.signal}: {against}{shorten_sentence(found.says)}"


def _get_pattern_code(case: Case) -> str:
    scenario = scenario_texts.get_scenario(case)
    return (scenario.code if scenario else None) or case.diagnosis.finding.scenario
