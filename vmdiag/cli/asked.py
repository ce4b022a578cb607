"""Which VMs and when, as options, and the `Scope` that they mean; must not know where VMs are looked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vmdiag.cli import options
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.reading import Scope

STANDARD_INPUT = "-"
_SUBSCRIPTION = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say who and when, as written."""

    vms: options.Vms = None
    vms_from: options.VmsFrom = None
    subscription: options.Subscriptions = None
    resource_group: options.Groups = None
    tag: options.Tags = None
    everything: options.Everything = False
    since: options.Since = "14d"
    until: options.Until = None

    def scope(self, now: datetime, subscription: str | None = None) -> "Scope":
        """The scope these words mean; `UsageError` where they contradict one another.

        `subscription` is the one to look in where none is named.
        """
        from vmdiag.cli.named import selectors
        from vmdiag.reading import Scope

        vms = selectors(self.vms or (), self.vms_from)
        if vms and self.everything:
            message = "--all and a list of VMs contradict each other"
            raise UsageError(message, "Give one of them.")
        since, until = _window(self.since, self.until, now)
        return Scope(
            vms=vms,
            subscriptions=frozenset(subscriptions_of(self.subscription or (), subscription)),
            groups=frozenset(self.resource_group or ()),
            tags=tuple(map(_tag, self.tag or ())),
            everything=self.everything,
            since=since,
            until=until,
        )

    def reads_standard_input(self) -> bool:
        """Whether the list of VMs comes from there."""
        return STANDARD_INPUT in (*(self.vms or ()), self.vms_from)


def lost_at(unreachable_since: str | None, scope: "Scope", now: datetime) -> datetime | None:
    """Since when the operator states that the VMs cannot be reached."""
    from vmdiag.cli.times import instant

    if unreachable_since is None:
        return None
    if not scope.vms:
        message = "--unreachable-since says something about a VM, and none is named"
        raise UsageError(message, "Name it: vmdiag check prod/web-01 --unreachable-since 08:16 and so on.")
    at = instant(unreachable_since, "--unreachable-since", now)
    if at >= (scope.until or now):
        message = f"--unreachable-since {unreachable_since} lies after the window that is looked at"
        raise UsageError(message, "Give a time before now and before --until.")
    return at


def subscriptions_of(words: Sequence[str], otherwise: str | None) -> list[str]:
    """The subscriptions that are named, in lower case; the other one where none is."""
    return [_subscription(word) for word in words or ([otherwise] if otherwise else [])]


def _subscription(word: str) -> str:
    if not _SUBSCRIPTION.fullmatch(word.strip()):
        message = f"{word!r} is no subscription's id"
        raise UsageError(message, "Give the GUID; 'vmdiag doctor' lists the subscriptions with their names.")
    return word.strip().lower()


def _tag(word: str) -> tuple[str, str]:
    name, separator, value = word.partition("=")
    if not separator or not name.strip():
        message = f"--tag {word!r} is not KEY=VALUE"
        raise UsageError(message, "Write --tag app=shop; the value may be empty: --tag app=.")
    return name.strip(), value


def _window(since: str, until: str | None, now: datetime) -> tuple[timedelta | datetime, datetime | None]:
    """Both ends. Two spans both count back from now; a span beside a time, or alone, counts back from the end."""
    from vmdiag.cli.times import instant, moment

    start = moment(since, "--since")
    end = None if until is None else instant(until, "--until", now)
    if until is not None and isinstance(start, timedelta):
        stop = moment(until, "--until")
        start -= stop if isinstance(stop, timedelta) else timedelta()
    is_empty = start <= timedelta() if isinstance(start, timedelta) else end is not None and start >= end
    if is_empty:
        message = f"--since {since} does not lie before --until {until or 'now'}"
        raise UsageError(message, "Give an earlier --since or a later --until.")
    return start, end
