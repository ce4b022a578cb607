"""A service incident of the region took the VM's connectivity.

What it is: Azure reports an incident of compute or networking for the VM's region. It names no VM, and a redeploy does
not help while it lasts.

Told from look-alikes by region, service and time: the incident overlaps the onset by an hour either way.

What to do: follow the incident in Service Health; fail over where the workload can.

Source: https://learn.microsoft.com/azure/service-health/service-health-overview
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from vmdiag.diagnosis import Blame, Example, Finding, Loss, Scenario, Stance, Verdict
from vmdiag.model import Event, Kind, Signal, Timeline
from vmdiag.scenarios._causes import Cause, cited, unseen
from vmdiag.symptoms import connectivity_losses

CAUSE = Cause(
    scenario="service-incident",
    kinds=(Kind.SERVICE_INCIDENT,),
    # Incidents are announced late and dated roughly.
    before=timedelta(minutes=60),
    after=timedelta(minutes=60),
    signals=frozenset({Signal.SERVICE}),
)
# An incident without an end is taken to last this long after it was last heard of (our judgement).
USUAL_LENGTH = timedelta(hours=24)
# Services whose failure cuts VMs off. Everything else that an incident names is somebody else's trouble.
SERVICES = (
    "virtual machine",
    "virtual network",
    "network infrastructure",
    "load balancer",
    "expressroute",
    "vpn gateway",
)


def detect(timeline: Timeline) -> Finding:
    """Blame the losses that begin during an incident of the VM's region that can cut a VM off."""
    incidents = [event for event in timeline.of(Kind.SERVICE_INCIDENT) if _concerns(timeline, event)]
    if not incidents:
        return replace(unseen(timeline, CAUSE), cause_at=None)
    blames = tuple(_blames(timeline, incidents))
    evidence = tuple(piece for one in blames for piece in one.evidence) or tuple(
        cited(Stance.AGAINST, event, "no loss of connectivity begins during it") for event in incidents
    )
    verdict = blames[-1].verdict if blames else Verdict.CLEAR
    cause_at = blames[-1].cause_at if blames else incidents[-1].at
    return Finding(scenario=CAUSE.scenario, verdict=verdict, evidence=evidence, blames=blames, cause_at=cause_at)


def _blames(timeline: Timeline, incidents: list[Event]) -> Iterator[Blame]:
    for loss in connectivity_losses(timeline):
        for event in incidents:
            if _overlaps(timeline, event, loss):
                known = _same_region(timeline, event) is True
                yield Blame(
                    loss=loss.interval,
                    verdict=Verdict.CONFIRMED if known else Verdict.SUSPECTED,
                    cause_at=event.at,
                    evidence=(cited(Stance.FOR, event, "" if known else "whether it is the VM's region is not known"),),
                )
                break


def _overlaps(timeline: Timeline, event: Event, loss: Loss) -> bool:
    onset = loss.interval.start
    return event.at - CAUSE.after <= onset <= _end(timeline, event) + CAUSE.before


def _end(timeline: Timeline, event: Event) -> datetime:
    tracking = event.facts.get("tracking")
    resolved = [other for other in timeline.of(Kind.SERVICE_RESOLVED) if other.facts.get("tracking") == tracking]
    # Every notice bears the incident's begin as its time; when it ended, or was told to have, stands beside it.
    for stated in [fact for other in (event, *resolved) for fact in (other.facts.get("ended"), _told(other))]:
        try:
            return max(event.at, datetime.fromisoformat(stated or ""))
        except (ValueError, TypeError):
            continue
    return max((other.at for other in resolved if other.at > event.at), default=event.at + USUAL_LENGTH)


def _told(event: Event) -> str | None:
    return event.facts.get("told") if event.kind is Kind.SERVICE_RESOLVED else None


def _concerns(timeline: Timeline, event: Event) -> bool:
    if event.signal is Signal.HEALTH:
        return True  # said of this very VM
    services = event.facts.get("service", "").lower()
    about = not services or any(word in services for word in SERVICES) or "network" in event.says.lower()
    return about and _same_region(timeline, event) is not False


def _same_region(timeline: Timeline, event: Event) -> bool | None:
    """Whether the incident is of the VM's region; `None` when either is not known."""
    if event.signal is Signal.HEALTH:
        return True
    regions = {_plain(region) for region in event.facts.get("regions", "").split(",") if region.strip()}
    if timeline.vm.location is None or not regions:
        return None
    return _plain(timeline.vm.location) in regions or "global" in regions


def _plain(region: str) -> str:
    """`UK South` and `uksouth` are one region."""
    return re.sub(r"[^a-z0-9]", "", region.lower())


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
