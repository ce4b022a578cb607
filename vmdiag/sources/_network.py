"""What a VM's traffic passes through, and whether a changed resource is part of it; must not know times."""

import sqlite3

# How far the chain is followed: NIC, subnet, network, then their groups and route tables.
MOST_STEPS = 4
# A resource of these types belongs to a VM through its NICs and their subnets: where those are known and it is not
# among them, it is somebody else's.
THROUGH_NIC = frozenset({"networksecuritygroups", "routetables", "publicipaddresses", "natgateways"})


def network_of(database: sqlite3.Connection, vm: int) -> frozenset[str]:
    """The ids, in lower case, of the NICs and of all that lies behind them."""
    known = {resource for (resource,) in database.execute("select resource from passage where vm = ?", (vm,))}
    fresh = set(known)
    for _ in range(MOST_STEPS):
        behind = {
            through
            for resource in fresh
            for (through,) in database.execute("select through from link where resource = ?", (resource,))
        }
        behind |= {one.partition("/subnets/")[0] for one in (*fresh, *behind) if "/subnets/" in one}
        fresh = behind - known
        known |= fresh
        if not fresh:
            break
    return frozenset(known)


def relation(resource: str, network: frozenset[str], *, in_group: bool) -> str | None:
    """`touches` when a changed resource is the VM's, `same-group` when it may be, `None` when it is not."""
    owner = _owner(resource)
    if resource in network or owner in network:
        return "touches"
    kind = _kind(resource)
    if kind == "networkinterfaces" and any(_kind(one) == "networkinterfaces" for one in network):
        return None
    subnets_known = any("/subnets/" in one for one in network)
    if subnets_known and (kind in THROUGH_NIC or "/subnets/" in resource or kind == "virtualnetworks"):
        return None
    return "same-group" if in_group else None


def _owner(resource: str) -> str:
    """The resource that a rule, route or peering belongs to; a subnet stands for itself."""
    parts = resource.split("/")
    return resource if "/subnets/" in resource else "/".join(parts[:9])


def _kind(resource: str) -> str:
    parts = resource.split("/")
    return parts[7] if len(parts) > 7 else ""  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G/providers/P/KIND
