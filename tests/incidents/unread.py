"""What goes unread: a whole feed that was not exported, or an answer that shows that it is not whole."""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace

from tests.incidents.model import Incident, WireFile

_FileChange = Callable[[WireFile], WireFile]

FEEDS = {
    "activity": ("activity-", "storage-", "event-hub", "azureactivity-"),
    "health": ("health", "availability-statuses", "event-grid", "cloud-events"),
    "metrics": ("metrics-rest", "metrics-cli", "azuremetrics-"),
    "heartbeat": ("heartbeat-",),
    "machine": ("vm-", "resources-"),
}
"""Each feed with the beginnings of the names of its forms."""


def list_feeds(incident: Incident) -> list[str]:
    """The feeds that some file of the incident belongs to."""
    return [feed for feed in FEEDS if any(_is_of_feed(file, feed) for file in incident.files)]


def remove_feed(incident: Incident, feed: str) -> Incident:
    """The same, exported without that feed."""
    return replace(incident, files=tuple(file for file in incident.files if not _is_of_feed(file, feed)))


def truncate_feed(rng: random.Random, incident: Incident, feed: str) -> Incident:
    """The same, with one file of that feed that shows that it is not whole."""
    chosen = rng.choice([file for file in incident.files if _is_of_feed(file, feed)])
    plain = _decompress_file(chosen)
    ends = _make_truncation(rng.uniform(0.2, 0.98))
    how = rng.choice([ends, *(way for begin, way in _INCOMPLETE_MARKS.items() if chosen.form.startswith(begin))])
    return replace(incident, files=tuple(how(plain) if file is chosen else file for file in incident.files))


def _is_of_feed(file: WireFile, feed: str) -> bool:
    return file.form.startswith(FEEDS[feed])


def _decompress_file(file: WireFile) -> WireFile:
    if not file.path.endswith(".gz"):
        return file
    return replace(file, path=file.path.removesuffix(".gz"), content=gzip.decompress(file.content))


def _make_truncation(share: float) -> _FileChange:
    """The file ends early, inside a record, as after a full disk or a lost connection."""

    def truncate_file(file: WireFile) -> WireFile:
        content = file.content[: max(1, int(share * len(file.content)))].rstrip(b"\r\n}]")
        return replace(file, content=content)

    return truncate_file


def _make_addition(**said: object) -> _FileChange:
    """An answer that bears these members as well."""

    def add_members(file: WireFile) -> WireFile:
        answer = json.loads(file.content)
        return replace(file, content=json.dumps({**answer, **said}, separators=(",", ":")).encode())

    return add_members


def _claim_more_rows(file: WireFile) -> WireFile:
    """A Resource Graph answer with fewer rows than the total it names."""
    total = json.loads(file.content)["totalRecords"]
    return _make_addition(totalRecords=total + 7, resultTruncated="true")(file)


_PARTIAL = {"code": "PartialError", "message": "There were some errors when processing your query."}
_INCOMPLETE_MARKS: dict[str, _FileChange] = {
    "activity-rest": _make_addition(nextLink="https://management.azure.com/subscriptions/next?$skiptoken=7a"),
    "healthresources-": _claim_more_rows,
    "healthresourcechanges-": _claim_more_rows,
    "resources-": _claim_more_rows,
    "azureactivity-api": _make_addition(error=_PARTIAL),
    "heartbeat-api": _make_addition(error=_PARTIAL),
    "azuremetrics-api": _make_addition(error=_PARTIAL),
}
"""How an answer of a form says itself that it is not whole."""
