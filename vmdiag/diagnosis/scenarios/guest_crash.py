"""The guest operating system crashed.

What it is: the guest crashed or did not boot (also a secure boot that failed); the host and the network are fine.

Told from look-alikes by Azure's annotation VirtualMachineCrashed, which names the VM as the initiator; CPU and disk
then fall silent too, while after a broken migration they go on.

What to do: boot diagnostics, serial console, the guest's own logs. A redeploy does not repair a guest.

Source: https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

# The annotation is stamped within minutes of the crash.
CAUSE = Cause(
    scenario="guest-crash",
    kinds=(Kind.GUEST_CRASH,),
    before=timedelta(minutes=15),
    after=timedelta(minutes=5),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="The guest operating system crashed",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Look at boot diagnostics, the serial console and the guest's logs.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 guest-crash
        """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 guest-crash
            12:01 unavailable
        """,
        ),
    ),
)
