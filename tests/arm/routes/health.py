"""Resource Health: availability now and before, and events of services; must not know measurements."""

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from tests.arm.call import Answer, Call, refuse
from tests.arm.routes.compute import check_group, vm_of
from tests.arm.routes.paging import listed
from tests.arm.routing import GROUP, INSTANCE, SUBSCRIPTION, VM, Route
from tests.arm.times import time_of
from tests.arm.versions import HEALTH
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.model import HealthChanged, ServiceIssue
from tests.incidents.wire import resource_health
from tests.incidents.wire.plain import JsonObject, stamp

STATUS_READ = "Microsoft.ResourceHealth/availabilityStatuses/read"
EVENTS_READ = "Microsoft.ResourceHealth/events/read"
HISTORY = timedelta(days=30)
EVENTS_BACK = timedelta(days=366)
_UNTOLD = timedelta(days=3)
"""So far back events go where no start is asked for."""
_CLAUSE = re.compile(r"(service|region|eventType|status) eq '([^']*)'", re.IGNORECASE)


def current(world: World, call: Call) -> Answer:
    """The VM's availability now."""
    return Answer(body=_current(vm_of(world, call), call.now))


def history(world: World, call: Call) -> Answer:
    """The state now, and before it, newest first, states and what else touched the VM."""
    vm = vm_of(world, call)
    since = call.now - HISTORY
    states = [(each.at, resource_health.state(each)) for each in vm.health_at(call.now)[:-1] if each.at >= since]
    notes = [each for each in vm.truth.annotations if since <= each.at <= call.now]
    # Whether an item bears the annotation's name is chance, and the same whenever it is read.
    events = [(note.at, resource_health.event(_chance(note.at), note)) for note in notes]
    items = sorted([*states, *events], key=lambda item: item[0], reverse=True)
    former = [resource_health.status(vm.machine, resource_health.label_of(at), each) for at, each in items]
    return listed(call, [_current(vm, call.now), *former])


def statuses(world: World, call: Call) -> Answer:
    """The state now of every VM of a subscription, or of a resource group."""
    check_group(world, call)
    subscription, group = call.names["subscription"].lower(), call.names.get("group", "").lower()
    inside = [vm for vm in world if vm.subscription.lower() == subscription and group in ("", vm.group.lower())]
    return listed(call, [_current(vm, call.now) for vm in inside if world.allows(STATUS_READ, vm.id)])


def _current(vm: Vm, now: datetime) -> JsonObject:
    changed = vm.health_at(now)
    known = changed[-1] if changed else HealthChanged(at=now, vm=vm.id, before="Unknown", after="Unknown")
    return resource_health.status(vm.machine, "current", {**resource_health.state(known), "reportedTime": stamp(now)})


def _chance(at: datetime) -> random.Random:
    return random.Random(at.isoformat())  # noqa: S311 - a story, no secret


def events_of_subscription(world: World, call: Call) -> Answer:
    """Events of services that the subscription was told of."""
    since = _since(call)
    wanted = _filter(call.query.get("$filter", ""))
    inside = call.names["subscription"].lower()
    found = [issue for issue in world.issues if issue.subscription.lower() == inside and issue.at <= call.now]
    return listed(call, [_event(each) for each in found if _updated(each) >= since and wanted(each)])


def events_of_vm(world: World, call: Call) -> Answer:
    """The same, of the VM's region."""
    vm = vm_of(world, call)
    # Service health writes `West Europe` for the region `westeurope`.
    found = [
        each
        for each in world.issues
        if each.region.lower().replace(" ", "") == vm.machine.location and each.at <= call.now
    ]
    return listed(call, [_event(each) for each in found if each.subscription.lower() == vm.subscription.lower()])


def _event(issue: ServiceIssue) -> JsonObject:
    found = resource_health.issue_of(issue)
    properties = cast("JsonObject", found["properties"])
    return found | {"properties": {**properties, "lastUpdateTime": stamp(_updated(issue))}}


def _updated(issue: ServiceIssue) -> datetime:
    return issue.mitigated or issue.at


def _since(call: Call) -> datetime:
    """`queryStartTime` is month/day/year in the reference's example, and ISO 8601 is taken as well."""
    text = call.query.get("queryStartTime")
    if text is None:
        return call.now - _UNTOLD
    found = time_of(text) or _american(text)
    if found is None:
        refuse(400, "BadRequest", f"The value '{text}' of queryStartTime is not a time.")
    if found < call.now - EVENTS_BACK:
        refuse(400, "BadRequest", "The queryStartTime cannot be more than one year in the past.")
    return found


def _american(text: str) -> datetime | None:
    match = re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})", text)
    return time_of(f"{match[3]}-{int(match[1]):02d}-{int(match[2]):02d}") if match else None


def _filter(text: str) -> Callable[[ServiceIssue], bool]:
    """`service eq 'x' or region eq 'y'`, with `and` binding tighter."""
    alternatives = [[_clause(part) for part in each.split(" and ")] for each in text.split(" or ")] if text else [[]]
    return lambda issue: any(all(holds(issue) for holds in each) for each in alternatives)


def _clause(text: str) -> Callable[[ServiceIssue], bool]:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        refuse(400, "BadRequest", "The $filter is invalid.")
    name, wanted = match[1].lower(), match[2].lower()
    return lambda issue: _words(issue)[name].lower() == wanted


def _words(issue: ServiceIssue) -> dict[str, str]:
    status = "Resolved" if issue.mitigated else "Active"
    return {"service": issue.service, "region": issue.region, "eventtype": "ServiceIssue", "status": status}


_STATUSES, _EVENTS = (f"providers/Microsoft.ResourceHealth/{kind}" for kind in ("availabilityStatuses", "events"))
ROUTES = (
    *(
        route
        for base in (VM, INSTANCE)
        for route in (
            Route(path=f"{base}/{_STATUSES}/current", does=current, action=STATUS_READ, versions=HEALTH),
            Route(path=f"{base}/{_STATUSES}", does=history, action=STATUS_READ, versions=HEALTH),
            Route(path=f"{base}/{_EVENTS}", does=events_of_vm, action=EVENTS_READ, versions=HEALTH),
        )
    ),
    Route(path=f"{SUBSCRIPTION}/{_STATUSES}", does=statuses, action=STATUS_READ, versions=HEALTH),
    Route(path=f"{GROUP}/{_STATUSES}", does=statuses, action=STATUS_READ, versions=HEALTH),
    Route(path=f"{SUBSCRIPTION}/{_EVENTS}", does=events_of_subscription, action=EVENTS_READ, versions=HEALTH),
)
