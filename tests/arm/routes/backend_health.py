"""What balancers and gateways say of their backends when they are asked; must not know why a VM fell silent.

Shapes: "REST API: Load Balancers - Get", "Load Balancer Load Balancing Rules - Health" and "Application Gateways -
Backend Health" (2025-05-01), "Manage health status" (2024-10-30), "Troubleshoot backend health issues in Application
Gateway" (2024-03-08). Both answer 202 with a `Location`, and the result after a while.
"""

import uuid

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.metric_generator import TrafficState, find_state
from tests.arm.routing import GROUP, SUBSCRIPTION, Route
from tests.arm.versions import NETWORK, RULE_HEALTH
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.model import BalancerProbe
from tests.incidents.wire.plain import Json, JsonObject

PROVIDER = "Microsoft.Network"
CANNOT_CONNECT = (
    "Application Gateway could not connect to the backend. Check that the backend responds on the port used for the"
    " probe. Also check whether any NSG/UDR/Firewall is blocking access to the Ip and port of this backend."
)


def get_balancer(world: World, call: ApiCall) -> Answer:
    """A balancer with a rule for each port that it probes, and one that probes nothing."""
    behind = _list_backends(world, call.path)
    balancer = behind[0][0].machine.balancer
    pool: JsonObject = {"id": f"{balancer}/backendAddressPools/web"}
    ports = sorted({probe.port for _, probe in behind})
    rules: list[Json] = [
        _describe_rule(balancer, f"tcp-{port}", {"probe": {"id": f"{balancer}/probes/{port}"}}, pool) for port in ports
    ]
    inside: Json = [{"id": f"{vm.machine.nic}/ipConfigurations/ipconfig1"} for vm, _ in behind]
    properties: JsonObject = {
        "backendAddressPools": [{**pool, "name": "web", "properties": {"backendIPConfigurations": inside}}],
        "loadBalancingRules": [_describe_rule(balancer, "blind", {}, pool), *rules],
    }
    sku: JsonObject = {"name": world.balancer_sku, "tier": "Regional"}
    return Answer(body={"id": balancer, "name": call.path_names["balancer"], "sku": sku, "properties": properties})


def _describe_rule(balancer: str, name: str, more: JsonObject, pool: JsonObject) -> JsonObject:
    identifier = f"{balancer}/loadBalancingRules/{name}"
    return {"name": name, "id": identifier, "properties": {"backendAddressPool": pool, **more}}


def check_rule(world: World, call: ApiCall) -> Answer:
    """The health of a rule, if it has a probe, of each backend that is on."""
    behind = _list_backends(world, call.path.partition("/loadBalancingRules/")[0])
    port = call.path_names["rule"].rpartition("-")[2]
    asked = [(vm, probe) for vm, probe in behind if probe.port == port]
    if call.body or world.balancer_sku == "Gateway" or not asked:
        refuse(400, "LoadBalancingRuleHealthNotSupported", "The health of this rule cannot be told.")
    found = [_describe_backend(call, vm, probe) for vm, probe in asked]
    up = sum(one["state"] == "Up" for one in found)
    down = sum(one["state"] == "Down" for one in found)
    return _accept_check(world, call, {"up": up, "down": down, "loadBalancerBackendAddresses": [*found]})


def _describe_backend(call: ApiCall, vm: Vm, probe: BalancerProbe) -> JsonObject:
    state = find_state(vm.list_state_changes(call.now), call.now)
    if state == TrafficState.DOWN:
        return {"ipAddress": "", "networkInterfaceIPConfigurationId": "", "state": "", "reason": ""}
    is_lost = state == TrafficState.CUT_OFF or (state is None and probe.lost is not None)
    reason = (probe.reason or "Down_Probe_TcpProbeTimeout") if is_lost else "Up_Probe_Success"
    return {
        "ipAddress": vm.machine.address,
        "networkInterfaceIPConfigurationId": f"{vm.machine.nic}/ipConfigurations/ipconfig1",
        "state": reason.partition("_")[0],
        "reason": reason,
    }


