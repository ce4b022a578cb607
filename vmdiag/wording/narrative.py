"""The sentences that the terminal and Markdown share: what happened, when, why, what next; must not know a format.

Strangers' words are cut to length here and neutralised by the format, which alone knows what is dangerous in it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from vmdiag.diagnosis import model
from vmdiag.diagnosis.model import Action, Case, Diagnosis, Evidence, Extent, Stance, State, Verdict, order_evidence
from vmdiag.model import NO_SUCH_VM, Kind
from vmdiag.wording import redeploy_instructions, redeploy_outcome, scenario_texts
from vmdiag.wording.sanitize import shorten_name, shorten_sentence
from vmdiag.wording.time_formats import format_duration, format_instant

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


def sort_cases(cases: Iterable[Case]) -> list[Case]:
    """Affected first: by verdict, then those still lost, then as they came."""
    verdicts = list(Verdict)
    return sorted(
        cases, key=lambda case: (verdicts.index(case.diagnosis.verdict), case.diagnosis.state is not State.OPEN)
    )


def format_vm_name(case: Case) -> str:
    """The VM as `group/name`."""
    vm = case.vm.id
    return f"{shorten_name(vm.resource_group)}/{shorten_name(vm.name)}"


def describe_vm(case: Case) -> str:
    """The VM and what the inventory says of it."""
    vm = case.vm
    known = (vm.os, vm.size, vm.location, vm.power_state)
    return ", ".join([format_vm_name(case), *(shorten_name(word) for word in known if word)])


def write_headline(case: Case) -> str:
    """The answer in one sentence: what is true now of a VM that was redeployed, else what was found."""
    return redeploy_outcome.describe_current_state(case, shorten_name(case.vm.id.name)) or describe_diagnosis(case)


def describe_diagnosis(case: Case) -> str:
    """The diagnosis in one sentence."""
    vm = shorten_name(case.vm.id.name)
    diagnosis = case.diagnosis
    if diagnosis.verdict.is_flagged:
        surely = "" if diagnosis.verdict is Verdict.CONFIRMED else "probably "
        path = "a part of its network path" if _is_partial_loss(case) else "its network path"
        return f"{vm} {surely}lost {path} after a live migration{_describe_ending(case)}"
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        early = diagnosis.recommendation.action is Action.WAIT
        why = "too early to tell" if early else "not enough was seen to tell"
        return f"{vm}: {NO_SUCH_VM if case.is_unknown else why}"
    return f"{vm} {_describe_clear_verdict(diagnosis)}"


def _describe_clear_verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.explanation == model.UNEXPLAINED:
        return "was lost, and no live migration explains it"
    if diagnosis.explanation is not None:
        return "was lost for another reason than a live migration"
    if diagnosis.silent_since is not None:
        return "carries its usual traffic, but its monitoring agent is silent"
    if diagnosis.migrated_at is not None:
        return "was live-migrated and took no harm"
    return "was not live-migrated, and no loss was seen"


def list_summary_rows(case: Case) -> Iterator[tuple[str, str]]:
    """The first dozen lines: labels and what stands beside them."""
    yield "VM", describe_vm(case)
    if case.is_unknown:
        yield "Why", explain_verdict(case)
        return
    if redeploy_outcome.get_banner_word(case) is not None:
        yield "Verdict", f"{case.diagnosis.verdict}: {describe_diagnosis(case)}"
    yield "Migrated", _describe_migration(case)
    if case.diagnosis.failed_at is not None:
        yield "Lost", _describe_loss(case)
    yield "Now", describe_state(case)
    if case.diagnosis.silent_since is not None:
        yield "Agent", f"silent since {format_instant(case.diagnosis.silent_since)}"
    done = redeploy_outcome.describe_mitigation(case)
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
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        told = [
            *_collect_sentences(case, Stance.MISSING),
            *_collect_sentences(case, Stance.AGAINST),
            *_collect_sentences(case, Stance.FOR),
        ]
        return "; ".join(told) or "the feeds that would decide were not heard"
    if diagnosis.verdict.is_flagged:
        doubts = _collect_sentences(case, Stance.AGAINST) if diagnosis.verdict is Verdict.SUSPECTED else []
        reasons = _collect_sentences(case, Stance.FOR)[: _MAX_REASONS if doubts else None]
        return "; but ".join(filter(None, ("; ".join(reasons), "; ".join(doubts)))) or "the pattern fits"
    if diagnosis.explanation == model.UNEXPLAINED:
        return "; ".join(["nothing that was read explains the loss", *_collect_sentences(case, Stance.AGAINST)])
    if diagnosis.explanation is not None:
        return f"the loss is explained by: {scenario_texts.format_scenario_title(diagnosis.explanation)}"
    return (
        "; ".join(_collect_sentences(case, Stance.AGAINST)) or "no loss of connectivity after a live migration was seen"
    )


def select_evidence(case: Case, *stances: Stance) -> list[Evidence]:
    """What was found about the scenario asked for, of these stances, in the report's order."""
    return [one for one in order_evidence(case.diagnosis.finding.evidence) if one.stance in stances]


