"""Availability sets, scale sets and feature flags, as far as scheduled events go; must not know VMs' states."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.arm.call import Answer, ApiCall
from tests.arm.initial_state import VmTraits
from tests.arm.routes.compute import check_group, refuse_not_found
from tests.arm.routing import GROUP, SUBSCRIPTION, Handler, Route
from tests.arm.versions import COMPUTE, FEATURES
from tests.arm.vm_json import PUBLISHING_POLICY, limit_to_version
from tests.arm.world import World

if TYPE_CHECKING:
    from tests.incidents.wire.plain import JsonObject


def _build_getter(kind: str, name_of: Callable[[VmTraits], str | None], first_version: str) -> Handler:
    def get_set(world: World, call: ApiCall) -> Answer:
        """A set and the policy that holds for all its VMs."""
        check_group(world, call)
        name = call.path_names["name"]
        inside = [
            vm
            for vm in world
            if vm.group.lower() == call.path_names["group"].lower()
            and (name_of(vm.traits) or "").lower() == name.lower()
        ]
        if not inside:
            refuse_not_found(f"Microsoft.Compute/{kind}/{name}", call.path_names["group"])
        version = call.query["api-version"]
        properties: JsonObject = {}
        if version >= first_version and all(vm.traits.publishes for vm in inside):
            properties["scheduledEventsPolicy"] = PUBLISHING_POLICY
        body: JsonObject = {
            "id": f"{inside[0].group_id}/providers/Microsoft.Compute/{kind}/{name}",
            "name": name,
            "type": f"Microsoft.Compute/{kind}",
            "location": inside[0].machine.location,
            "properties": properties,
        }
        return Answer(body=limit_to_version(version, body))

    return get_set


def get_feature(world: World, call: ApiCall) -> Answer:
    """Whether a subscription has opted in."""
    name = call.path_names["name"]
    state = "Registered" if name in world.features else "NotRegistered"
    root = f"/subscriptions/{call.path_names['subscription']}/providers/Microsoft.Features"
    body: JsonObject = {
        "id": f"{root}/providers/Microsoft.Compute/features/{name}",
        "name": f"Microsoft.Compute/{name}",
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": state},
    }
    return Answer(body=body)


_COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
ROUTES = (
    Route(
        f"{_COMPUTE}/availabilitySets/{{name}}",
        _build_getter("availabilitySets", lambda traits: traits.availability_set, "2024-07-01"),
        "Microsoft.Compute/availabilitySets/read",
        COMPUTE,
    ),
    Route(
        f"{_COMPUTE}/virtualMachineScaleSets/{{name}}",
        _build_getter("virtualMachineScaleSets", lambda traits: traits.scale_set, "2024-03-01"),
        "Microsoft.Compute/virtualMachineScaleSets/read",
        COMPUTE,
    ),
    Route(
        f"{SUBSCRIPTION}/providers/Microsoft.Features/providers/Microsoft.Compute/features/{{name}}",
        get_feature,
        "Microsoft.Features/providers/features/read",
        FEATURES,
    ),
)
