"""The activity log of a world: what was written, and from when on it can be read; must not know JSON."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.incidents.model import GroundTruth
from tests.incidents.wire.log_entry import LogEntry, build_log_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """An entry, when it shows up, and the client's id of the request behind it."""

    entry: LogEntry
    visible_from: datetime
    client_request_id: str = ""

    @property
    def sort_key(self) -> tuple[datetime, str]:
        """By this the log is ordered."""
        return self.entry.at, self.entry.data_id


class ActivityLog:
    """All entries, past and, of what is already under way, to come."""

    def __init__(self, truth: GroundTruth, seed: int) -> None:
        self._rng = random.Random(f"journal/{seed}")  # noqa: S311 - a story, no secret
        # What happened before the end of the truth was exported with it, so it has been submitted by then.
        self._records = [
            LogRecord(entry=entry, visible_from=min(entry.submitted, truth.until))
            for entry in build_log_entries(self._rng, truth)
        ]

    def add_entries(
        self, truth: GroundTruth, delay: timedelta, *, caller: str, correlation: str, client_request_id: str
    ) -> None:
        """Write down what a call does; each record shows `delay` after its time."""
        for entry in build_log_entries(self._rng, truth):
            called = entry if entry.caller is None else replace(entry, caller=caller, correlation=correlation)
            submitted = replace(called, submitted=entry.at + delay)
            self._records.append(
                LogRecord(entry=submitted, visible_from=submitted.submitted, client_request_id=client_request_id)
            )

    def list_visible(self, now: datetime) -> Iterable[LogRecord]:
        """What can be read by now, newest first."""
        return sorted(
            (each for each in self._records if each.visible_from <= now), key=lambda each: each.sort_key, reverse=True
        )
