"""The VM lost its disks.

What it is: the connection between host and storage broke; after 120 seconds Azure shuts the VM down and brings it back
when the storage answers.

Told from look-alikes by the annotation VirtualMachineStorageOffline at the onset.

What to do: wait; see Service Health for a storage incident of the region.

Source: https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="storage-offline",
        kinds=(Kind.STORAGE_OFFLINE,),
        # Azure forces the VM off after 120 s without its disks; the records of it come 2 to 4 minutes late.
        before=timedelta(minutes=15),
        after=timedelta(minutes=10),
    ),
    page=__doc__,
    remedies=("Wait for the storage; see Service Health for the region.",),
    examples=(
        (Verdict.CLEAR, "12:00 storage-offline"),
        (Verdict.CONFIRMED, "12:00 storage-offline\n12:02 unavailable"),
    ),
)
