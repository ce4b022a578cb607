"""The words of Network Watcher's answers, what each means, and how it is told; pure."""

from collections.abc import Mapping

from vmdiag.model import Kind, Record, Viewpoint

# What Network Watcher answers, by the check and the answer's word; other words say nothing of the VM. `Degraded` means
# that some probes came through. Sources: "Network Watchers - Check Connectivity", "- Verify IP Flow", "- Get Next Hop".
CONNECTIVITY_CHECK, FLOW_CHECK, HOP_CHECK = "connectivity-check", "ip-flow-verify", "next-hop"
PROOFS: Mapping[tuple[str, str], Kind] = {
    (CONNECTIVITY_CHECK, "connected"): Kind.PROOF_REACHED,
    (CONNECTIVITY_CHECK, "degraded"): Kind.PROOF_REACHED,
    (CONNECTIVITY_CHECK, "disconnected"): Kind.PROOF_LOST,
    (FLOW_CHECK, "deny"): Kind.PROOF_DENIED,
    (FLOW_CHECK, "allow"): Kind.PROOF_ALLOWED,
    (HOP_CHECK, "none"): Kind.PROOF_DENIED,
    (HOP_CHECK, "virtualappliance"): Kind.PROOF_APPLIANCE,
    (HOP_CHECK, "virtualapplianceecmp"): Kind.PROOF_APPLIANCE,
    (HOP_CHECK, "internet"): Kind.PROOF_ALLOWED,
    (HOP_CHECK, "vnetlocal"): Kind.PROOF_ALLOWED,
    (HOP_CHECK, "virtualnetworkgateway"): Kind.PROOF_ALLOWED,
}
# From where somebody looks at a VM, behind his name; what masks a report knows these words.
PLACES: Mapping[str, str] = {
    Viewpoint.INSIDE: " in its own virtual network",
    Viewpoint.PEERED: " in another virtual network",
    Viewpoint.OUTSIDE: ", outside its virtual network",
    Viewpoint.UNKNOWN: "",
}


def describe_look(kind: Kind, record: Record) -> str:
    """What Network Watcher found, from where, and when."""
    facts, time = record.facts, f"{record.at + record.blur:%H:%M}Z"
    place = PLACES.get(facts.get("viewpoint", ""), "")
    port, reached = f"port {facts.get('port', '?')}", f"reached from {facts.get('origin') or 'the internet'}{place}"
    name, rule = facts.get("check", ""), facts.get("rule", "of a name that is not told")
    match kind:
        case Kind.PROOF_REACHED:
            return f"{port} is {reached}, at {time}"
        case Kind.PROOF_LOST:
            return f"{port} is not {reached}, at {time}"
        case Kind.PROOF_APPLIANCE:
            return f"where {port} is {reached}, the answers go through the appliance {facts.get('hop', '')}".rstrip()
        case Kind.PROOF_ALLOWED:
            why = f"the rule {rule} lets it in" if name == FLOW_CHECK else f"its answers go by {record.status}"
            return f"{port} could be {reached}: {why}"
        case _ if name == HOP_CHECK:
            return f"{port} cannot be {reached}: its answers have no next hop (route table {rule})"
        case _:
            why = f"the rule {rule} denies it" if name == FLOW_CHECK else "a rule or a route on the way denies it"
            return f"{port} cannot be {reached}: {why}"
