"""Of which suspects Resource Health's history is asked: of those of whom it may tell something more."""

import threading
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.errors import Throttled
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, Window
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure._health_reading import HealthReading
from vmdiag.sources.azure.feed_request import get_group_id
from vmdiag.sources.azure.feeds import activity_log, health_changes
from vmdiag.sources.items import VmRecord
from vmdiag.sources.protocol import VmFilter, Watcher
from vmdiag.sources.store import ItemStore

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = NOW - timedelta(hours=2)
SPAN = Window(NOW - timedelta(days=4), NOW)
VM = cast("VmId", VmId.parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01"))
MOVED, HURT = "LiveMigrationSucceeded", "AccelnetUnhealthy"
GRAPH, LOG = True, False
TWICE = ((GRAPH, MOVED, AT), (LOG, MOVED, AT + timedelta(seconds=1)))


def read_health(told: tuple[tuple[bool, str, datetime], ...], *, lost: str = "", kept: Window = SPAN) -> bool:
    """Whether the history is asked once this was told; `lost` is what was refused, or has a row that cannot be used."""
    session, store = Session(AzureSettings(), lambda: NOW, threading.Event()), ItemStore()
    reader = FeedReader(session, store, cast("Watcher", None))
    changes = health_changes.build_feed_request(VmFilter(), (), kept, NOW)
    (log,) = activity_log.build_feed_requests([get_group_id(VM)], SPAN, NOW)
    reader.requested_signals.add((get_group_id(VM), Signal.ACTIVITY))
    reader.answered_requests |= {changes, log}
    if lost == "log refused":
        reader.failures[log] = Throttled("no", "")
    reader.flawed_requests |= {"log flawed": {log}, "changes flawed": {changes}}.get(lost, set())
    for is_graph, name, at in told:
        ref = f"{(changes if is_graph else log).request.description}, row 1"
        store.add_item(VmRecord(VM, Record(at=at, signal=Signal.HEALTH, name=name, ref=ref)))
    store.finish_loading()
    return not HealthReading(reader, store, changes, kept, NOW).is_told_twice(VM, SPAN)


def test_what_resource_graph_and_the_log_tell_alike_is_not_asked_a_third_time() -> None:
    assert not read_health(TWICE)
    assert not read_health((*TWICE, (GRAPH, HURT, AT), (LOG, HURT, AT)))


@pytest.mark.parametrize(
    ("told", "lost"),
    [
        ((), ""),
        (TWICE[:1], ""),
        (TWICE[1:], ""),
        ((*TWICE, (GRAPH, HURT, AT)), ""),
        ((*TWICE, (LOG, HURT, AT)), ""),
        ((*TWICE, (GRAPH, "", AT)), ""),  # an annotation that is not named
        ((TWICE[0], (LOG, MOVED, AT + timedelta(minutes=2))), ""),
        ((TWICE[0], (LOG, HURT, AT)), ""),
        (TWICE, "log refused"),
        (TWICE, "log flawed"),
        (TWICE, "changes flawed"),
    ],
)
def test_where_either_lacks_something_or_was_not_read_whole_the_history_is_asked(
    told: tuple[tuple[bool, str, datetime], ...], lost: str
) -> None:
    assert read_health(told, lost=lost)


def test_of_a_suspect_that_is_measured_farther_back_than_resource_graph_remembers_the_history_is_asked() -> None:
    assert read_health(TWICE, kept=Window(SPAN.start + timedelta(minutes=1), NOW))
