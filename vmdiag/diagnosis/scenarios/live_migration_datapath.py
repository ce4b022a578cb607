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

Who looks from elsewhere (Connection Monitor, a load balancer) tells most: a test that fails from another network while
one of the same port passes from the VM's own is the signature, and confirms. Where the inside fails, too, guest, host
or interface are likelier. Where new connections from outside are answered, it is not this: clients that hold
connections which died with the pause need keepalive, TCP_USER_TIMEOUT or a lifetime for pooled connections; a VM whose
agent alone is silent may only have lost its way out (subnets that API versions of after March 2026 make are private by
default, "Default outbound access in Azure"); where other networks alone fail, look at their peerings. An appliance in
the way fails for every VM behind it. A balancer's probe that fails alone may be the application; one that is answered
speaks for its port, and `VipAvailability` for no VM at all. Flow logs that keep saying `NX_SW_NOT_READY` show a host
that drops packets. In a Linux guest's serial log (boot diagnostics, handed over as a file) the driver says when it
failed to switch its data path: that is cited and decides nothing, and silence there means nothing. Network Watcher says
the same when it is asked (--prove): reached on a port from a VM of its own subnet, and not from another network. What
looks of the present show dates nothing, so they decide only together with a loss that was measured. That a pair of
tests or looks proves where the path is dead is inferred, and so is what a rule explains: no page of Microsoft's states
either.

What to do: redeploy the VM, once. If it stays unreachable, do not redeploy again: open a support request.

