"""The spot VM was evicted.

What it is: Azure took the capacity of a spot VM back, with 30 seconds of notice.

Told from look-alikes by the annotation VirtualMachinePreempted (or somebody's simulateEviction) at the onset.

What to do: start the VM when there is capacity again, or use a size that is not spot.

Source: https://learn.microsoft.com/azure/virtual-machines/spot-vms
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

# Notice is 30 seconds; the annotation is stamped within minutes.
CAUSE = Cause(
    scenario="spot-eviction",
    kinds=(Kind.EVICTION,),
    before=timedelta(minutes=10),
    after=timedelta(minutes=5),
    undone_by=(Kind.START,),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="The spot VM was evicted",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Start the VM when capacity is back: az vm start --ids VM_ID",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 eviction
            12:05 start
        """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 eviction
            12:01 unavailable
        """,
        ),
    ),
)
