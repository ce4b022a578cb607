"""The VM was stopped or deallocated by a customer.

What it is: somebody with rights, a schedule or the guest itself stopped the VM. A VM that does not run is reached by
nobody, and Azure's words mislead: 15 minutes after a customer's own stop Resource Health says "Unavailable,
PlatformInitiated".

Told from look-alikes by the stop, power-off, deallocation or deletion shortly before the loss (activity log or
annotation), or by a power state that is not "running". A stop after the onset explains nothing: it may be a first try
to repair.

What to do: start the VM. A VM that was deallocated gets a new host when it starts.

Source: https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind, Signal

SCENARIO = make_scenario(
    Cause(
        scenario="user-stop",
        kinds=(Kind.STOP, Kind.DEALLOCATE, Kind.DELETE, Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED),
        # A shutdown takes minutes, and where only Resource Health is read the first word may be the one after 15
        # minutes. The power state is dated at the end of what was read: it explains a loss that begins there.
        before=timedelta(minutes=20),
        after=timedelta(minutes=5),
        signals=frozenset({Signal.ACTIVITY, Signal.HEALTH, Signal.POWER}),
        undone_by=(Kind.START,),
    ),
    page=__doc__,
    remedies=("Start the VM.",),
    vm_action="start",
    examples=(
        (Verdict.CLEAR, "12:00 stop\n12:05 start"),
        (Verdict.CLEAR, "12:00 traffic-lost\n12:06 stop"),  # a first try to repair
        (Verdict.CONFIRMED, "12:00 deallocate\n12:01 unavailable"),
    ),
)
