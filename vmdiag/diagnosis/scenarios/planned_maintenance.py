"""Planned maintenance rebooted the VM.

What it is: Azure moved or rebooted the VM for maintenance that was announced. The annotation's "migration" is one with
a reboot, not a live migration.

Told from look-alikes by the annotation (...InitiatedForPlannedMaintenance) at the onset, category Planned. An update in
place that only pauses the VM is a freeze: it lasts seconds and explains no lasting loss.

What to do: wait until the maintenance is over; use maintenance configurations or scheduled events to choose the time.

Source: https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates
"""

from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Kind, Timeline

CAUSE = Cause(
    scenario="planned-maintenance",
    kinds=(Kind.PLANNED_REBOOT,),
    # A maintenance reboot takes its time; the records of it come 2 to 4 minutes late.
    before=timedelta(minutes=15),
    after=timedelta(minutes=10),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with such an event."""
    return attribute_losses(timeline, CAUSE)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="Planned maintenance rebooted the VM",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Wait until the maintenance is over.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 freeze
            traffic normal
            """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 planned-reboot
            12:01 unavailable
            12:30 available
            """,
        ),
    ),
)
