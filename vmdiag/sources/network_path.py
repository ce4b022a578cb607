"""What a VM's traffic passes through, what of that is not known, and whether a changed resource is part of it.

Resource Graph leaves out in silence what a sign-in may not see, and an export holds what somebody
chose: that an interface or a subnet is referred to and nothing came back of it is the only sign that something behind
it (security groups, route tables, gateways, peerings) is not known.
"""

from dataclasses import dataclass

from vmdiag.sources.stored_items import StoredItems, StoredVm

# How far the chain is followed: NIC, subnet, network, then their groups and route tables.
STEP_LIMIT = 4
INTERFACE_TYPE, NETWORK_TYPE = "networkinterfaces", "virtualnetworks"
SUBNET_SEGMENT, PEERING_SEGMENT = "/subnets/", "/virtualnetworkpeerings/"
# What belongs to a VM through the subnets of its interfaces ...
SUBNET_RESOURCE_TYPES = frozenset({"networksecuritygroups", "routetables", "natgateways"})
# ... or through the interfaces themselves. A change of any other kind (a balancer with addresses in its pool, a
# firewall, a gateway) is told by neither.
INTERFACE_RESOURCE_TYPES = SUBNET_RESOURCE_TYPES | {"publicipaddresses", INTERFACE_TYPE, NETWORK_TYPE}
TOUCHES, UNKNOWN = "touches", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPath:
    """The ids, in lower case, of all that a VM's traffic is known to pass through; `group` is the VM's own.

    `unread_parts` are the interfaces and subnets that are referred to and of which nothing came back.
    """

    group: str
    resources: frozenset[str] = frozenset()
    unread_parts: tuple[str, ...] = ()

    @property
    def has_interfaces(self) -> bool:
        """Whether it is known which interfaces the VM has."""
        return any(_parse_resource_type(one) == INTERFACE_TYPE for one in self.resources)

    @property
    def has_known_networks(self) -> bool:
        """Whether it is known in which networks its interfaces are."""
        return self.has_interfaces and not any(_parse_resource_type(one) == INTERFACE_TYPE for one in self.unread_parts)

    @property
    def unread_groups(self) -> frozenset[str]:
        """The other resource groups that hold what is unread."""
        return frozenset(map(parse_group_id, self.unread_parts)) - {self.group}

    @property
    def other_groups(self) -> frozenset[str]:
        """The other resource groups through which the traffic passes."""
        return frozenset(map(parse_group_id, self.resources)) - {self.group}


@dataclass(frozen=True, slots=True)
class Relation:
    """How a changed resource stands to a VM: `touches`, or `unknown` and why."""

    word: str
    reason: str = ""


def read_path(store: StoredItems, vm: StoredVm, *, whole: bool = True) -> NetworkPath:
    """What was read of a VM's network; where that is not `whole`, some addresses of an interface may be missing."""
    known = store.list_interfaces(vm.number)
    links: dict[str, set[str]] = {}
    fresh = set(known)
    for _ in range(STEP_LIMIT):
        links |= {one: store.list_links(one) for one in fresh}
        behind = {through for one in fresh for through in links[one]}
        behind |= {one.partition(SUBNET_SEGMENT)[0] for one in (*fresh, *behind) if SUBNET_SEGMENT in one}
        fresh = behind - known
        known |= fresh
        if not fresh:
            break
    partly = frozenset() if whole else frozenset(one for one in known if _parse_resource_type(one) == INTERFACE_TYPE)
    unread = tuple(sorted(one for one in known if one in partly or not _is_part_read(one, links.get(one, set()))))
    group = f"/subscriptions/{vm.id.subscription}/resourcegroups/{vm.id.resource_group}".lower()
    return NetworkPath(group=group, resources=frozenset(known), unread_parts=unread)


def relate_to_vm(resource: str, path: NetworkPath, missing_phrase: str) -> Relation | None:
    """How a changed resource stands to the VM; `None` when it is not the VM's.

    What could lie behind an unread part is `unknown` in the VM's own group and in that of the part; `missing_phrase`
    says how such a part fared: "not in the archive".
    """
    if resource in path.resources or _find_owning_resource(resource) in path.resources:
        return Relation(TOUCHES)
    group, kind = parse_group_id(resource), _parse_resource_type(resource)
    if not path.has_interfaces:
        return Relation(UNKNOWN, f"its network interfaces are {missing_phrase}") if group == path.group else None
    for part in path.unread_parts:
        if group in (path.group, parse_group_id(part)) and _may_lie_behind(part, resource, kind):
            return Relation(UNKNOWN, f"{describe_unread_part(part)} is {missing_phrase}")
    if group == path.group and kind not in INTERFACE_RESOURCE_TYPES:
        return Relation(UNKNOWN, "no interface tells whether its traffic passes through it")
    return None


def describe_unread_part(part: str) -> str:
    """An unread part, in words."""
    parts = part.split("/")
    if SUBNET_SEGMENT in part:
        return f"the subnet {parts[-1]} of its virtual network {parts[8]}"
    return f"its network interface {parts[-1]}"


def parse_group_id(resource: str) -> str:
    """The id of the resource group that holds a resource."""
    return "/".join(resource.split("/")[:5])


def _is_part_read(resource: str, links: set[str]) -> bool:
    """Whether what lies behind is known; what was read links to itself, and every interface is in a subnet."""
    if _parse_resource_type(resource) == INTERFACE_TYPE:
        return any(SUBNET_SEGMENT in one for one in links)
    return SUBNET_SEGMENT not in resource or resource in links


def _may_lie_behind(part: str, resource: str, kind: str) -> bool:
    if SUBNET_SEGMENT not in part:
        # Which interfaces a VM has it says itself.
        return kind != INTERFACE_TYPE
    return kind in SUBNET_RESOURCE_TYPES or kind not in INTERFACE_RESOURCE_TYPES or PEERING_SEGMENT in resource


def _find_owning_resource(resource: str) -> str:
    """The resource that a rule, route or peering belongs to; a subnet stands for itself."""
    parts = resource.split("/")
    return resource if SUBNET_SEGMENT in resource else "/".join(parts[:9])


def _parse_resource_type(resource: str) -> str:
    parts = resource.split("/")
    return parts[7] if len(parts) > 7 else ""  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G/providers/P/KIND
