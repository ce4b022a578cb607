"""Which VM is meant: resource ids, and the shorter ways in which people name one; which types lie in its way."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Self

from msgspec import Struct
from msgspec.structs import force_setattr

VM_ID = re.compile(
    r"^/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.compute/"
    r"(?:virtualmachinescalesets/(?P<scale_set>[^/]+)/)?virtualmachines/(?P<name>[^/]+)",
    re.IGNORECASE,
)

# Network resources whose change can cut a VM off (conventional Resource Manager types).
NETWORK_TYPES = frozenset({
    "microsoft.network/networksecuritygroups", "microsoft.network/networkinterfaces", "microsoft.network/routetables",
    "microsoft.network/virtualnetworks", "microsoft.network/publicipaddresses", "microsoft.network/loadbalancers",
    "microsoft.network/natgateways", "microsoft.network/azurefirewalls", "microsoft.network/firewallpolicies",
    "microsoft.network/virtualnetworkgateways", "microsoft.network/applicationgateways",
    "microsoft.network/bastionhosts", "microsoft.network/networkmanagers", "microsoft.network/virtualhubs",
    "microsoft.network/connections",
})  # fmt: skip
# In place of a subscription: no id can have these, and the parts of a name cannot be mistaken for each other.
BY_NAME, BY_COMPUTER, BY_ADDRESS, BY_INTERFACE = "?name", "?computer", "?address", "?interface"
ADDRESS_LENGTH = 45  # of IPv6 with an address of IPv4 at its end


class VmId(Struct, frozen=True, kw_only=True):
    """A VM's resource id; two spellings that differ in letter case are equal, as they are to Azure.

    `key` is the id in lower case: what to compare and to sort by. It is kept, because fleets compare millions of times.
    """

    subscription: str
    resource_group: str
    name: str
    scale_set: str | None = None
    key: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "key", str(self).lower())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The VM that an id names or lies below (an extension, an annotation); `None` when it names no VM."""
        found = VM_ID.match(text)
        if found is None:
            return None
        return cls(
            subscription=found["subscription"],
            resource_group=found["group"],
            name=found["name"],
            scale_set=found["scale_set"],
        )

    def __str__(self) -> str:
        scale_set = f"virtualMachineScaleSets/{self.scale_set}/" if self.scale_set else ""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/{scale_set}virtualMachines/{self.name}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VmId) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


# Stands for a part of an id that is not known; Azure allows it in no name.
UNKNOWN = "?"


class Selector(Struct, frozen=True):
    """VMs as a person names them: `name`, `resource-group/name`, or a resource id, in any letter case.

    `*` stands for any text and `?` for one character, within a name or a group.
    """

    text: str

    @property
    def word(self) -> str:
        """The words in the form in which they compare."""
        named = VmId.parse(self.text)
        return named.key if named is not None else self.text.lower().strip("/")

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean several VMs."""
        return is_pattern(self.text)

    @property
    def vm_id(self) -> VmId | None:
        """The VM whose id this is; `None` for a name or a pattern."""
        return None if self.is_pattern else VmId.parse(self.text)

    @property
    def group_and_name(self) -> tuple[str, str]:
        """The group, empty where none is given, and the name."""
        named = VmId.parse(self.text)
        if named is not None:
            return named.resource_group, named.name
        group, _, name = self.text.strip("/").rpartition("/")
        return group, name

    def matches_vm(self, vm: VmId) -> bool:
        """Whether the words mean this VM."""
        return any(matches_pattern(self.word, word) for word in list_words(vm))

    def placeholder(self, subscription: str = UNKNOWN) -> VmId:
        """An id for a VM that is not there: what was said of it, and `?` for the rest."""
        group, name = self.group_and_name
        return VmId.parse(self.text) or VmId(subscription=subscription, resource_group=group or UNKNOWN, name=name)


def is_pattern(text: str) -> bool:
    """Whether a name or group stands for several."""
    return "*" in text or "?" in text


def matches_pattern(pattern: str, word: str) -> bool:
    """Whether a word is what a pattern means, both in lower case; `*` does not reach beyond a `/`."""
    if not is_pattern(pattern):
        return pattern == word
    parts, others = pattern.split("/"), word.split("/")
    # Brackets, which fnmatch takes for a set of characters, stand for themselves.
    return len(parts) == len(others) and all(
        fnmatchcase(other, part.replace("[", "[[]")) for part, other in zip(parts, others, strict=True)
    )


def matches_any_pattern(patterns: Iterable[str], word: str) -> bool:
    """Whether a word, in any letter case, is what one of the patterns means."""
    return any(matches_pattern(pattern.lower(), word.lower()) for pattern in patterns)


def list_words(vm: VmId) -> tuple[str, str, str]:
    """The three ways to name a VM, in lower case."""
    name = vm.name.lower()
    return name, f"{vm.resource_group.lower()}/{name}", vm.key


def make_name_placeholder(name: str, resource_group: str = "") -> VmId:
    """Stands for the one VM of this name, in this group where one is given."""
    return VmId(subscription=BY_NAME, resource_group=resource_group or "?", name=name)


def make_computer_placeholder(name: str) -> VmId:
    """Stands for the one VM whose guest, or which itself, is called so; a domain behind a dot is not looked at."""
    return VmId(subscription=BY_COMPUTER, resource_group="?", name=name)


def make_address_placeholder(address: str, balancer: str = "") -> VmId:
    """Stands for the one VM with this private address, in a pool of this balancer where one is given."""
    return VmId(subscription=BY_ADDRESS, resource_group=balancer.lower() or "?", name=address)


def is_placeholder(vm: VmId) -> bool:
    """Whether a VM is known by a name only."""
    return vm.subscription in (BY_NAME, BY_COMPUTER, BY_ADDRESS, BY_INTERFACE)
