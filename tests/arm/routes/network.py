"""The network provider: interfaces, addresses, security groups and networks; must not know a VM's state."""

from collections.abc import Iterator

from tests.arm import vm_json
from tests.arm.call import Answer, Call
from tests.arm.routes.compute import check_group, not_found
from tests.arm.routes.paging import listed
from tests.arm.routing import GROUP, SUBSCRIPTION, Handler, Route
from tests.arm.versions import NETWORK
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject, group_of, subscription_of

KINDS = ("networkInterfaces", "publicIPAddresses", "networkSecurityGroups", "virtualNetworks")


def resources(world: World) -> dict[str, JsonObject]:
    """All of them by id in lower case, each once."""
    found = (each for vm in world for each in vm_json.network(vm))
    return {str(each["id"]).lower(): each for each in found}


def _one(kind: str) -> Handler:
    def answers(world: World, call: Call) -> Answer:
        check_group(world, call)
        found = resources(world).get(call.path.rstrip("/").lower())
        if found is None:
            not_found(f"Microsoft.Network/{kind}/{call.names['name']}", call.names["group"])
        return Answer(body=found)

    return answers


def _all(kind: str) -> Handler:
    def answers(world: World, call: Call) -> Answer:
        check_group(world, call)
        return listed(call, sorted(_inside(world, call, kind), key=lambda each: str(each["id"])))

    return answers


def _inside(world: World, call: Call, kind: str) -> Iterator[JsonObject]:
    subscription, group = call.names["subscription"].lower(), call.names.get("group", "").lower()
    for identifier, each in resources(world).items():
        lies_inside = subscription_of(identifier) == subscription and group in ("", group_of(identifier))
        if lies_inside and f"/{kind.lower()}/" in identifier:
            yield each


def _routes(kind: str) -> Iterator[Route]:
    action, below = f"Microsoft.Network/{kind}/read", f"providers/Microsoft.Network/{kind}"
    yield Route(path=f"{GROUP}/{below}/{{name}}", does=_one(kind), action=action, versions=NETWORK)
    yield Route(path=f"{GROUP}/{below}", does=_all(kind), action=action, versions=NETWORK)
    yield Route(path=f"{SUBSCRIPTION}/{below}", does=_all(kind), action=action, versions=NETWORK)


ROUTES = tuple(route for kind in KINDS for route in _routes(kind))
