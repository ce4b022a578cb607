"""Subscriptions, tenants, resource groups and providers; must not know what lies in a group."""

from tests.arm.call import Answer, Call
from tests.arm.routes.compute import check_group
from tests.arm.routes.paging import listed
from tests.arm.routing import GROUP, SUBSCRIPTION, Route
from tests.arm.versions import RESOURCES, SUBSCRIPTIONS
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject

_READ = "Microsoft.Resources/subscriptions/read"
_GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_PROVIDERS = (
    *("Microsoft.Compute", "Microsoft.Network", "Microsoft.Insights", "Microsoft.ResourceHealth"),
    *("Microsoft.ResourceGraph", "Microsoft.OperationalInsights", "Microsoft.Authorization", "Microsoft.Maintenance"),
)


def tenants(world: World, call: Call) -> Answer:
    """The one tenant."""
    tenant = world.principal.tenant
    return listed(call, [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Contoso"}])


def subscriptions(world: World, call: Call) -> Answer:
    """Those that the principal may read; the others are left out."""
    readable = [each for each in world.subscriptions if world.allows(_READ, f"/subscriptions/{each}")]
    return listed(call, [_subscription(world, each) for each in readable])


def subscription(world: World, call: Call) -> Answer:
    """One of them."""
    wanted = call.names["subscription"].lower()
    return Answer(body=next(_subscription(world, each) for each in world.subscriptions if each.lower() == wanted))


def _subscription(world: World, identifier: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{identifier}",
        "subscriptionId": identifier,
        "tenantId": world.principal.tenant,
        "displayName": world.subscriptions[identifier],
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def groups(world: World, call: Call) -> Answer:
    """All resource groups."""
    found = world.groups(call.names["subscription"])
    return listed(call, [_group(call.names["subscription"], name, found[name]) for name in sorted(found)])


def group(world: World, call: Call) -> Answer:
    """One of them."""
    check_group(world, call)
    inside, wanted = call.names["subscription"], call.names["group"].lower()
    found = world.groups(inside).items()
    return Answer(body=next(_group(inside, name, location) for name, location in found if name.lower() == wanted))


def _group(inside: str, name: str, location: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{inside}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def providers(_: World, call: Call) -> Answer:
    """The providers, all registered."""
    inside = call.names["subscription"]
    return listed(call, [_provider(inside, name) for name in _PROVIDERS])


def provider(_: World, call: Call) -> Answer:
    """One of them."""
    return Answer(body=_provider(call.names["subscription"], call.names["name"]))


def _provider(inside: str, name: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{inside}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "resourceTypes": [],
    }


ROUTES = (
    Route(path="/tenants", does=tenants, versions=SUBSCRIPTIONS),
    Route(path="/subscriptions", does=subscriptions, versions=SUBSCRIPTIONS),
    Route(path=SUBSCRIPTION, does=subscription, action=_READ, versions=SUBSCRIPTIONS),
    Route(path=f"{SUBSCRIPTION}/resourceGroups", does=groups, action=_GROUP_READ, versions=RESOURCES),
    Route(path=GROUP, does=group, action=_GROUP_READ, versions=RESOURCES),
    Route(path=f"{SUBSCRIPTION}/providers", does=providers, action="*/read", versions=RESOURCES),
    Route(path=f"{SUBSCRIPTION}/providers/{{name}}", does=provider, action="*/read", versions=RESOURCES),
)
