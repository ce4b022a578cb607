"""What is asked of Azure before VMs are redeployed, and what came back, by topic.

Sources: "REST API: Virtual Machines - Get", "Management Locks - List At Resource Level" and "- List At Subscription
Level", "Permissions - List For Resource", "Activity Logs - List". Whether a resource's list of locks holds those from
above no page says, so the subscription's list is read, too, and where that is refused the group's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Row
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.redeploy import write_history
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import build_graph_request, get_group_id, get_subscription_id
from vmdiag.sources.azure.feeds import activity_log, announced_events, permissions, service_events, virtual_machine
from vmdiag.sources.azure.whole_lists import read_growing_rows, read_resource, read_rows
from vmdiag.sources.azure.worker_pool import run_jobs
from vmdiag.sources.decoding.fields import to_mapping
from vmdiag.sources.protocol import VmFilter
from vmdiag.values import Struct, field

# The guards count redeploys of a week, a customer's write for half an hour and others' redeploys for an hour, whose
# records may be late.
REDEPLOY_SPAN, RECENT_SPAN = timedelta(days=7), timedelta(minutes=90)
# An incident of which nothing was said for so long is over, whatever its status (our judgement).
INCIDENT_SPAN = timedelta(days=30)
LOCKS_PERMISSION = "Microsoft.Authorization/locks/read"
COMPUTE_PROVIDER = "Microsoft.Compute"

AnswerKey = tuple[str, str]
RESOURCES = ("vm", "set", "feature")  # a single one; other topics are lists


class PreflightAnswers(Struct):
    """What came back, by topic and whom it concerns."""

    rows: dict[AnswerKey, list[Row]] = field(default_factory=dict)
    errors: dict[AnswerKey, SourceError] = field(default_factory=dict)

    def get_rows(self, topic: str, whom: str) -> list[Row] | None:
        """The rows; `None` where they could not be read to their end: the missing page may hold what forbids it."""
        return self.rows.get((topic, whom))

    def get_failure_reason(self, topic: str, whom: str) -> str:
        """Why they could not be read."""
        error = self.errors.get((topic, whom))
        return "interrupted before it was read" if error is None else error.message

    def get_resource(self, topic: str, whom: str) -> Row:
        """The single resource that was asked for; empty where it could not be read."""
        return next((to_mapping(row) for row in self.get_rows(topic, whom) or ()), {})


def read_answers(session: Session, vms: Sequence[VmId], now: datetime) -> PreflightAnswers:
    """All that is to be known, in two rounds: what the first answers lead to is asked in the second."""
    week, recent, month = (Window(now - span, now) for span in (REDEPLOY_SPAN, RECENT_SPAN, INCIDENT_SPAN))
    who = VmFilter(ids=tuple(sorted(vm.key for vm in vms)))
    subscriptions = {vm.subscription for vm in vms}
    requests = {
        ("maintenance", ""): build_graph_request("announced maintenance", kql.maintenance(who), subscriptions),
        ("network", ""): build_graph_request("the VMs' networks", kql.passages(who), subscriptions),
    }
    for vm in vms:
        subscription, group = get_subscription_id(vm), get_group_id(vm)
        requests |= {
            ("vm", vm.key): virtual_machine.build_request(vm, service="virtual-machine"),
            ("permissions", vm.key): permissions.build_permissions_request(str(vm), vm.name),
            ("locks", vm.key): _build_locks_request(str(vm), vm.name),
            ("locks", subscription): _build_locks_request(subscription, vm.subscription),
            ("incidents", subscription): service_events.build_request(vm.subscription, month),
            ("feature", subscription): announced_events.build_feature_request(subscription),
            ("log", vm.key): activity_log.build_request(subscription, week, vm=vm),
            ("log", group): activity_log.build_request(group, recent),
            ("recent", subscription): activity_log.build_request(subscription, recent, provider=COMPUTE_PROVIDER),
        }
    answers = PreflightAnswers()
    _send_requests(session, requests, answers)
    _send_requests(session, dict(_build_followups(vms, answers)), answers)
    return answers


def _send_requests(session: Session, requests: Mapping[AnswerKey, Request], answers: PreflightAnswers) -> None:
    locks: dict[AnswerKey, list[Row]] = {}

    def read_answer(key: AnswerKey, request: Request) -> list[Row]:
        """All of an answer at once; in another thread. A lock that was read counts, whatever its list lacks."""
        if key[0] != "locks":
            return [read_resource(session, request)] if key[0] in RESOURCES else read_rows(session, request)
        for rows in read_growing_rows(session, request):
            locks[key] = rows
        return locks[key]

    jobs = {key: partial(read_answer, key, request) for key, request in requests.items()}
    for key, answer in run_jobs(session.settings.jobs, jobs, lambda: session.should_stop):
        if isinstance(answer, SourceError):
            answers.errors[key] = answer
            answers.rows |= {key: locks[key]} if key in locks else {}
        else:
            answers.rows[key] = answer


def _build_followups(vms: Sequence[VmId], answers: PreflightAnswers) -> Iterator[tuple[AnswerKey, Request]]:
    for vm in vms:
        if ("locks", get_subscription_id(vm)) in answers.errors:
            yield ("locks", get_group_id(vm)), _build_locks_request(get_group_id(vm), vm.resource_group)
        for each in announced_events.list_set_ids(answers.get_resource("vm", vm.key)):
            yield ("set", each.lower()), announced_events.build_policy_request(each)
    found: set[VmId] = set()
    for (topic, _), rows in answers.rows.items():
        if topic in ("recent", "log"):
            with suppress(MalformedRow):  # whoever reads the rows tells of it
                found |= {vm for vm, _ in write_history.find_redeployed_vms(rows)}
    if found:
        who = VmFilter(ids=tuple(sorted(vm.key for vm in found)))
        subscriptions = {vm.subscription for vm in found}
        yield ("regions", ""), build_graph_request("regions of VMs", kql.regions(who), subscriptions)


def _build_locks_request(scope: str, name: str) -> Request:
    path = f"{scope}/providers/Microsoft.Authorization/locks"
    return Request(description=f"locks of {name}", service="locks", path=path, permission=LOCKS_PERMISSION)
