"""The network provider: interfaces, addresses, security groups and networks; must not know a VM's state."""

from collections.abc import Iterator

from tests.arm import vm_json
from tests.arm.call import Answer, ApiCall
from tests.arm.routes.compute import check_group, refuse_not_found
from tests.arm.routes.paging import build_id_page
from tests.arm.routing import GROUP, SUBSCRIPTION, Handler, Route
from tests.arm.versions import NETWORK
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject, get_group_name, get_subscription_id

KINDS = ("networkInterfaces", "publicIPAddresses", "networkSecurityGroups", "virtualNetworks")


def describe_resources(world: World) -> dict[str, JsonObject]:
    """All of them by id in lower case, each once."""
    found = (each for vm in world for each in vm_json.describe_network(vm))
    return {str(each["id"]).lower(): each for each in found}


def _build_getter(kind: str) -> Handler:
    def get_resource(world: World, call: ApiCall) -> Answer:
        check_group(world, call)
        found = describe_resources(world).get(call.path.rstrip("/").lower())
        if found is None:
            refuse_not_found(f"Microsoft.Network/{kind}/{call.path_names['name']}", call.path_names["group"])
        return Answer(body=found)

    return get_resource


def _build_lister(kind: str) -> Handler:
    def list_resources(world: World, call: ApiCall) -> Answer:
        check_group(world, call)
        return build_id_page(call, sorted(_list_inside(world, call, kind), key=lambda each: str(each["id"])))

    return list_resources


def _list_inside(world: World, call: ApiCall, kind: str) -> Iterator[JsonObject]:
    subscription, group = call.path_names["subscription"].lower(), call.path_names.get("group", "").lower()
    for identifier, each in describe_resources(world).items():
        lies_inside = get_subscription_id(identifier) == subscription and group in ("", get_group_name(identifier))
        if lies_inside and f"/{kind.lower()}/" in identifier:
            yield each


def _build_routes(kind: str) -> Iterator[Route]:
    action, below = f"Microsoft.Network/{kind}/read", f"providers/Microsoft.Network/{kind}"
    yield Route(f"{GROUP}/{below}/{{name}}", _build_getter(kind), action, NETWORK)
    yield Route(f"{GROUP}/{below}", _build_lister(kind), action, NETWORK)
    yield Route(f"{SUBSCRIPTION}/{below}", _build_lister(kind), action, NETWORK)


ROUTES = tuple(route for kind in KINDS for route in _build_routes(kind))
