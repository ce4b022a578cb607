"""What a sign-in may do somewhere, as Azure tells it.

Source: "REST API: Permissions - List For Resource", "Understand Azure role definitions" (wildcards, NotActions). Azure
can refuse what a role allows (deny assignments, policies), so a yes is a guess and a no is certain.
"""

import re
from collections.abc import Iterable
from functools import partial

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import Row
from vmdiag.errors import NotAllowed, SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import REDEPLOY_ACTION
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import build_graph_request, get_group_id, get_subscription_id
from vmdiag.sources.azure.scoped_vms import find_explicit_ids, select_subscriptions
from vmdiag.sources.azure.whole_lists import read_rows
from vmdiag.sources.azure.worker_pool import run_jobs
from vmdiag.sources.decoding.fields import to_list, to_text
from vmdiag.sources.protocol import Scope
from vmdiag.sources.selection import build_vm_filter

# So many places are asked beforehand; each VM's own answer comes with its plan.
SCOPE_LIMIT = 50


def build_permissions_request(scope: str, name: str) -> Request:
    """The roles' permissions at a scope, given by its id, those from above included."""
    return Request(
        description=f"permissions on {name}",
        service="permissions",
        path=f"{scope}/providers/Microsoft.Authorization/permissions",
        permission="Microsoft.Authorization/permissions/read",
    )


def allows_action(rows: Iterable[Row] | None, action: str) -> bool | None:
    """Whether one of the roles allows the action; `None` where they could not be read."""
    held = ((row.get("actions"), row.get("notActions")) for row in rows or ())
    found = any(_matches_action(granted, action) and not _matches_action(denied, action) for granted, denied in held)
    return None if rows is None else found


def require_redeploy_permission(session: Session, scope: Scope) -> None:
    """Raise `NotAllowed` when this sign-in may redeploy none of the VMs in scope, as far as their roles can be read.

    A group answers for what lies in it. Among very many VMs a role on a single one is not looked for.
    """
    try:
        vms = _list_vms(session, scope)
    except SourceError:
        return  # whatever is wrong, the reading tells it better
    groups = {get_group_id(vm): vm.resource_group for vm in vms}
    parents = groups if len(groups) <= SCOPE_LIMIT else {get_subscription_id(vm): vm.subscription for vm in vms}
    single_vms = {vm.key: vm.name for vm in vms} if len(vms) <= SCOPE_LIMIT else {}
    for places in (parents, single_vms):
        asked = {scope: build_permissions_request(scope, name) for scope, name in places.items()}
        jobs = {scope: partial(read_rows, session, request) for scope, request in asked.items()}
        answers = [rows for _, rows in run_jobs(session.settings.jobs, jobs, lambda: session.should_stop)]
        if any(isinstance(rows, SourceError) or allows_action(rows, REDEPLOY_ACTION) for rows in answers):
            return
        if len(answers) < len(places) or not parents:
            return
    whose = vms[0].name if len(vms) == 1 else f"all {len(vms)} VMs in scope"
    where = f"; a role on one of the {len(vms)} VMs alone was not looked for: name that one" if not single_vms else ""
    message = f"{whose} may not be redeployed by this sign-in: it lacks {REDEPLOY_ACTION}{where}"
    raise NotAllowed(message, "'vmdiag doctor' prints the smallest role that allows it; nothing was read or done.")


def _list_vms(session: Session, scope: Scope) -> list[VmId]:
    """The VMs in scope, without asking where their names say where they are."""
    known = list(find_explicit_ids(scope).values())
    if scope.lists_none or 0 < len(scope.vms) == len(known):
        return [] if scope.lists_none else known
    query = build_graph_request("VMs", kql.machines(build_vm_filter(scope)), select_subscriptions(scope))
    return [vm for row in read_rows(session, query) if (vm := VmId.parse(to_text(row.get("id")))) is not None]


def _matches_action(patterns: object, action: str) -> bool:
    """Whether one of a role's patterns, in which `*` stands for anything, covers the action."""
    return any(
        re.fullmatch(".*".join(map(re.escape, to_text(each).split("*"))), action, re.IGNORECASE)
        for each in to_list(patterns)
    )
