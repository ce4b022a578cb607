"""What a VM's traffic passes through, what of that is not known, and whether a changed resource is part of it.

Resource Graph leaves out in silence what a sign-in may not see, and an export holds what somebody
chose: that an interface or a subnet is referred to and nothing came back of it is the only sign that something behind
it (security groups, route tables, gateways, peerings) is not known.
"""

from vmdiag.identity import VmId
from vmdiag.model import Viewpoint
from vmdiag.sources.stored_items import StoredItems, StoredVm
from vmdiag.values import Struct

# How far the chain is followed: NIC, subnet, network, then their groups and route tables.
STEP_LIMIT = 4
INTERFACE_TYPE, NETWORK_TYPE = "networkinterfaces", "virtualnetworks"
SUBNET_SEGMENT, PEERING_SEGMENT = "/subnets/", "/virtualnetworkpeerings/"
# What belongs to a VM through the subnets of its interfaces ...
SUBNET_RESOURCE_TYPES = frozenset({"networksecuritygroups", "routetables", "natgateways"})
# ... or through the interfaces themselves. A change of any other kind (a balancer with addresses in its pool, a
# firewall, a gateway) is told by neither.
INTERFACE_RESOURCE_TYPES = SUBNET_RESOURCE_TYPES | {"publicipaddresses", INTERFACE_TYPE, NETWORK_TYPE}


class NetworkPath(Struct, frozen=True, kw_only=True):
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
        return frozenset(map(_parse_group_id, self.unread_parts)) - {self.group}

    @property
    def other_groups(self) -> frozenset[str]:
        """The other resource groups through which the traffic passes."""
        return frozenset(map(_parse_group_id, self.resources)) - {self.group}


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
    interfaces = {one for one in known if _parse_resource_type(one) == INTERFACE_TYPE}
    # What was read links to itself, and every interface is in a subnet.
    read = {one for one in known if SUBNET_SEGMENT not in one or one in links.get(one, ())} - interfaces
    if whole:
        read |= {one for one in interfaces if any(SUBNET_SEGMENT in each for each in links.get(one, ()))}
    unread = tuple(sorted(known - read))
    return NetworkPath(group=vm.scopes[1], resources=frozenset(known), unread_parts=unread)


def relate_to_vm(resource: str, path: NetworkPath, missing_phrase: str) -> dict[str, str] | None:
    """How a changed resource stands to the VM, as facts; `None` when it is not the VM's.

    It `touches`, or the relation is `unknown` and why: what could lie behind an unread part is that in the VM's own
    group and in that of the part; `missing_phrase` says how such a part fared: "not in the archive".
    """
    # A rule, route or peering is its resource's; a subnet stands for itself.
    owner = resource if SUBNET_SEGMENT in resource else "/".join(resource.split("/")[:9])
    if not path.resources.isdisjoint((resource, owner)):
        return {"relation": "touches"}
    reason = _find_doubt(resource, path, missing_phrase)
    return {"relation": "unknown", "relation_reason": reason} if reason else None


def _find_doubt(resource: str, path: NetworkPath, missing_phrase: str) -> str:
    """Why it cannot be told whether a resource is the VM's; empty when it is not."""
    group, kind = _parse_group_id(resource), _parse_resource_type(resource)
    if not path.has_interfaces:
        return f"its network interfaces are {missing_phrase}" if group == path.group else ""
    is_odd = kind not in INTERFACE_RESOURCE_TYPES
    for part in path.unread_parts:
        names = part.split("/")
        if group not in (path.group, _parse_group_id(part)):
            continue
        if SUBNET_SEGMENT not in part:
            # Which interfaces a VM has it says itself.
            if kind != INTERFACE_TYPE:
                return f"its network interface {names[-1]} is {missing_phrase}"
        elif is_odd or kind in SUBNET_RESOURCE_TYPES or PEERING_SEGMENT in resource:
            return f"the subnet {names[-1]} of its virtual network {names[8]} is {missing_phrase}"
    if group == path.group and is_odd:
        return "no interface tells whether its traffic passes through it"
    return ""


def _parse_group_id(resource: str) -> str:
    return "/".join(resource.split("/")[:5])


def _parse_resource_type(resource: str) -> str:
    parts = resource.split("/")
    return parts[7] if len(parts) > 7 else ""  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G/providers/P/KIND


def name_test(test: str, source: str, place: Viewpoint) -> str:
    """The name of a series of tests: what is tested, by whom (a name, or an id in lower case), and from where."""
    return f"{test} from {source} ({place})"


def place_test(store: StoredItems, path: NetworkPath, name: str) -> str:
    """The name of a series of tests towards a VM with this path, with from where it looks as far as that is known.

    A source of the VM's own virtual network is inside, one of another network that is known peered where it goes to the
    private address, and outside where it goes to the public one; from inside to the public address is neither.
    """
    head, _, place = name.removesuffix(")").rpartition(" (")
    test, _, source = head.partition(" from ")
    if place != Viewpoint.UNKNOWN or not source.startswith("/subscriptions/"):
        return name
    own, theirs = _list_networks(path), _find_source_networks(store, source)
    is_public = test.endswith(" at its public address")
    if not own or not theirs:
        return name
    if own & theirs:
        return name if is_public else name_test(test, source, Viewpoint.INSIDE)
    if not path.has_known_networks:
        return name
    return name_test(test, source, Viewpoint.OUTSIDE if is_public else Viewpoint.PEERED)


def _find_source_networks(store: StoredItems, source: str) -> frozenset[str]:
    """The virtual networks, by their ids, in which a source of tests is: itself, of its subnet, of its interfaces."""
    if f"/{NETWORK_TYPE}/" in source:
        return frozenset({source.partition(SUBNET_SEGMENT)[0]})
    vm = VmId.parse(source)
    number = None if vm is None else store.find_vm_number(vm)
    if vm is None or number is None:
        return frozenset()
    path = read_path(store, StoredVm(number, vm))
    return _list_networks(path) if path.has_known_networks else frozenset()


def _list_networks(path: NetworkPath) -> frozenset[str]:
    networks = (one for one in path.resources if _parse_resource_type(one) == NETWORK_TYPE)
    return frozenset("/".join(one.split("/")[:9]) for one in networks)
