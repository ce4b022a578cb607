"""Planned maintenance rebooted the VM.

What it is: Azure moved or rebooted the VM for maintenance that was announced. The annotation's "migration" is one with
a reboot, not a live migration. An update in place that only pauses the VM is a freeze: normally unnoticed, so it
explains a loss weakly.

Told from look-alikes by the annotation (...InitiatedForPlannedMaintenance) at the onset, category Planned.

What to do: wait until the maintenance is over; use maintenance configurations or scheduled events to choose the time.

Source: https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates
"""

from dataclasses import replace
from datetime import timedelta

from vmdiag.diagnosis import Example, Finding, Loss, Scenario, Verdict
from vmdiag.model import Event, Kind, Timeline
from vmdiag.scenarios._causes import Cause, blame

CAUSE = Cause(
    scenario="planned-maintenance",
    kinds=(Kind.PLANNED_REBOOT, Kind.FREEZE),
    # A maintenance reboot takes its time; the records of it come 2 to 4 minutes late.
    before=timedelta(minutes=15),
    after=timedelta(minutes=10),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin with a maintenance event; a mere freeze only makes them suspicious.

    Beside a live migration a freeze says nothing of its own: both are pauses of seconds.
    """
    migrated = timeline.of(Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)
    return blame(timeline, replace(CAUSE, kinds=(Kind.PLANNED_REBOOT,)) if migrated else CAUSE, firm=_rebooted)


def _rebooted(event: Event, _: Loss) -> bool:
    return event.kind is Kind.PLANNED_REBOOT


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
