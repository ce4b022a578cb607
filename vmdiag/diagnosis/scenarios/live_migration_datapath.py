"""Connectivity lost after a live migration: the network stack did not come up on the new host.

What it is: Azure live-migrated the VM, normally a pause of seconds. On the new host the VM's network path was not
initialised as it should be: the VM runs, Azure may say "Available", and nobody outside its virtual network reaches it.
Azure published the scenario with one cure, a redeploy. What Azure's own detector saw is not public, so this is inferred
from public signals, from three things and never from one alone:

A  a live migration of this VM,
B  a loss of connectivity that begins with it, from 2 minutes before to 30 minutes after,
C  no better explanation.

Told from look-alikes: a pause of seconds, and clients that stall for up to 15 minutes on dead connections, are what a
healthy migration looks like. "Available" and an availability metric of 1 mean that the VM is alive; they support the
verdict and never veto it, because Azure's VM health does not test the network. A restart, redeploy or deallocation
between migration and loss breaks the link. "Migration initiated for repair" and the like are reboots.

What to do: redeploy the VM, once. If it stays unreachable, do not redeploy again: open a support request.

Source: https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain

from vmdiag.diagnosis.losses import find_connectivity_losses, find_life_signs_during, find_weak_signals_in
from vmdiag.diagnosis.model import (
    Attribution,
    Evidence,
    Example,
    Extent,
    Finding,
    Loss,
    Scenario,
    SignalLoss,
    Stance,
    Strength,
    Verdict,
)
from vmdiag.diagnosis.scenarios._causes import (
    LOSS_SIGNALS,
    Cause,
    cite_event,
    find_nearest_instant,
    find_no_cause,
    measure_distance,
)
from vmdiag.diagnosis.scenarios._migration import (
    cite_signal_loss,
    find_broken_acceleration,
    find_contradictions,
    find_doubts,
    find_unjudged_signals,
    find_unknown_notes,
)
from vmdiag.diagnosis.scenarios._migration_without_loss import judge_without_loss
from vmdiag.diagnosis.signal_state import RESETS
from vmdiag.diagnosis.signals import MIGRATIONS, ONSET_AFTER, ONSET_BEFORE
from vmdiag.model import Coverage, Event, Signal, Timeline

# A migration can degrade the last minutes before it; what began earlier is not its doing.
PRE_EXISTING = timedelta(minutes=5)
# Below this a healthy migration looks the same (clients' TCP retries).
TOO_EARLY = timedelta(minutes=15)
# The activity log may be so late: until then it may lack the cause (Microsoft: 3 to 20 minutes).
LOG_IS_LATE = timedelta(minutes=22)

CAUSE = Cause(
    scenario="live-migration-datapath",
    kinds=MIGRATIONS,
    before=ONSET_AFTER,
    after=ONSET_BEFORE,
    signals=frozenset({Signal.HEALTH, Signal.ACTIVITY}),
)


def detect(timeline: Timeline) -> Finding:
    """Judge every loss that begins with a migration; without one, judge whether there can have been a loss."""
    migrations = timeline.list_events(*MIGRATIONS)
    losses = find_connectivity_losses(timeline)
    linked = [(loss, event) for loss in losses if (event := _find_migration(timeline, loss, migrations)) is not None]
    if linked:
        return _build_finding(timeline, tuple(_attribute_loss(timeline, loss, event) for loss, event in linked))
    recent = [event for event in migrations if event.ended >= timeline.window.start]
    # Of an undated record a dated one of the same migration tells more.
    recent = [event for event in recent if "undated" not in event.facts] or recent
    return judge_without_loss(timeline, recent[-1]) if recent else _judge_without_migration(timeline)


def _build_finding(timeline: Timeline, blames: tuple[Attribution, ...]) -> Finding:
    last = blames[-1]
    age = timeline.window.end - last.loss.start
    verdict, missing = last.verdict, []
    if last.loss.is_open and age < TOO_EARLY:
        verdict = Verdict.INCONCLUSIVE
        missing.append("too early to tell: a healthy migration can look like this for 15 minutes")
    elif age < LOG_IS_LATE:
        verdict = max(verdict, Verdict.SUSPECTED, key=list(Verdict).index)
        missing.append("the activity log of the last 20 minutes may still lack another cause")
    return Finding(
        scenario=CAUSE.scenario,
        verdict=verdict,
        evidence=(
            *last.evidence,
            *(Evidence(stance=Stance.MISSING, signal=Signal.ACTIVITY, says=says) for says in missing),
        ),
        blames=(*blames[:-1], replace(last, verdict=verdict)),
        cause_at=last.cause_at,
        wait=bool(missing) and last.loss.is_open,
    )


def _find_migration(timeline: Timeline, loss: Loss, migrations: tuple[Event, ...]) -> Event | None:
    """The migration that a loss begins with: the nearest in reach, if nothing rebuilt the port in between.

    One whose time is not known is taken only where no other is in reach.
    """
    onset = loss.interval.start
    dated = [event for event in migrations if "undated" not in event.facts]
    near = [event for event in dated if event.at - PRE_EXISTING <= onset <= event.ended + ONSET_AFTER]
    if not near:
        return None if dated else next(iter(migrations), None)
    event = min(near, key=lambda event: (onset < event.at - ONSET_BEFORE, measure_distance(event, onset)))
    reset = any(event.at < other.at < onset and "pending" not in other.facts for other in timeline.list_events(*RESETS))
    return None if reset else event


def _attribute_loss(timeline: Timeline, loss: Loss, event: Event) -> Attribution:
    """How firmly a loss is the migration's doing, by what shows it, what speaks against it and what was not read."""
    living = find_life_signs_during(timeline, loss.interval)
    against = tuple(chain(find_contradictions(timeline, loss, event), find_doubts(timeline, loss, event)))
    visible = (cite_signal_loss(Stance.FOR, one) for one in (*_find_convincing_signals(loss), *living[:4]))
    undated = "undated" in event.facts
    return Attribution(
        loss=loss.interval,
        verdict=_weigh_evidence(loss, living, against, notes=tuple(find_unknown_notes(timeline, loss))),
        # Of an unknown time the farthest is assumed, so that whatever is dated comes first.
        cause_at=loss.interval.start - ONSET_AFTER if undated else find_nearest_instant(event, loss.interval.start),
        evidence=(
            cite_event(Stance.FOR, event, "when is not known" if undated else ""),
            *visible,
            *(
                cite_signal_loss(Stance.FOR, one)
                for one in find_weak_signals_in(timeline, loss.interval.clip_to(timeline.window.end))
            ),
            *find_broken_acceleration(timeline, event),
            *against,
            *find_unjudged_signals(timeline, event),
        ),
    )


