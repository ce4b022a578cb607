"""The id of a VM as the spool keeps it, in its best spelling; must not know where it was read."""

import msgspec

from vmdiag.identity import VmId

Spelling = tuple[str, str, str, str | None]


def encode_vm_id(vm: VmId) -> str:
    """The id's spelling, such that the least is the best to show, whichever file came first.

    Exports write every id in capitals and Log Analytics in small letters: mixed case is the name as it was given, and
    of the other two small letters are the likelier name.
    """
    name = f"{vm.resource_group}{vm.name}"
    rank = 2 if name.isupper() else 1 if name.islower() else 0
    return f"{rank}{msgspec.json.encode((vm.subscription, vm.resource_group, vm.name, vm.scale_set)).decode()}"


def decode_vm_id(spelling: str) -> VmId:
    """The id that `encode_vm_id` wrote."""
    subscription, group, name, scale_set = msgspec.json.decode(spelling[1:], type=Spelling)
    return VmId(subscription=subscription, resource_group=group, name=name, scale_set=scale_set)