Source: https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates
"""

from datetime import timedelta

from vmdiag.diagnosis.event_words import MIGRATIONS, RESETS
from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import Attribution, Evidence, Extent, Finding, Loss, SignalLoss, Stance, Strength, Verdict
from vmdiag.diagnosis.proofs import list_looks
from vmdiag.diagnosis.scenarios._causes import (
    Cause,
    find_nearest_instant,
    find_no_cause,
    make_scenario,
    measure_distance,
)
from vmdiag.diagnosis.scenarios._migration import (
    cite_judged_signals,
    cite_signal_loss,
    find_contradictions,
    find_doubts,
    find_life_signs,
    find_unknown_notes,
    judge_strong_signals,
)
from vmdiag.diagnosis.scenarios._migration_without_loss import judge_without_loss
from vmdiag.diagnosis.signals import (
    ONSET_AFTER,
    ONSET_BEFORE,
    SignalState,
    cite_event,
    find_onset_window,
    find_weak_signals,
)
from vmdiag.diagnosis.witnesses import cite_witnesses, find_weak_witnesses
from vmdiag.model import Coverage, Event, Kind, Signal, Timeline, Viewpoint
from vmdiag.values import replace

# A migration can degrade the last minutes before it; what began earlier is not its doing.
PRE_EXISTING = timedelta(minutes=5)
# Below this a healthy migration looks the same (clients' TCP retries).
TOO_EARLY = timedelta(minutes=15)
# The activity log may be so late: until then it may lack the cause (Microsoft: 3 to 20 minutes).
LOG_IS_LATE = timedelta(minutes=22)

CAUSE = Cause(scenario="live-migration-datapath", kinds=MIGRATIONS, before=ONSET_AFTER, after=ONSET_BEFORE)


def detect(timeline: Timeline) -> Finding:
    """Judge every loss that begins with a migration; without one, judge whether there can have been a loss."""
    migrations = timeline.list_events(*MIGRATIONS)
    losses = search_losses(timeline).losses
    linked = ((loss, _find_migration(timeline, loss, migrations)) for loss in losses)
    blames = [_attribute_loss(timeline, loss, event) for loss, event in linked if event is not None]
    if blames:
        return _build_finding(timeline, blames)
    recent = [event for event in migrations if event.ended >= timeline.window.start]
    if not recent:
        finding = find_no_cause(timeline, CAUSE)
        hints = [cite_event(Stance.MISSING, one) for one in timeline.list_events(Kind.SCHEDULED_EVENT)[:1] if losses]
        back = [one for one in timeline.list_events(Kind.AVAILABLE) if "unseen" in one.facts]
        hints += [cite_event(Stance.MISSING, one) for one in back if one.at in timeline.window]
        finding = replace(finding, evidence=(*finding.evidence, *hints))
        # With a loss, that none was seen is only an answer where the health history itself was read.
        is_whole = timeline.measure_coverage(Signal.HEALTH, timeline.window) is Coverage.ALL
        if finding.verdict is not Verdict.CLEAR or is_whole or not losses:
            return finding
        says = "the health history was not read whole, and the activity log does not show every migration"
        missing = Evidence(stance=Stance.MISSING, signal=Signal.HEALTH, says=says)
        return replace(finding, verdict=Verdict.INCONCLUSIVE, evidence=(missing, *finding.evidence))
    # Of an undated record a dated one of the same migration tells more.
    latest = ([event for event in recent if "undated" not in event.facts] or recent)[-1]
    return judge_without_loss(timeline, latest, judge_strong_signals(timeline, latest), CAUSE.scenario)


def _build_finding(timeline: Timeline, blames: list[Attribution]) -> Finding:
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
    onset, span = loss.interval.start, loss.interval.clip_to(timeline.window.end)
    judged, living = judge_strong_signals(timeline, event), list(find_life_signs(timeline, span))
    against = (*find_contradictions(timeline, loss, event, judged), *find_doubts(timeline, loss, event))
    weak = [one for one in find_weak_witnesses(timeline, span) if one.says not in {each.says for each in loss.channels}]
    hints = (*find_weak_signals(timeline, span), *weak)
    shown = (*_list_convincing_signals(loss), *living[:4], *hints)
    # Accelerated networking that broke in the onset window belongs to the migration.
    accelnet = [one for one in timeline.list_events(Kind.ACCELNET_UNHEALTHY) if one.at in find_onset_window(event)]
    # What the guest's driver writes is told, dated or not, and decides nothing: no page says what a migration writes.
    console = [
        one
        for one in timeline.list_events(Kind.DATA_PATH_FAILED, Kind.INTERFACE_ABSENT)
        if "undated" in one.facts or (one.at <= find_onset_window(event).end and one.ended >= event.at)
    ]
    undated = "undated" in event.facts
    has_notes = any(find_unknown_notes(timeline, loss))
    # Tests that are not strong do not outweigh normal traffic; who reaches it from outside is no hint, but an answer.
    shown_by = {one.signal for one in loss.channels if one.strength is not Strength.WEAK}
    tests = {Signal.MONITOR, Signal.BALANCER, Signal.PROOF}
    is_normal = judged[Signal.TRAFFIC].hearing is SignalState.NORMAL and shown_by <= tests
    is_reached = any(cite_witnesses(timeline, span, Viewpoint.OUTSIDE)) or any(
        list_looks(timeline, loss.interval, Kind.PROOF_REACHED, Viewpoint.OUTSIDE)
    )
    verdict = _weigh_evidence(
        loss, is_alive=bool(living), is_doubtful=bool(against), is_questioned=has_notes or is_normal
    )
    return Attribution(
        loss=loss.interval,
        verdict=Verdict.INCONCLUSIVE if is_reached else verdict,
        # Of an unknown time the farthest is assumed, so that whatever is dated comes first.
        cause_at=onset - ONSET_AFTER if undated else find_nearest_instant(event, onset),
        evidence=(
            cite_event(Stance.FOR, event, "when is not known" if undated else ""),
            *(cite_signal_loss(Stance.FOR, one) for one in shown),
            *(cite_event(Stance.FOR, one, "within the migration's onset window") for one in accelnet),
            *(cite_event(Stance.FOR, one) for one in timeline.list_events(Kind.SCHEDULED_EVENT)[:1]),
            *(cite_event(Stance.FOR, one, "as the boot diagnostics log says") for one in console[:2]),
            *against,
            *cite_judged_signals(judged, SignalState.UNJUDGED, Stance.MISSING, None),
        ),
    )


def _list_convincing_signals(loss: Loss) -> list[SignalLoss]:
    """The channels that speak for a loss, each story once; of one that comes and goes each signal's first and last.

    A fall that comes every day is none; of several of one signal and moment the strongest is told.
    """
    channels = sorted(loss.channels, key=lambda one: list(Strength).index(one.strength))
    known = {(one.signal, one.interval.start): one for one in reversed(channels) if not one.is_habit}
    told = [known[key] for key in sorted(known, key=lambda key: key[1])]
    if loss.extent is not Extent.INTERMITTENT:
        return told
    ends = [[one for one in told if one.signal is signal] for signal in loss.signals]
    return [one for each in ends for one in dict.fromkeys((*each[:1], *each[-1:]))]


def _weigh_evidence(loss: Loss, *, is_alive: bool, is_doubtful: bool, is_questioned: bool) -> Verdict:
    # A VM that is off is a fact of its own, not a witness of a dead path.
    shown = {(one.strength, one.signal) for one in loss.channels if one.signal is not Signal.POWER and not one.is_habit}
    strengths = [strength for strength, _ in shown if strength is not Strength.WEAK]
    independent = {signal for strength, signal in shown if strength is not Strength.WEAK}
    if Strength.STRONG not in strengths and (not strengths or is_questioned):
        return Verdict.INCONCLUSIVE
    # Whoever looked at a part of the traffic looked from inside: no more than suspected without a witness from outside.
    is_seen = any((Strength.STRONG, one) in shown for one in (Signal.MONITOR, Signal.BALANCER, Signal.PROOF))
    is_part = not is_seen and any(one.strength is Strength.WEAK for one in loss.channels)
    if is_doubtful or is_part or Strength.STRONG not in strengths:
        return Verdict.SUSPECTED
    return Verdict.CONFIRMED if len(independent) > 1 or is_alive else Verdict.SUSPECTED


SCENARIO = replace(
    make_scenario(
        CAUSE,
        title="Connectivity lost after a live migration",
        page=__doc__,
        remedies=("Redeploy the VM, once.",),
        examples=(
            (Verdict.CLEAR, "12:00 live-migration\ntraffic normal"),
            (Verdict.CLEAR, "11:40 traffic-lost\n12:00 live-migration"),
            (Verdict.INCONCLUSIVE, "12:00 live-migration\ngap traffic metrics refused (403)"),
            (Verdict.SUSPECTED, "12:00 live-migration\n12:02 unavailable"),
            (Verdict.CONFIRMED, "12:00 live-migration\n12:03 traffic-lost\ncpu active"),
        ),
    ),
    detect=detect,
    code="NetworkDatapathLiveMigrationSerializationError",
    clouds=("public", "usgovernment", "usnat", "ussec"),
)
