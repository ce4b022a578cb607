"""Tries, cheaply and for real, what a live reading needs: sign-in, clock, subscriptions, feeds; must not print."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from types import ModuleType

import vmdiag.sources.azure
from vmdiag import plugins
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer, SourceError, Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.azure import announced_events, heartbeat, inventory
from vmdiag.sources.azure.whole_lists import single
from vmdiag.sources.azure.worker_pool import Crew, Piece
from vmdiag.sources.decoding.envelopes import unpacked
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.decoding.resource_ids import vm_itself
from vmdiag.sources.items import Row

# Of more subscriptions only the first are tried feed by feed; name one to try it.
MOST_SUBSCRIPTIONS = 10
TRIED = timedelta(days=1)
# HTTP tells the time in whole seconds, and an answer is some time under way.
PRECISION = 2
SCHEDULED_EVENTS = "scheduled-events"


class Status(StrEnum):
    """How something stands."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried: what, how it stands, and what to do where it fails."""

    about: str
    status: Status
    says: str
    subscription: str | None = None
    hint: str | None = None


def checkup(session: Session, named: Iterable[str], workspaces: Iterable[str]) -> Iterator[Check]:
    """Everything in turn; what depends on something that failed is left out.

    `named` are the subscriptions to try, none of them for all; `workspaces` those of Log Analytics.
    """
    for about, tell in (("cloud", _cloud), ("sign-in", _bearer), ("clock", _clock)):
        check = _attempted(about, partial(tell, session))
        yield check
        if check.status is Status.FAILED:
            return
    rows: list[Row] = []
    check = _attempted("subscriptions", lambda: _listed(session, rows))
    if check.status is Status.FAILED:
        yield check
    called = {text(row.get("displayName")).lower(): _id(row) for row in rows}
    wanted = {called.get(one, one) for one in named} or {_id(row) for row in rows}
    yield from (_shown(row) for row in rows if _id(row) in wanted)
    yield from map(_hidden, sorted(wanted - {_id(row) for row in rows}))
    tried = sorted(wanted)[:MOST_SUBSCRIPTIONS]
    yield from _feeds(session, tried, workspaces)
    if len(tried) < len(wanted):
        says = f"{len(wanted) - len(tried)} more subscriptions: name one with --subscription to try its feeds"
        yield Check(about="feeds", status=Status.SKIPPED, says=says)


def feeds() -> dict[str, ModuleType]:
    """The feeds that can be tried, by name."""
    package = vmdiag.sources.azure
    known = {name: plugins.load(package, name) for name in plugins.names(package)}
    return {name: feed for name, feed in known.items() if hasattr(feed, "trial")}


def permissions() -> list[str]:
    """What a role must allow so that everything can be read."""
    return sorted({each for feed in feeds().values() for each in feed.PERMISSIONS})


def _attempted(about: str, act: Callable[[], str], subscription: str | None = None) -> Check:
    try:
        return Check(about=about, status=Status.OK, says=act(), subscription=subscription)
    except SourceError as error:
        return Check(about=about, status=Status.FAILED, says=error.message, subscription=subscription, hint=error.hint)


def _cloud(session: Session) -> str:
    cloud = session.cloud
    return f"{cloud.name}, {cloud.arm}, signing in at {cloud.authority}"


def _bearer(session: Session) -> str:
    """Who signed in, and which credential answered; a person by name, a program by its application id."""
    claims = session.sign_in()
    person = text(claims.get("upn")) or text(claims.get("unique_name"))
    program = f"application {text(claims.get('appid'))}"
    return f"{session.signed_in_by}, as {person or program} of tenant {text(claims.get('tid'))}"


def _clock(session: Session) -> str:
    skew = session.compare_clocks()
    if skew is None:
        message = "Azure's answers tell no time (no Date), so it cannot be compared with this machine's clock"
        raise BadAnswer(message, "A proxy on the way may take it out; without it nothing is redeployed.")
    seconds = round(skew.total_seconds())
    if session.is_clock_wrong:
        message = f"this machine's clock is {abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} Azure's"
        raise Unreachable(message, "Set it by NTP; until then Azure's clock is used.")
    if abs(seconds) <= PRECISION:
        return "agrees with Azure's"
    return f"{abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} Azure's"


