"""Which VMs and when, as options, and the `Scope` that they mean; must not know where VMs are looked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from vmdiag.cli import options
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.sources.protocol import Scope

STANDARD_INPUT = "-"
_EXCERPT_LENGTH = 80  # characters of what makes no sense
# A subscription's name may hold almost anything; a path is never one.
_SUBSCRIPTION_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """The options that say who and when, as written."""

    vms: options.Vms = None
    vms_from: options.VmsFrom = None
    subscription: options.Subscriptions = None
    resource_group: options.Groups = None
    tag: options.Tags = None
    everything: options.AllVms = False
    allow_empty: options.AllowEmpty = False
    since: options.Since = "14d"
    until: options.Until = None

    def build_scope(self, now: datetime, subscription: str | None = None) -> "Scope":
        """The scope these words mean; `UsageError` where they contradict one another.

        `subscription` is the one to look in where none is named.
        """
        from vmdiag.cli.vm_lists import read_selectors
        from vmdiag.sources.protocol import Scope

        vms = read_selectors(self.vms or (), self.vms_from, allow_empty=self.allow_empty)
        is_listed = bool(self.vms or self.vms_from)
        if is_listed and self.everything:
            message = "--all and a list of VMs contradict each other"
            raise UsageError(message, "Give one of them.")
        if is_listed and self.tag:
            message = "names and --tag contradict each other: either says which VMs are meant"
            raise UsageError(message, "Give one of them.")
        since, until = _parse_window(self.since, self.until, now)
        return Scope(
            vms=vms,
            subscriptions=frozenset(normalize_subscriptions(self.subscription or (), subscription)),
            groups=frozenset(map(_normalize_group, self.resource_group or ())),
            tags=tuple(map(_parse_tag, self.tag or ())),
            everything=self.everything,
            allow_empty=self.allow_empty,
            lists_none=is_listed and not vms,
            since=since,
            until=until,
        )

    def reads_standard_input(self) -> bool:
        """Whether the list of VMs comes from there."""
        return STANDARD_INPUT in (*(self.vms or ()), self.vms_from)


def resolve_unreachable_since(
    unreachable_since: str | None, scope: "Scope", now: datetime, *, is_live: bool
) -> datetime | time | None:
    """Since when the operator states that the VMs cannot be reached.

    A time of day is the latest before the window's end, which an archive knows only when it was read.
    """
    from vmdiag.cli.times import parse_time, resolve_time
    from vmdiag.sources.protocol import find_latest_time

    if unreachable_since is None:
        return None
    if not scope.vms:
        message = "--unreachable-since says something about a VM, and none is named"
        raise UsageError(message, "Name it: vmdiag check prod/web-01 --unreachable-since 08:16 and so on.")
    until = find_latest_time(scope.until, now) if isinstance(scope.until, time) else scope.until
    clock = parse_time(unreachable_since, "--unreachable-since")
    if isinstance(clock, time):
        return find_latest_time(clock, until or now) if is_live else clock
    at = resolve_time(unreachable_since, "--unreachable-since", now)
    if at >= (until or now):
        message = f"--unreachable-since {unreachable_since} lies after the window that is looked at"
        raise UsageError(message, "Give a time before now and before --until.")
    return at


def normalize_subscriptions(names: Sequence[str], default: str | None) -> list[str]:
    """The subscriptions that are named, in lower case; the other one where none is."""
    return [_normalize_subscription(word) for word in names or ([default] if default else [])]


def _normalize_subscription(word: str) -> str:
    if not word.strip() or not _SUBSCRIPTION_NAME.fullmatch(word.strip()):
        message = f"{word[:_EXCERPT_LENGTH]!r} is no subscription's id or name"
        raise UsageError(message, "Give the GUID or the name; 'vmdiag doctor' lists both.")
    return word.strip().lower()


def _normalize_group(word: str) -> str:
    if not word.strip() or "/" in word:
        message = f"--resource-group {word[:_EXCERPT_LENGTH]!r} names no resource group"
        raise UsageError(message, "Give its name alone; * and ? stand for other characters.")
    return word.strip()


def _parse_tag(word: str) -> tuple[str, str]:
    name, separator, value = word.partition("=")
    if not separator or not name.strip():
        message = f"--tag {word[:_EXCERPT_LENGTH]!r} is not KEY=VALUE"
        raise UsageError(message, "Write --tag app=shop; the value may be empty: --tag app=.")
    return name.strip(), value


def _parse_window(
    since: str, until: str | None, now: datetime
) -> "tuple[timedelta | datetime | time, datetime | time | None]":
    """Both ends. Two spans both count back from now; a span beside a time, or alone, counts back from the end.

    Times of day are made out when the end is known: an archive's is that of its last record.
    """
    from vmdiag.cli.times import parse_time, resolve_time

    start = parse_time(since, "--since")
    stop = None if until is None else parse_time(until, "--until")
    end = resolve_time(until or "", "--until", now) if isinstance(stop, timedelta) else stop
    if isinstance(start, timedelta) and isinstance(stop, timedelta):
        start -= stop
    if _is_empty_window(start, end):
        message = f"--since {since} does not lie before --until {until or 'now'}"
        raise UsageError(message, "Give an earlier --since or a later --until.")
    return start, end


def _is_empty_window(start: timedelta | datetime | time, end: datetime | time | None) -> bool:
    if isinstance(start, timedelta):
        return start <= timedelta()
    return isinstance(start, datetime) and isinstance(end, datetime) and start >= end
