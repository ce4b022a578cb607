"""The VM's host failed.

What it is: the physical host crashed or was rebooted, or Azure moved the VM away from it with a reboot ("service
healing"). Recovery normally takes 10 to 15 minutes.

Told from look-alikes by the annotation (host crashed, host rebooted for repair, migration initiated for repair): its
"migration" is a restart on another host, not a live migration. Warnings that a host may fail are no failure: a live
migration often follows them.

What to do: wait for Azure to bring the VM back; if it stays away for an hour, open a support request.

Source: https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="host-failure",
        kinds=(Kind.HOST_FAILURE,),
        # Health records land 2 to 4 minutes late, a host's failure may be attributed later still.
        before=timedelta(minutes=15),
        after=timedelta(minutes=10),
    ),
    page=__doc__,
    remedies=("Wait for Azure's recovery; open a support request if the VM is not back within an hour.",),
    examples=(
        (Verdict.CLEAR, "12:00 host-failure\n12:00 unavailable\n12:09 available"),
        (Verdict.CONFIRMED, "12:00 host-failure\n12:01 unavailable\n12:40 available"),
    ),
)
