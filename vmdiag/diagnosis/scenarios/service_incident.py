"""A service incident of the region took the VM's connectivity.

What it is: Azure reports an incident of compute or networking for the VM's region. It names no VM, and a redeploy does
not help while it lasts.

Told from look-alikes by region, service and time: the incident overlaps the onset by an hour either way.

What to do: follow the incident in Service Health; fail over where the workload can.

Source: https://learn.microsoft.com/azure/service-health/service-health-overview
"""

from datetime import timedelta

from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import Attribution, Finding, Precedence, Stance, Verdict
from vmdiag.diagnosis.scenarios._causes import Cause, build_finding, find_no_cause, make_scenario
from vmdiag.diagnosis.service_health import concerns_vm, find_incident_end, is_same_region
from vmdiag.diagnosis.signals import cite_event
from vmdiag.model import Kind, Signal, Timeline

CAUSE = Cause(
    scenario="service-incident",
    kinds=(Kind.SERVICE_INCIDENT,),
    # Incidents are announced late and dated roughly.
    before=timedelta(minutes=60),
    after=timedelta(minutes=60),
    signals=frozenset({Signal.SERVICE}),
)


def judge_events(timeline: Timeline) -> Finding:
    """Blame the losses that begin during an incident of the VM's region that can cut a VM off."""
    incidents = [event for event in timeline.list_events(*CAUSE.kinds) if concerns_vm(timeline.vm, event)]
    if not incidents:
        return find_no_cause(timeline, CAUSE)
    blames: list[Attribution] = []
    ends = [(event, find_incident_end(event, timeline.events)) for event in incidents]
    for loss in search_losses(timeline).losses:
        onset = loss.interval.start
        during = [event for event, end in ends if event.at - CAUSE.after <= onset <= end + CAUSE.before]
        for event in during[:1]:
            known = is_same_region(timeline.vm, event) is True
            verdict = Verdict.CONFIRMED if known else Verdict.SUSPECTED
            evidence = cite_event(Stance.FOR, event, "" if known else "whether it is the VM's region is not known")
            blames.append(Attribution(loss=loss.interval, verdict=verdict, cause_at=event.at, evidence=(evidence,)))
    return build_finding(CAUSE, incidents, blames, unless="no loss of connectivity begins during it")


SCENARIO = make_scenario(
    CAUSE,
    page=__doc__,
    judge_events=judge_events,
    precedence=Precedence.ALWAYS,
    remedies=("Follow the incident in Service Health; fail over where the workload can.",),
    examples=(
        (Verdict.CLEAR, "12:00 service-incident\ntraffic normal"),
        (Verdict.CONFIRMED, "12:00 service-incident\n12:10 traffic-lost"),
    ),
)
