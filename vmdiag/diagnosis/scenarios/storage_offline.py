"""The VM lost its disks.

What it is: the connection between host and storage broke; after 120 seconds Azure shuts the VM down and brings it back
when the storage answers.

Told from look-alikes by the annotation VirtualMachineStorageOffline at the onset.

What to do: wait; see Service Health for a storage incident of the region.

Source: https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

# Azure forces the VM off after 120 s without its disks; the records of it come 2 to 4 minutes late.
CAUSE = Cause(
    scenario="storage-offline",
    kinds=(Kind.STORAGE_OFFLINE,),
    before=timedelta(minutes=15),
    after=timedelta(minutes=10),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="The VM lost its disks",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Wait for the storage; see Service Health for the region.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 storage-offline
        """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 storage-offline
            12:02 unavailable
        """,
        ),
    ),
)