def check_gateway(world: World, call: ApiCall) -> Answer:
    """The health of each server of a gateway's pool."""
    gateway = call.path.removesuffix("/backendhealth").lower()
    behind = [vm for vm in world if vm.machine.gateway.lower() == gateway]
    if not behind:
        refuse(404, "ResourceNotFound", f"The Resource '{PROVIDER}/applicationGateways' was not found.")
    servers: list[Json] = []
    for vm in behind:
        is_lost = find_state(vm.list_state_changes(call.now), call.now) == TrafficState.CUT_OFF
        server: JsonObject = {
            "address": vm.machine.address,
            "ipConfiguration": {"id": f"{vm.machine.nic}/ipConfigurations/ipconfig1"},
            "health": "Down" if is_lost else "Up",
            "healthProbeLog": CANNOT_CONNECT if is_lost else "Success. Received 200 status code",
        }
        servers.append(server)
    pool: JsonObject = {
        "backendAddressPool": {"id": f"{behind[0].machine.gateway}/backendAddressPools/web"},
        "backendHttpSettingsCollection": [{"servers": servers}],
    }
    return _accept_check(world, call, {"backendAddressPools": [pool]})


def fetch_result(world: World, call: ApiCall) -> Answer:
    """202 once, then the result."""
    waiting = world.balancer_answers.get(call.path_names["id"])
    if not waiting:
        refuse(404, "OperationNotFound", f"The operation {call.path_names['id']} was not found.")
    body = waiting.pop(0)
    return Answer(body=body) if body is not None else _build_pending(call, call.path)


def _accept_check(world: World, call: ApiCall, body: JsonObject) -> Answer:
    number = f"{uuid.uuid4()}"
    world.balancer_answers[number] = [None, body]
    place = f"/subscriptions/{call.path_names['subscription']}/providers/{PROVIDER}/locations/westeurope"
    return _build_pending(call, f"{place}/operationResults/lb-{number}")


def _build_pending(call: ApiCall, path: str) -> Answer:
    location = f"{call.origin}{path}?api-version={call.query['api-version']}"
    return Answer(status=202, headers={"Location": location, "Retry-After": "0"})


def _list_backends(world: World, balancer: str) -> list[tuple[Vm, BalancerProbe]]:
    """The VMs behind a balancer, each with its probe."""
    pairs = [(vm, probe) for probe in world.probes if (vm := world.find_vm(probe.vm)) is not None]
    behind = [(vm, probe) for vm, probe in pairs if vm.machine.balancer.lower() == balancer.lower()]
    if not behind:
        refuse(404, "ResourceNotFound", f"The Resource '{balancer}' was not found.")
    return behind


_BALANCER = f"{GROUP}/providers/{PROVIDER}/loadBalancers/{{balancer}}"
_GATEWAY = f"{GROUP}/providers/{PROVIDER}/applicationGateways/{{gateway}}"
_RULE_ACTION = f"{PROVIDER}/loadBalancers/loadBalancingRules/health/action"
_GATEWAY_ACTION = f"{PROVIDER}/applicationGateways/backendhealth/action"
# Apart from what Network Watcher's checks begin, which go the same way.
_RESULT = f"{SUBSCRIPTION}/providers/{PROVIDER}/locations/{{region}}/operationResults/lb-{{id}}"
ROUTES = (
    Route(_BALANCER, get_balancer, f"{PROVIDER}/loadBalancers/read", NETWORK),
    Route(f"{_BALANCER}/loadBalancingRules/{{rule}}/health", check_rule, _RULE_ACTION, RULE_HEALTH, "POST"),
    Route(f"{_GATEWAY}/backendhealth", check_gateway, _GATEWAY_ACTION, NETWORK, "POST"),
    Route(_RESULT, fetch_result, f"{PROVIDER}/locations/operationResults/read", NETWORK),
)
