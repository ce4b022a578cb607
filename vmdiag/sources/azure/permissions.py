"""What a sign-in may do somewhere, as Azure tells it; must not know what it wants to do there.

Source: "REST API: Permissions - List For Resource", "Understand Azure role definitions" (wildcards, NotActions). Azure
can refuse what a role allows (deny assignments, policies), so a yes is a guess and a no is certain.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import NotAllowed, SourceError
from vmdiag.identity import VmId
from vmdiag.sources import kql
from vmdiag.sources.azure import resource_graph, scoped_vms
from vmdiag.sources.azure.feed_request import group_of, subscription_of
from vmdiag.sources.azure.whole_lists import listed
from vmdiag.sources.azure.worker_pool import Crew, Piece
from vmdiag.sources.decoding.fields import elements, text
from vmdiag.sources.items import Row
from vmdiag.sources.protocol import Scope

REDEPLOY = "Microsoft.Compute/virtualMachines/redeploy/action"
# So many places are asked beforehand; each VM's own answer comes with its plan.
MOST_PLACES = 50


def request(scope: str, name: str) -> Request:
    """The roles' permissions at a scope, given by its id, those from above included."""
    return Request(
        what=f"permissions on {name}",
        service="permissions",
        path=f"{scope}/providers/Microsoft.Authorization/permissions",
        permission="Microsoft.Authorization/permissions/read",
    )


def allows(rows: Iterable[Row] | None, action: str) -> bool | None:
    """Whether one of the roles allows the action; `None` where they could not be read."""
    if rows is None:
        return None
    return any(_covers(row.get("actions"), action) and not _covers(row.get("notActions"), action) for row in rows)


def require_redeploy(session: Session, scope: Scope) -> None:
    """Raise `NotAllowed` when this sign-in may redeploy none of the VMs in scope, as far as their roles can be read.

    A group answers for what lies in it. Among very many VMs a role on a single one is not looked for.
    """
    try:
        vms = list(_vms(session, scope))
    except SourceError:
        return  # whatever is wrong, the reading tells it better
    groups = {group_of(vm): vm.resource_group for vm in vms}
    above = groups if len(groups) <= MOST_PLACES else {subscription_of(vm): vm.subscription for vm in vms}
    alone = {vm.key: vm.name for vm in vms} if len(vms) <= MOST_PLACES else {}
    for places in (above, alone):
        answers = list(_asked(session, places))
        if any(answer is not False for answer in answers) or len(answers) < len(places) or not above:
            return
    where = f"; a role on one of the {len(vms)} VMs alone was not looked for: name that one" if not alone else ""
    message = f"{_named(vms)} may not be redeployed by this sign-in: it lacks {REDEPLOY}{where}"
    raise NotAllowed(message, "'vmdiag doctor' prints the smallest role that allows it; nothing was read or done.")


def _named(vms: list[VmId]) -> str:
    return vms[0].name if len(vms) == 1 else f"all {len(vms)} VMs in scope"


def _vms(session: Session, scope: Scope) -> Iterator[VmId]:
    """The VMs in scope, without asking where their names say where they are."""
    known = scoped_vms.stated(scope)
    if scope.lists_none:
        return
    if scope.vms and len(known) == len(scope.vms):
        yield from known.values()
        return
    query = resource_graph.request("VMs", kql.machines(scoped_vms.who(scope)), scoped_vms.subscriptions(scope))
    for row in listed(session, query):
        vm = VmId.parse(text(row.get("id")))
        if vm is not None:
            yield vm


def _asked(session: Session, places: dict[str, str]) -> Iterator[bool | None]:
    crew: Crew[str, bool | None] = Crew(session.access.jobs)
    for scope, name in places.items():
        crew.add(scope, partial(_held, session, scope, name))
    for result in crew.results(lambda: session.is_over):
        if isinstance(result, Piece):
            yield result.value
        elif isinstance(result.error, SourceError):
            yield None
        elif result.error is not None:
            raise result.error


def _held(session: Session, scope: str, name: str) -> Iterator[bool | None]:
    yield allows(listed(session, request(scope, name)), REDEPLOY)


def _covers(patterns: object, action: str) -> bool:
    """Whether one of a role's patterns, in which `*` stands for anything, covers the action."""
    return any(
        re.fullmatch(".*".join(map(re.escape, text(each).split("*"))), action, re.IGNORECASE)
        for each in elements(patterns)
    )
