"""The sentences that the terminal and Markdown share: what happened, when, why, what next; must not know a format.

Strangers' words are cut to length here and neutralised by the format, which alone knows what is dangerous in it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from vmdiag.diagnosis.model import Action, Case, Diagnosis, Evidence, Extent, Stance, State, Verdict, ordered
from vmdiag.model import NO_SUCH_VM, Kind
from vmdiag.wording import redeploy_instructions, redeploy_outcome, scenario_texts
from vmdiag.wording.sanitize import name, sentence
from vmdiag.wording.time_formats import span, stamp

_OPEN = {
    Extent.FULL: "still unreachable",
    Extent.PARTIAL: "a part of its traffic is still gone",
    Extent.INTERMITTENT: "lost on and off",
}
_CANNOT = {
    Extent.FULL: "it cannot be reached",
    Extent.PARTIAL: "a part of its traffic does not arrive",
    Extent.INTERMITTENT: "it cannot be reached, on and off,",
}
# What is nearer than this is told as one moment.
_AN_INSTANT = timedelta(seconds=1)
NOT_WHOLE = "No trouble in what was read"
# Of the reasons for a doubtful verdict, so many before those against it.
_REASONS = 2


def in_order(cases: Iterable[Case]) -> list[Case]:
    """Affected first: by verdict, then those still lost, then as they came."""
    verdicts = list(Verdict)
    return sorted(
        cases, key=lambda case: (verdicts.index(case.diagnosis.verdict), case.diagnosis.state is not State.OPEN)
    )


def machine(case: Case) -> str:
    """The VM as `group/name`."""
    vm = case.vm.id
    return f"{name(vm.resource_group)}/{name(vm.name)}"


def particulars(case: Case) -> str:
    """The VM and what the inventory says of it."""
    vm = case.vm
    known = (vm.os, vm.size, vm.location, vm.power_state)
    return ", ".join([machine(case), *(name(word) for word in known if word)])


def headline(case: Case) -> str:
    """The answer in one sentence: what is true now of a VM that was redeployed, else what was found."""
    return redeploy_outcome.headline(case, name(case.vm.id.name)) or found(case)


def found(case: Case) -> str:
    """The diagnosis in one sentence."""
    vm = name(case.vm.id.name)
    diagnosis = case.diagnosis
    if diagnosis.verdict.is_flagged:
        surely = "" if diagnosis.verdict is Verdict.CONFIRMED else "probably "
        path = "a part of its network path" if _is_partial(case) else "its network path"
        return f"{vm} {surely}lost {path} after a live migration{_ended(case)}"
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        early = diagnosis.recommendation.action is Action.WAIT
        why = "too early to tell" if early else "not enough was seen to tell"
        return f"{vm}: {NO_SUCH_VM if case.is_unknown else why}"
    return f"{vm} {_clear(diagnosis)}"


def _clear(diagnosis: Diagnosis) -> str:
    if diagnosis.explanation == scenario_texts.UNEXPLAINED:
        return "was lost, and no live migration explains it"
    if diagnosis.explanation is not None:
        return "was lost for another reason than a live migration"
    if diagnosis.silent_since is not None:
        return "carries its usual traffic, but its monitoring agent is silent"
    if diagnosis.migrated_at is not None:
        return "was live-migrated and took no harm"
    return "was not live-migrated, and no loss was seen"


def rows(case: Case) -> Iterator[tuple[str, str]]:
    """The first dozen lines: labels and what stands beside them."""
    yield "VM", particulars(case)
    if case.is_unknown:
        yield "Why", why(case)
        return
    if redeploy_outcome.banner(case) is not None:
        yield "Verdict", f"{case.diagnosis.verdict}: {found(case)}"
    yield "Migrated", _migrated(case)
    if case.diagnosis.failed_at is not None:
        yield "Lost", _lost(case)
    yield "Now", now(case)
    if case.diagnosis.silent_since is not None:
        yield "Agent", f"silent since {stamp(case.diagnosis.silent_since)}"
    done = redeploy_outcome.told(case)
    if done is not None:
        yield "Redeploy", done
    yield "Why", why(case)


def advice(case: Case) -> tuple[str, str]:
    """The next step: the word for it, and the rest of the sentence."""
    recommendation = case.diagnosis.recommendation
    says = sentence(recommendation.says)
    word = recommendation.action.value.capitalize()
    if recommendation.action is Action.NONE:
        word = NOT_WHOLE if says.startswith(NOT_WHOLE) else "Nothing to do"
    if says.lower().startswith(word.lower()):
        return says[: len(word)], f"{says[len(word) :]}."
    return word, f": {says}." if says else "."


def now(case: Case) -> str:
    """How things stand at the end of the window."""
    diagnosis = case.diagnosis
    lost, back = diagnosis.failed_at, diagnosis.recovered_at
    ended = f" since {stamp(back)}" if back else ""
    after = f", after {span(back - lost)}" if back and lost else ""
    match diagnosis.state:
        case State.OPEN:
            since = f", for {span(case.window.end - lost)}" if lost else ""
            return f"{_OPEN[_extent(case)]}{since} (as of {stamp(case.window.end)})"
        case State.RECOVERED:
            return f"reachable again{ended}{after}"
        case State.REDEPLOYED:
            return f"reachable again{ended}{after}, on a new host"
        case None:
            return f"no loss of connectivity is known (as of {stamp(case.window.end)})"


def why(case: Case) -> str:
    """The reasons that decided, in one breath."""
    diagnosis = case.diagnosis
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        told = [*_said(case, Stance.MISSING), *_said(case, Stance.AGAINST), *_said(case, Stance.FOR)]
        return "; ".join(told) or "the feeds that would decide were not heard"
    if diagnosis.verdict.is_flagged:
        doubts = _said(case, Stance.AGAINST) if diagnosis.verdict is Verdict.SUSPECTED else []
        reasons = _said(case, Stance.FOR)[: _REASONS if doubts else None]
        return "; but ".join(filter(None, ("; ".join(reasons), "; ".join(doubts)))) or "the pattern fits"
    if diagnosis.explanation == scenario_texts.UNEXPLAINED:
        return "; ".join(["nothing that was read explains the loss", *_said(case, Stance.AGAINST)])
    if diagnosis.explanation is not None:
        return f"the loss is explained by: {scenario_texts.title(diagnosis.explanation)}"
    return "; ".join(_said(case, Stance.AGAINST)) or "no loss of connectivity after a live migration was seen"


def evidence(case: Case, *stances: Stance) -> list[Evidence]:
    """What was found about the scenario asked for, of these stances, in the report's order."""
    return [one for one in ordered(case.diagnosis.finding.evidence) if one.stance in stances]


