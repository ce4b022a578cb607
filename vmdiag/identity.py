"""Which VM is meant: resource ids, and the shorter ways in which people name one; must not know anything else."""

import re
from dataclasses import dataclass, field
from typing import Self

VM_ID = re.compile(
    r"^/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.compute/"
    r"(?:virtualmachinescalesets/(?P<scale_set>[^/]+)/)?virtualmachines/(?P<name>[^/]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VmId:
    """A VM's resource id; two spellings that differ in letter case are equal, as they are to Azure.

    `key` is the id in lower case: what to compare and to sort by. It is kept, because fleets compare millions of times.
    """

    subscription: str
    resource_group: str
    name: str
    scale_set: str | None = None
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", str(self).lower())

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


@dataclass(frozen=True, slots=True)
class Selector:
    """A VM as a person names it: `name`, `resource-group/name`, or a resource id, in any letter case."""

    text: str

    @property
    def word(self) -> str:
        """The words in the form in which they compare."""
        named = VmId.parse(self.text)
        return named.key if named is not None else self.text.lower().strip("/")

    def matches(self, vm: VmId) -> bool:
        """Whether the words mean this VM."""
        return self.word in words_for(vm)


def words_for(vm: VmId) -> tuple[str, str, str]:
    """The three ways to name a VM, in lower case."""
    name = vm.name.lower()
    return name, f"{vm.resource_group.lower()}/{name}", vm.key
