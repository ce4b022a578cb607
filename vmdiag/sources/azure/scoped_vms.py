"""Which VMs a live run is about: those that were named, and those that the inventory shows in scope."""

from collections.abc import Mapping

from vmdiag.errors import NotFound
from vmdiag.identity import Selector, VmId
from vmdiag.sources.protocol import Scope
from vmdiag.sources.selection import (
    ALLOW_EMPTY,
    ResolvedScope,
    has_scope_tags,
    is_in_scope,
    make_missing_tags_error,
    require_members,
    resolve_vms,
)
from vmdiag.values import Struct

VISIBLE_PHRASE = "among those that this sign-in can see"


class InventoryVm(Struct, frozen=True):
    """A VM as the inventory shows it; with its power state where Resource Graph is the inventory."""

    id: VmId
    tags: Mapping[str, str]
    has_power_state: bool


def find_explicit_ids(scope: Scope) -> dict[Selector, VmId]:
    """The VMs that can be told without asking: by their id, or by group and name where there is one subscription."""
    found: dict[Selector, VmId] = {}
    for selector in scope.vms:
        group, name = selector.group_and_name
        if selector.vm_id is not None:
            found[selector] = selector.vm_id
        elif group and not selector.is_pattern and len(scope.subscriptions) == 1:
            found[selector] = VmId(subscription=next(iter(scope.subscriptions)), resource_group=group, name=name)
    return found


def select_subscriptions(scope: Scope) -> frozenset[str]:
    """Where to look: an id brings its own subscription along; none of them means in every one."""
    ids = [selector.vm_id for selector in scope.vms]
    own = frozenset(vm.subscription.lower() for vm in ids if vm is not None)
    if ids and None not in ids:
        return own
    return scope.subscriptions | own if scope.subscriptions else frozenset()


def select_vms(
    scope: Scope,
    visible_vms: Mapping[VmId, InventoryVm],
    known: Mapping[Selector, VmId],
    subscription_names: Mapping[str, str],
) -> ResolvedScope:
    """The VMs in the order asked for, else by id; raises for a name that means several VMs, and for what is not there.

    `known` are the VMs that need not be seen, `subscription_names` the names of subscriptions by id.
    """
    ids = (*visible_vms, *scope.finished)
    if scope.vms:
        return resolve_vms(scope, ids, VISIBLE_PHRASE, known, subscription_names)
    require_members(scope, ids, VISIBLE_PHRASE, subscription_names)
    inside = [one for one in visible_vms.values() if is_in_scope(one.id, scope)]
    fit = sorted((one.id for one in inside if has_scope_tags(one.tags.items(), scope)), key=lambda vm: vm.key)
    if not fit and not scope.finished and not scope.allow_empty:
        if scope.tags:
            raise make_missing_tags_error(scope, (pair for one in inside for pair in one.tags.items()), VISIBLE_PHRASE)
        message = f"there is no VM {VISIBLE_PHRASE}"
        raise NotFound(message, f"'vmdiag doctor' lists the subscriptions that it sees. {ALLOW_EMPTY}")
    return ResolvedScope(tuple(fit))
