"""Service incidents: whether one concerns a VM, and when it ends; must not know what it explains."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain

from vmdiag.model import Event, Kind, Signal, VirtualMachine

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


def concerns_vm(vm: VirtualMachine, event: Event) -> bool:
    """Whether an incident is of the VM's region, as far as that is known, and can cut a VM off."""
    if event.signal is Signal.HEALTH:
        return True  # said of this very VM
    services = event.facts.get("service", "").lower()
    about = not services or any(word in services for word in SERVICES) or "network" in event.says.lower()
    return about and is_same_region(vm, event) is not False


def is_same_region(vm: VirtualMachine, event: Event) -> bool | None:
    """Whether the incident is of the VM's region; `None` when either is not known."""
    if event.signal is Signal.HEALTH:
        return True
    return is_in_region(vm.location, event.facts.get("regions", "").split(","))


def is_in_region(location: str | None, regions: Iterable[str]) -> bool | None:
    """Whether a VM's location is among the regions of an incident; `None` when either is not known."""
    known = {normalize_region(region) for region in regions if region.strip()}
    if location is None or not known:
        return None
    return not known.isdisjoint((normalize_region(location), "global"))


def find_incident_end(incident: Event, events: Iterable[Event]) -> datetime:
    """When it ended, or was told to have, by the events around it; a day after its begin where nothing tells."""
    tracking = incident.facts.get("tracking")
    resolved = [
        other for other in events if other.kind is Kind.SERVICE_RESOLVED and other.facts.get("tracking") == tracking
    ]
    # Every notice bears the incident's begin as its time; when it ended, or was told to have, stands beside it.
    told = [(other.facts.get("ended"), other.facts.get("told")) for other in resolved]
    for stated in (incident.facts.get("ended"), *chain.from_iterable(told)):
        try:
            return max(incident.at, datetime.fromisoformat(stated or ""))
        except (ValueError, TypeError):
            continue
    return max((other.at for other in resolved if other.at > incident.at), default=incident.at + USUAL_LENGTH)


def normalize_region(region: str) -> str:
    """`UK South` and `uksouth` are one region."""
    return re.sub(r"[^a-z0-9]", "", region.lower())
