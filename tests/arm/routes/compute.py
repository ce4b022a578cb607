"""The compute provider: VMs, their instance views, redeploys and their operations; must not know measurements."""

from typing import NoReturn, cast

from tests.arm import vm_json
from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.routes.paging import build_id_page
from tests.arm.routing import GROUP, INSTANCE, SUBSCRIPTION, VM, Route
from tests.arm.versions import COMPUTE
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject, format_time

VM_TYPE = "Microsoft.Compute/virtualMachines"
INSTANCE_TYPE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
_REMAINING_HEADER = "x-ms-ratelimit-remaining-resource"


def require_vm(world: World, call: ApiCall) -> Vm:
    """The VM of a path that names one, or the refusal of Resource Manager."""
    check_group(world, call)
    parts = ["subscription", "group", "set", "name"] if "set" in call.path_names else ["subscription", "group", "name"]
    subscription, group, *names = (call.path_names[part] for part in parts)
    path = "virtualMachineScaleSets/{}/virtualMachines/{}" if "set" in call.path_names else "virtualMachines/{}"
    root = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    vm = world.find_vm(f"{root}/{path.format(*names)}")
    if vm is None:
        refuse_not_found(f"Microsoft.Compute/{path.format(*names)}", group)
    return vm


def check_group(world: World, call: ApiCall) -> None:
    """Refuse a resource group that does not exist."""
    group = call.path_names.get("group", "")
    known = {each.lower() for each in world.list_groups(call.path_names["subscription"])}
    if group and group.lower() not in known:
        refuse(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def refuse_not_found(what: str, group: str) -> NoReturn:
    """A resource that does not exist; `what` is its type and name."""
    message = (
        f"The Resource '{what}' under resource group '{group}' was not found. For more details please go to"
        " https://aka.ms/ARMResourceNotFoundFix"
    )
    refuse(404, "ResourceNotFound", message)


def get_vm(world: World, call: ApiCall) -> Answer:
    """One VM; its instance view only where it is asked for."""
    wanted = call.query.get("$expand", "")
    if wanted.lower() not in ("", "instanceview"):
        refuse(400, "InvalidParameter", f"The value '{wanted}' of parameter $expand is invalid.")
    found = vm_json.limit_to_version(call.query["api-version"], vm_json.describe_vm(require_vm(world, call), call.now))
    if not wanted:
        del cast("JsonObject", found["properties"])["instanceView"]
    return Answer(body=found, headers={_REMAINING_HEADER: "Microsoft.Compute/LowCostGetSubscriptionMaximum;23991"})


def list_vms(world: World, call: ApiCall) -> Answer:
    """All VMs of a subscription or group; with `statusOnly=true` a subscription tells no more than ids and states."""
    check_group(world, call)
    statuses = "group" not in call.path_names and call.query.get("statusOnly", "false").lower() == "true"
    return build_id_page(call, [_describe_listed(vm, call, statuses=statuses) for vm in _list_visible(world, call)])


def _list_visible(world: World, call: ApiCall) -> list[Vm]:
    """What lies in the scope and may be read; a list leaves out what may not."""
    subscription, group = call.path_names["subscription"].lower(), call.path_names.get("group", "").lower()
    return [
        vm
        for vm in world
        if vm.subscription.lower() == subscription
        and group in ("", vm.group.lower())
        and not vm_json.is_uniform(vm)
        and world.allows_action(f"{VM_TYPE}/read", vm.id)
    ]


def _describe_listed(vm: Vm, call: ApiCall, *, statuses: bool) -> JsonObject:
    found = vm_json.limit_to_version(call.query["api-version"], vm_json.describe_vm(vm, call.now))
    properties = cast("JsonObject", found["properties"])
    view = cast("JsonObject", properties["instanceView"])
    if statuses:
        head: JsonObject = {name: found[name] for name in ("id", "name", "type", "location")}
        return head | {"properties": {"instanceView": {"statuses": view["statuses"]}}}
    del properties["instanceView"]
    if "resources" in found:
        # A list tells no more of extensions than their ids.
        found["resources"] = [{"id": each["id"]} for each in cast("list[JsonObject]", found["resources"])]
    return found


def redeploy_vm(world: World, call: ApiCall) -> Answer:
    """202 and where to ask how it goes on, unless something speaks against it."""
    vm = require_vm(world, call)
    _refuse_obstacles(world, vm)
    started = world.start_redeploy(vm, correlation=call.correlation_id, client_request_id=call.client_request_id)
    path = f"/subscriptions/{started.subscription}/providers/Microsoft.Compute/locations/{started.location}"
    address, version = f"{call.origin}{path}/operations/{started.name}", call.query["api-version"]
    return Answer(
        status=202,
        headers={
            "Azure-AsyncOperation": f"{address}?api-version={version}",
            "Location": f"{address}?monitor=true&api-version={version}",
            _REMAINING_HEADER: "Microsoft.Compute/UpdateVMSubscriptionMaximum;1499",
            **_build_retry_after(world),
        },
    )


def _build_retry_after(world: World) -> dict[str, str]:
    seconds = world.redeploying.retry_after
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _refuse_obstacles(world: World, vm: Vm) -> None:
    """What the world was told to say; a read-only lock, which forbids every POST; a VM that is busy or deallocated."""
    if world.redeploying.refuse:
        refuse(*world.redeploying.refuse)
    lock = next((lock for lock in world.list_locks(vm.id) if lock.level == "ReadOnly"), None)
    if lock:
        message = (
            f"The scope '{vm.id}' cannot perform write operation because following scope(s) are locked:"
            f" '{lock.scope}'. Please remove the lock and try again."
        )
        refuse(409, "ScopeLocked", message)
    if world.find_running_redeploy(vm):
        message = f"The request failed due to conflict with a concurrent request: a redeploy of '{vm.name}' is running."
        refuse(409, "Conflict", message)
    if vm.find_compute_state(world.now()).power == "deallocated":
        message = f"The operation 'redeploy' is not allowed on VM '{vm.name}' since the VM is deallocated."
        refuse(409, "OperationNotAllowed", message)


def get_operation(world: World, call: ApiCall) -> Answer:
    """How an operation stands; with `monitor=true` only by the status, 202 and then 200."""
    found = world.operations.get(call.path_names["operation"].lower())
    if found is None:
        refuse(404, "NotFound", f"The operation '{call.path_names['operation']}' could not be found.")
    running = found.is_running(call.now)
    if call.query.get("monitor", "").lower() == "true":
        again = {"Location": f"{call.origin}{call.path}?monitor=true&api-version={call.query['api-version']}"}
        return Answer(status=202, headers={**again, **_build_retry_after(world)}) if running else Answer()
    body: JsonObject = {"startTime": format_time(found.started).replace("Z", "+00:00")}
    if not running:
        body["endTime"] = format_time(found.ends).replace("Z", "+00:00")
    body |= {"status": "InProgress" if running else found.outcome, "name": found.name}
    if not running and found.outcome == "Failed":
        body["error"] = {"code": found.code or "InternalExecutionError", "message": found.message}
    return Answer(body=body, headers=_build_retry_after(world) if running else {})


_BASES = ((VM, VM_TYPE), (INSTANCE, INSTANCE_TYPE))
_VMS = "providers/Microsoft.Compute/virtualMachines"
_OPERATION = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/operations/{{operation}}"
ROUTES = (
    *(Route(base, get_vm, f"{kind}/read", COMPUTE) for base, kind in _BASES),
    *(Route(f"{base}/redeploy", redeploy_vm, f"{kind}/redeploy/action", COMPUTE, "POST") for base, kind in _BASES),
    *(Route(f"{base}/{_VMS}", list_vms, f"{VM_TYPE}/read", COMPUTE) for base in (SUBSCRIPTION, GROUP)),
    Route(_OPERATION, get_operation, "Microsoft.Compute/locations/operations/read", COMPUTE),
)
