"""Which VMs a live run is about: those that were named, and those that the inventory shows in scope; must not ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from vmdiag.errors import NotFound
from vmdiag.identity import Selector, VmId
from vmdiag.sources import kql
from vmdiag.sources.decoding.fields import at, mapping, text
from vmdiag.sources.decoding.resource_ids import vm_itself
from vmdiag.sources.items import Row
from vmdiag.sources.protocol import Scope
from vmdiag.sources.scope_words import (
    ALLOW_EMPTY,
    Names,
    Resolved,
    absent_tags,
    is_inside,
    is_tagged,
    require_members,
    resolve,
)

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
    tags = {name: text(value) for name, value in mapping(row.get("tags")).items()}
    power = text(at(row, "properties", "extended", "instanceView", "powerState", "code"))
    return None if vm is None else Shown(vm, tags, bool(power))


def stated(scope: Scope) -> dict[Selector, VmId]:
    """The VMs that can be told without asking: by their id, or by group and name where there is one subscription."""
    found = {selector: _stated(selector, scope) for selector in scope.vms}
    return {selector: vm for selector, vm in found.items() if vm is not None}


def who(scope: Scope) -> kql.Who:
    """The VMs to look for."""
    names = [selector for selector in scope.vms if selector.id is None and not selector.is_pattern]
    patterns = [selector.group_and_name for selector in scope.vms if selector.is_pattern]
    return kql.Who(
        ids=tuple(sorted({selector.id.key for selector in scope.vms if selector.id is not None})),
        names=tuple(sorted({selector.group_and_name[1].lower() for selector in names})),
        groups=tuple(sorted(group.lower() for group in scope.groups)),
        patterns=tuple(sorted({(group.lower(), name.lower()) for group, name in patterns})),
    )


def subscriptions(scope: Scope) -> frozenset[str]:
    """Where to look: an id brings its own subscription along; none of them means in every one."""
    ids = [selector.id for selector in scope.vms]
    if scope.vms and None not in ids:
        return frozenset(vm.subscription.lower() for vm in ids if vm is not None)
    own = {vm.subscription.lower() for vm in ids if vm is not None} if scope.subscriptions else set()
    return scope.subscriptions | own


def roster(
    scope: Scope, seen: Mapping[VmId, Shown], known: Mapping[Selector, VmId], called: Mapping[str, str]
) -> Resolved:
    """The VMs in the order asked for, else by id; raises for a name that means several VMs, and for what is not there.

    `known` are the VMs that need not be seen, `called` the names of subscriptions by id.
    """
    if scope.vms:
        ids = [vm for vm in (*seen, *scope.finished) if is_inside(vm, scope)]
        names = Names(ids, LISTED)
        if not all(selector in known or names.meant(selector) for selector in scope.vms):
            require_members(scope, (*seen, *scope.finished), LISTED, called)
        return resolve(scope, names, known)
    require_members(scope, (*seen, *scope.finished), LISTED, called)
    inside = [one for one in seen.values() if is_inside(one.id, scope)]
    fit = sorted((one.id for one in inside if is_tagged(one.tags.items(), scope)), key=lambda vm: vm.key)
    if not fit and not scope.finished and not scope.allow_empty:
        if scope.tags:
            raise absent_tags(scope, (pair for one in inside for pair in one.tags.items()), LISTED)
        message = f"there is no VM {LISTED}"
        raise NotFound(message, f"'vmdiag doctor' lists the subscriptions that it sees. {ALLOW_EMPTY}")
    return Resolved(tuple(fit))


def _stated(selector: Selector, scope: Scope) -> VmId | None:
    group, name = selector.group_and_name
    if selector.id is None and group and not selector.is_pattern and len(scope.subscriptions) == 1:
        return VmId(subscription=next(iter(scope.subscriptions)), resource_group=group, name=name)
    return selector.id
