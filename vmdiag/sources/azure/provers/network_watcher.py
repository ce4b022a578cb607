"""Network Watcher: does a rule keep others from the VM, where do its answers go, who reaches it from where.

For each suspect four questions at most, all on one port: `ipFlowVerify` (inbound, from the address of who looks from
outside), `nextHop` (to that address), and `connectivityCheck` from a VM of its own subnet and from one outside it, the
pair that shows where the path ends. The port is that of `--probe`, else one at which Connection Monitor tests it, else
the first that its load balancer sends to it, else 22 or 3389 by its operating system: that somebody listens there
is then assumed and said so.

Sources: "REST API: Network Watchers - Verify IP Flow", "- Get Next Hop", "- Check Connectivity" (2025-05-01, bodies and
answers); "Required RBAC permissions to use Network Watcher capabilities". That page names rights to write VMs and
extensions, too, for installing the agent: none of them is asked for or used. What a check costs no page that was read
states in figures ("Network Watcher pricing").
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from vmdiag.arm.pending_operations import OPERATION_PERMISSION
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.proof_words import CONNECTIVITY_CHECK, FLOW_CHECK, HOP_CHECK, PLACES
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, Viewpoint, VirtualMachine
from vmdiag.sources.azure.proof_request import AnswerReader, ProofGap, ProofRequest, list_action_rights
from vmdiag.sources.azure.provers._proof_places import WITH_AGENT, ProofPlaces, Target, find_places
from vmdiag.sources.decoding.fields import collect_facts, iter_objects, to_mapping, to_short_text, to_text
from vmdiag.sources.items import VmRecord
from vmdiag.values import Struct, replace

SIGNAL = Signal.PROOF
WATCHERS = "Microsoft.Network/networkWatchers"
PERMISSIONS = (
    f"{WATCHERS}/read",
    f"{WATCHERS}/connectivityCheck/action",
    f"{WATCHERS}/ipFlowVerify/action",
    f"{WATCHERS}/nextHop/action",
    OPERATION_PERMISSION,
    "Microsoft.Compute/virtualMachines/extensions/read",
)
ABOUT = "Network Watcher is asked up to four things of each suspect, which takes up to minutes and may be charged"
HINT = "Reader does not allow it; 'vmdiag doctor' prints the smallest role that does."
PORTS = {"windows": 3389, "linux": 22}
# Who comes from the internet, for the rules: an address that is nobody's ("RFC 5737", TEST-NET-3), from a port that
# clients use.
INTERNET_ADDRESS, CLIENT_PORT = "203.0.113.77", "60000"
# Seconds: a check answers 202 at once as a rule, and may take its time before that.
ACTION_TIMEOUT = 60.0
# Issues of the origin, not of the VM that is looked at: then nothing was looked at. The words are the API's, `CPU`
# and `Memory` the page's ("Connection troubleshoot overview").
ORIGIN_ISSUES = frozenset({"agentstopped", "dnsresolution", "socketbind", "portthrottled", "cpu", "memory"})
# A firewall in the guest lets some in and others not, as rules do.
DENIALS = frozenset({"networksecurityrule", "userdefinedroute", "guestfirewall"})


class Check(Struct, frozen=True, kw_only=True):
    """What one question is about: the suspect, its port, whether that is assumed, and who looks from where."""

    target: Target
    port: int
    is_assumed: bool
    place: Viewpoint
    origin: str = ""

    def describe_origin(self) -> str:
        """Who looks, in words that a mask knows."""
        return f"{self.origin or 'the internet'}{PLACES[self.place]}"

    def build_record(self, name: str, status: object, until: datetime, late: timedelta, **facts: str) -> VmRecord:
        """The answer as a record."""
        said = to_short_text(status)
        if not said:
            message = "the answer does not say what was found"
            raise MalformedRow(message, self.target.vm)
        known = collect_facts(
            **facts,
            check=name,
            port=str(self.port),
            assumed="true" if self.is_assumed else "",
            viewpoint=self.place.value,
            origin=self.origin,
        )
        ref = f"Network Watcher's {name} of {self.target.vm.name}"
        record = Record(at=until, blur=late, signal=SIGNAL, name=name, status=said, facts=known, ref=ref)
        return VmRecord(self.target.vm, record)


def build_proof_requests(
    machines: Sequence[VirtualMachine], session: Session, ports: Mapping[VmId, int], suspects: Collection[VmId]
) -> list[ProofRequest | ProofGap]:
    """What to ask about some suspects, and why something is not asked."""
    places, stated = find_places(machines, session, suspects), session.settings.probe_port
    return [part for one in machines for part in plan_questions(one, places, stated or ports.get(one.id))]


def plan_questions(
    machine: VirtualMachine, places: ProofPlaces, stated: int | None
) -> Iterator[ProofRequest | ProofGap]:
    """What to ask about one suspect; `stated` is the port that the operator names, or at which others test it."""
    vm, target = machine.id, places.targets.get(machine.id)
    if target is None:
        yield ProofGap(vm, "not looked at from elsewhere: its interfaces and addresses are not shown to this sign-in")
        return
    served = stated or next((places.ports[one] for one in sorted(machine.network) if one in places.ports), None)
    port = served or PORTS.get((machine.os or "").lower(), PORTS["linux"])
    inside, outside = places.choose_inside(target), places.choose_outside(target)
    yield from (ProofGap(vm, reason) for reason in places.unnamed)
    if inside is None:
        yield ProofGap(vm, f"not looked at from inside: no other running VM of its subnet {WITH_AGENT} is shown")
    if not outside and not places.unnamed:
        reason = f"no running VM {WITH_AGENT} could reach it; name one with --from"
        yield ProofGap(vm, f"not looked at from outside: {reason}")
    far, remote = Check(target=target, port=port, is_assumed=served is None, place=Viewpoint.OUTSIDE), INTERNET_ADDRESS
    for origin in (*([inside] if inside else ()), *outside):
        place, address = target.place_origin(origin)
        check = replace(far, place=place, origin=origin.name)
        watcher = places.find_watcher(origin.vm, origin.region)
        if watcher is None or not address:
            reason = f"no Network Watcher of {origin.region} is shown to this sign-in"
            if not address:
                reason = "the networks are not peered, and there is no public address to try"
            yield ProofGap(vm, f"whether it is reached from {check.describe_origin()}: not asked, {reason}")
        else:
            body = {
                "source": {"resourceId": str(origin.vm)},
                "destination": {"address": address, "port": port},
                "protocol": "Tcp",
            }
            yield build_question(check, watcher, "connectivityCheck", body, partial(decode_connectivity, check))
        if remote == INTERNET_ADDRESS and place is Viewpoint.PEERED and origin.private:
            far, remote = check, origin.private
    watcher = places.find_watcher(vm, machine.location or "")
    if watcher is None:
        yield ProofGap(vm, f"rules and routes not looked at: no Network Watcher of {machine.location} is shown")
        return
    common = {"targetResourceId": str(vm), "targetNicResourceId": target.interface}
    flow = {"direction": "Inbound", "protocol": "TCP", "localPort": str(port), "remotePort": CLIENT_PORT}
    ends = {"localIPAddress": target.private, "remoteIPAddress": remote}
    way = {"sourceIPAddress": target.private, "destinationIPAddress": remote}
    # A VM without a public address is kept from the internet on purpose, as a rule: then nobody comes from there.
    is_from_internet = remote == INTERNET_ADDRESS and not target.public
    flows = replace(far, is_assumed=far.is_assumed or is_from_internet)
    hops = replace(far, is_assumed=is_from_internet)
    yield build_question(flows, watcher, "ipFlowVerify", common | flow | ends, partial(decode_flow, flows))
    yield build_question(hops, watcher, "nextHop", common | way, partial(decode_hop, hops))


def build_question(
    check: Check, watcher: str, action: str, body: Mapping[str, object], read_items: AnswerReader
) -> ProofRequest:
    """One action of a Network Watcher's about a suspect."""
    right = f"{WATCHERS}/{action}/action"
    request = Request(
        description=f"{action}, whether {check.target.vm.name} is reached from {check.describe_origin()}",
        service="network",
        path=f"{watcher}/{action}",
        permission=right,
        body=body,
        patience=ACTION_TIMEOUT,
        hint=HINT,
        is_action=True,
    )
    return ProofRequest(
        request=request,
        vms=(check.target.vm,),
        rights=list_action_rights(watcher, right),
        read_items=read_items,
    )


