"""The compute provider: VMs, their instance views, redeploys and their operations; must not know measurements."""

from collections.abc import Callable
from typing import NoReturn, cast

from tests.arm import vm_json
from tests.arm.call import Answer, Call, refuse
from tests.arm.routes.paging import listed
from tests.arm.routing import GROUP, INSTANCE, SUBSCRIPTION, VM, Route
from tests.arm.versions import COMPUTE
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject, stamp

KIND = "Microsoft.Compute/virtualMachines"
INSTANCE_KIND = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
_EXPANSIONS = ("instanceview", "userdata")
_RESOURCES = "x-ms-ratelimit-remaining-resource"


def vm_of(world: World, call: Call) -> Vm:
    """The VM of a path that names one, or the refusal of Resource Manager."""
    check_group(world, call)
    parts = ["subscription", "group", "set", "name"] if "set" in call.names else ["subscription", "group", "name"]
    subscription, group, *names = (call.names[part] for part in parts)
    path = "virtualMachineScaleSets/{}/virtualMachines/{}" if "set" in call.names else "virtualMachines/{}"
    root = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    vm = world.find(f"{root}/{path.format(*names)}")
    if vm is None:
        not_found(f"Microsoft.Compute/{path.format(*names)}", group)
    return vm


def check_group(world: World, call: Call) -> None:
    """Refuse a resource group that does not exist."""
    group = call.names.get("group", "")
    known = {each.lower() for each in world.groups(call.names["subscription"])}
    if group and group.lower() not in known:
        refuse(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def not_found(what: str, group: str) -> NoReturn:
    """A resource that does not exist; `what` is its type and name."""
    message = (
        f"The Resource '{what}' under resource group '{group}' was not found. For more details please go to"
        " https://aka.ms/ARMResourceNotFoundFix"
    )
    refuse(404, "ResourceNotFound", message)


def one(world: World, call: Call) -> Answer:
    """One VM; its instance view only where it is asked for."""
    wanted = _expansion(call)
    found = vm_json.as_of(call.query["api-version"], vm_json.machine(vm_of(world, call), call.now))
    properties = cast("JsonObject", found["properties"])
    if wanted != "instanceview":
        del properties["instanceView"]
    if wanted == "userdata":
        properties["userData"] = ""
    return Answer(body=found, headers={_RESOURCES: "Microsoft.Compute/LowCostGetSubscriptionMaximum;23991"})


def _expansion(call: Call) -> str:
    wanted = call.query.get("$expand", "").lower()
    if wanted and wanted not in _EXPANSIONS:
        refuse(400, "InvalidParameter", f"The value '{call.query['$expand']}' of parameter $expand is invalid.")
    return wanted


def instance_view(world: World, call: Call) -> Answer:
    """The instance view alone."""
    properties = cast("JsonObject", vm_json.machine(vm_of(world, call), call.now)["properties"])
    return Answer(body=properties["instanceView"])


def in_subscription(world: World, call: Call) -> Answer:
    """All VMs; with `statusOnly=true` no more of each than its id and its states."""
    statuses = call.query.get("statusOnly", "false").lower() == "true"
    return listed(call, [_listed(vm, call, statuses=statuses) for vm in _visible(world, call)])


def in_group(world: World, call: Call) -> Answer:
    """The VMs of a resource group."""
    check_group(world, call)
    return listed(call, [_listed(vm, call, statuses=False) for vm in _visible(world, call)])


def _visible(world: World, call: Call) -> list[Vm]:
    """What lies in the scope and may be read; a list leaves out what may not."""
    subscription, group = call.names["subscription"].lower(), call.names.get("group", "").lower()
    return [
        vm
        for vm in world
        if vm.subscription.lower() == subscription
        and group in ("", vm.group.lower())
        and not vm_json.is_uniform(vm)
        and world.allows(f"{KIND}/read", vm.id)
    ]


def _listed(vm: Vm, call: Call, *, statuses: bool) -> JsonObject:
    found = vm_json.as_of(call.query["api-version"], vm_json.machine(vm, call.now))
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


def instances(world: World, call: Call) -> Answer:
    """The instances of a uniform scale set."""
    above = call.path.removesuffix("/").lower() + "/"
    found = [vm for vm in world if vm.id.lower().startswith(above)]
    if not found:
        not_found(f"Microsoft.Compute/virtualMachineScaleSets/{call.names['set']}", call.names["group"])
    return listed(call, [_listed(vm, call, statuses=False) for vm in found])


def redeploy(world: World, call: Call) -> Answer:
    """202 and where to ask how it goes on, unless something speaks against it."""
    vm = vm_of(world, call)
    for speaks_against in _OBSTACLES:
        speaks_against(world, vm)
    started = world.redeploy(vm, correlation=call.correlation, client_request_id=call.client_request_id)
    path = f"/subscriptions/{started.subscription}/providers/Microsoft.Compute/locations/{started.location}"
    address, version = f"{call.origin}{path}/operations/{started.name}", call.query["api-version"]
    return Answer(
        status=202,
        headers={
            "Azure-AsyncOperation": f"{address}?api-version={version}",
            "Location": f"{address}?monitor=true&api-version={version}",
            _RESOURCES: "Microsoft.Compute/UpdateVMSubscriptionMaximum;1499",
            **_patience(world),
        },
    )


def _patience(world: World) -> dict[str, str]:
    seconds = world.redeploying.retry_after
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _refusal_set(world: World, _: Vm) -> None:
    if world.redeploying.refuse:
        refuse(*world.redeploying.refuse)


def _locked(world: World, vm: Vm) -> None:
    """A read-only lock forbids every POST; one against deletion does not."""
    for lock in world.locks_of(vm.id):
        if lock.level == "ReadOnly":
            message = (
                f"The scope '{vm.id}' cannot perform write operation because following scope(s) are locked:"
                f" '{lock.scope}'. Please remove the lock and try again."
            )
            refuse(409, "ScopeLocked", message)


def _busy(world: World, vm: Vm) -> None:
    if world.running(vm):
        message = f"The request failed due to conflict with a concurrent request: a redeploy of '{vm.name}' is running."
        refuse(409, "Conflict", message)


def _deallocated(world: World, vm: Vm) -> None:
    if vm.condition(world.now()).power == "deallocated":
        message = f"The operation 'redeploy' is not allowed on VM '{vm.name}' since the VM is deallocated."
        refuse(409, "OperationNotAllowed", message)


_OBSTACLES: tuple[Callable[[World, Vm], None], ...] = (_refusal_set, _locked, _busy, _deallocated)


def operation(world: World, call: Call) -> Answer:
    """How an operation stands; with `monitor=true` only by the status, 202 and then 200."""
    found = world.operations.get(call.names["operation"].lower())
    if found is None:
        refuse(404, "NotFound", f"The operation '{call.names['operation']}' could not be found.")
    running = found.is_running(call.now)
    if call.query.get("monitor", "").lower() == "true":
        again = {"Location": f"{call.origin}{call.path}?monitor=true&api-version={call.query['api-version']}"}
        return Answer(status=202, headers={**again, **_patience(world)}) if running else Answer()
    body: JsonObject = {"startTime": stamp(found.started).replace("Z", "+00:00")}
    if not running:
        body["endTime"] = stamp(found.ends).replace("Z", "+00:00")
    body |= {"status": "InProgress" if running else found.outcome, "name": found.name}
    if not running and found.outcome == "Failed":
        body["error"] = {"code": found.code or "InternalExecutionError", "message": found.message}
    return Answer(body=body, headers=_patience(world) if running else {})


def _of(base: str, kind: str) -> tuple[Route, ...]:
    """What can be asked of a VM, and of an instance of a scale set alike."""
    return (
        Route(path=base, does=one, action=f"{kind}/read", versions=COMPUTE),
        Route(path=f"{base}/instanceView", does=instance_view, action=f"{kind}/instanceView/read", versions=COMPUTE),
        Route(
            path=f"{base}/redeploy", does=redeploy, method="POST", action=f"{kind}/redeploy/action", versions=COMPUTE
        ),
    )


_VMS = "providers/Microsoft.Compute/virtualMachines"
_OPERATION = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/operations/{{operation}}"
ROUTES = (
    *_of(VM, KIND),
    *_of(INSTANCE, INSTANCE_KIND),
    Route(path=f"{SUBSCRIPTION}/{_VMS}", does=in_subscription, action=f"{KIND}/read", versions=COMPUTE),
    Route(path=f"{GROUP}/{_VMS}", does=in_group, action=f"{KIND}/read", versions=COMPUTE),
    Route(path=INSTANCE.removesuffix("/{name}"), does=instances, action=f"{INSTANCE_KIND}/read", versions=COMPUTE),
    Route(path=_OPERATION, does=operation, action="Microsoft.Compute/locations/operations/read", versions=COMPUTE),
)
