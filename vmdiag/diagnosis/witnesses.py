"""What others see of a VM: tests of Connection Monitor, and the probes of its load balancers.

Every strength and threshold of these channels stands here once, with its reason:

* a test from another network fails while one of the same port passes from the VM's own network: strong by itself, for
  that is what the scenario says, and guest, host, interface and application are seen to work;
* a test fails and nobody looked from inside, or a balancer's probe gets no answer: medium, the application may be down;
* tests from inside fail, too: medium, and it points to guest, host or interface;
* a test fails while another one from outside passes: weak, the VM is reached from outside;
* flow logs say for minutes that the host's network stack is not ready (`NX_SW_NOT_READY`): medium, for the page says
  that it drops packets and names redeploys and updates of the host, and no live migration;
* flows from public addresses are no longer answered while those from private ones are: weak, for what a dead path
  leaves in flow logs is inferred;
* the balancer blames Azure's own infrastructure (`Down_Platform`): strong, the one documented reason that names it.

A test that passes says that the VM lives; a probe that is answered says so only of the port, and only from the host's
side. A source whose network is not known proves nothing by itself (medium). Sources: "Connection monitor overview",
"Connection Monitor schemas", "Manage health status" (Azure Load Balancer); what a pair of tests proves is inferred.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from vmdiag.diagnosis.event_words import HOST_STACK, PRIVATE_FLOWS
from vmdiag.diagnosis.model import Evidence, Loss, SignalLoss, Stance, Strength
from vmdiag.diagnosis.proof_words import HOP_CHECK, PLACES
from vmdiag.diagnosis.signals import SignalState
from vmdiag.model import Event, Interval, Kind, Series, Signal, Timeline, Viewpoint, Window
from vmdiag.values import Struct, replace

# Checks of a test that came through: none but stragglers, or nearly all. In between nothing is said.
GONE, REACHED = 0.05, 0.5
# As long as a fall of the traffic must last; tests come every half minute to every half hour.
SHORTEST = timedelta(minutes=10)
# As with heartbeats and traffic: the VM is back when three tests in a row pass. Of others one in five may stray: of
# those of a fall, which begins with two in a row, and of the five or the ten before it.
HELD, BEFORE, MOST = 3, (5, 10), 0.8
# Only tests that passed lately can be missed, and only a fall that is dated so finely begins with a migration for sure.
LATELY, FINE = timedelta(hours=3), timedelta(minutes=10)
# A loss is told by several channels that differ by minutes: what is seen at its edge is of before or after.
EDGE = timedelta(minutes=2)
OUTSIDE = (Viewpoint.OUTSIDE, Viewpoint.PEERED)
NOT_WHOLE = "the tests towards the VM were not read whole: others may have passed or failed"


class Witness(Struct, frozen=True):
    """Readings of one test, or of a balancer's probe: shares of the checks that reached the VM, in order of time."""

    test: str
    observer: str
    viewpoint: Viewpoint
    series: Series

    @property
    def place(self) -> str:
        """Who looks, and from where."""
        return f"{self.observer}{PLACES[self.viewpoint]}"

    def list_readings(self, span: Window) -> list[tuple[datetime, float]]:
        """What was seen in a span."""
        return [pair for pair in zip(self.series.times, self.series.values, strict=True) if pair[0] in span]

    def judge_span(self, span: Window) -> SignalState:
        """Whether the VM was reached in a span, or not, nearly all of the time."""
        values = [value for at, value in self.list_readings(Window(min(span.start + EDGE, span.end), span.end))]
        if len(values) > 1 and sum(value > REACHED for value in values) >= MOST * len(values):
            return SignalState.NORMAL
        is_lost = len(values) > 1 and sum(value <= GONE for value in values) >= MOST * len(values)
        return SignalState.LOST if is_lost else SignalState.UNJUDGED


def list_witnesses(timeline: Timeline, signal: Signal = Signal.MONITOR) -> list[Witness]:
    """Who looked at the VM, by name."""
    found = []
    for name, series in sorted(timeline.series.items()):
        if series.signal is not signal:
            continue
        head, _, place = name.removesuffix(")").rpartition(" (")
        test, _, source = head.partition(" from ")
        known = place in list(Viewpoint)
        # Of an id the group and the name: names alone repeat.
        parts = source.split("/")
        observer = f"{parts[4]}/{parts[-1]}" if source.startswith("/subscriptions/") and len(parts) > 4 else source  # noqa: PLR2004 - /subscriptions/S/resourcegroups/GROUP
        viewpoint = Viewpoint(place) if known else Viewpoint.UNKNOWN
        found.append(Witness(test if known else name, observer, viewpoint, series))
    return found


