"""A service incident of the region took the VM's connectivity.

What it is: Azure reports an incident of compute or networking for the VM's region. It names no VM, and a redeploy does
not help while it lasts.

Told from look-alikes by region, service and time: the incident overlaps the onset by an hour either way.

What to do: follow the incident in Service Health; fail over where the workload can.

Source: https://learn.microsoft.com/azure/service-health/service-health-overview
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from vmdiag.diagnosis.losses import find_connectivity_losses
from vmdiag.diagnosis.model import Attribution, Example, Finding, Loss, Scenario, Stance, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, cite_event, find_no_cause
from vmdiag.diagnosis.service_health import concerns_vm, find_incident_end, is_same_region
from vmdiag.model import Event, Kind, Signal, Timeline

CAUSE = Cause(
    scenario="service-incident",
    kinds=(Kind.SERVICE_INCIDENT,),
    # Incidents are announced late and dated roughly.
    before=timedelta(minutes=60),
    after=timedelta(minutes=60),
    signals=frozenset({Signal.SERVICE}),
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin during an incident of the VM's region that can cut a VM off."""
    incidents = [event for event in timeline.list_events(Kind.SERVICE_INCIDENT) if concerns_vm(timeline.vm, event)]
    if not incidents:
        return replace(find_no_cause(timeline, CAUSE), cause_at=None)
    blames = tuple(_attribute_losses(timeline, incidents))
    evidence = tuple(piece for one in blames for piece in one.evidence) or tuple(
        cite_event(Stance.AGAINST, event, "no loss of connectivity begins during it") for event in incidents
    )
    verdict = blames[-1].verdict if blames else Verdict.CLEAR
    cause_at = blames[-1].cause_at if blames else incidents[-1].at
    return Finding(scenario=CAUSE.scenario, verdict=verdict, evidence=evidence, blames=blames, cause_at=cause_at)


def _attribute_losses(timeline: Timeline, incidents: list[Event]) -> Iterator[Attribution]:
    for loss in find_connectivity_losses(timeline):
        for event in incidents:
            if _overlaps_loss(timeline, event, loss):
                known = is_same_region(timeline.vm, event) is True
                yield Attribution(
                    loss=loss.interval,
                    verdict=Verdict.CONFIRMED if known else Verdict.SUSPECTED,
                    cause_at=event.at,
                    evidence=(
                        cite_event(Stance.FOR, event, "" if known else "whether it is the VM's region is not known"),
                    ),
                )
                break


def _overlaps_loss(timeline: Timeline, event: Event, loss: Loss) -> bool:
    onset = loss.interval.start
    return event.at - CAUSE.after <= onset <= find_incident_end(event, timeline.events) + CAUSE.before


SCENARIO = Scenario(
    id=CAUSE.scenario,
    title="A service incident of the region took the VM's connectivity",
    page=__doc__,
    needs=CAUSE.needs,
    detect=detect,
    remedies=("Follow the incident in Service Health; fail over where the workload can.",),
    examples=(
        Example(
            Verdict.CLEAR,
            """
            12:00 service-incident
            traffic normal
            """,
        ),
        Example(
            Verdict.CONFIRMED,
            """
            12:00 service-incident
            12:10 traffic-lost
            """,
        ),
    ),
)
