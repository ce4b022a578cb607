"""The spot VM was evicted.

What it is: Azure took the capacity of a spot VM back, with 30 seconds of notice.

Told from look-alikes by the annotation VirtualMachinePreempted (or somebody's simulateEviction) at the onset.

What to do: start the VM when there is capacity again, or use a size that is not spot.

Source: https://learn.microsoft.com/azure/virtual-machines/spot-vms
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="spot-eviction",
        kinds=(Kind.EVICTION,),
        # Notice is 30 seconds; the annotation is stamped within minutes.
        before=timedelta(minutes=10),
        after=timedelta(minutes=5),
        undone_by=(Kind.START,),
    ),
    page=__doc__,
    remedies=("Start the VM when capacity is back.",),
    vm_action="start",
    examples=(
        (Verdict.CLEAR, "12:00 eviction\n12:05 start"),
        (Verdict.CONFIRMED, "12:00 eviction\n12:01 unavailable"),
    ),
)
