"""Tries, cheaply and for real, what a live reading needs: sign-in, clock, subscriptions, feeds."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import cast

import vmdiag.sources.azure.feeds
import vmdiag.sources.azure.provers
from vmdiag import plugins
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import Row
from vmdiag.errors import BadAnswer, SourceError, Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.azure.feed_request import Feed
from vmdiag.sources.azure.feeds import announced_events, balancer_metrics, heartbeat, inventory
from vmdiag.sources.azure.feeds.permissions import allows_action, build_permissions_request
from vmdiag.sources.azure.whole_lists import read_resource, read_rows
from vmdiag.sources.azure.worker_pool import run_jobs
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import parse_parent_id, parse_vm_id, to_text
from vmdiag.values import Struct

# Of more subscriptions only the first are tried feed by feed; name one to try it.
SUBSCRIPTION_LIMIT = 10
CHECK_SPAN = timedelta(days=1)
# HTTP tells the time in whole seconds, and an answer is some time under way.
CLOCK_PRECISION = 2
SCHEDULED_EVENTS, BALANCERS = "scheduled-events", "balancer-metrics"
PROVING = "prove"


class CheckStatus(StrEnum):
    """How something stands."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class AccessCheck(Struct, frozen=True):
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
    says_cloud = "{0.name}, {0.arm}, signing in at {0.authority}"
    first = {
        "cloud": lambda: says_cloud.format(session.cloud),
        "sign-in": lambda: _describe_sign_in(session),
        "clock": lambda: _describe_clock(session),
    }
    for subject, describe in first.items():
        check = _run_check(subject, describe)
        yield check
        if check.status is CheckStatus.FAILED:
            return
    rows: list[Row] = []
    try:
        rows = _read_rows(session, inventory.build_subscription_request())
    except SourceError as error:
        yield AccessCheck("subscriptions", CheckStatus.FAILED, error.message, hint=error.hint)
    visible = {key: row for row in rows if (key := to_text(row.get("subscriptionId")).lower())}
    ids_by_name = {to_text(row.get("displayName")).lower(): key for key, row in visible.items()}
    wanted = {ids_by_name.get(one, one) for one in named} or set(visible)
    for key in (key for key in visible if key in wanted):
        name, state = (to_text(visible[key].get(member)) for member in ("displayName", "state"))
        says = f"{name or 'without a name'}, {state or 'state unknown'}"
        yield AccessCheck("subscription", CheckStatus.OK, says, key)
    for key in sorted(wanted - visible.keys()):
        hint = "Check the id, and that the sign-in has a role in it."
        yield AccessCheck("subscription", CheckStatus.FAILED, "this sign-in cannot see it", key, hint)
    tried = sorted(wanted)[:SUBSCRIPTION_LIMIT]
    yield from _check_feeds(session, tried, workspaces)
    if len(tried) < len(wanted):
        says = f"{len(wanted) - len(tried)} more subscriptions: name one with --subscription to try its feeds"
        yield AccessCheck("feeds", CheckStatus.SKIPPED, says)


def load_feeds() -> dict[str, Feed]:
    """The feeds that can be tried, by name."""
    known = plugins.load_all(vmdiag.sources.azure.feeds)
    return {name: cast("Feed", feed) for name, feed in known.items() if hasattr(feed, Feed.build_access_check.__name__)}


def list_rights() -> dict[str, tuple[str, ...]]:
    """What a role must allow for each feed, by its name, in Azure's words."""
    known = plugins.load_all(vmdiag.sources.azure.feeds)
    return {name: feed.PERMISSIONS for name, feed in known.items() if hasattr(feed, "PERMISSIONS")}


def list_proving_rights() -> dict[str, tuple[str, ...]]:
    """What a role must allow besides for each that `--prove` asks; no write, though Microsoft's page lists some.

    "Azure role-based access control permissions required to use Network Watcher capabilities" names writes of VMs and
    extensions, which install an agent where it is missing: here a VM that has none is not asked from.
    """
    known = plugins.load_all(vmdiag.sources.azure.provers)
    return {name: prover.PERMISSIONS for name, prover in known.items() if hasattr(prover, "PERMISSIONS")}


def _run_check(subject: str, act: Callable[[], str], subscription: str | None = None) -> AccessCheck:
    try:
        return AccessCheck(subject, CheckStatus.OK, act(), subscription)
    except SourceError as error:
        return AccessCheck(subject, CheckStatus.FAILED, error.message, subscription, error.hint)


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
    says = f"{abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} Azure's"
    if session.clock.is_wrong:
        message = f"this machine's clock is {says}"
        raise Unreachable(message, "Set it by NTP; until then Azure's clock is used.")
    return "agrees with Azure's" if abs(seconds) <= CLOCK_PRECISION else says


