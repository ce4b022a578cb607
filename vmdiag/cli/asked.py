"""What a command line asks for, in its own words, and the `Scope` it means; must not know where VMs are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmdiag.cli.named import STANDARD_INPUT, selectors
from vmdiag.cli.times import instant, moment
from vmdiag.errors import UsageError
from vmdiag.model import Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say who and when, as written."""

    vms: Sequence[str]
    vms_from: str | None
    subscriptions: Sequence[str]
    groups: Sequence[str]
    everything: bool
    since: str
    until: str | None
    unreachable_since: str | None

    def scope(self, now: datetime) -> Scope:
        """The scope these words mean; `UsageError` where they contradict one another."""
        vms = selectors(self.vms, self.vms_from)
        if vms and self.everything:
            message = "--all and a list of VMs contradict each other"
            raise UsageError(message, "Give one of them.")
        since, until = _window(self.since, self.until, now)
        return Scope(
            vms=vms,
            subscriptions=frozenset(self.subscriptions),
            groups=frozenset(self.groups),
            everything=self.everything,
            since=since,
            until=until,
        )

    def lost_at(self, scope: Scope, now: datetime) -> datetime | None:
        """Since when the operator states that the VMs cannot be reached."""
        if self.unreachable_since is None:
            return None
        if not scope.vms:
            message = "--unreachable-since says something about a VM, and none is named"
            raise UsageError(message, "Name it: vmdiag check prod/web-01 --unreachable-since 08:16 and so on.")
        at = instant(self.unreachable_since, "--unreachable-since", now)
        if at >= (scope.until or now):
            message = f"--unreachable-since {self.unreachable_since} lies after the window that is looked at"
            raise UsageError(message, "Give a time before now and before --until.")
        return at

    def reads_standard_input(self) -> bool:
        """Whether the list of VMs comes from there."""
        return STANDARD_INPUT in (*self.vms, self.vms_from)


def _window(since: str, until: str | None, now: datetime) -> tuple[timedelta | datetime, datetime | None]:
    """Both ends. Two spans both count back from now; a span beside a time, or alone, counts back from the end."""
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
