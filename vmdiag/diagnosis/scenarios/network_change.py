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

from vmdiag.diagnosis.model import Precedence, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind, Signal

SCENARIO = make_scenario(
    Cause(
        scenario="network-change",
        kinds=(Kind.NETWORK_CHANGE,),
        # Rules act within minutes, but established flows can outlive one: half an hour (our judgement). Afterwards only
        # the coarseness of the metrics, two minutes.
        before=timedelta(minutes=30),
        after=timedelta(minutes=2),
        signals=frozenset({Signal.ACTIVITY}),
    ),
    page=__doc__,
    precedence=Precedence.NEARER,
    remedies=("Look at the change and take it back if it was wrong.",),
    examples=(
        (Verdict.CLEAR, "12:00 network-change\ntraffic normal"),
        (Verdict.CONFIRMED, "12:00 network-change\n12:03 traffic-lost"),
    ),
)
