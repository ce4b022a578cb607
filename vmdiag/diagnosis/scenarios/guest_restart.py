"""The VM was restarted, resized, reimaged or redeployed by a customer.

What it is: an action of a customer, or a reboot from inside the guest, took the VM down; if the guest does not come up
again the loss stays.

Told from look-alikes by the operation or annotation just before the onset. A restart after the onset is a try to
repair and explains nothing, and so does one after which the VM was well before the loss began. A restart between a
live migration and the loss breaks the link between the two, because the VM's port was built anew.

What to do: look at boot diagnostics and the serial console if the VM does not come back within 15 minutes.

Source: https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="guest-restart",
        kinds=(Kind.RESTART, Kind.RESIZE, Kind.REIMAGE, Kind.REDEPLOY),
        # A reboot takes the network down within a minute or two; the rest is the time a guest takes to shut down.
        before=timedelta(minutes=15),
        after=timedelta(minutes=2),
        undone_by_life=True,
    ),
    page=__doc__,
    remedies=("Look at boot diagnostics and the serial console: the guest may not have come up.",),
    examples=(
        (Verdict.CLEAR, "12:00 restart\n12:01 unavailable\n12:06 available"),
        (Verdict.CONFIRMED, "12:00 restart\n12:01 unavailable\n12:01 traffic-lost"),
    ),
)
