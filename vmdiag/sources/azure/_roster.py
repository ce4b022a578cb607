"""Which VMs a live run is about: those that were named, and those that the inventory shows in scope; must not ask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vmdiag import kql
from vmdiag.identity import Selector, VmId
from vmdiag.reading import Scope
from vmdiag.sources._choice import Names
from vmdiag.sources._items import Row
from vmdiag.sources.archive._fields import at, mapping, text
from vmdiag.sources.archive._ids import vm_itself

LISTED = "among those that this sign-in can see"


@dataclass(frozen=True, slots=True)
class Shown:
    """A VM as the inventory shows it; with its power state where Resource Graph is the inventory."""

    id: VmId
    tags: Mapping[str, str]
    has_power: bool


def shown(row: Row) -> Shown | None:
    """The VM of an inventory's row; `None` for anything else."""
    vm = vm_itself(text(row.get("id")))
    tags = {str(name).lower(): text(value) for name, value in mapping(row.get("tags")).items()}
    power = text(at(row, "properties", "extended", "instanceView", "powerState", "code"))
    return None if vm is None else Shown(vm, tags, bool(power))


def stated(scope: Scope) -> dict[Selector, VmId]:
    """The VMs that can be told without asking: by their id, or by group and name where there is one subscription."""
    if scope.tags:
        return {}
    found = {selector: _stated(selector, scope) for selector in scope.vms}
    return {selector: vm for selector, vm in found.items() if vm is not None}


def who(scope: Scope) -> kql.Who:
    """The VMs to look for."""
    ids = [vm for selector in scope.vms if (vm := VmId.parse(selector.text)) is not None]
    names = [selector.text.rpartition("/")[2] for selector in scope.vms if VmId.parse(selector.text) is None]
    return kql.Who(
        ids=tuple(sorted({vm.key for vm in ids})),
        names=tuple(sorted({name.lower() for name in names})),
        groups=tuple(sorted(group.lower() for group in scope.groups)),
    )


def roster(scope: Scope, seen: Iterable[Shown]) -> tuple[VmId, ...]:
    """The VMs in the order asked for, else by id; raises for a name that means several VMs or none."""
    groups = {group.lower() for group in scope.groups}
    inside = [one for one in seen if not groups or one.id.resource_group.lower() in groups]
    if scope.vms:
        known, names = stated(scope), Names((one.id for one in inside), LISTED)
        vms: Sequence[VmId] = [known.get(each) or names.meant(each) for each in scope.vms]
    else:
        tagged = [one.id for one in inside if all(one.tags.get(name.lower()) == value for name, value in scope.tags)]
        vms = sorted(tagged, key=lambda vm: vm.key)
    return tuple(vm for vm in dict.fromkeys(vms) if vm not in scope.finished)


def _stated(selector: Selector, scope: Scope) -> VmId | None:
    vm = VmId.parse(selector.text)
    group, _, name = selector.text.strip("/").rpartition("/")
    if vm is None and group and len(scope.subscriptions) == 1:
        return VmId(subscription=next(iter(scope.subscriptions)), resource_group=group, name=name)
    return vm