def _listed(session: Session, rows: list[Row]) -> str:
    rows += [row for row in _rows(session, inventory.trial_subscriptions()) if _id(row)]
    return f"{len(rows)} subscriptions"


def _id(row: Row) -> str:
    return text(row.get("subscriptionId")).lower()


def _shown(row: Row) -> Check:
    says = f"{text(row.get('displayName')) or 'without a name'}, {text(row.get('state')) or 'state unknown'}"
    return Check(about="subscription", status=Status.OK, says=says, subscription=_id(row))


def _hidden(subscription: str) -> Check:
    hint = "Check the id, and that the sign-in has a role in it."
    says = "this sign-in cannot see it"
    return Check(about="subscription", status=Status.FAILED, says=says, subscription=subscription, hint=hint)


def _rows(session: Session, request: Request) -> list[Row]:
    return [row for page in session.pages(request) for row in unpacked(page) if isinstance(row, dict)]


def _feeds(session: Session, subscriptions: Iterable[str], workspaces: Iterable[str]) -> Iterator[Check]:
    """Each feed in each subscription, and each workspace, all at once, told in order."""
    span = Window(session.now - TRIED, session.now)
    trials: dict[tuple[str, str], Request | None] = {}
    for subscription in subscriptions:
        vm = _any_vm(session, subscription)
        for name, feed in feeds().items():
            trials[subscription, name] = feed.trial(subscription, vm, span)
        trials[subscription, "virtual-machine-list"] = inventory.trial_list(subscription)
        trials[subscription, SCHEDULED_EVENTS] = announced_events.feature_request(f"/subscriptions/{subscription}")
    for workspace in workspaces:
        trials["", f"workspace {workspace}"] = heartbeat.trial_workspace(workspace, span)
    crew: Crew[tuple[str, str], Check] = Crew(session.access.jobs)
    done: dict[tuple[str, str], Check] = {}
    for (subscription, name), request in trials.items():
        if request is None:
            says = "there is no VM to try it on"
            done[subscription, name] = Check(about=name, status=Status.SKIPPED, says=says, subscription=subscription)
        else:
            crew.add((subscription, name), partial(_tried, session, subscription, name, request))
    for result in crew.results(session.stop.is_set):
        if isinstance(result, Piece):
            done[result.key] = result.value
        elif result.error is not None:
            raise result.error
    yield from (done[key] for key in trials if key in done)


def _tried(session: Session, subscription: str, name: str, request: Request) -> Iterator[Check]:
    if name == SCHEDULED_EVENTS:
        yield _opt_in(session, subscription, request)
        return
    yield _attempted(name, lambda: f"{len(_rows(session, request))} rows", subscription or None)


def _opt_in(session: Session, subscription: str, request: Request) -> Check:
    """Whether the subscription publishes scheduled events at all: where it does not, an empty answer means nothing."""
    try:
        is_in = announced_events.is_registered(single(session, request))
    except SourceError as error:
        says, hint = f"whether they are published could not be read: {error.message}", error.hint
        return Check(about=SCHEDULED_EVENTS, status=Status.SKIPPED, says=says, subscription=subscription, hint=hint)
    if is_in:
        says = "opted in, as far as VMs and sets have a policy that lets theirs be published"
        return Check(about=SCHEDULED_EVENTS, status=Status.OK, says=says, subscription=subscription)
    says = "not opted in: that Azure announces to move or reboot a VM is not seen before a redeploy"
    feature = announced_events.FEATURE
    hint = f"Register Microsoft.Compute/{feature}, and give the VMs or their sets a scheduledEventsPolicy."
    return Check(about=SCHEDULED_EVENTS, status=Status.SKIPPED, says=says, subscription=subscription, hint=hint)


def _any_vm(session: Session, subscription: str) -> VmId | None:
    """Some VM of a subscription, for the feeds that can only be tried on one."""
    for request in (inventory.trial(subscription), inventory.trial_list(subscription)):
        try:
            found = (vm_itself(text(row.get("id"))) for row in _rows(session, request))
            vm = next(filter(None, found), None)
        except SourceError:
            continue  # its own trial tells why
        if vm is not None:
            return vm
    return None
