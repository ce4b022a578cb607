"""Tries, cheaply and for real, what a live reading needs: sign-in, clock, subscriptions, feeds; must not print."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import cast

from vmdiag import plugins
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer, SourceError, Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.azure import feeds
from vmdiag.sources.azure.feed_request import Feed
from vmdiag.sources.azure.feeds import announced_events, heartbeat, inventory
from vmdiag.sources.azure.whole_lists import read_resource
from vmdiag.sources.azure.worker_pool import JobResult, WorkerPool
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import parse_vm_id, to_text
from vmdiag.sources.items import Row

# Of more subscriptions only the first are tried feed by feed; name one to try it.
SUBSCRIPTION_LIMIT = 10
CHECK_SPAN = timedelta(days=1)
# HTTP tells the time in whole seconds, and an answer is some time under way.
CLOCK_PRECISION = 2
SCHEDULED_EVENTS = "scheduled-events"


class CheckStatus(StrEnum):
    """How something stands."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCheck:
    """One thing that was tried: what, how it stands, and what to do where it fails."""

    subject: str
    status: CheckStatus
    message: str
    subscription: str | None = None
    hint: str | None = None


def run_checks(session: Session, named: Iterable[str], workspaces: Iterable[str]) -> Iterator[AccessCheck]:
    """Everything in turn; what depends on something that failed is left out.

    `named` are the subscriptions to try, none of them for all; `workspaces` those of Log Analytics.
    """
    for about, describe in (("cloud", _describe_cloud), ("sign-in", _describe_sign_in), ("clock", _describe_clock)):
        check = _run_check(about, partial(describe, session))
        yield check
        if check.status is CheckStatus.FAILED:
            return
    rows: list[Row] = []
    check = _run_check("subscriptions", lambda: _read_subscriptions(session, rows))
    if check.status is CheckStatus.FAILED:
        yield check
    ids_by_name = {to_text(row.get("displayName")).lower(): _get_row_id(row) for row in rows}
    wanted = {ids_by_name.get(one, one) for one in named} or {_get_row_id(row) for row in rows}
    yield from (_report_visible(row) for row in rows if _get_row_id(row) in wanted)
    yield from map(_report_hidden, sorted(wanted - {_get_row_id(row) for row in rows}))
    tried = sorted(wanted)[:SUBSCRIPTION_LIMIT]
    yield from _check_feeds(session, tried, workspaces)
    if len(tried) < len(wanted):
        says = f"{len(wanted) - len(tried)} more subscriptions: name one with --subscription to try its feeds"
        yield AccessCheck(subject="feeds", status=CheckStatus.SKIPPED, message=says)


def load_feeds() -> dict[str, Feed]:
    """The feeds that can be tried, by name."""
    known = {name: plugins.load(feeds, name) for name in plugins.list_names(feeds)}
    return {name: cast("Feed", feed) for name, feed in known.items() if hasattr(feed, Feed.build_access_check.__name__)}


def list_permissions() -> list[str]:
    """What a role must allow so that everything can be read."""
    return sorted({each for feed in load_feeds().values() for each in feed.PERMISSIONS})


def _run_check(about: str, act: Callable[[], str], subscription: str | None = None) -> AccessCheck:
    try:
        return AccessCheck(subject=about, status=CheckStatus.OK, message=act(), subscription=subscription)
    except SourceError as error:
        return AccessCheck(
            subject=about, status=CheckStatus.FAILED, message=error.message, subscription=subscription, hint=error.hint
        )


def _describe_cloud(session: Session) -> str:
    cloud = session.cloud
    return f"{cloud.name}, {cloud.arm}, signing in at {cloud.authority}"


def _describe_sign_in(session: Session) -> str:
    """Who signed in, and which credential answered; a person by name, a program by its application id."""
    claims = session.sign_in()
    person = to_text(claims.get("upn")) or to_text(claims.get("unique_name"))
    program = f"application {to_text(claims.get('appid'))}"
    return f"{session.credential_name}, as {person or program} of tenant {to_text(claims.get('tid'))}"


def _describe_clock(session: Session) -> str:
    skew = session.measure_clock_skew()
    if skew is None:
        message = "Azure's answers tell no time (no Date), so it cannot be compared with this machine's clock"
        raise BadAnswer(message, "A proxy on the way may take it out; without it nothing is redeployed.")
    seconds = round(skew.total_seconds())
    if session.is_clock_wrong:
        message = f"this machine's clock is {abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} Azure's"
        raise Unreachable(message, "Set it by NTP; until then Azure's clock is used.")
    if abs(seconds) <= CLOCK_PRECISION:
        return "agrees with Azure's"
    return f"{abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} Azure's"


