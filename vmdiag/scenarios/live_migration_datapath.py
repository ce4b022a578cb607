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
from datetime import timedelta
from itertools import chain

from vmdiag.diagnosis import Blame, Evidence, Example, Finding, Loss, Scenario, Stance, Strength, Verdict
from vmdiag.model import Coverage, Event, Kind, Signal, Timeline, Window
from vmdiag.scenarios._causes import LOSS_SIGNALS, Cause, cited, unseen
from vmdiag.scenarios._migration import (
    ONSET_AFTER,
    ONSET_BEFORE,
    accelnet,
    contradictions,
    judgements,
    onset_of,
    shown,
    unread,
)
from vmdiag.symptoms import (
    LATE_POINTS,
    Hearing,
    alive,
    connectivity_losses,
    pauses,
    traffic,
    weak,
)

# A migration can degrade the last minutes before it; what began earlier is not its doing.
PRE_EXISTING = timedelta(minutes=5)
# Below this a healthy migration looks the same (clients' TCP retries).
TOO_EARLY = timedelta(minutes=15)

MIGRATIONS = (Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)
# What rebuilds the VM's port: after it the migration no longer explains anything.
RESETS = (Kind.RESTART, Kind.REDEPLOY, Kind.DEALLOCATE, Kind.STOP, Kind.REIMAGE, Kind.RESIZE)

CAUSE = Cause(
    scenario="live-migration-datapath",
    kinds=MIGRATIONS,
    before=ONSET_AFTER,
    after=ONSET_BEFORE,
    signals=frozenset({Signal.HEALTH, Signal.ACTIVITY}),
)


def detect(timeline: Timeline) -> Finding:
    """Judge every loss that begins with a migration; without one, judge whether there can have been a loss."""
    migrations = [event for event in timeline.of(*MIGRATIONS) if event.ended >= timeline.window.start]
    if not migrations:
        return _no_migration(timeline)
    losses = connectivity_losses(timeline)
    linked = [(loss, event) for loss in losses if (event := _migration_of(timeline, loss, migrations)) is not None]
    blames = tuple(
        blame for loss, event in linked if (blame := _blame(timeline, loss, event)).verdict is not Verdict.CLEAR
    )
    latest = migrations[-1]
    if blames:
        return _finding(timeline, blames)
    if linked:
        loss, event = linked[-1]
        return Finding(
            scenario=CAUSE.scenario,
            verdict=Verdict.CLEAR,
            evidence=_blame(timeline, loss, event).evidence,
            cause_at=event.at,
        )
    return _without_loss(timeline, latest, losses)


def _finding(timeline: Timeline, blames: tuple[Blame, ...]) -> Finding:
    last = blames[-1]
    early = last.loss.is_open and timeline.window.end - last.loss.start < TOO_EARLY
    missing = Evidence(
        stance=Stance.MISSING,
        signal=Signal.TRAFFIC,
        says="too early to tell: a healthy migration can look like this for 15 minutes",
    )
    return Finding(
        scenario=CAUSE.scenario,
        verdict=Verdict.INCONCLUSIVE if early else last.verdict,
        evidence=(*last.evidence, missing) if early else last.evidence,
        blames=blames,
        cause_at=last.cause_at,
        wait=early,
    )


def _migration_of(timeline: Timeline, loss: Loss, migrations: list[Event]) -> Event | None:
    """The migration that a loss begins with: the nearest in reach, if nothing rebuilt the port in between."""
    onset = loss.interval.start
    near = [event for event in migrations if event.at - PRE_EXISTING <= onset <= event.ended + ONSET_AFTER]
    if not near:
        return None
    event = min(near, key=lambda event: abs(onset - event.at))
    reset = any(event.at < other.at < onset and "pending" not in other.facts for other in timeline.of(*RESETS))
    return None if reset else event


def _blame(timeline: Timeline, loss: Loss, event: Event) -> Blame:
    """How firmly a loss is the migration's doing, by what shows it, what speaks against it and what was not read."""
    strong, others = _shown_by(loss, Strength.STRONG), _shown_by(loss, Strength.MEDIUM)
    living = alive(timeline, loss.interval)
    against = tuple(chain(contradictions(timeline, loss, event), _doubts(timeline, loss, event)))
    if _denied(timeline, strong, event):
        verdict = Verdict.CLEAR
    elif against or not strong:
        verdict = Verdict.SUSPECTED
    else:
        verdict = Verdict.CONFIRMED if len(strong) + len(others) > 1 or living else Verdict.SUSPECTED
    visible = (shown(Stance.FOR, one) for one in (*loss.channels, *living[:4]))
    return Blame(
        loss=loss.interval,
        verdict=verdict,
        cause_at=event.at,
        evidence=(
            cited(Stance.FOR, event),
            *visible,
            *(shown(Stance.FOR, one) for one in weak(timeline, loss.interval.within(timeline.window.end))),
            *accelnet(timeline, event),
            *against,
            *unread(timeline, event),
        ),
    )