def _find_convincing_signals(loss: Loss) -> Iterator[SignalLoss]:
    """The channels that speak for a loss, each story once; of one that comes and goes each signal's first and last.

    A fall that comes every day is none.
    """
    known = {(one.signal, one.interval.start): one for one in reversed(loss.channels) if not one.is_habit}
    told = [known[key] for key in sorted(known, key=lambda key: key[1])]
    if loss.extent is Extent.INTERMITTENT:
        ends = [[one for one in told if one.signal is signal] for signal in loss.signals]
        told = [one for each in ends for one in dict.fromkeys((*each[:1], *each[-1:]))]
    yield from told


def _weigh_evidence(
    loss: Loss, living: tuple[SignalLoss, ...], against: tuple[Evidence, ...], *, notes: tuple[Evidence, ...]
) -> Verdict:
    strong, medium = _cite_signals(loss, Strength.STRONG), _cite_signals(loss, Strength.MEDIUM)
    if not strong and (not medium or notes):
        return Verdict.INCONCLUSIVE
    # Whoever looked at a part of the traffic looked from inside: no more than suspected.
    if against or not strong or any(one.strength is Strength.WEAK for one in loss.channels):
        return Verdict.SUSPECTED
    return Verdict.CONFIRMED if len(strong) + len(medium) > 1 or living else Verdict.SUSPECTED


def _cite_signals(loss: Loss, strength: Strength) -> frozenset[Signal]:
    """The independent channels of a strength; a VM that is off is a fact of its own, not a witness of a dead path."""
    return frozenset(
        one.signal
        for one in loss.channels
        if one.strength is strength and one.signal is not Signal.POWER and not one.is_habit
    )


def _judge_without_migration(timeline: Timeline) -> Finding:
    """No migration seen; with a loss that is only an answer where the health history itself was read."""
    finding = find_no_cause(timeline, CAUSE)
    whole = timeline.measure_coverage(Signal.HEALTH, timeline.window) is Coverage.ALL
    if finding.verdict is not Verdict.CLEAR or whole or not find_connectivity_losses(timeline):
        return finding
    missing = Evidence(
        stance=Stance.MISSING,
        signal=Signal.HEALTH,
        says="the health history was not read whole, and the activity log does not show every migration",
    )
    return Finding(scenario=CAUSE.scenario, verdict=Verdict.INCONCLUSIVE, evidence=(missing,))


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="Connectivity lost after a live migration",
    page=__doc__,
    needs=Cause(
        scenario=CAUSE.scenario,
        kinds=MIGRATIONS,
        before=ONSET_AFTER,
        after=ONSET_BEFORE,
        signals=CAUSE.signals | LOSS_SIGNALS | {Signal.AVAILABILITY, Signal.CPU, Signal.DISK},
    ).needs,
    detect=detect,
    remedies=("Redeploy the VM, once.",),
    code="NetworkDatapathLiveMigrationSerializationError",
    clouds=("public", "usgovernment", "usnat", "ussec"),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 live-migration
            traffic normal
            """,
        ),
        Example(
            Verdict.CLEAR,
            """
            11:40 traffic-lost
            12:00 live-migration
            """,
        ),
        Example(
            Verdict.INCONCLUSIVE,
            """
            12:00 live-migration
            gap traffic metrics refused (403)
            """,
        ),
        Example(
            Verdict.SUSPECTED,
            """
            12:00 live-migration
            12:02 unavailable
            """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 live-migration
            12:03 traffic-lost
            cpu active
            """,
        ),
    ),
)
