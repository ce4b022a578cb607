"""Records that nobody dated, and what else may date them; must not know what a record means.

A state that was read at an unknown time is as new as the archive. A scheduled event that began has no time either, but
when it was announced Azure named the time before which it would not begin, and blanked that once it began.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from vmdiag.model import Record, Window

# Whoever approves an event lets it begin at once, up to the 15 minutes of notice before that time; from then to its end
# it takes about 10 (Scheduled Events: overview).
EVENT_NOTICE = timedelta(minutes=15)
EVENT_DURATION = timedelta(minutes=10)


def date_records(undated: Iterable[Record], window: Window) -> Iterator[Record]:
    """The records with a time: around that of their event's announcement where it lies in the window, else its end.

    What is not dated even so keeps the fact `undated`.
    """
    records = list(undated)
    announced = {
        event: at for record in records if (event := record.facts.get("event")) and (at := _parse_not_before(record))
    }
    for record in records:
        at = announced.get(record.facts.get("event", ""))
        if at is not None and at in window:
            facts = {name: word for name, word in record.facts.items() if name != "undated"}
            yield replace(
                record,
                at=at - EVENT_NOTICE,
                blur=min(EVENT_NOTICE + EVENT_DURATION, window.end - at + EVENT_NOTICE),
                facts=facts,
            )
        else:
            yield replace(record, at=window.end)


def _parse_not_before(record: Record) -> datetime | None:
    written = record.facts.get("not_before")
    return datetime.fromisoformat(written) if written else None