def story(case: Case) -> Iterator[str]:
    """The background, of a flagged VM."""
    diagnosis = case.diagnosis
    if not diagnosis.verdict.is_flagged:
        return
    moved = f" at {stamp(diagnosis.migrated_at)}" if diagnosis.migrated_at else ""
    own = diagnosis.finding.explains
    lost = own.start if own is not None else diagnosis.failed_at
    since = f" about {stamp(lost)}" if lost else " then"
    first = f"Azure moved this VM to another host while it ran (a live migration){moved}."
    stack = "its network stack was not initialised on the new host as it should be"
    stack = stack if diagnosis.verdict is Verdict.CONFIRMED else f"it looks as if {stack}"
    if own is not None and own.start != diagnosis.failed_at and diagnosis.failed_at is not None:
        yield (
            f"{first} Afterwards {stack}: from{since} on it could not be reached from outside its virtual network. "
            f"That loss has ended. Another one began about {stamp(diagnosis.failed_at)}, which is not blamed on the "
            f"migration: the VM is {now(case)}."
        )
    elif diagnosis.state is State.OPEN:
        guest = " Its guest may be alive and well, and Azure may call it available: that does not test the network."
        yield (
            f"{first} Afterwards {stack}: since{since} {_CANNOT[_extent(case)]} from outside its virtual network."
            f"{guest if _may_live(case) else ''}"
        )
    else:
        yield (
            f"{first} Afterwards {stack}: from{since} on it could not be reached from outside its virtual network. "
            f"That is over: it is {now(case)}."
        )
    yield _caveat(case)


