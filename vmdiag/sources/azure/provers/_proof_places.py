"""From where suspects can be looked at, by Resource Graph: their addresses and networks, and VMs that have the agent.

Source: "Connection troubleshoot overview" (the source needs the Network Watcher agent, an extension; the destination
does not). The extension is only read: nobody installs it from here. That the Network Watcher of the source's region is
the one to ask is inferred from "one Network Watcher per region"; so is that a VM of a peered network reaches another
one at its private address, and that one of any other network reaches it at its public address alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from vmdiag.arm.session import Session
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Viewpoint, VirtualMachine
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import build_graph_request
from vmdiag.sources.azure.provers._proof_queries import (
    write_origin_query,
    write_port_query,
    write_target_query,
    write_watcher_query,
)
from vmdiag.sources.azure.whole_lists import read_rows
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_mapping, to_number, to_text
from vmdiag.values import Struct, field

WITH_AGENT = "with the Network Watcher agent (an extension that is read here, never installed)"
RUNNING = "powerstate/running"


class Origin(Struct, frozen=True, kw_only=True):
    """A VM from which others can be looked at; ids of its networks in lower case."""

    vm: VmId
    region: str
    subnets: frozenset[str]
    networks: frozenset[str]
    private: str = ""
    lack: str = ""  # why nothing can be looked at from it

    @property
    def name(self) -> str:
        """Its group and name: names alone repeat."""
        return f"{self.vm.resource_group}/{self.vm.name}".lower()


class Target(Struct, frozen=True, kw_only=True):
    """A suspect as others try to reach it: its first interface with its addresses and networks, ids in lower case."""

    vm: VmId
    interface: str
    private: str
    public: str
    subnet: str
    network: str
    peered: frozenset[str] = frozenset()

    def pick_origin(self, origins: Sequence[Origin]) -> Origin | None:
        """One of several, always the same one for this suspect; others get others, to share the work."""
        return origins[crc32(self.vm.key.encode()) % len(origins)] if origins else None

    def place_origin(self, origin: Origin) -> tuple[Viewpoint, str]:
        """From where an origin looks, and at which address; none where it could not reach a healthy VM."""
        if self.network in origin.networks:
            return Viewpoint.INSIDE, self.private
        if self.peered & origin.networks:
            return Viewpoint.PEERED, self.private
        return Viewpoint.OUTSIDE, self.public


class ProofPlaces(Struct, frozen=True, kw_only=True):
    """From where some suspects can be looked at; `watchers` are ids by subscription and region in lower case."""

    watchers: Mapping[tuple[str, str], str]
    targets: Mapping[VmId, Target]
    found: Sequence[Origin] = ()
    named: Sequence[Origin] = ()
    unnamed: Sequence[str] = ()  # why a name means no VM
    ports: Mapping[str, int] = field(default_factory=dict)

    def find_watcher(self, vm: VmId, region: str) -> str | None:
        """The id of the Network Watcher of a VM's region."""
        return self.watchers.get((vm.subscription.lower(), region.lower()))

    def choose_inside(self, target: Target) -> Origin | None:
        """A VM of the same subnet."""
        return target.pick_origin([one for one in self.found if target.subnet in one.subnets])

    def choose_outside(self, target: Target) -> list[Origin]:
        """Those that were named, else one of a peered network, else any other that has an address to look at."""
        if self.named or self.unnamed:
            return list(self.named)
        others = [(target.place_origin(one), one) for one in self.found]
        reaching = [(place, one) for (place, address), one in others if place is not Viewpoint.INSIDE and address]
        near = [one for place, one in reaching if place is Viewpoint.PEERED]
        chosen = target.pick_origin(near or [one for _, one in reaching])
        return [] if chosen is None else [chosen]


def find_places(machines: Sequence[VirtualMachine], session: Session, suspects: Collection[VmId]) -> ProofPlaces:
    """From where these machines can be looked at, but from no suspect; raises `SourceError`."""
    watchers = {
        (to_text(row.get("subscriptionId")).lower(), to_text(row.get("location")).lower()): to_text(row.get("id"))
        for row in _query(session, "Network Watchers", write_watcher_query())
    }
    rows = _query(session, "the suspects' addresses", write_target_query(sorted(one.id.key for one in machines)))
    targets = dict(decode_targets(rows))
    balancers = sorted({one for machine in machines for one in machine.network if "/loadbalancers/" in one})
    ports = dict(decode_ports(_query(session, "balancers", write_port_query(balancers)))) if balancers else {}
    named, unnamed = find_named_origins(session)
    # Who is suspected himself does not show whose path is dead.
    unnamed += [
        f"whether it is reached from {one.name}, outside: not asked, it is a suspect itself"
        for one in named
        if one.vm in suspects
    ]
    named = [one for one in named if one.vm not in suspects]
    subnets = sorted({one.subnet for one in targets.values()})
    networks = sorted({each for one in targets.values() for each in one.peered})
    near = f"subnet in~ ({kql.list_literals(subnets)})"
    # Who is named looks from outside; for the other half of the pair the VMs of the same subnets are enough.
    near += f" or vnet in~ ({kql.list_literals(networks)})" if networks and not (named or unnamed) else ""
    found = _find_origins(session, f"isnotempty(agent) and ({near})") if subnets else []
    found = [one for one in found if one.vm not in suspects and not one.lack]
    reached = {network for one in found for network in one.networks}
    is_alone = any(one.public and not one.peered & reached for one in targets.values())
    if is_alone and not (named or unnamed):
        far = [one for one in _find_origins(session, "isnotempty(agent)") if one.vm not in suspects and not one.lack]
        found += [one for one in far if one not in found]
    return ProofPlaces(watchers=watchers, targets=targets, found=found, named=named, unnamed=unnamed, ports=ports)


