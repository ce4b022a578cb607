"""Planned maintenance rebooted the VM.

What it is: Azure moved or rebooted the VM for maintenance that was announced. The annotation's "migration" is one with
a reboot, not a live migration.

Told from look-alikes by the annotation (...InitiatedForPlannedMaintenance) at the onset, category Planned. An update in
place that only pauses the VM is a freeze: it lasts seconds and explains no lasting loss.

What to do: wait until the maintenance is over; use maintenance configurations or scheduled events to choose the time.

Source: https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, make_scenario
from vmdiag.model import Kind

SCENARIO = make_scenario(
    Cause(
        scenario="planned-maintenance",
        kinds=(Kind.PLANNED_REBOOT,),
        # A maintenance reboot takes its time; the records of it come 2 to 4 minutes late.
        before=timedelta(minutes=15),
        after=timedelta(minutes=10),
    ),
    page=__doc__,
    remedies=("Wait until the maintenance is over.",),
    examples=(
        (Verdict.CLEAR, "12:00 freeze\ntraffic normal"),
        (Verdict.CONFIRMED, "12:00 planned-reboot\n12:01 unavailable\n12:30 available"),
    ),
)
