"""The network below the VM failed.

What it is: a fault in Azure's own network under the host (a rack's switch, NetworkUnhealthy). Azure recovers by itself;
neighbours of the VM are affected as well.

Told from look-alikes by the annotation NetworkUnhealthy or DependencyUnhealthyNetworkDevice near the onset.

What to do: wait; see Service Health. A redeploy may land on the same network.

Source: https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Precedence, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="platform-network",
        kinds=(Kind.NETWORK_UNHEALTHY,),
        # The annotation is Azure's own finding: it comes minutes after the fault, or lasts a while before the VM feels
        # it.
        before=timedelta(minutes=30),
        after=timedelta(minutes=15),
    ),
    page=__doc__,
    precedence=Precedence.ALWAYS,
    remedies=("Wait for Azure's recovery; see Service Health for the region.",),
    examples=(
        (Verdict.CLEAR, "12:00 network-unhealthy\n12:01 available"),
        (Verdict.CONFIRMED, "12:00 network-unhealthy\n12:02 traffic-lost"),
    ),
)
