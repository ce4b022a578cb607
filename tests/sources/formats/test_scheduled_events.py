"""Scheduled events in their three envelopes: whose they are, and when, if anybody says."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import changed, covered, heard, read, snapshots, vm
from tests.sources.rows import EXAMPLES, GROUP, SCHEDULED, SUBSCRIPTION, VM
from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import VmId, make_name_placeholder
from vmdiag.model import Kind, Signal
from vmdiag.sources.items import VmRecord

DOCUMENT, GRID, GRAPH = "scheduled-events", "scheduled-events-event-grid", "scheduled-events-resource-graph"
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/pool"
AVAILABILITY_SET = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/as"


def graph(owner: str, **members: object) -> dict[str, object]:
    properties = {**SCHEDULED, "EventStatus": "Completed", **members}
    return changed(GRAPH, id=f"{owner}/providers/microsoft.maintenance/scheduledevents/x", properties=properties)


def whose(name: str, row: dict[str, object]) -> list[VmId]:
    return [item.vm for item in read(name, row) if isinstance(item, VmRecord)]


def kinds(name: str, row: dict[str, object]) -> list[Kind]:
    items = read(name, row)
    records = [interpret_record(one.signal, one.name, one.status, one.facts) for one in heard(items)]
    return records + [interpret_record(one.signal, one.name, one.status, one.facts) for one in snapshots(items)]


COLUMNS = {"id": EXAMPLES[GRAPH]["id"], **SCHEDULED}
TWO = [{**SCHEDULED, "Resources": ["web-1", "web-2"]}, {**SCHEDULED, "Resources": ["web-3"]}]


@pytest.mark.parametrize(
    ("name", "row", "meant"),
    [
        (DOCUMENT, {"DocumentIncarnation": 1, "Events": TWO}, [make_name_placeholder(f"web-{n}") for n in (1, 2, 3)]),
        # A row may be columns beside an id.
        (GRAPH, COLUMNS, [vm()]),
        # Members of a set are told from its id.
        (GRAPH, graph(SCALE_SET, Resources=["pool_3"]), [VmId.parse(f"{SCALE_SET}/virtualMachines/3")]),
        (GRAPH, graph(SCALE_SET, Resources=["pool_1a"]), [VmId.parse(VM.replace("web-01", "pool_1a"))]),
        (GRAPH, graph(AVAILABILITY_SET, Resources=["web_1"]), [VmId.parse(VM.replace("web-01", "web_1"))]),
        (GRAPH, graph(VM, Resources=["web-02"]), [vm()]),
    ],
)
def test_an_event_is_of_each_vm_that_it_means(name: str, row: dict[str, object], meant: list[VmId]) -> None:
    assert whose(name, row) == meant


@pytest.mark.parametrize(
    ("name", "row", "kind"),
    [
        # An event that was cut out of its document is known, as it is today and as it was before 2017-08.
        (DOCUMENT, SCHEDULED, Kind.LIVE_MIGRATION),
        (DOCUMENT, {f"_{key}": value for key, value in SCHEDULED.items()}, Kind.LIVE_MIGRATION),
        (GRAPH, COLUMNS, Kind.LIVE_MIGRATION),
        (GRAPH, graph(VM, EventStatus="Scheduled"), Kind.OTHER),
        (GRAPH, graph(VM, EventStatus="Canceled"), Kind.OTHER),
    ],
)
def test_an_event_that_did_not_begin_means_nothing(name: str, row: dict[str, object], kind: Kind) -> None:
    assert kinds(name, row) == [kind]


def test_a_document_names_its_vm_only_and_dates_nothing() -> None:
    (event,) = snapshots(read(DOCUMENT, EXAMPLES[DOCUMENT]))

    assert whose(DOCUMENT, EXAMPLES[DOCUMENT]) == [make_name_placeholder("web-01")]
    assert (event.signal, event.status, event.name) == (Signal.HEALTH, "Started", "")
    assert (event.facts["undated"], event.facts["event_type"]) == ("true", "Freeze")
    assert kinds(DOCUMENT, EXAMPLES[DOCUMENT]) == [Kind.LIVE_MIGRATION]


def test_event_grid_dates_an_event() -> None:
    (record,) = heard(read(GRID, EXAMPLES[GRID]))

    assert record.at == datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
    assert "undated" not in record.facts
    assert kinds(GRID, EXAMPLES[GRID]) == [Kind.LIVE_MIGRATION]
    assert covered(read(GRID, EXAMPLES[GRID])) == {}  # it is no reading of the annotations


def test_an_internal_alias_leaves_the_subject_to_say_whose_it_is() -> None:
    alias = "/providers/microsoft.idmapping/aliases/default/values/42/providers/microsoft.maintenance/scheduledevents/9"
    data = {"resourceInfo": {"id": alias, "properties": SCHEDULED}}

    assert whose(GRID, changed(GRID, data=data)) == [vm()]
    nameless = {"resourceInfo": {"id": alias, "properties": {**SCHEDULED, "Resources": []}}}
    with pytest.raises(MalformedRow, match="alias"):
        read(GRID, changed(GRID, data=nameless, subject=SUBSCRIPTION))


def test_a_row_of_resource_graph_is_of_the_vm_that_it_lies_below_and_undated() -> None:
    (event,) = snapshots(read(GRAPH, EXAMPLES[GRAPH]))
    assert (event.status, event.facts["undated"]) == ("Completed", "true")
    assert whose(GRAPH, EXAMPLES[GRAPH]) == [vm()]


@samples.needs_samples
def test_published_documents_and_events_are_read() -> None:
    path = samples.FOLDER / "published" / "scheduled-events-live-migration-linux.json-seq"
    documents = [json.loads(part) for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]
    told = [kind for each in documents for kind in kinds(DOCUMENT, each)]

    assert told == [Kind.OTHER, Kind.OTHER, Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION]
    (row,) = samples.rows("published/eventgrid-scheduled-*.json")
    assert kinds(GRID, row) == [Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION]
