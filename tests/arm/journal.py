"""The activity log of a world: what was written, and from when on it can be read; must not know JSON."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.incidents.model import GroundTruth
from tests.incidents.wire.log_entry import LogEntry, build_log_entries
from tests.incidents.wire.plain import get_subscription_id


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
        # By subscription, newest first: a fleet's log is read in hundreds of pages.
        self._records: defaultdict[str, list[LogRecord]] = defaultdict(list)
        # What happened before the end of the truth was exported with it, so it has been submitted by then.
        self._add_records(
            LogRecord(entry=entry, visible_from=min(entry.submitted, truth.until))
            for entry in build_log_entries(self._rng, truth)
        )

    def add_entries(
        self, truth: GroundTruth, delay: timedelta, *, caller: str, correlation: str, client_request_id: str
    ) -> None:
        """Write down what a call does; each record shows `delay` after its time."""
        called = (
            entry if entry.caller is None else replace(entry, caller=caller, correlation=correlation)
            for entry in build_log_entries(self._rng, truth)
        )
        submitted = (replace(entry, submitted=entry.at + delay) for entry in called)
        self._add_records(
            LogRecord(entry=entry, visible_from=entry.submitted, client_request_id=client_request_id)
            for entry in submitted
        )

    def list_visible(self, now: datetime, subscription: str) -> Iterator[LogRecord]:
        """What can be read of a subscription by now, newest first."""
        return (each for each in self._records[subscription.lower()] if each.visible_from <= now)

    def _add_records(self, records: Iterable[LogRecord]) -> None:
        for each in records:
            self._records[get_subscription_id(each.entry.resource).lower()].append(each)
        for some in self._records.values():
            some.sort(key=lambda each: each.sort_key, reverse=True)
