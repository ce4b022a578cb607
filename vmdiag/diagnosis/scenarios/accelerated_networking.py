"""Accelerated networking stopped working.

What it is: the VM's accelerated network path is unhealthy without a live migration having come before, for instance
after servicing of the host or with an old driver in the guest. Short revocations of the path are normal and harmless.

Told from look-alikes by the annotation AccelnetUnhealthy. Where it follows a live migration it belongs to that
migration, and is evidence for it.

What to do: Azure's own advice for this annotation is a redeploy; network appliances also need drivers that know the
newer adapters.

Source: https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
"""

from dataclasses import replace
from datetime import timedelta

from vmdiag.diagnosis.model import Example, Finding, Scenario, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses
from vmdiag.model import Event, Kind, Timeline

CAUSE = Cause(
    scenario="accelerated-networking",
    kinds=(Kind.ACCELNET_UNHEALTHY,),
    # Azure needs a while to find it, and the VM can feel it late: half an hour either way (our judgement).
    before=timedelta(minutes=30),
    after=timedelta(minutes=30),
)
# The onset window of a migration: what comes in it belongs to the migration.
AFTER_MIGRATION = timedelta(minutes=30)
BEFORE_MIGRATION = timedelta(minutes=2)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses near an unhealthy accelerated path that no migration brought about."""
    migrations = timeline.list_events(Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)

    def is_own(event: Event) -> bool:
        return not any(-BEFORE_MIGRATION <= event.at - other.at <= AFTER_MIGRATION for other in migrations)

    own = [event for event in timeline.list_events(*CAUSE.kinds) if is_own(event)]
    finding = attribute_losses(timeline, CAUSE)
    blames = tuple(one for one in finding.blames if any(event.at <= one.cause_at <= event.ended for event in own))
    if blames == finding.blames:
        return finding
    return replace(finding, verdict=blames[-1].verdict if blames else Verdict.CLEAR, blames=blames)


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="Accelerated networking stopped working",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Redeploy the VM, as Azure advises for this annotation; update the drivers of a network appliance.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 live-migration
            12:05 accelnet-unhealthy
            12:05 traffic-lost
            """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:05 accelnet-unhealthy
            12:06 traffic-lost
            """,
        ),
    ),
)
