"""The tables of Resource Graph: their columns, and their rows as of now; must not know queries."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from tests.arm import vm_json, witnesses
from tests.arm.kql import Kind, Row, Table
from tests.arm.routes import network_watcher
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.model import GroundTruth
from tests.incidents.wire import resource_graph
from tests.incidents.wire.plain import JsonObject, format_time, get_subscription_id, make_guid

CHANGES_RETENTION = timedelta(days=14)
COLUMNS = {
    **dict.fromkeys(("id", "name", "type", "tenantId", "kind", "location", "resourceGroup"), Kind.STRING),
    **dict.fromkeys(("subscriptionId", "managedBy"), Kind.STRING),
    **dict.fromkeys(("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"), Kind.DYNAMIC),
}
_STATUS_READ = "Microsoft.ResourceHealth/availabilityStatuses/read"
_CHANGES_READ = "Microsoft.Resources/changes/read"

RowSource: TypeAlias = Callable[[World, datetime], Iterator[JsonObject]]


def build_table(name: str, world: World, now: datetime, subscriptions: frozenset[str]) -> Table:
    """What the principal may see of the table, in those subscriptions; what it may not is left out in silence."""
    rows, right = _TABLES[name]
    empty: Row = {column: "" if kind == Kind.STRING else None for column, kind in COLUMNS.items()}
    empty["tenantId"] = world.principal.tenant
    seen = (row for row in rows(world, now) if _is_visible(world, row, right, subscriptions))
    return Table(COLUMNS, ({**empty, **row} for row in seen))


def _is_visible(world: World, row: JsonObject, right: str, subscriptions: frozenset[str]) -> bool:
    identifier = str(row["id"])
    if subscriptions and get_subscription_id(identifier).lower() not in subscriptions:
        return False
    rights = (right or f"{row['type']}/read", "Microsoft.ResourceGraph/resources/read")
    return all(world.allows_action(each, identifier) for each in rights)


def _list_resources(world: World, now: datetime) -> Iterator[JsonObject]:
    """VMs, all that their networks consist of, and what gathers their heartbeats."""
    yield from (vm_json.describe_graph_row(vm, now) for vm in world if not vm_json.is_uniform(vm))
    networks = {row["id"]: row for vm in world for row in vm_json.build_network_rows(vm)}
    yield from (_describe_network(world, row) for row in networks.values())
    for identifier, region in network_watcher.list_watchers(world):
        yield resource_graph.build_resource_row(identifier, region, {"provisioningState": "Succeeded"})
    for vm in world:
        if state := world.witnesses.agents.get(vm.id.lower()):
            kind = "NetworkWatcherAgentLinux" if vm.machine.linux else "NetworkWatcherAgentWindows"
            agent: JsonObject = {"publisher": witnesses.PUBLISHER, "type": kind, "provisioningState": state}
            yield resource_graph.build_resource_row(f"{vm.id}/extensions/{kind}", vm.machine.location, agent)
    places = {vm.machine.balancer: vm.machine.location for vm in world if vm.machine.balancer}
    for balancer, location in places.items():
        yield resource_graph.build_resource_row(balancer, location, {}) | {"sku": {"name": world.balancer_sku}}
    yield from _list_monitors(world)
    for vm in _pick_first_vms(world):
        workspace: JsonObject = {"customerId": world.workspace, "provisioningState": "Succeeded"}
        yield resource_graph.build_resource_row(_get_workspace_id(vm), vm.machine.location, workspace)
        yield resource_graph.build_resource_row(_get_rule_id(vm), vm.machine.location, _describe_rule(world, vm))


def _list_monitors(world: World) -> Iterator[JsonObject]:
    """A connection monitor a subscription, and the workspace that it writes to.

    As "Microsoft.Network networkWatchers/connectionMonitors" has them (templates, 2024-05-01).
    """
    for subscription in sorted({get_subscription_id(each.vm) for each in world.tests}):
        own = [each for each in world.tests if get_subscription_id(each.vm) == subscription]
        sources, tested = ({getattr(each, role) for each in own} for role in ("source", "vm"))
        group = f"/subscriptions/{subscription}/resourceGroups/NetworkWatcherRG/providers"
        target = f"{group}/Microsoft.OperationalInsights/workspaces/tests"
        monitor: JsonObject = {
            "provisioningState": "Succeeded",
            "monitoringStatus": "Running",
            "endpoints": [{"name": place, "resourceId": place} for place in sorted(sources | tested)],
            "testGroups": [{"name": "web", "sources": sorted(sources), "destinations": sorted(tested)}],
            "outputs": [{"type": "Workspace", "workspaceSettings": {"workspaceResourceId": target}}],
        }
        watcher = f"{group}/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope"
        yield resource_graph.build_resource_row(f"{watcher}/connectionMonitors/web", "westeurope", monitor)
        workspace: JsonObject = {"customerId": world.test_workspace, "provisioningState": "Succeeded"}
        yield resource_graph.build_resource_row(target, "westeurope", workspace)


def _describe_network(world: World, row: JsonObject) -> JsonObject:
    """A virtual network's row with its peerings; another one as it is."""
    others = sorted(theirs for own, theirs in world.witnesses.peerings if own == str(row["id"]).lower())
    properties = row["properties"]
    if others and isinstance(properties, dict):
        properties["virtualNetworkPeerings"] = [
            {"properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": other}}} for other in others
        ]
    return row