def _read_rows(session: Session, request: Request) -> list[Row]:
    return [row for page in session.read_pages(request) for row in unpack_document(page) if isinstance(row, dict)]


def _check_feeds(session: Session, subscriptions: Iterable[str], workspaces: Iterable[str]) -> Iterator[AccessCheck]:
    """Each feed in each subscription, and each workspace, all at once, told in order."""
    span = Window(session.now - CHECK_SPAN, session.now)
    trials: dict[tuple[str, str], Request | None] = {}
    for subscription in subscriptions:
        vm = _find_any_vm(session, subscription)
        balancer = parse_parent_id(_find_first_id(session, balancer_metrics.build_search(subscription)))
        trials[subscription, BALANCERS] = balancer_metrics.build_request(balancer, (), span) if balancer else None
        for name, feed in load_feeds().items():
            trials[subscription, name] = feed.build_access_check(subscription, vm, span)
        trials[subscription, "virtual-machine-list"] = inventory.build_list_request(f"/subscriptions/{subscription}")
        feature = announced_events.build_feature_request(f"/subscriptions/{subscription}")
        trials[subscription, SCHEDULED_EVENTS] = feature
        # An action is looked up and never tried.
        trials[subscription, PROVING] = build_permissions_request(f"/subscriptions/{subscription}", subscription)
    for workspace in workspaces:
        trials["", f"workspace {workspace}"] = heartbeat.build_request(workspace, (), span)
    jobs = {key: partial(_check_feed, session, *key, request) for key, request in trials.items() if request is not None}
    done = {
        (subscription, name): AccessCheck(name, CheckStatus.SKIPPED, f"there is no {what} to try it on", subscription)
        for subscription, name in trials.keys() - jobs.keys()
        for what in ("load balancer" if name == BALANCERS else "VM",)
    }
    for key, check in run_jobs(session.settings.jobs, jobs, session.stop.is_set):
        if isinstance(check, SourceError):
            raise check
        done[key] = check
    yield from (done[key] for key in trials if key in done)


def _check_feed(session: Session, subscription: str, name: str, request: Request) -> AccessCheck:
    """One feed by a row of it, or whether scheduled events are published: where not, an empty answer means nothing."""
    if name == PROVING:
        return _check_proving_rights(session, subscription, request)
    if name != SCHEDULED_EVENTS:
        return _run_check(name, lambda: f"{len(_read_rows(session, request))} rows", subscription or None)
    try:
        is_registered = announced_events.is_feature_registered(read_resource(session, request))
    except SourceError as error:
        says = f"whether they are published could not be read: {error.message}"
        return AccessCheck(name, CheckStatus.SKIPPED, says, subscription, error.hint)
    if is_registered:
        says = "opted in, as far as VMs and sets have a policy that lets theirs be published"
        return AccessCheck(name, CheckStatus.OK, says, subscription)
    says = "not opted in: that Azure announces to move or reboot a VM is not seen before a redeploy"
    feature = announced_events.PUBLISHING_FEATURE
    hint = f"Register Microsoft.Compute/{feature}, and give the VMs or their sets a scheduledEventsPolicy."
    return AccessCheck(name, CheckStatus.SKIPPED, says, subscription, hint)


def _check_proving_rights(session: Session, subscription: str, request: Request) -> AccessCheck:
    """Whether the sign-in's roles at the subscription allow what `--prove` would send."""
    try:
        rows = read_rows(session, request)
    except SourceError as error:
        says = f"whether --prove is allowed could not be looked up: {error.message}"
        return AccessCheck(PROVING, CheckStatus.SKIPPED, says, subscription, error.hint)
    wanted = dict.fromkeys(action for actions in list_proving_rights().values() for action in actions)
    lacking = [action for action in wanted if not allows_action(rows, action)]
    if not lacking:
        says = f"{len(wanted)} actions are allowed; none was tried"
        return AccessCheck(PROVING, CheckStatus.OK, says, subscription)
    says = f"without --prove nothing is missing; for it, this sign-in lacks {', '.join(lacking)}"
    return AccessCheck(PROVING, CheckStatus.SKIPPED, says, subscription, "The role below to prove allows them.")


def _find_any_vm(session: Session, subscription: str) -> VmId | None:
    """Some VM of a subscription, for the feeds that can only be tried on one."""
    listing = inventory.build_list_request(f"/subscriptions/{subscription}")
    for request in (inventory.build_access_check(subscription, None, None), listing):
        if (vm := parse_vm_id(_find_first_id(session, request))) is not None:
            return vm
    return None


def _find_first_id(session: Session, request: Request) -> str:
    """The id of the first resource of an answer; empty where there is none, or where it is refused."""
    with suppress(SourceError):  # its own trial tells why
        return next((to_text(row.get("id")) for row in _read_rows(session, request)), "")
    return ""
