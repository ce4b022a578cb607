"""Accelerated networking stopped working.

What it is: the VM's accelerated network path is unhealthy without a live migration having come before, for instance
after servicing of the host or with an old driver in the guest. Short revocations of the path are normal and harmless.

Told from look-alikes by the annotation AccelnetUnhealthy. Where it follows a live migration it belongs to that
migration, and is evidence for it.

What to do: Azure's own advice for this annotation is a redeploy; network appliances also need drivers that know the
newer adapters.

Source: https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
"""

from datetime import timedelta

from vmdiag.diagnosis.event_words import MIGRATIONS
from vmdiag.diagnosis.model import Finding, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, attribute_losses, make_scenario
from vmdiag.diagnosis.signals import ONSET_AFTER, ONSET_BEFORE
from vmdiag.model import Kind, Timeline, Window
from vmdiag.values import replace

CAUSE = Cause(
    scenario="accelerated-networking",
    kinds=(Kind.ACCELNET_UNHEALTHY,),
    # Azure needs a while to find it, and the VM can feel it late: half an hour either way (our judgement).
    before=timedelta(minutes=30),
    after=timedelta(minutes=30),
)


def judge_events(timeline: Timeline) -> Finding:
    """Blame the losses near an unhealthy accelerated path; what comes in a migration's onset window belongs to that."""
    finding = attribute_losses(timeline, CAUSE)
    moved = [event.at for event in timeline.list_events(*MIGRATIONS)]
    own = [
        Window(event.at, event.ended)
        for event in timeline.list_events(*CAUSE.kinds)
        if not any(at - ONSET_BEFORE <= event.at <= at + ONSET_AFTER for at in moved)
    ]
    blames = tuple(one for one in finding.blames if any(one.cause_at in span for span in own))
    if blames == finding.blames:
        return finding
    return replace(finding, verdict=blames[-1].verdict if blames else Verdict.CLEAR, blames=blames)


SCENARIO = make_scenario(
    CAUSE,
    page=__doc__,
    judge_events=judge_events,
    remedies=("Redeploy the VM, as Azure advises for this annotation; update the drivers of a network appliance.",),
    examples=(
        (Verdict.CLEAR, "12:00 live-migration\n12:05 accelnet-unhealthy\n12:05 traffic-lost"),
        (Verdict.CONFIRMED, "12:05 accelnet-unhealthy\n12:06 traffic-lost"),
    ),
)
