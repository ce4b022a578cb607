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

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

# A reboot takes the network down within a minute or two; the rest is the time a guest takes to shut down.
CAUSE = Cause(
    scenario="guest-restart",
    kinds=(Kind.RESTART, Kind.RESIZE, Kind.REIMAGE, Kind.REDEPLOY),
    before=timedelta(minutes=15),
    after=timedelta(minutes=2),
    undone_by_life=True,
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="The VM was restarted, resized, reimaged or redeployed by a customer",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Look at boot diagnostics and the serial console: the guest may not have come up.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 restart
            12:01 unavailable
            12:06 available
        """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 restart
            12:01 unavailable
            12:01 traffic-lost
        """,
        ),
    ),
)