def write_narrative(case: Case) -> Iterator[str]:
    """The background, of a flagged VM."""
    diagnosis = case.diagnosis
    if not diagnosis.verdict.is_flagged:
        return
    moved = f" at {format_instant(diagnosis.migrated_at)}" if diagnosis.migrated_at else ""
    own = diagnosis.finding.explains
    lost = own.start if own is not None else diagnosis.failed_at
    since = f" about {format_instant(lost)}" if lost else " then"
    first = f"Azure moved this VM to another host while it ran (a live migration){moved}."
    stack = "its network stack was not initialised on the new host as it should be"
    stack = stack if diagnosis.verdict is Verdict.CONFIRMED else f"it looks as if {stack}"
    if own is not None and own.start != diagnosis.failed_at and diagnosis.failed_at is not None:
        yield (
            f"{first} Afterwards {stack}: from{since} on it could not be reached from outside its virtual network. "
            f"That loss has ended. Another one began about {format_instant(diagnosis.failed_at)}, which is not "
            f"blamed on the "
            f"migration: the VM is {describe_state(case)}."
        )
    elif diagnosis.state is State.OPEN:
        guest = " Its guest may be alive and well, and Azure may call it available: that does not test the network."
        yield (
            f"{first} Afterwards {stack}: since{since} {_UNREACHABLE_WORDS[_get_extent(case)]} from outside its "
            f"virtual network."
            f"{guest if _can_be_alive(case) else ''}"
        )
    else:
        yield (
            f"{first} Afterwards {stack}: from{since} on it could not be reached from outside its virtual network. "
            f"That is over: it is {describe_state(case)}."
        )
    yield _write_caveat(case)


def write_next_steps(case: Case) -> Iterator[str]:
    """What to do and what it costs, in a few paragraphs."""
    yield "".join(describe_next_step(case))
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        yield (
            "A redeploy shuts the VM down, starts it on another host, and builds its network port anew. A restart "
            f"keeps the host, so it is unlikely to help. {redeploy_instructions.REDEPLOY_IMPACT}"
        )


def list_links(case: Case) -> Iterator[tuple[str, str]]:
    """Where to read on: the instructions that fit, the case's own links, the background."""
    told = dict.fromkeys(case.diagnosis.recommendation.links)
    ours: tuple[tuple[str, str], ...] = ()
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        ours = tuple((f"Redeploy, {os}", url) for os, url in redeploy_instructions.list_instructions(case.vm.os))
    background = (
        (("Live migration", redeploy_instructions.MAINTENANCE_PAGE),) if case.diagnosis.verdict.is_flagged else ()
    )
    yield from ours
    known = {url for _, url in (*ours, *background)}
    yield from (("See also", shorten_sentence(url)) for url in told if url not in known)
    yield from background


def _describe_ending(case: Case) -> str:
    diagnosis = case.diagnosis
    if diagnosis.recommendation.action is Action.ESCALATE and diagnosis.state is State.OPEN:
        return ", and a redeploy did not help"
    if diagnosis.explanation != diagnosis.finding.scenario and diagnosis.loss is not None:
        return (
            ", came back, and was lost again" if diagnosis.state is not State.OPEN else ", came back, and is lost again"
        )
    return {State.RECOVERED: ", and is back", State.REDEPLOYED: ", and a redeploy helped"}.get(
        diagnosis.state or State.OPEN, ""
    )


def _describe_migration(case: Case) -> str:
    at = case.diagnosis.migrated_at
    if at is not None:
        return f"{format_instant(at)}, {format_duration(case.window.end - at)} ago"
    undated = any(event.kind is Kind.LIVE_MIGRATION and "undated" in event.facts for event in case.events)
    return "at a time that nothing tells" if undated else "no live migration was seen"


def _describe_loss(case: Case) -> str:
    at, moved = case.diagnosis.failed_at, case.diagnosis.migrated_at
    if at is None:
        return ""
    extent = {Extent.PARTIAL: ", in part", Extent.INTERMITTENT: ", on and off"}.get(_get_extent(case), "")
    if moved is None:
        return f"{format_instant(at)}, {format_duration(case.window.end - at)} ago{extent}"
    if abs(at - moved) < _SAME_MOMENT:
        return f"{format_instant(at)}, at the migration{extent}"
    side = "before" if at < moved else "after"
    return f"{format_instant(at)}, {format_duration(abs(at - moved))} {side} the migration{extent}"


def _get_extent(case: Case) -> Extent:
    loss = case.diagnosis.loss
    return loss.extent if loss is not None else Extent.FULL


def _is_partial_loss(case: Case) -> bool:
    """Whether the loss that the verdict is about left a part of the traffic alone."""
    own = case.diagnosis.finding.explains
    return any(loss.interval == own and loss.extent is Extent.PARTIAL for loss in case.diagnosis.losses)


def _can_be_alive(case: Case) -> bool:
    """Whether nothing says that the VM is off or its guest stands still."""
    off = (case.vm.power_state or "").lower() in {"stopped", "deallocated"}
    still = any(
        found.stance is Stance.AGAINST and "not seen alive" in found.says for found in select_evidence(case, *Stance)
    )
    return not off and not still


def _collect_sentences(case: Case, stance: Stance) -> list[str]:
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
    return list(dict.fromkeys(shorten_sentence(one.says) for one in news))


def _write_caveat(case: Case) -> str:
    scenario = scenario_texts.get_scenario(case)
    code = f" ({scenario.code} in Azure's words)" if scenario and scenario.code else ""
    return f"This pattern{code} is inferred from public signals; Azure has not confirmed it."
