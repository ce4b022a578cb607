"""Network Watcher's checks, each answered in its own time; must not know what is true.

Shapes: "REST API: Network Watchers - Check Connectivity", "- Verify IP Flow", "- Get Next Hop" (2025-05-01), read in
November 2026 as azure-mgmt-network 33.1 models them. What Azure says to a source without the agent stands on no page;
that refusal here is ours.
"""

import uuid
from collections.abc import Callable

from tests.arm import witnesses
from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.routing import GROUP, SUBSCRIPTION, Route
from tests.arm.versions import NETWORK
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject

_PROVIDER = "Microsoft.Network/networkWatchers"
WATCHER_GROUP = "NetworkWatcherRG"
_FLOW = {"targetResourceId", "direction", "protocol", "localPort", "remotePort", "localIPAddress", "remoteIPAddress"}
_HOP = {"targetResourceId", "sourceIPAddress", "destinationIPAddress"}


def list_watchers(world: World) -> list[tuple[str, str]]:
    """Id and region of each."""
    return [
        (
            f"/subscriptions/{subscription}/resourceGroups/{WATCHER_GROUP}/providers/{_PROVIDER}/NetworkWatcher_{one}",
            one,
        )
        for subscription in world.subscriptions
        for one in sorted(world.witnesses.regions)
    ]


def check_connectivity(world: World, call: ApiCall) -> Answer:
    """Whether one VM reaches an address."""
    body = call.decode_body()
    source, destination = body.get("source"), body.get("destination")
    if not isinstance(source, dict) or not isinstance(destination, dict) or body.get("protocol") != "Tcp":
        refuse(400, "InvalidRequestFormat", "Cannot parse the request.")
    vm = _require_vm(world, call, source.get("resourceId"))
    if not isinstance(destination.get("port"), int):
        refuse(400, "InvalidRequestFormat", "Cannot parse the request: destination.port is no number.")
    if world.witnesses.agents.get(vm.id.lower()) != "Succeeded":
        refuse(400, "AgentExtensionNotInstalled", f"Network Watcher extension is not installed on {vm.name}.")
    found = witnesses.find_destination(world, vm, str(destination.get("address")))
    reached = found is not None and witnesses.is_reached(world, *found)
    hop: JsonObject = {"type": "Source", "id": "1", "address": vm.machine.address, "nextHopIds": ["2"], "issues": []}
    kind = world.witnesses.issue or "Platform"
    issue: JsonObject = {
        "origin": "Inbound",
        "severity": "Error",
        "type": kind,
        "context": [{"key": "a", "value": "b"}],
    }
    end: JsonObject = {"type": "VirtualMachine", "id": "2", "address": destination.get("address"), "nextHopIds": []}
    end["issues"] = [] if reached else [issue]
    return _accept_check(
        world,
        call,
        {
            "hops": [hop, end],
            "connectionStatus": "Connected" if reached else "Disconnected",
            **({"avgLatencyInMs": 2, "minLatencyInMs": 1, "maxLatencyInMs": 5} if reached else {}),
            "probesSent": 30,
            "probesFailed": 0 if reached else 30,
        },
    )


def verify_flow(world: World, call: ApiCall) -> Answer:
    """Whether a rule lets a packet in."""
    vm = _require_target(world, call, _FLOW)
    rule = world.witnesses.flows.get(vm.id.lower())
    allowed = "defaultSecurityRules/AllowVnetInBound"
    body: JsonObject = {"access": "Deny" if rule else "Allow", "ruleName": f"securityRules/{rule}" if rule else allowed}
    return _accept_check(world, call, body)


def find_next_hop(world: World, call: ApiCall) -> Answer:
    """Where a packet goes."""
    vm = _require_target(world, call, _HOP)
    kind, address = world.witnesses.hops.get(vm.id.lower(), ("VnetLocal", ""))
    body: JsonObject = {"nextHopType": kind, "routeTableId": "System Route"}
    return _accept_check(world, call, body | ({"nextHopIpAddress": address} if address else {}))


def fetch_answer(world: World, call: ApiCall) -> Answer:
    """The answer, once it is there."""
    told, name = world.witnesses, call.path_names["id"]
    if name not in told.asked:
        refuse(404, "OperationNotFound", f"Operation {name} not found.")
    told.looks[name] = told.looks.get(name, 0) + 1
    if 0 <= told.pending < told.looks[name]:
        body = told.asked[name]
        return Answer(body=dict(body) if isinstance(body, dict) else None)
    return _build_pending(call, call.path_names["region"], name)


def _accept_check(world: World, call: ApiCall, body: JsonObject) -> Answer:
    """202 and where the answer will be; at once where nothing is pending."""
    if world.witnesses.pending == 0:
        return Answer(body=body)
    name = str(uuid.uuid4())
    world.witnesses.asked[name] = body
    return _build_pending(call, call.path_names["watcher"].rpartition("_")[2], name)


def _build_pending(call: ApiCall, region: str, name: str) -> Answer:
    path = f"/subscriptions/{call.path_names['subscription']}/providers/Microsoft.Network/locations/{region}"
    location = f"{call.origin}{path}/operationResults/{name}?api-version={call.query['api-version']}"
    return Answer(status=202, headers={"Location": location, "Retry-After": "0"})


def _require_target(world: World, call: ApiCall, needed: set[str]) -> Vm:
    body = call.decode_body()
    if not needed <= body.keys() <= needed | {"targetNicResourceId"} or not all(
        isinstance(v, str) for v in body.values()
    ):
        refuse(400, "InvalidRequestFormat", f"Cannot parse the request: it needs {', '.join(sorted(needed))} as texts.")
    return _require_vm(world, call, body["targetResourceId"])


def _require_vm(world: World, call: ApiCall, identifier: object) -> Vm:
    """The VM of the watcher's own subscription and region that a body names."""
    region = call.path_names["watcher"].rpartition("_")[2]
    known = {each.lower() for each, _ in list_watchers(world)}
    watcher = call.path.rpartition("/")[0]
    if watcher.lower() not in known:
        refuse(404, "ResourceNotFound", f"The Resource 'Microsoft.Network/networkWatchers/{watcher}' was not found.")
    vm = world.find_vm(str(identifier))
    if vm is None or vm.subscription.lower() != call.path_names["subscription"].lower():
        refuse(400, "ResourceNotFound", f"{identifier} was not found.")
    if vm.machine.location != region:
        refuse(400, "InvalidTargetResourceRegion", f"{identifier} is not in the region of the network watcher.")
    return vm


def _build_route(action: str, handler: Callable[[World, ApiCall], Answer]) -> Route:
    path = f"{GROUP}/providers/{_PROVIDER}/{{watcher}}/{action}"
    return Route(path, handler, f"{_PROVIDER}/{action}/action", NETWORK, method="POST")


ROUTES = (
    _build_route("connectivityCheck", check_connectivity),
    _build_route("ipFlowVerify", verify_flow),
    _build_route("nextHop", find_next_hop),
    Route(
        f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{region}}/operationResults/{{id}}",
        fetch_answer,
        "Microsoft.Network/locations/operationResults/read",
        NETWORK,
    ),
)
