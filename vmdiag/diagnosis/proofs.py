"""What Network Watcher found when it was asked (`--prove`): present looks, that date nothing, and what they prove.

Every strength of this channel stands here once, with its reason:

* one look from another network fails while one of the same port succeeds from the VM's own subnet: strong, for that is
  what the scenario says, and guest, interface and service are seen to work;
* a look from another network fails and nobody looked from inside: medium where the port is known to be served, else no
  channel, for nobody may listen there;
* looks from inside fail, too: guest, host or interface are likelier (a doubt); a look from outside succeeds: new
  connections are answered, and it is not this scenario;
* a rule that keeps others out explains the loss where the port is known to be served, a way back that ends where
  somebody is known to come from there: of what is only assumed a denial is how a VM is kept safe; and a rule for what
  comes in does not end heartbeats. Of public addresses rules let some in and keep the others out all the time: that
  one of these is denied is a doubt, and explains nothing;
* a look from inside of which probes were lost (`Degraded`) shows life, and is no half of a pair: the guest, the host or
  the interface loses them;
* answers that go through an appliance are a doubt: it may have failed itself.

Only a loss that goes on is concerned. That a pair of looks proves where the path is dead is inferred, and so is what a
rule explains: no page of Microsoft's states either.
"""

from collections.abc import Iterator

from vmdiag.diagnosis.model import Evidence, Loss, SignalLoss, Stance, Strength
from vmdiag.diagnosis.proof_words import HOP_CHECK
from vmdiag.diagnosis.signals import cite_event
from vmdiag.diagnosis.witnesses import OUTSIDE, find_witness_scope
from vmdiag.model import Event, Interval, Kind, Signal, Timeline, Viewpoint


def list_looks(timeline: Timeline, loss: Interval, kind: Kind, *places: Viewpoint) -> list[Event]:
    """Looks of a kind from some places during a loss that goes on; none of one that has ended."""
    told = timeline.list_events(kind) if loss.is_open else ()
    return [one for one in told if one.at >= loss.start and one.facts.get("viewpoint") in (places or tuple(Viewpoint))]


def find_proof_channels(timeline: Timeline, loss: Interval) -> Iterator[SignalLoss]:
    """What the looks from outside show of an open loss: one channel, as strong as all of them together make it."""
    lost = list_looks(timeline, loss, Kind.PROOF_LOST, *OUTSIDE)
    # Who is kept out by a rule or a route says nothing of the path; who is let in is answered.
    others = [list_looks(timeline, loss, kind, *OUTSIDE) for kind in (Kind.PROOF_REACHED, Kind.PROOF_DENIED)]
    if not lost or any(others):
        return
    first, inside = lost[0], list_looks(timeline, loss, Kind.PROOF_REACHED, Viewpoint.INSIDE)
    is_contradicted = bool(list_looks(timeline, loss, Kind.PROOF_LOST, Viewpoint.INSIDE))
    whole = [one for one in inside if "partly" not in one.facts]
    is_pair = not is_contradicted and any(one.facts.get("port") == first.facts.get("port") for one in whole)
    if is_pair or "assumed" not in first.facts:
        yield SignalLoss(
            signal=Signal.PROOF,
            strength=Strength.STRONG if is_pair else Strength.MEDIUM,
            interval=loss,
            says=first.says,
            ref=first.ref or None,
            seen_at=first.at,
            observer=first.facts.get("origin", ""),
        )


def find_denial(timeline: Timeline, loss: Loss) -> Event | None:
    """A rule or a route that explains an open loss."""
    if list_looks(timeline, loss.interval, Kind.PROOF_REACHED, *OUTSIDE):
        return None
    for denial in list_looks(timeline, loss.interval, Kind.PROOF_DENIED, *OUTSIDE):
        is_route = denial.facts.get("check") == HOP_CHECK
        is_stranger = not is_route and denial.facts.get("viewpoint") == Viewpoint.OUTSIDE
        is_sure = "assumed" not in denial.facts and not is_stranger
        if is_sure and (is_route or Signal.HEARTBEAT not in loss.signals):
            return denial
    return None


def find_proof_doubts(timeline: Timeline, loss: Loss) -> Iterator[Evidence]:
    """What the looks say against a path that is dead from outside alone."""
    span = loss.interval
    for one in list_looks(timeline, span, Kind.PROOF_LOST, Viewpoint.INSIDE):
        guess = "; that somebody listens there is assumed, --probe PORT names one" if "assumed" in one.facts else ""
        yield cite_event(Stance.AGAINST, one, f"it points to guest, host or interface{guess}")
    for one in list_looks(timeline, span, Kind.PROOF_REACHED, *OUTSIDE):
        yield cite_event(Stance.AGAINST, one, "new connections are answered")
    for one in list_looks(timeline, span, Kind.PROOF_DENIED, *OUTSIDE):
        if "assumed" not in one.facts:
            yield cite_event(Stance.AGAINST, one, "it may be what cuts the VM off")
    for one in list_looks(timeline, span, Kind.PROOF_APPLIANCE, *OUTSIDE):
        yield cite_event(Stance.MISSING, one, "the appliance may have failed itself")


def find_scope(timeline: Timeline, interval: Interval) -> Viewpoint:
    """From where the VM was not reached, by who looks all the time, else by who was asked to look."""
    told = find_witness_scope(timeline, interval)
    if told is not Viewpoint.UNKNOWN:
        return told
    if list_looks(timeline, interval, Kind.PROOF_LOST, Viewpoint.INSIDE):
        is_mixed = list_looks(timeline, interval, Kind.PROOF_REACHED)
        return Viewpoint.UNKNOWN if is_mixed else Viewpoint.INSIDE
    if not list_looks(timeline, interval, Kind.PROOF_REACHED, Viewpoint.INSIDE):
        return Viewpoint.UNKNOWN
    lost = {one.facts.get("viewpoint") for one in list_looks(timeline, interval, Kind.PROOF_LOST)}
    return next((place for place in OUTSIDE if place in lost), Viewpoint.UNKNOWN)
