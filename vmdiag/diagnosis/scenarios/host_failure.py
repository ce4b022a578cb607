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

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

# Health records land 2 to 4 minutes late, a host's failure may be attributed later still.
CAUSE = Cause(
    scenario="host-failure",
    kinds=(Kind.HOST_FAILURE,),
    before=timedelta(minutes=15),
    after=timedelta(minutes=10),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="The VM's host failed",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Wait for Azure's recovery; open a support request if the VM is not back within an hour.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 host-failure
            12:00 unavailable
            12:09 available
        """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 host-failure
            12:01 unavailable
            12:40 available
        """,
        ),
    ),
)
