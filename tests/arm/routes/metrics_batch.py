"""Metrics of many resources at once, at the endpoint of their region; must not know why a VM fell silent.

Source: "Migrate from the metrics API to the getBatch API", and its specification: times are `starttime` and `endtime`,
`metricnamespace` is required, the body's key is in lower case, at most 50 resources of one subscription, region and
type. What is answered for an unknown one no page tells; here the whole is refused.
"""

from dataclasses import replace
from typing import Any

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.routes.metrics import KIND, describe_metrics, list_vm_metrics, parse_query
from tests.arm.routing import SUBSCRIPTION, Route
from tests.arm.vm import Vm
from tests.arm.world import METRICS_HOST, World

VERSIONS = ("2023-10-01", "2024-02-01")
LIMIT = 50
PARAMETERS = frozenset(
    {"api-version", "metricnamespace", "metricnames", "starttime", "endtime", "interval", "aggregation", "filter"}
    | {"top", "orderby", "rollupby"}
)


def get_batch(world: World, call: ApiCall) -> Answer:
    """The metrics of each, with the right to read them on every one."""
    region, _, host = call.headers.get("host", "").partition(".")
    if host != METRICS_HOST:
        refuse(404, "InvalidResourceType", "The resource type could not be found.")
    if unknown := sorted(call.query.keys() - PARAMETERS):
        refuse(400, "BadRequest", f"Unknown query parameters: {', '.join(unknown)}")
    if call.query.get("metricnamespace", "").lower() != "microsoft.compute/virtualmachines":
        refuse(400, "BadRequest", "The metricnamespace parameter is required, and none but virtual machines are here.")
    span = f"{call.query.get('starttime', '')}/{call.query.get('endtime', '')}"
    asked = parse_query(replace(call, query={**call.query, "timespan": span}), KIND, list_vm_metrics(world))
    vms = [_require_vm(world, call, region, one) for one in _list_ids(call)]
    answers: list[Any] = [
        {
            "starttime": call.query["starttime"],
            "endtime": call.query["endtime"],
            "interval": asked.grain,
            "namespace": "microsoft.compute/virtualmachines",
            "resourceregion": region,
            "resourceid": vm.id,
            "value": describe_metrics(vm, asked, call.now),
        }
        for vm in vms
    ]
    return Answer(body={"values": answers})


def _list_ids(call: ApiCall) -> list[str]:
    ids = call.decode_body().get("resourceids")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        refuse(400, "BadRequest", "The body must hold the list 'resourceids'.")
    if len(ids) > LIMIT:
        refuse(400, "BadRequest", f"Requested resource count: {len(ids)} bigger than allowed max: {LIMIT}")
    return [str(one) for one in ids]


def _require_vm(world: World, call: ApiCall, region: str, resource: str) -> Vm:
    vm = world.find_vm(resource)
    if vm is None or vm.subscription.lower() != call.path_names["subscription"].lower():
        refuse(404, "ResourceNotFound", f"The resource '{resource}' was not found in the subscription.")
    if vm.machine.location != region:
        refuse(400, "BadRequest", f"The resource '{resource}' is not in the region '{region}'.")
    if not world.allows_action("Microsoft.Insights/metrics/read", vm.id):
        refuse(403, "AuthorizationFailed", f"The client has no permission to read the metrics of '{resource}'.")
    return vm


ROUTES = (Route(f"{SUBSCRIPTION}/metrics:getBatch", get_batch, versions=VERSIONS, method="POST", audience="metrics"),)
