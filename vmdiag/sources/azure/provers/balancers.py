"""The balancers in front of suspects, asked what they think of them: rules of load balancers, Application Gateways.

Sources: "Manage health status" (Azure Load Balancer, 2024-10-30: not for rules without a probe, nor for a Gateway Load
Balancer; a VM that is off gives empty values; a global balancer may say Down_Platform without a fault), "REST API:
Load Balancer Load Balancing Rules - Health" and "Application Gateways - Backend Health". The right to read the result
is asked for at the subscription, where the first page's operation has its place.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from vmdiag.arm.pending_operations import OPERATION_PERMISSION
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import Row
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.azure.feeds.balancer_metrics import BALANCER_ID
from vmdiag.sources.azure.proof_request import ProofGap, ProofRequest, list_action_rights
from vmdiag.sources.azure.whole_lists import read_resource
from vmdiag.sources.decoding.fields import find_text, get_path, iter_objects, parse_parent_id, to_mapping, to_text
from vmdiag.sources.formats import balancer_health, gateway_health
from vmdiag.sources.items import IncompleteRead, Item, VmRecord
from vmdiag.values import replace

READ_PERMISSION = "Microsoft.Network/loadBalancers/read"
RULE_ACTION = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
GATEWAY_ACTION = "Microsoft.Network/applicationGateways/backendhealth/action"
PERMISSIONS = (READ_PERMISSION, RULE_ACTION, GATEWAY_ACTION, OPERATION_PERMISSION)
SIGNAL = Signal.BALANCER
ABOUT = "what load balancers' rules and Application Gateways find of their backends (minutes at most)"
GATEWAY_ID = re.compile(BALANCER_ID.pattern.replace("loadbalancers", "applicationgateways"))
# Rules that differ in probe or pool; of one balancer no more are asked, for each takes Azure up to minutes.
RULE_LIMIT = 5
UNASKED_SKUS = {"gateway": "a Gateway Load Balancer is not asked for their health"}
UNPROBED = "na"
SILENT = "the answer tells nothing of this VM: it is off, or was not probed yet"

Interfaces = Mapping[str, VmId]


def build_proof_requests(
    machines: Sequence[VirtualMachine], session: Session, _ports: Mapping[VmId, int], _suspects: Collection[VmId]
) -> list[ProofRequest | ProofGap]:
    """A request for each probe of a balancer that leads to one of the VMs, and one for each gateway."""
    asked: list[ProofRequest | ProofGap] = []
    for balancer, interfaces in _find_balancers(machines, BALANCER_ID).items():
        what = f"rules of the load balancer {balancer.rpartition('/')[2]}"
        look = Request(description=what, service="network", path=balancer, permission=READ_PERMISSION)
        try:
            row = read_resource(session, look)
            asked += _build_rule_requests(balancer, row, interfaces)
        except SourceError as error:
            asked += [ProofGap(vm, error.message) for vm in dict.fromkeys(interfaces.values())]
    for gateway, interfaces in _find_balancers(machines, GATEWAY_ID).items():
        what = f"backend health of the Application Gateway {gateway.rpartition('/')[2]}"
        request = Request(
            description=what,
            service="network",
            path=f"{gateway}/backendhealth",
            permission=GATEWAY_ACTION,
            is_action=True,
        )
        asked.append(_build_proof_request(request, gateway, interfaces, gateway_health.decode_row))
    return asked


def _find_balancers(machines: Sequence[VirtualMachine], kind: re.Pattern[str]) -> dict[str, Interfaces]:
    """The balancers of a kind in front of the VMs, each with these VMs' interfaces; all ids in lower case."""
    balancers = sorted({one for machine in machines for one in machine.network if kind.fullmatch(one)})
    return {
        balancer: {
            one: machine.id
            for machine in machines
            if balancer in machine.network
            for one in sorted(machine.network)
            if "/networkinterfaces/" in one
        }
        for balancer in balancers
    }


def _build_rule_requests(balancer: str, row: Row, interfaces: Interfaces) -> Iterator[ProofRequest | ProofGap]:
    """One for each probe and pool behind which one of the VMs is, and why there is none for a VM."""
    name, vms = balancer.rpartition("/")[2], dict.fromkeys(interfaces.values())
    what = f"rules of the load balancer {name}"
    tier, sku = (to_text(get_path(row, "sku", key)).lower() for key in ("tier", "name"))
    reason = "a global one is not asked for their health" if tier == "global" else ""
    if reason := UNASKED_SKUS.get(sku, reason):
        yield from (ProofGap(vm, f"{what}: {reason}") for vm in vms)
        return
    rules = list(_choose_rules(to_mapping(row.get("properties")), interfaces))
    for rule, behind in rules[:RULE_LIMIT]:
        request = Request(
            description=f"health of the rule {rule} of the load balancer {name}",
            service="balancer-health",
            path=f"{balancer}/loadBalancingRules/{rule}/health",
            permission=RULE_ACTION,
            is_action=True,
        )
        yield _build_proof_request(request, balancer, behind, balancer_health.decode_row)
    served = {vm for _, behind in rules for vm in behind.values()}
    for vm in vms:
        if vm not in served:
            yield ProofGap(vm, f"{what}: none with a probe leads to this VM, as far as its pools tell interfaces")
        elif len(rules) > RULE_LIMIT:
            yield ProofGap(vm, f"{what}: {len(rules) - RULE_LIMIT} more were not asked")


def _choose_rules(members: Row, interfaces: Interfaces) -> Iterator[tuple[str, Interfaces]]:
    """The rules with a probe, one for each probe and pool, with those of the interfaces that are in the pool."""
    pools = {
        find_text(pool, "id").lower(): {
            parse_parent_id(find_text(each, "id"))
            for each in iter_objects(get_path(pool, "properties", "backendIPConfigurations"))
        }
        for pool in iter_objects(members.get("backendAddressPools"))
    }
    seen = set()
    for rule in iter_objects(members.get("loadBalancingRules")):
        inner = to_mapping(rule.get("properties"))
        probe = to_text(get_path(inner, "probe", "id")).lower()
        refs = [to_mapping(inner.get("backendAddressPool")), *iter_objects(inner.get("backendAddressPools"))]
        targets = frozenset(find_text(ref, "id").lower() for ref in refs)
        inside = {one for target in targets for one in pools.get(target, ())} & interfaces.keys()
        name = find_text(rule, "name")
        if probe and inside and name and "/" not in name and (probe, targets) not in seen:
            seen.add((probe, targets))
            yield name, {one: interfaces[one] for one in sorted(inside)}


def _build_proof_request(
    request: Request, balancer: str, interfaces: Interfaces, decode_row: Callable[[Row, str], Iterator[Item]]
) -> ProofRequest:
    vms = {vm.key: vm for vm in interfaces.values()}

    def read_items(answer: object, at: datetime, blur: timedelta, ref: str) -> Iterator[Item]:
        silent = dict(vms)
        for item in decode_row(to_mapping(answer), ref):
            vm = interfaces.get(item.vm.name) if isinstance(item, VmRecord) else None
            if isinstance(item, VmRecord) and vm is not None and item.record.name.lower() != UNPROBED:
                silent.pop(vm.key, None)
                yield VmRecord(vm, replace(item.record, at=at, blur=blur))
        for key in silent:
            yield IncompleteRead(signal=SIGNAL, scope=key, form=ref, place=ref, reason=SILENT, lowers_verdict=False)

    rights = list_action_rights(balancer, request.permission)
    return ProofRequest(request=request, vms=tuple(vms.values()), rights=rights, read_items=read_items)