def find_witness_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """The spans in which tests and probes did not reach the VM, each as strong as all of them together make it."""
    witnesses, now = list_witnesses(timeline), timeline.window.end
    flows = {one.test: one for one in list_witnesses(timeline, Signal.FLOWS)}
    for one in (*witnesses, *list_witnesses(timeline, Signal.BALANCER), *flows.values()):
        for interval, is_fine in _find_falls(one):
            strength, span = Strength.MEDIUM, interval.clip_to(now)
            says = f"the load balancer's {one.test} is no longer answered"
            if one.series.signal is Signal.MONITOR:
                strength = _weigh_test(one, witnesses, span)
                says = f"{one.test} is no longer reached from {one.place}"
            elif one.test == HOST_STACK:
                says = "flow logs say that the host's network stack is not ready and drops packets (NX_SW_NOT_READY)"
            elif one.series.signal is Signal.FLOWS:
                inside = flows.get(PRIVATE_FLOWS)
                if inside in (None, one) or inside.judge_span(span) is not SignalState.NORMAL:
                    continue  # nobody came, from anywhere
                strength = Strength.WEAK
                says = "flow logs show no answered flow from public addresses, and some from private ones"
            is_doubtful = not is_fine or timeline.is_unread(Signal.MONITOR, span)
            yield SignalLoss(
                signal=one.series.signal,
                strength=Strength.MEDIUM if strength is Strength.STRONG and is_doubtful else strength,
                interval=interval,
                says=says,
                well_since=interval.end,
                observer=one.observer,
            )


def _weigh_test(test: Witness, witnesses: Sequence[Witness], span: Window) -> Strength:
    """How far a test that fails can be trusted, by what the others saw in the same span."""
    states = [(other, other.judge_span(span)) for other in witnesses if other.series is not test.series]
    passing = [other for other, state in states if state is SignalState.NORMAL]
    alike = [state for other, state in states if other.viewpoint is Viewpoint.UNKNOWN]
    if any(other.viewpoint in OUTSIDE for other in passing):
        return Strength.WEAK
    if test.viewpoint is Viewpoint.UNKNOWN:
        # Most of those who are as little known reach it: then it is this one's own trouble.
        is_alone = alike.count(SignalState.NORMAL) > 1 + alike.count(SignalState.LOST)
        return Strength.WEAK if is_alone else Strength.MEDIUM
    inside = {state for other, state in states if other.viewpoint is Viewpoint.INSIDE}
    is_pair = any(other.viewpoint is Viewpoint.INSIDE and other.test == test.test for other in passing)
    is_reached = test.viewpoint in OUTSIDE and is_pair and SignalState.LOST not in inside
    return Strength.STRONG if is_reached else Strength.MEDIUM


def _find_falls(witness: Witness) -> Iterator[tuple[Interval, bool]]:
    """From the first reading that is gone to the first of three that came through; and whether it is dated finely."""
    times, values = witness.series.times, witness.series.values
    at = 0
    while at < len(values):
        counts = (number for number in BEFORE if number <= at and times[at] - times[at - number] <= LATELY)
        well = (sum(value > REACHED for value in values[at - number : at]) >= MOST * number for number in counts)
        if max(values[at : at + 2]) > GONE or not any(well):
            at += 1
            continue
        held = (each for each in range(at, len(values) - HELD + 1) if min(values[each : each + HELD]) > REACHED)
        back = next(held, len(values))
        gone = [value <= GONE for value in values[at:back]]
        last = times[min(back, len(values) - 1)]
        if len(gone) > 1 and sum(gone) >= MOST * len(gone) and last - times[at] >= SHORTEST:
            end = times[back] if back < len(values) else None
            yield Interval(times[at], end), times[at] - times[at - 1] <= FINE
        at = max(back, at + 1)


def find_witness_scope(timeline: Timeline, interval: Interval) -> Viewpoint:
    """From where the VM was not reached, as far as somebody looked from inside; a test here and there is no answer."""
    span = interval.clip_to(timeline.window.end)
    states = [(one.viewpoint, one.judge_span(span)) for one in list_witnesses(timeline)]
    if (Viewpoint.INSIDE, SignalState.LOST) in states:
        is_mixed = (Viewpoint.INSIDE, SignalState.NORMAL) in states
        return Viewpoint.UNKNOWN if is_mixed else Viewpoint.INSIDE
    if (Viewpoint.INSIDE, SignalState.NORMAL) not in states:
        return Viewpoint.UNKNOWN
    return next((place for place in OUTSIDE if (place, SignalState.LOST) in states), Viewpoint.UNKNOWN)