def _query(session: Session, what: str, query: str) -> list[Row]:
    return read_rows(session, build_graph_request(what, query, ()))


def decode_targets(rows: Iterable[Row]) -> Iterator[tuple[VmId, Target]]:
    """A target for each VM: the first IPv4 address of its primary interface, where one is marked primary."""
    for row in sorted(rows, key=lambda row: [to_text(row.get(name)).lower() == "true" for name in ("main", "leading")]):
        vm, private = VmId.parse(to_text(row.get("vm"))), to_text(row.get("private"))
        if vm is None or not private or ":" in private:
            continue
        peerings = (
            to_text(get_path(one, "properties", "remoteVirtualNetwork", "id")).lower()
            for one in iter_objects(row.get("peerings"))
            if to_text(get_path(one, "properties", "peeringState")).lower() == "connected"
        )
        yield (
            vm,
            Target(
                vm=vm,
                interface=to_text(row.get("id")),
                private=private,
                public=to_text(row.get("address")),
                subnet=to_text(row.get("subnet")),
                network=to_text(row.get("vnet")),
                peered=frozenset(filter(None, peerings)),
            ),
        )


def decode_ports(rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    """The first port that a balancer's rules send to their backends, by the balancer."""
    for row in rows:
        rules = [to_mapping(one.get("properties")) for one in iter_objects(row.get("rules"))]
        tcp = [one.get("backendPort") for one in rules if to_text(one.get("protocol")).lower() == "tcp"]
        ports = sorted(int(port) for each in tcp if (port := to_number(each)))
        if ports:
            yield to_text(row.get("balancer")), ports[0]


def find_named_origins(session: Session) -> tuple[list[Origin], list[str]]:
    """The VMs that `--from` names, and why nobody can look from one of them."""
    named, reasons = [], []
    for word in session.settings.proof_origins:
        known, (*group, name) = VmId.parse(word), word.split("/")
        if known is not None:
            condition = f"vm in~ ({kql.literal(known.key)})"
        else:
            condition = f"tostring(split(vm, '/')[8]) in~ ({kql.literal(name)})"
            condition += "".join(f" and tostring(split(vm, '/')[4]) in~ ({kql.literal(one)})" for one in group)
        found = _find_origins(session, condition)
        # In words that a mask knows.
        asked = f"whether it is reached from {word}, outside: not asked, "
        if len(found) == 1 and not found[0].lack:
            named.append(found[0])
        elif found:
            several = f"{len(found)} VMs are called so: name it with its group, or by its id"
            reasons.append(f"{asked}{found[0].lack if len(found) == 1 else several}")
        else:
            reasons.append(f"{asked}no such VM is shown to this sign-in")
    return named, reasons


def _find_origins(session: Session, condition: str) -> list[Origin]:
    """The VMs that fit a condition of Resource Graph, each once; `lack` says why nobody can look from one."""
    query = write_origin_query(condition)
    rows: dict[VmId, list[Row]] = {}
    for row in _query(session, "VMs with the Network Watcher agent", query):
        if (vm := VmId.parse(to_text(row.get("id")))) is not None:
            rows.setdefault(vm, []).append(row)
    origins = []
    for vm, known in rows.items():
        first, (power, agent) = known[0], (to_text(known[0].get(name)).lower() for name in ("power", "agent"))
        lack = "" if power == RUNNING else f"it is not running ({power.rpartition('/')[2] or 'its state is not told'})"
        if agent != "succeeded":
            state = f"its Network Watcher agent is {agent}" if agent else "it has no Network Watcher agent"
            lack = f"{state}, an extension that is never installed from here"
        origins.append(
            Origin(
                vm=vm,
                region=to_text(first.get("location")),
                subnets=frozenset(filter(None, (to_text(row.get("subnet")) for row in known))),
                networks=frozenset(filter(None, (to_text(row.get("vnet")) for row in known))),
                private=to_text(first.get("private")),
                lack=lack,
            )
        )
    return origins
