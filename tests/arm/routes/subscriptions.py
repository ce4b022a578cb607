"""Subscriptions; must not know what lies in them."""

from tests.arm.call import Answer, ApiCall
from tests.arm.routes.paging import build_id_page
from tests.arm.routing import Route
from tests.arm.versions import SUBSCRIPTIONS
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject

_READ = "Microsoft.Resources/subscriptions/read"


def list_subscriptions(world: World, call: ApiCall) -> Answer:
    """Those that the principal may read; the others are left out."""
    readable = [each for each in world.subscriptions if world.allows_action(_READ, f"/subscriptions/{each}")]
    return build_id_page(call, [_describe_subscription(world, each) for each in readable])


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


ROUTES = (Route("/subscriptions", list_subscriptions, versions=SUBSCRIPTIONS),)