def _shown_by(loss: Loss, strength: Strength) -> frozenset[Signal]:
    """The independent channels of a strength; a VM that is off is a fact of its own, not a witness of a dead path."""
    return frozenset(one.signal for one in loss.channels if one.strength is strength and one.signal is not Signal.POWER)


def _denied(timeline: Timeline, strong: frozenset[Signal], event: Event) -> bool:
    """Whether normal traffic says that the path was fine, whatever the agents and Resource Health say."""
    if strong & {Signal.TRAFFIC, Signal.OPERATOR, Signal.PROBE}:
        return False
    return traffic(timeline, onset_of(event)).hearing is Hearing.NORMAL


def _doubts(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """What keeps a verdict from being confirmed."""
    onset = loss.interval.start
    if event.kind is Kind.LIVE_MIGRATION_FAILED:
        yield cited(Stance.AGAINST, event, "the VM stayed on its host")
    if onset < event.at - ONSET_BEFORE:
        minutes = round((event.at - onset) / timedelta(minutes=1))
        yield cited(Stance.AGAINST, event, f"the loss began {minutes} min before it")
    around = Window(onset - ONSET_AFTER, onset + ONSET_BEFORE)
    if timeline.heard(Signal.ACTIVITY, around) is Coverage.NONE:
        yield Evidence(
            stance=Stance.MISSING,
            signal=Signal.ACTIVITY,
            says="the activity log was not read: another cause (a stop, a network change) would not be seen",
        )


def _without_loss(timeline: Timeline, event: Event, losses: tuple[Loss, ...]) -> Finding:
    """A migration that no loss begins with: clear where connectivity was seen to be normal, else it cannot be told."""
    judged = dict(judgements(timeline, event))
    told = [
        shown(Stance.AGAINST, channel)
        for loss in pauses(timeline)
        if loss.interval.start in onset_of(event)
        for channel in loss.channels
    ]
    normal = [
        Evidence(stance=Stance.AGAINST, signal=signal, says=one.says, at=event.at)
        for signal, one in judged.items()
        if one.hearing is Hearing.NORMAL
    ]
    strong_pause = any(
        _shown_by(loss, Strength.STRONG) for loss in pauses(timeline) if loss.interval.start in onset_of(event)
    )
    elsewhere = [loss for loss in losses if _is_told_otherwise(timeline, loss, event)]
    missing = tuple(unread(timeline, event))
    wait = timeline.window.end < event.ended + ONSET_AFTER - LATE_POINTS
    if strong_pause or elsewhere or (normal and not wait):
        earlier = (shown(Stance.AGAINST, channel) for loss in elsewhere for channel in loss.channels)
        return _verdict(Verdict.CLEAR, event, (*told, *normal, *earlier, *missing))
    hints = tuple(shown(Stance.FOR, one) for one in weak(timeline, Window(event.at, timeline.window.end)))
    return _verdict(Verdict.INCONCLUSIVE, event, (*hints, *told, *missing, *_early(wait=wait)), wait=wait)


def _early(*, wait: bool) -> Iterator[Evidence]:
    if wait:
        says = "too early to tell: a loss can begin up to 30 minutes after a migration"
        yield Evidence(stance=Stance.MISSING, signal=Signal.TRAFFIC, says=says)


def _is_told_otherwise(timeline: Timeline, loss: Loss, event: Event) -> bool:
    """Whether a loss covers the onset without being the migration's: it began before, or the port was rebuilt first."""
    ongoing = loss.interval.within(timeline.window.end).overlaps(onset_of(event))
    return ongoing and (loss.interval.start < event.at - PRE_EXISTING or loss.interval.start in onset_of(event))


def _verdict(verdict: Verdict, event: Event, evidence: tuple[Evidence, ...], *, wait: bool = False) -> Finding:
    return Finding(
        scenario=CAUSE.scenario,
        verdict=verdict,
        evidence=(cited(Stance.FOR, event), *evidence),
        cause_at=event.at,
        wait=wait,
    )


def _no_migration(timeline: Timeline) -> Finding:
    """No migration seen; with a loss that is only an answer where the health history itself was read."""
    finding = unseen(timeline, CAUSE)
    if finding.verdict is not Verdict.CLEAR or timeline.heard(Signal.HEALTH, timeline.window) is Coverage.ALL:
        return finding
    if not connectivity_losses(timeline):
        return finding
    missing = Evidence(
        stance=Stance.MISSING,
        signal=Signal.HEALTH,
        says="the health history was not read, and the activity log does not show every migration",
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
