"""The activity log of a world: what was written, and from when on it can be read; must not know JSON."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.incidents.model import Truth
from tests.incidents.wire.log_entry import LogEntry, log_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An entry, when it shows up, and the client's id of the request behind it."""

    entry: LogEntry
    shown_from: datetime
    client_request_id: str = ""

    @property
    def key(self) -> tuple[datetime, str]:
        """By this the log is ordered."""
        return self.entry.at, self.entry.data_id


class Journal:
    """All entries, past and, of what is already under way, to come."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self._rng = random.Random(f"journal/{seed}")  # noqa: S311 - a story, no secret
        # What happened before the end of the truth was exported with it, so it has been submitted by then.
        self._logged = [
            Logged(entry=entry, shown_from=min(entry.submitted, truth.until)) for entry in log_entries(self._rng, truth)
        ]

    def add(self, truth: Truth, delay: timedelta, *, caller: str, correlation: str, client_request_id: str) -> None:
        """Write down what a call does; each record shows `delay` after its time."""
        for entry in log_entries(self._rng, truth):
            called = entry if entry.caller is None else replace(entry, caller=caller, correlation=correlation)
            submitted = replace(called, submitted=entry.at + delay)
            self._logged.append(
                Logged(entry=submitted, shown_from=submitted.submitted, client_request_id=client_request_id)
            )

    def shown(self, now: datetime) -> Iterable[Logged]:
        """What can be read by now, newest first."""
        return sorted(
            (each for each in self._logged if each.shown_from <= now), key=lambda each: each.key, reverse=True
        )