def _pick_first_vms(world: World) -> list[Vm]:
    """The first VM of each subscription in which heartbeats are sent; its group holds what gathers them."""
    return list({vm.subscription: vm for vm in reversed(list(world)) if vm.sends_heartbeats}.values())


def _get_workspace_id(vm: Vm) -> str:
    return f"{vm.group_id}/providers/Microsoft.OperationalInsights/workspaces/central"


def _get_rule_id(vm: Vm) -> str:
    return f"{vm.group_id}/providers/Microsoft.Insights/dataCollectionRules/heartbeats"


def _describe_rule(world: World, vm: Vm) -> JsonObject:
    return {
        "destinations": {
            "logAnalytics": [
                {"name": "central", "workspaceResourceId": _get_workspace_id(vm), "workspaceId": world.workspace}
            ]
        },
        "dataFlows": [{"streams": ["Microsoft-Heartbeat"], "destinations": ["central"]}],
        "provisioningState": "Succeeded",
    }


def _list_associations(world: World, _: datetime) -> Iterator[JsonObject]:
    """A VM that sends heartbeats is associated with the rule of its subscription."""
    rules = {vm.subscription: _get_rule_id(vm) for vm in _pick_first_vms(world)}
    for vm in world:
        if vm.sends_heartbeats:
            identifier = f"{vm.id}/providers/Microsoft.Insights/dataCollectionRuleAssociations/heartbeats"
            properties: JsonObject = {"dataCollectionRuleId": rules[vm.subscription], "resourceId": vm.id}
            yield resource_graph.build_resource_row(identifier, vm.machine.location, properties)


def _list_health(world: World, now: datetime) -> Iterator[JsonObject]:
    for vm in world:
        yield from resource_graph.build_current_rows(vm.id, _limit_truth(vm, now))


def _limit_truth(vm: Vm, now: datetime, since: datetime | None = None) -> GroundTruth:
    annotations = tuple(each for each in vm.truth.annotations if each.at <= now and (since is None or each.at >= since))
    health = tuple(each for each in vm.list_health(now) if since is None or each.at >= since)
    return replace(vm.truth, annotations=annotations, health=health)


def _list_health_changes(world: World, now: datetime) -> Iterator[JsonObject]:
    """A row keeps its id whatever comes after it, because notes and states have a chance of their own."""
    known = format_time(now)
    for vm in world:
        truth = _limit_truth(vm, now, now - CHANGES_RETENTION)
        chance = _create_random(f"states/{vm.id}")
        rows = resource_graph.build_annotation_changes(_create_random(f"notes/{vm.id}"), vm.id, truth)
        rows += [resource_graph.build_status_change(chance, each) for each in truth.health]
        yield from (row for row in rows if _get_timestamp(row) <= known)


def _create_random(of: str) -> random.Random:
    return random.Random(of)  # noqa: S311 - a story, no secret


def _get_timestamp(row: JsonObject) -> str:
    """When a change became known; it may lie minutes after what changed."""
    properties = row["properties"]
    attributes = properties["changeAttributes"] if isinstance(properties, dict) else None
    return str(attributes["timestamp"]) if isinstance(attributes, dict) else ""


def _list_resource_changes(world: World, now: datetime) -> Iterator[JsonObject]:
    for each in world.changes:
        done = each.at + each.duration
        is_kept = now - CHANGES_RETENTION <= done <= now
        if is_kept and each.name.startswith("Microsoft.Network/") and resource_graph.has_change_row(each):
            yield resource_graph.build_resource_change(_create_random(f"{each.target}/{each.at}"), each)


def _list_maintenance(world: World, _: datetime) -> Iterator[JsonObject]:
    """Scheduled events, with the members of the events' own schema."""
    for each in world.maintenance:
        identifier = make_guid(_create_random(f"{each.vm}/{each.not_before}"))
        vm = world.find_vm(each.vm)
        properties: JsonObject = {
            "EventId": identifier,
            "EventType": each.kind,
            "EventStatus": each.status,
            "EventSource": "Platform",
            "ResourceType": "VirtualMachine",
            "Resources": list(each.names) or [vm.name if vm else each.vm],
            "NotBefore": each.not_before.strftime("%a, %d %b %Y %H:%M:%S GMT") if each.status == "Scheduled" else "",
            "Description": each.description or f"{each.kind} announced by the platform.",
            "DurationInSeconds": -1,
        }
        row = f"{each.vm}/providers/microsoft.maintenance/scheduledevents/{identifier}"
        yield resource_graph.build_resource_row(row, vm.machine.location if vm else "", properties)


_TABLES: dict[str, tuple[RowSource, str]] = {
    "resources": (_list_resources, ""),
    "insightsresources": (_list_associations, ""),
    "healthresources": (_list_health, _STATUS_READ),
    "healthresourcechanges": (_list_health_changes, _STATUS_READ),
    "resourcechanges": (_list_resource_changes, _CHANGES_READ),
    "maintenanceresources": (_list_maintenance, "Microsoft.Maintenance/scheduledevents/read"),
}
"""The rows of each table, and the right that shows them; where it is empty, that of the row's own type."""
NAMES = tuple(_TABLES)
