"""Resource Health: availability now and before, and events of services; must not know measurements."""

import random
import re
from datetime import datetime, timedelta
from typing import cast

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.routes.compute import require_vm
from tests.arm.routes.paging import build_id_page
from tests.arm.routing import INSTANCE, SUBSCRIPTION, VM, Route
from tests.arm.times import parse_time
from tests.arm.versions import HEALTH
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.model import HealthChange, ServiceIssue
from tests.incidents.wire import resource_health
from tests.incidents.wire.plain import JsonObject, format_time

STATUS_READ = "Microsoft.ResourceHealth/availabilityStatuses/read"
EVENTS_READ = "Microsoft.ResourceHealth/events/read"
HISTORY_RETENTION = timedelta(days=30)
EVENTS_RETENTION = timedelta(days=366)
_DEFAULT_SPAN = timedelta(days=3)
"""So far back events go where no start is asked for."""


def list_history(world: World, call: ApiCall) -> Answer:
    """The state now, and before it, newest first, states and what else touched the VM."""
    vm = require_vm(world, call)
    since = call.now - HISTORY_RETENTION
    states = [
        (each.at, resource_health.build_state(each)) for each in vm.list_health(call.now)[:-1] if each.at >= since
    ]
    notes = [each for each in vm.truth.annotations if since <= each.at <= call.now]
    # Whether an item bears the annotation's name is chance, and the same whenever it is read.
    events = [(note.at, resource_health.build_event(_create_random(note.at), note)) for note in notes]
    items = sorted([*states, *events], key=lambda item: item[0], reverse=True)
    former = [resource_health.build_status(vm.machine, resource_health.encode_label(at), each) for at, each in items]
    return build_id_page(call, [_describe_current(vm, call.now), *former])


def _describe_current(vm: Vm, now: datetime) -> JsonObject:
    changed = vm.list_health(now)
    known = changed[-1] if changed else HealthChange(at=now, vm=vm.id, before="Unknown", after="Unknown")
    return resource_health.build_status(
        vm.machine, "current", {**resource_health.build_state(known), "reportedTime": format_time(now)}
    )


def _create_random(at: datetime) -> random.Random:
    return random.Random(at.isoformat())  # noqa: S311 - a story, no secret


def list_subscription_events(world: World, call: ApiCall) -> Answer:
    """Events of services that the subscription was told of."""
    since = _parse_start_time(call)
    if "$filter" in call.query:
        refuse(400, "BadRequest", "The $filter is invalid.")
    inside = call.path_names["subscription"].lower()
    found = [issue for issue in world.issues if issue.subscription.lower() == inside and issue.at <= call.now]
    return build_id_page(call, [_describe_event(each) for each in found if _get_update_time(each) >= since])


def _describe_event(issue: ServiceIssue) -> JsonObject:
    found = resource_health.build_issue(issue)
    properties = cast("JsonObject", found["properties"])
    return found | {"properties": {**properties, "lastUpdateTime": format_time(_get_update_time(issue))}}


def _get_update_time(issue: ServiceIssue) -> datetime:
    return issue.mitigated or issue.at


def _parse_start_time(call: ApiCall) -> datetime:
    """`queryStartTime` is month/day/year in the reference's example, and ISO 8601 is taken as well."""
    text = call.query.get("queryStartTime")
    if text is None:
        return call.now - _DEFAULT_SPAN
    found = parse_time(text) or _parse_american_date(text)
    if found is None:
        refuse(400, "BadRequest", f"The value '{text}' of queryStartTime is not a time.")
    if found < call.now - EVENTS_RETENTION:
        refuse(400, "BadRequest", "The queryStartTime cannot be more than one year in the past.")
    return found


def _parse_american_date(text: str) -> datetime | None:
    match = re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})", text)
    return parse_time(f"{match[3]}-{int(match[1]):02d}-{int(match[2]):02d}") if match else None


_HEALTH = "providers/Microsoft.ResourceHealth"
ROUTES = (
    *(Route(f"{base}/{_HEALTH}/availabilityStatuses", list_history, STATUS_READ, HEALTH) for base in (VM, INSTANCE)),
    Route(f"{SUBSCRIPTION}/{_HEALTH}/events", list_subscription_events, EVENTS_READ, HEALTH),
)
