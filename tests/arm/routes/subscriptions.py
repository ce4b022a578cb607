"""Subscriptions, tenants, resource groups and providers; must not know what lies in a group."""

from tests.arm.call import Answer, ApiCall
from tests.arm.routes.compute import check_group
from tests.arm.routes.paging import build_id_page
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


def list_tenants(world: World, call: ApiCall) -> Answer:
    """The one tenant."""
    tenant = world.principal.tenant
    return build_id_page(call, [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Contoso"}])


def list_subscriptions(world: World, call: ApiCall) -> Answer:
    """Those that the principal may read; the others are left out."""
    readable = [each for each in world.subscriptions if world.allows_action(_READ, f"/subscriptions/{each}")]
    return build_id_page(call, [_describe_subscription(world, each) for each in readable])


def get_subscription(world: World, call: ApiCall) -> Answer:
    """One of them."""
    wanted = call.path_names["subscription"].lower()
    return Answer(
        body=next(_describe_subscription(world, each) for each in world.subscriptions if each.lower() == wanted)
    )


def _describe_subscription(world: World, identifier: str) -> JsonObject:
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


def list_groups(world: World, call: ApiCall) -> Answer:
    """All resource groups."""
    found = world.list_groups(call.path_names["subscription"])
    return build_id_page(
        call, [_describe_group(call.path_names["subscription"], name, found[name]) for name in sorted(found)]
    )


def get_group(world: World, call: ApiCall) -> Answer:
    """One of them."""
    check_group(world, call)
    inside, wanted = call.path_names["subscription"], call.path_names["group"].lower()
    found = world.list_groups(inside).items()
    return Answer(
        body=next(_describe_group(inside, name, location) for name, location in found if name.lower() == wanted)
    )


def _describe_group(inside: str, name: str, location: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{inside}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def list_providers(_: World, call: ApiCall) -> Answer:
    """The providers, all registered."""
    inside = call.path_names["subscription"]
    return build_id_page(call, [_describe_provider(inside, name) for name in _PROVIDERS])


def get_provider(_: World, call: ApiCall) -> Answer:
    """One of them."""
    return Answer(body=_describe_provider(call.path_names["subscription"], call.path_names["name"]))


def _describe_provider(inside: str, name: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{inside}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "resourceTypes": [],
    }


ROUTES = (
    Route("/tenants", list_tenants, versions=SUBSCRIPTIONS),
    Route("/subscriptions", list_subscriptions, versions=SUBSCRIPTIONS),
    Route(SUBSCRIPTION, get_subscription, _READ, SUBSCRIPTIONS),
    Route(f"{SUBSCRIPTION}/resourceGroups", list_groups, _GROUP_READ, RESOURCES),
    Route(GROUP, get_group, _GROUP_READ, RESOURCES),
    Route(f"{SUBSCRIPTION}/providers", list_providers, "*/read", RESOURCES),
    Route(f"{SUBSCRIPTION}/providers/{{name}}", get_provider, "*/read", RESOURCES),
)
