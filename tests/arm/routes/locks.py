"""Management locks and effective permissions at any scope; must not know what they protect."""

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.initial_state import Lock
from tests.arm.routes.paging import build_id_page
from tests.arm.routing import Route
from tests.arm.versions import LOCKS, PERMISSIONS
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject

_CONTRIBUTOR: JsonObject = {
    "actions": ["*"],
    "notActions": [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
    ],
}
_READER: JsonObject = {"actions": ["*/read"], "notActions": []}


def list_locks(world: World, call: ApiCall) -> Answer:
    """The locks that hold at the scope; with `atScope()` not those of what lies below."""
    wanted = call.query.get("$filter", "")
    if wanted not in ("", "atScope()"):
        refuse(400, "InvalidFilter", f"The filter '{wanted}' is not supported.")
    scope = f"/subscriptions/{call.path_names['scope']}".lower()
    found = world.list_locks(scope)
    if not wanted:
        found += [lock for lock in world.locks if lock.scope.lower().startswith(f"{scope}/")]
    return build_id_page(call, [_describe_lock(lock) for lock in found])


def _describe_lock(lock: Lock) -> JsonObject:
    return {
        "id": f"{lock.scope}/providers/Microsoft.Authorization/locks/{lock.name}",
        "name": lock.name,
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": lock.level, "notes": ""},
    }


def list_permissions(world: World, call: ApiCall) -> Answer:
    """What the principal's role allows, less what is denied there."""
    scope = f"/subscriptions/{call.path_names['scope']}/"
    role = _READER if world.role == "reader" else _CONTRIBUTOR
    denied = [action for action, where in sorted(world.denied) if scope.lower().startswith(f"{where.lower()}/")]
    held: JsonObject = {
        "actions": role["actions"],
        "notActions": [*role["notActions"], *denied],  # type: ignore[misc]
        "dataActions": [],
        "notDataActions": [],
    }
    return Answer(body={"value": [held]})


_SCOPE = "/subscriptions/{scope}/providers/Microsoft.Authorization"
ROUTES = (
    Route(f"{_SCOPE}/locks", list_locks, "Microsoft.Authorization/locks/read", LOCKS),
    Route(f"{_SCOPE}/permissions", list_permissions, versions=PERMISSIONS),
)