def decode_connectivity(
    check: Check, answer: object, until: datetime, late: timedelta, _ref: str
) -> Iterator[VmRecord]:
    """Whether the suspect was reached, and what was in the way; an origin that could not look tells nothing."""
    said = to_mapping(answer)
    hops = iter_objects(said.get("hops"))
    issues = [(hop, issue) for hop in hops for issue in iter_objects(hop.get("issues"))]
    told = [(hop, one) for hop, one in issues if to_text(one.get("severity")).lower() != "warning"]
    grave = {to_text(one.get("type")).lower() for _, one in told}
    # What keeps the origin from getting out is no matter of the suspect's, either.
    at_source = {to_text(one.get("type")).lower() for hop, one in told if to_text(hop.get("type")).lower() == "source"}
    status = to_text(said.get("connectionStatus"))
    own = sorted((grave & ORIGIN_ISSUES) | (at_source & DENIALS))
    if status.lower() == "unknown" or (own and status.lower() != "connected"):
        message = f"it could not look ({', '.join(own) or 'it says Unknown'})"
        raise MalformedRow(message, check.target.vm)
    partly, denied = ("true" if found else "" for found in (status.lower() == "degraded", grave & DENIALS))
    named = to_short_text(", ".join(sorted(grave)))
    yield check.build_record(CONNECTIVITY_CHECK, status, until, late, partly=partly, denied=denied, issues=named)


def decode_flow(check: Check, answer: object, until: datetime, late: timedelta, _ref: str) -> Iterator[VmRecord]:
    """Whether a rule lets who looks in, and which one."""
    said = to_mapping(answer)
    rule = to_short_text(to_text(said.get("ruleName")).rpartition("/")[2])
    yield check.build_record(FLOW_CHECK, said.get("access"), until, late, rule=rule)


def decode_hop(check: Check, answer: object, until: datetime, late: timedelta, _ref: str) -> Iterator[VmRecord]:
    """Where the suspect's answers go: nowhere, or through an appliance, which may have failed itself."""
    said = to_mapping(answer)
    route = to_short_text(to_text(said.get("routeTableId")).rpartition("/")[2])
    hop = to_short_text(said.get("nextHopIpAddress"))
    yield check.build_record(HOP_CHECK, said.get("nextHopType"), until, late, rule=route, hop=hop)
