"""What is asked of Azure before VMs are redeployed, and what came back, by topic; must not know what it means.

Sources: "REST API: Virtual Machines - Get", "Management Locks - List At Resource Level" and "- List At Subscription
Level", "Permissions - List For Resource", "Activity Logs - List". Whether a resource's list of locks holds those from
above no page says, so the subscription's list is read, too, and where that is refused the group's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.redeploy import write_history
from vmdiag.sources import kql
from vmdiag.sources.azure import (
    activity_log,
    announced_events,
    permissions,
    resource_graph,
    service_events,
    virtual_machine,
)
from vmdiag.sources.azure.feed_request import group_of, subscription_of
from vmdiag.sources.azure.whole_lists import listed, listed_so_far, single
from vmdiag.sources.azure.worker_pool import Crew, Piece
from vmdiag.sources.decoding.fields import mapping
from vmdiag.sources.items import Malformed, Row

# The guards count redeploys of a week, a customer's write for half an hour and others' redeploys for an hour, whose
# records may be late.
WEEK, LATELY = timedelta(days=7), timedelta(minutes=90)
# An incident of which nothing was said for so long is over, whatever its status (our judgement).
MONTH = timedelta(days=30)
LOCKS = "Microsoft.Authorization/locks/read"
COMPUTE = "Microsoft.Compute"

Key = tuple[str, str]


@dataclass(slots=True)
class Answers:
    """What came back, by topic and whom it concerns."""

    rows: dict[Key, list[Row]] = field(default_factory=dict)
    errors: dict[Key, SourceError] = field(default_factory=dict)

    def of(self, topic: str, whom: str) -> list[Row] | None:
        """The rows; `None` where they could not be read to their end: the missing page may hold what forbids it."""
        return self.rows.get((topic, whom))

    def why_not(self, topic: str, whom: str) -> str:
        """Why they could not be read."""
        error = self.errors.get((topic, whom))
        return "interrupted before it was read" if error is None else error.message

    def one(self, topic: str, whom: str) -> Row:
        """The single resource that was asked for; empty where it could not be read."""
        return next((mapping(row) for row in self.of(topic, whom) or ()), {})


def gather(session: Session, vms: Sequence[VmId], now: datetime) -> Answers:
    """All that is to be known, in two rounds: what the first answers lead to is asked in the second."""
    answers = Answers()
    _ask(session, dict(_questions(vms, now)), answers)
    _ask(session, dict(_further(vms, answers)), answers)
    return answers


def _ask(session: Session, asked: Mapping[Key, Request], answers: Answers) -> None:
    crew: Crew[Key, list[Row]] = Crew(session.access.jobs)
    for key, request in asked.items():
        crew.add(key, partial(_heard, session, key, request))
    for result in crew.results(lambda: session.is_over):
        if isinstance(result, Piece):
            answers.rows[result.key] = result.value
        elif isinstance(result.error, SourceError):
            answers.errors[result.key] = result.error
        elif result.error is not None:
            raise result.error


def _questions(vms: Sequence[VmId], now: datetime) -> Iterator[tuple[Key, Request]]:
    week, lately, month = Window(now - WEEK, now), Window(now - LATELY, now), Window(now - MONTH, now)
    who = kql.Who(ids=tuple(sorted(vm.key for vm in vms)))
    subscriptions = {vm.subscription for vm in vms}
    yield ("maintenance", ""), resource_graph.request("announced maintenance", kql.maintenance(who), subscriptions)
    yield ("network", ""), resource_graph.request("the VMs' networks", kql.passages(who), subscriptions)
    for vm in vms:
        above = subscription_of(vm)
        yield ("vm", vm.key), virtual_machine.request(vm, service="virtual-machine")
        yield ("permissions", vm.key), permissions.request(str(vm), vm.name)
        yield ("locks", vm.key), _locks(str(vm), vm.name)
        yield ("locks", above), _locks(above, vm.subscription)
        yield ("incidents", above), service_events.request(vm.subscription, month)
        yield ("feature", above), announced_events.feature_request(above)
        yield ("log", vm.key), activity_log.request(above, week, vm=vm)
        yield ("log", group_of(vm)), activity_log.request(group_of(vm), lately)
        yield ("recent", above), activity_log.request(above, lately, provider=COMPUTE)


def _further(vms: Sequence[VmId], answers: Answers) -> Iterator[tuple[Key, Request]]:
    """What the first answers lead to."""
    for vm in vms:
        if ("locks", subscription_of(vm)) in answers.errors:
            yield ("locks", group_of(vm)), _locks(group_of(vm), vm.resource_group)
        for each in announced_events.sets_of(answers.one("vm", vm.key)):
            yield ("set", each.lower()), announced_events.policy_request(each)
    found = {vm for key, rows in answers.rows.items() if key[0] in ("recent", "log") for vm in _redeployed(rows)}
    if found:
        who = kql.Who(ids=tuple(sorted(vm.key for vm in found)))
        yield (
            ("regions", ""),
            resource_graph.request("regions of VMs", kql.regions(who), {vm.subscription for vm in found}),
        )


def _redeployed(rows: Iterable[Row]) -> set[VmId]:
    try:
        return {vm for vm, _ in write_history.redeployed(rows)}
    except Malformed:
        return set()  # whoever reads the rows tells of it


def _locks(scope: str, name: str) -> Request:
    path = f"{scope}/providers/Microsoft.Authorization/locks"
    return Request(what=f"locks of {name}", service="locks", path=path, permission=LOCKS)


def _heard(session: Session, key: Key, request: Request) -> Iterator[list[Row]]:
    """All of an answer at once; in another thread. A lock that was read counts, whatever its list lacks."""
    if key[0] == "locks":
        yield from listed_so_far(session, request)
    else:
        yield [single(session, request)] if key[0] in ("vm", "set", "feature") else listed(session, request)
