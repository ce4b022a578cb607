"""The sentences that the terminal and Markdown share: what happened, when, why, what next.

Strangers' words are cut to length here and neutralised by the format, which alone knows what is dangerous in it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from vmdiag.diagnosis.model import (
    UNEXPLAINED,
    Action,
    Case,
    Extent,
    Scenario,
    Stance,
    State,
    Verdict,
)
from vmdiag.mitigation import list_instructions
from vmdiag.model import NO_SUCH_VM, Kind
from vmdiag.wording import redeploy_texts
from vmdiag.wording.evidence import (
    collect_sentences,
    describe_observers,
    format_scenario_title,
    get_scenario,
    load_scenario,
    select_evidence,
)
from vmdiag.wording.plain_text import format_duration, format_instant, format_vm_name, shorten_name, shorten_sentence

_OPEN_STATE_WORDS = {
    Extent.FULL: "still unreachable",
    Extent.PARTIAL: "a part of its traffic is still gone",
    Extent.INTERMITTENT: "lost on and off",
}
_UNREACHABLE_WORDS = {
    Extent.FULL: "it cannot be reached",
    Extent.PARTIAL: "a part of its traffic does not arrive",
    Extent.INTERMITTENT: "it cannot be reached, on and off,",
}
# What is nearer than this is told as one moment.
_SAME_MOMENT = timedelta(seconds=1)
INCOMPLETE_READ_PREFIX = "No trouble in what was read"
# Of the reasons for a doubtful verdict, so many before those against it.
_MAX_REASONS = 2


def write_headline(case: Case) -> str:
    """The answer in one sentence: what is true now of a VM that was redeployed, else what was found."""
    return redeploy_texts.describe_current_state(case, shorten_name(case.vm.id.name)) or describe_diagnosis(case)


def describe_diagnosis(case: Case) -> str:
    """The diagnosis in one sentence."""
    vm = shorten_name(case.vm.id.name)
    diagnosis = case.diagnosis
    if diagnosis.verdict.is_flagged:
        surely = "" if diagnosis.verdict is Verdict.CONFIRMED else "probably "
        own = diagnosis.finding.explains
        # The loss that the verdict is about may have left a part of the traffic alone.
        is_partial = any(loss.interval == own and loss.extent is Extent.PARTIAL for loss in diagnosis.losses)
        path = "a part of its network path" if is_partial else "its network path"
        endings = {State.RECOVERED: ", and is back", State.REDEPLOYED: ", and a redeploy helped"}
        ending = endings.get(diagnosis.state or State.OPEN, "")
        if diagnosis.recommendation.action is Action.ESCALATE and diagnosis.state is State.OPEN:
            ending = ", and a redeploy did not help"
        elif diagnosis.explanation != diagnosis.finding.scenario and diagnosis.loss is not None:
            ending = f", came back, and {'is' if diagnosis.state is State.OPEN else 'was'} lost again"
        return f"{vm} {surely}lost {path} after a live migration{ending}"
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        early = diagnosis.recommendation.action is Action.WAIT
        why = "too early to tell" if early else "not enough was seen to tell"
        return f"{vm}: {NO_SUCH_VM if case.is_unknown else why}"
    says = "was not live-migrated, and no loss was seen"
    if diagnosis.explanation == UNEXPLAINED:
        says = "was lost, and no live migration explains it"
    elif diagnosis.explanation is not None:
        says = "was lost for another reason than a live migration"
    elif diagnosis.silent_since is not None:
        says = "carries its usual traffic, but its monitoring agent is silent"
    elif diagnosis.migrated_at is not None:
        says = "was live-migrated and took no harm"
    elif any("unseen" in event.facts for event in case.story_events):
        says = "was not live-migrated, and of a loss only the end was seen"
    return f"{vm} {says}"


def list_summary_rows(case: Case) -> Iterator[tuple[str, str]]:
    """The first dozen lines: labels and what stands beside them."""
    diagnosis, vm = case.diagnosis, case.vm
    known = (vm.os, vm.size, vm.location, vm.power_state)
    yield "VM", ", ".join([format_vm_name(vm.id), *(shorten_name(word) for word in known if word)])
    if case.is_unknown:
        yield "Why", explain_verdict(case)
        return
    if redeploy_texts.get_banner_word(case) is not None:
        yield "Verdict", f"{diagnosis.verdict}: {describe_diagnosis(case)}"
    at = diagnosis.migrated_at
    undated = any(event.kind is Kind.LIVE_MIGRATION and "undated" in event.facts for event in case.events)
    unseen = "at a time that nothing tells" if undated else "no live migration was seen"
    yield "Migrated", f"{format_instant(at)}, {format_duration(case.window.end - at)} ago" if at else unseen
    if diagnosis.failed_at is not None:
        lost = diagnosis.failed_at
        if at is None:
            when = f"{format_duration(case.window.end - lost)} ago"
        elif abs(lost - at) < _SAME_MOMENT:
            when = "at the migration"
        else:
            when = f"{format_duration(abs(lost - at))} {'before' if lost < at else 'after'} the migration"
        extent = {Extent.PARTIAL: ", in part", Extent.INTERMITTENT: ", on and off"}.get(_get_extent(case), "")
        yield "Lost", f"{format_instant(lost)}, {when}{extent}"
    yield "Now", describe_state(case)
    if diagnosis.silent_since is not None:
        yield "Agent", f"silent since {format_instant(diagnosis.silent_since)}"
    done = redeploy_texts.describe_mitigation(case)
    if done is not None:
        yield "Redeploy", done
    yield "Why", explain_verdict(case)


def describe_next_step(case: Case) -> tuple[str, str]:
    """The next step: the word for it, and the rest of the sentence."""
    recommendation = case.diagnosis.recommendation
    says = shorten_sentence(recommendation.says)
    word = recommendation.action.value.capitalize()
    if recommendation.action is Action.NONE:
        word = INCOMPLETE_READ_PREFIX if says.startswith(INCOMPLETE_READ_PREFIX) else "Nothing to do"
    if says.lower().startswith(word.lower()):
        return says[: len(word)], f"{says[len(word) :]}."
    return word, f": {says}." if says else "."


def describe_state(case: Case) -> str:
    """How things stand at the end of the window."""
    diagnosis = case.diagnosis
    lost, back = diagnosis.failed_at, diagnosis.recovered_at
    ended = f" since {format_instant(back)}" if back else ""
    after = f", after {format_duration(back - lost)}" if back and lost else ""
    match diagnosis.state:
        case State.OPEN:
            since = f", for {format_duration(case.window.end - lost)}" if lost else ""
            return f"{_OPEN_STATE_WORDS[_get_extent(case)]}{since} (as of {format_instant(case.window.end)})"
        case State.RECOVERED:
            return f"reachable again{ended}{after}"
        case State.REDEPLOYED:
            return f"reachable again{ended}{after}, on a new host"
        case None:
            return f"no loss of connectivity is known (as of {format_instant(case.window.end)})"


def explain_verdict(case: Case) -> str:
    """The reasons that decided, in one breath."""
    diagnosis = case.diagnosis
    pro, contra = collect_sentences(case, Stance.FOR), collect_sentences(case, Stance.AGAINST)
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        return (
            "; ".join([*collect_sentences(case, Stance.MISSING), *contra, *pro])
            or "the feeds that would decide were not heard"
        )
    if diagnosis.verdict.is_flagged:
        doubts = contra if diagnosis.verdict is Verdict.SUSPECTED else []
        reasons = pro[: _MAX_REASONS if doubts else None]
        return "; but ".join(filter(None, ("; ".join(reasons), "; ".join(doubts)))) or "the pattern fits"
    if diagnosis.explanation == UNEXPLAINED:
        return "; ".join(["nothing that was read explains the loss", *contra])
    if diagnosis.explanation is not None:
        return f"the loss is explained by: {format_scenario_title(diagnosis.explanation)}"
    return "; ".join(contra) or "no loss of connectivity after a live migration was seen"


def write_narrative(case: Case) -> Iterator[str]:
    """The background, of a flagged VM."""
    diagnosis = case.diagnosis
    if not diagnosis.verdict.is_flagged:
        return
    moved = f" at {format_instant(diagnosis.migrated_at)}" if diagnosis.migrated_at else ""
    own = diagnosis.finding.explains
    lost = own.start if own is not None else diagnosis.failed_at
    since = f" about {format_instant(lost)}" if lost else " then"
    stack = "its network stack was not initialised on the new host as it should be"
    stack = stack if diagnosis.verdict is Verdict.CONFIRMED else f"it looks as if {stack}"
    first = f"Azure moved this VM to another host while it ran (a live migration){moved}. Afterwards {stack}:"
    over = f"{first} from{since} on it could not be reached from outside its virtual network."
    if own is not None and own.start != diagnosis.failed_at and diagnosis.failed_at is not None:
        yield (
            f"{over} That loss has ended. Another one began about {format_instant(diagnosis.failed_at)}, which is not "
            f"blamed on the migration: the VM is {describe_state(case)}."
        )
    elif diagnosis.state is State.OPEN:
        guest = " Its guest may be alive and well, and Azure may call it available: that does not test the network."
        is_off = (case.vm.power_state or "").lower() in {"stopped", "deallocated"}
        against = select_evidence(case, Stance.AGAINST)
        can_be_alive = not is_off and not any("not seen alive" in found.says for found in against)
        yield (
            f"{first} since{since} {_UNREACHABLE_WORDS[_get_extent(case)]} from outside its virtual network."
            f"{guest if can_be_alive else ''}"
        )
    else:
        yield f"{over} That is over: it is {describe_state(case)}."
    observers = describe_observers(case)
    if observers:
        yield f"Who looked at it: {observers}."
    scenario = get_scenario(case)
    code = f" ({scenario.code} in Azure's words)" if scenario and scenario.code else ""
    yield f"This pattern{code} is inferred from public signals; Azure has not confirmed it."


def write_next_steps(case: Case) -> Iterator[str]:
    """What to do and what it costs, in a few paragraphs."""
    yield "".join(describe_next_step(case))
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        yield (
            "A redeploy shuts the VM down, starts it on another host, and builds its network port anew. A restart "
            f"keeps the host, so it is unlikely to help. {redeploy_texts.REDEPLOY_IMPACT}"
        )
    cause = _get_other_cause(case)
    if cause is not None:
        if case.diagnosis.state is State.OPEN:
            yield f"What helps: {' '.join(cause.remedies)}"
        yield f"vmdiag explain {cause.id} tells what it is and how it is told from a live migration's loss."


def list_commands(case: Case) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
    """The commands of the next step, as groups of words, each time below what they do; or why there is none."""
    advice, cause = case.diagnosis.recommendation, _get_other_cause(case)
    says, action = redeploy_texts.BARE_COMMAND, "redeploy" if advice.action is Action.REDEPLOY else None
    if action is None and cause is not None and case.diagnosis.state is State.OPEN:
        says, action = redeploy_texts.REMEDY_COMMAND.format(cause.vm_action), cause.vm_action
    if action is None:
        return
    guarded = redeploy_texts.split_guarded_commands(case.vm) if advice.action is Action.REDEPLOY else ()
    if guarded:
        yield redeploy_texts.GUARDED_COMMANDS, guarded
    command = redeploy_texts.split_command(case.vm, action)
    yield (says, (command,)) if command else (redeploy_texts.IMPLAUSIBLE_ID_WARNING, ())


def _get_other_cause(case: Case) -> Scenario | None:
    """The scenario that explains the latest loss, where it is not the one that was asked about."""
    explanation = case.diagnosis.explanation
    is_other = explanation is not None and explanation != case.diagnosis.finding.scenario
    return load_scenario(explanation) if explanation is not None and is_other else None


def list_links(case: Case) -> Iterator[tuple[str, str]]:
    """Where to read on: the instructions that fit, the case's own links, the background."""
    advice = case.diagnosis.recommendation
    ours: list[tuple[str, str]] = []
    if advice.action is Action.REDEPLOY:
        ours = [(f"Redeploy, {os}", url) for os, url in list_instructions(case.vm.os)]
    cause = _get_other_cause(case)
    # The page that a scenario's own page names as its source.
    ours += [(f"About {cause.id}", url) for url in re.findall(r"https://\S+", cause.page)] if cause else []
    is_flagged = case.diagnosis.verdict.is_flagged
    background = [("Live migration", redeploy_texts.MAINTENANCE_PAGE)] if is_flagged else []
    yield from ours
    known = {url for _, url in (*ours, *background)}
    yield from (("See also", shorten_sentence(url)) for url in dict.fromkeys(advice.links) if url not in known)
    yield from background


def _get_extent(case: Case) -> Extent:
    loss = case.diagnosis.loss
    return loss.extent if loss is not None else Extent.FULL
