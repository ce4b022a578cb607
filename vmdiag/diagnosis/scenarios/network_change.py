"""A change of the network configuration cut the VM off.

What it is: somebody changed a security group, route, NIC, address, peering, firewall or balancer: the most common real
cause of a VM that cannot be reached.

Told from look-alikes by a change that succeeded within 30 minutes before the onset and that touches this VM. Where it
cannot be known whether it does (an export does not always say which group belongs to which NIC), a change in the VM's
own resource group makes the cause suspect, no more. Of a change and a live migration the one nearer to the onset is
blamed.

What to do: look at the change, and take it back if it was wrong; az network watcher test-ip-flow tells what a rule
does.

Source: https://learn.microsoft.com/azure/network-watcher/ip-flow-verify-overview
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Loss, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses, is_pending
from vmdiag.model import Event, Kind, Signal, Timeline

CAUSE = Cause(
    scenario="network-change",
    kinds=(Kind.NETWORK_CHANGE,),
    # Rules act within minutes, but established flows can outlive one: half an hour (our judgement). Afterwards only
    # the coarseness of the metrics, two minutes.
    before=timedelta(minutes=30),
    after=timedelta(minutes=2),
    signals=frozenset({Signal.ACTIVITY}),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin soon after a change; firmly only where the change is known to touch the VM."""
    return attribute_losses(timeline, CAUSE, firm=_touches_path)


def _touches_path(event: Event, _: Loss) -> bool:
    return event.facts.get("relation", "touches") == "touches" and not is_pending(event)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="A change of the network configuration cut the VM off",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Look at the change and take it back if it was wrong.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 network-change
            traffic normal
            """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 network-change
            12:03 traffic-lost
            """,
        ),
    ),
)