def _read_subscriptions(session: Session, rows: list[Row]) -> str:
    rows += [row for row in _read_rows(session, inventory.build_subscription_request()) if _get_row_id(row)]
    return f"{len(rows)} subscriptions"


def _get_row_id(row: Row) -> str:
    return to_text(row.get("subscriptionId")).lower()


def _report_visible(row: Row) -> AccessCheck:
    says = f"{to_text(row.get('displayName')) or 'without a name'}, {to_text(row.get('state')) or 'state unknown'}"
    return AccessCheck(subject="subscription", status=CheckStatus.OK, message=says, subscription=_get_row_id(row))


def _report_hidden(subscription: str) -> AccessCheck:
    hint = "Check the id, and that the sign-in has a role in it."
    says = "this sign-in cannot see it"
    return AccessCheck(
        subject="subscription", status=CheckStatus.FAILED, message=says, subscription=subscription, hint=hint
    )


def _read_rows(session: Session, request: Request) -> list[Row]:
    return [row for page in session.read_pages(request) for row in unpack_document(page) if isinstance(row, dict)]


def _check_feeds(session: Session, subscriptions: Iterable[str], workspaces: Iterable[str]) -> Iterator[AccessCheck]:
    """Each feed in each subscription, and each workspace, all at once, told in order."""
    span = Window(session.now - CHECK_SPAN, session.now)
    trials: dict[tuple[str, str], Request | None] = {}
    for subscription in subscriptions:
        vm = _find_any_vm(session, subscription)
        for name, feed in load_feeds().items():
            trials[subscription, name] = feed.build_access_check(subscription, vm, span)
        trials[subscription, "virtual-machine-list"] = inventory.build_list_check(subscription)
        trials[subscription, SCHEDULED_EVENTS] = announced_events.build_feature_request(
            f"/subscriptions/{subscription}"
        )
    for workspace in workspaces:
        trials["", f"workspace {workspace}"] = heartbeat.build_workspace_check(workspace, span)
    crew: WorkerPool[tuple[str, str], AccessCheck] = WorkerPool(session.settings.jobs)
    done: dict[tuple[str, str], AccessCheck] = {}
    for (subscription, name), request in trials.items():
        if request is None:
            says = "there is no VM to try it on"
            done[subscription, name] = AccessCheck(
                subject=name, status=CheckStatus.SKIPPED, message=says, subscription=subscription
            )
        else:
            crew.submit_job((subscription, name), partial(_check_feed, session, subscription, name, request))
    for result in crew.iterate_results(session.stop.is_set):
        if isinstance(result, JobResult):
            done[result.key] = result.value
        elif result.error is not None:
            raise result.error
    yield from (done[key] for key in trials if key in done)


def _check_feed(session: Session, subscription: str, name: str, request: Request) -> Iterator[AccessCheck]:
    if name == SCHEDULED_EVENTS:
        yield _check_event_publishing(session, subscription, request)
        return
    yield _run_check(name, lambda: f"{len(_read_rows(session, request))} rows", subscription or None)


def _check_event_publishing(session: Session, subscription: str, request: Request) -> AccessCheck:
    """Whether the subscription publishes scheduled events at all: where it does not, an empty answer means nothing."""
    try:
        is_in = announced_events.is_feature_registered(read_resource(session, request))
    except SourceError as error:
        says, hint = f"whether they are published could not be read: {error.message}", error.hint
        return AccessCheck(
            subject=SCHEDULED_EVENTS, status=CheckStatus.SKIPPED, message=says, subscription=subscription, hint=hint
        )
    if is_in:
        says = "opted in, as far as VMs and sets have a policy that lets theirs be published"
        return AccessCheck(subject=SCHEDULED_EVENTS, status=CheckStatus.OK, message=says, subscription=subscription)
    says = "not opted in: that Azure announces to move or reboot a VM is not seen before a redeploy"
    feature = announced_events.PUBLISHING_FEATURE
    hint = f"Register Microsoft.Compute/{feature}, and give the VMs or their sets a scheduledEventsPolicy."
    return AccessCheck(
        subject=SCHEDULED_EVENTS, status=CheckStatus.SKIPPED, message=says, subscription=subscription, hint=hint
    )


def _find_any_vm(session: Session, subscription: str) -> VmId | None:
    """Some VM of a subscription, for the feeds that can only be tried on one."""
    for request in (inventory.build_access_check(subscription), inventory.build_list_check(subscription)):
        try:
            found = (parse_vm_id(to_text(row.get("id"))) for row in _read_rows(session, request))
            vm = next(filter(None, found), None)
        except SourceError:
            continue  # its own trial tells why
        if vm is not None:
            return vm
    return None
