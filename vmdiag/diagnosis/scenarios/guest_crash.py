"""The guest operating system crashed.

What it is: the guest crashed or did not boot (also a secure boot that failed); the host and the network are fine.

Told from look-alikes by Azure's annotation VirtualMachineCrashed, which names the VM as the initiator; CPU and disk
then fall silent too, while after a broken migration they go on.

What to do: boot diagnostics, serial console, the guest's own logs. A redeploy does not repair a guest.

Source: https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="guest-crash",
        kinds=(Kind.GUEST_CRASH,),
        # The annotation is stamped within minutes of the crash.
        before=timedelta(minutes=15),
        after=timedelta(minutes=5),
    ),
    page=__doc__,
    remedies=("Look at boot diagnostics, the serial console and the guest's logs.",),
    examples=(
        (Verdict.CLEAR, "12:00 guest-crash"),
        (Verdict.CONFIRMED, "12:00 guest-crash\n12:01 unavailable"),
    ),
)