def cite_witnesses(
    timeline: Timeline, span: Window, *viewpoints: Viewpoint, signal: Signal = Signal.MONITOR
) -> Iterator[SignalLoss]:
    """Who reached the VM in a span nearly all of the time, each with its last success there."""
    for one in list_witnesses(timeline, signal):
        if one.viewpoint in (viewpoints or Viewpoint) and one.judge_span(span) is SignalState.NORMAL:
            last = max(at for at, value in one.list_readings(span) if value > REACHED)
            is_probe = signal is Signal.BALANCER
            says = f"the load balancer's {one.test} is answered" if is_probe else f"{one.test} reached from {one.place}"
            yield SignalLoss(
                signal=signal, strength=Strength.WEAK, interval=Interval(last, None), says=says, observer=one.observer
            )


def find_witness_doubts(timeline: Timeline, loss: Loss) -> Iterator[Evidence]:
    """What tests say against a path that is dead from outside alone: nobody reaches it, or somebody does."""
    span = loss.interval.clip_to(timeline.window.end)
    for one in list_witnesses(timeline):
        if one.viewpoint is Viewpoint.INSIDE and one.judge_span(span) is SignalState.LOST:
            says = f"{one.test} is not reached from {one.place} either: it points to guest, host or interface"
            yield Evidence(stance=Stance.AGAINST, signal=Signal.MONITOR, says=says, at=span.start)
    pairs = (Signal.MONITOR, Signal.PROOF)
    is_proved = any(one.signal in pairs and one.strength is Strength.STRONG for one in loss.channels)
    reached = [(one, "new connections are answered") for one in cite_witnesses(timeline, span, *OUTSIDE)]
    if not is_proved:
        # Seen from the host, as from inside: what only the outside misses is there.
        reached += [(one, "that port lives") for one in cite_witnesses(timeline, span, signal=Signal.BALANCER)]
        states = timeline.list_events(Kind.BACKEND_UP) if loss.interval.is_open else ()
        reached += [
            (_build_statement(one, Strength.WEAK, Interval(one.at, None)), "that port lives")
            for one in states
            if one.at >= span.start
        ]
    for seen, what in reached:
        says, at = f"{what}: {seen.says}", seen.interval.start
        yield Evidence(stance=Stance.AGAINST, signal=seen.signal, says=says, at=at, ref=seen.ref)
    others = {one.signal for one in loss.channels if one.strength is not Strength.WEAK} - set(pairs)
    # Network Watcher has told where the answers go.
    others |= {one.signal for one in timeline.list_events(Kind.PROOF_ALLOWED) if one.facts.get("check") == HOP_CHECK}
    routes = sorted(one for one in timeline.vm.network if "/routetables/" in one)
    if is_proved and not others and routes:
        name = routes[0].rpartition("/")[2]
        says = f"the route table {name} may lead through an appliance, which may have failed itself"
        yield Evidence(stance=Stance.MISSING, signal=Signal.MONITOR, says=says)
    for signal in (Signal.MONITOR, Signal.BALANCER, Signal.FLOWS):
        if any(gap.signal is signal and gap.cut and gap.window.overlaps_window(span) for gap in timeline.gaps):
            yield Evidence(stance=Stance.MISSING, signal=signal, says=NOT_WHOLE)


def _build_statement(event: Event, strength: Strength, interval: Interval) -> SignalLoss:
    return SignalLoss(signal=event.signal, strength=strength, interval=interval, says=event.says, ref=event.ref or None)


def find_balancer_statements(timeline: Timeline, loss: Interval) -> Iterator[SignalLoss]:
    """What the balancers' health answers say during an open loss: they have no time, so they date none."""
    strengths = {Kind.BACKEND_PLATFORM_DOWN: Strength.STRONG, Kind.BACKEND_DOWN: Strength.MEDIUM}
    events: tuple[Event, ...] = timeline.list_events(*strengths) if loss.is_open else ()
    for event in islice((one for one in events if one.at >= loss.start), 2):
        yield _build_statement(event, strengths[event.kind], loss)


def find_weak_witnesses(timeline: Timeline, span: Window) -> list[SignalLoss]:
    """What hints at a loss in a span without founding one: tests that fail while others pass, what balancers say."""
    now = timeline.window.end
    weak = [one for one in find_witness_losses(timeline) if one.strength is Strength.WEAK]
    inside = [one for one in weak if one.interval.clip_to(now).overlaps_window(span)]
    told = find_balancer_statements(timeline, Interval(span.start, None))
    return [*inside, *(replace(one, strength=Strength.WEAK) for one in told if span.end >= now)]
