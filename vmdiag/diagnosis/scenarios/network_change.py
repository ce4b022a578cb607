"""A change of the network configuration cut the VM off.

What it is: somebody changed a security group, route, NIC, address, peering, firewall or balancer: the most common real
cause of a VM that cannot be reached.

Told from look-alikes by a change that succeeded within 30 minutes before the onset and that touches this VM. Where it
cannot be known whether it does (an export does not always say which group belongs to which NIC), a change in the VM's
own resource group makes the cause suspect, no more. Of a change and a live migration the one nearer to the onset is
blamed. Where Network Watcher is asked (--prove) and says that a rule keeps others from a port that is known to be
served, or that the VM's answers have no next hop, that explains the loss whether or not the change was seen; a rule for
what comes in explains no heartbeats that end. That it does is inferred.

What to do: look at the change, and take it back if it was wrong; vmdiag check NAME --prove, or az network watcher
test-ip-flow, tells what a rule does.

Source: https://learn.microsoft.com/azure/network-watcher/ip-flow-verify-overview
"""

from datetime import timedelta

from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import Attribution, Finding, Precedence, Stance, Verdict
from vmdiag.diagnosis.proofs import find_denial
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses, make_scenario
from vmdiag.diagnosis.signals import cite_event
from vmdiag.model import Kind, Signal, Timeline
from vmdiag.values import replace

CAUSE = Cause(
    scenario="network-change",
    kinds=(Kind.NETWORK_CHANGE,),
    # Rules act within minutes, but established flows can outlive one: half an hour (our judgement). Afterwards only
    # the coarseness of the metrics, two minutes.
    before=timedelta(minutes=30),
    after=timedelta(minutes=2),
    signals=frozenset({Signal.ACTIVITY}),
    shown_by=(Kind.PROOF_DENIED,),
)


def judge_events(timeline: Timeline) -> Finding:
    """Changes near the losses; of the loss that goes on also what Network Watcher says keeps others out."""
    finding = attribute_losses(timeline, CAUSE)
    for loss in search_losses(timeline).losses[-1:]:
        denial = find_denial(timeline, loss)
        if denial is None:
            continue
        blame = Attribution(
            loss=loss.interval,
            verdict=Verdict.CONFIRMED,
            cause_at=loss.interval.start,
            evidence=(cite_event(Stance.FOR, denial),),
            precedence=Precedence.ALWAYS,
        )
        blames = (*(one for one in finding.blames if one.loss != loss.interval), blame)
        evidence = tuple(piece for one in blames for piece in one.evidence)
        return replace(finding, verdict=Verdict.CONFIRMED, evidence=evidence, blames=blames, cause_at=blame.cause_at)
    return finding


SCENARIO = make_scenario(
    CAUSE,
    page=__doc__,
    judge_events=judge_events,
    precedence=Precedence.NEARER,
    remedies=("Look at the change, or at the rule or route that denies, and take it back if it was wrong.",),
    examples=(
        (Verdict.CLEAR, "12:00 network-change\ntraffic normal"),
        (Verdict.CONFIRMED, "12:00 network-change\n12:03 traffic-lost"),
    ),
)