def way_out(case: Case) -> Iterator[str]:
    """What to do and what it costs, in a few paragraphs."""
    yield "".join(advice(case))
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        yield (
            "A redeploy shuts the VM down, starts it on another host, and builds its network port anew. A restart "
            f"keeps the host, so it is unlikely to help. {redeploy_instructions.COST}"
        )


def links(case: Case) -> Iterator[tuple[str, str]]:
    """Where to read on: the instructions that fit, the case's own links, the background."""
    told = dict.fromkeys(case.diagnosis.recommendation.links)
    ours: tuple[tuple[str, str], ...] = ()
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        ours = tuple((f"Redeploy, {os}", url) for os, url in redeploy_instructions.instructions(case.vm.os))
    background = (("Live migration", redeploy_instructions.BACKGROUND),) if case.diagnosis.verdict.is_flagged else ()
    yield from ours
    known = {url for _, url in (*ours, *background)}
    yield from (("See also", sentence(url)) for url in told if url not in known)
    yield from background


def _ended(case: Case) -> str:
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


def _migrated(case: Case) -> str:
    at = case.diagnosis.migrated_at
    if at is not None:
        return f"{stamp(at)}, {span(case.window.end - at)} ago"
    undated = any(event.kind is Kind.LIVE_MIGRATION and "undated" in event.facts for event in case.events)
    return "at a time that nothing tells" if undated else "no live migration was seen"


def _lost(case: Case) -> str:
    at, moved = case.diagnosis.failed_at, case.diagnosis.migrated_at
    if at is None:
        return ""
    extent = {Extent.PARTIAL: ", in part", Extent.INTERMITTENT: ", on and off"}.get(_extent(case), "")
    if moved is None:
        return f"{stamp(at)}, {span(case.window.end - at)} ago{extent}"
    if abs(at - moved) < _AN_INSTANT:
        return f"{stamp(at)}, at the migration{extent}"
    return f"{stamp(at)}, {span(abs(at - moved))} {'before' if at < moved else 'after'} the migration{extent}"


def _extent(case: Case) -> Extent:
    loss = case.diagnosis.loss
    return loss.extent if loss is not None else Extent.FULL


def _is_partial(case: Case) -> bool:
    """Whether the loss that the verdict is about left a part of the traffic alone."""
    own = case.diagnosis.finding.explains
    return any(loss.interval == own and loss.extent is Extent.PARTIAL for loss in case.diagnosis.losses)


def _may_live(case: Case) -> bool:
    """Whether nothing says that the VM is off or its guest stands still."""
    off = (case.vm.power_state or "").lower() in {"stopped", "deallocated"}
    still = any(found.stance is Stance.AGAINST and "not seen alive" in found.says for found in evidence(case, *Stance))
    return not off and not still


def _said(case: Case, stance: Stance) -> list[str]:
    """The sentences of one stance, each once, what shows the loss first: that is what a verdict stands on."""
    diagnosis = case.diagnosis
    found = evidence(case, stance)
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
    return list(dict.fromkeys(sentence(one.says) for one in news))


def _caveat(case: Case) -> str:
    scenario = scenario_texts.scenario_of(case)
    code = f" ({scenario.code} in Azure's words)" if scenario and scenario.code else ""
    return f"This pattern{code} is inferred from public signals; Azure has not confirmed it."
