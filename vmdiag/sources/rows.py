"""A row as a tool wrote it, what it may be called where it has no id, and what is said of one that cannot be used."""

from collections.abc import Mapping

from vmdiag.identity import VmId

Row = Mapping[str, object]
# In place of a subscription: no id can have these, and the parts of a name cannot be mistaken for each other.
BY_NAME, BY_COMPUTER, BY_ADDRESS, BY_INTERFACE = "?name", "?computer", "?address", "?interface"
ADDRESS_LENGTH = 45  # of IPv6 with an address of IPv4 at its end


class MalformedRow(Exception):  # noqa: N818 - it is a row that is malformed, not an error of ours
    """A row that cannot be used; `vm` when it can be told whom it concerned, `part` what could be read of it.

    What is not `is_record` only stands between records, such as a tool's words of warning.
    """

    def __init__(self, reason: str, vm: VmId | None = None, part: Row | None = None, *, is_record: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.vm = vm
        self.part = part
        self.is_record = is_record


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
