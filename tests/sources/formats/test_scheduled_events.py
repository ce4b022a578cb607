"""Scheduled events in their three envelopes: whose they are, and when, if anybody says."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import FORMATS, changed, covered, heard, read, snapshots, vm
from tests.sources.rows import EXAMPLES, GROUP, SCHEDULED, SUBSCRIPTION, VM
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import MalformedRow, VmRecord, make_name_placeholder

DOCUMENT, GRID, GRAPH = "scheduled-events", "scheduled-events-event-grid", "scheduled-events-resource-graph"
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/pool"


def graph(owner: str, **members: object) -> dict[str, object]:
    properties = {**SCHEDULED, "EventStatus": "Completed", **members}
    return changed(GRAPH, id=f"{owner}/providers/microsoft.maintenance/scheduledevents/x", properties=properties)


def whose(name: str, row: dict[str, object]) -> list[VmId]:
    return [item.vm for item in read(name, row) if isinstance(item, VmRecord)]


def kinds(name: str, row: dict[str, object]) -> list[Kind]:
    items = read(name, row)
    records = [interpret_record(one.signal, one.name, one.status, one.facts) for one in heard(items)]
    return records + [interpret_record(one.signal, one.name, one.status, one.facts) for one in snapshots(items)]


@pytest.mark.parametrize(
    "row",
    [
        {"Events": []},
        {"events": [SCHEDULED]},
        {"EventType": "Freeze", "Resources": []},
        {"EventType": "Microsoft.Storage.BlobCreated", "EventStatus": "x"},
        {"id": VM, "type": "microsoft.maintenance/configurationassignments", "properties": SCHEDULED},
        {"id": VM, "type": "microsoft.maintenance/updates", "properties": {}},
        {"eventType": "Microsoft.Maintenance.Other", "eventTime": "x", "data": {}},
    ],
)
def test_look_alikes_are_no_scheduled_events(row: dict[str, object]) -> None:
    assert not [name for name in (DOCUMENT, GRID, GRAPH) if recognises_row(FORMATS[name], row)]


def test_a_document_names_its_vm_only_and_dates_nothing() -> None:
    (event,) = snapshots(read(DOCUMENT, EXAMPLES[DOCUMENT]))

    assert whose(DOCUMENT, EXAMPLES[DOCUMENT]) == [make_name_placeholder("web-01")]
    assert (event.signal, event.status, event.name) == (Signal.HEALTH, "Started", "")
    assert (event.facts["undated"], event.facts["event_type"]) == ("true", "Freeze")
    assert kinds(DOCUMENT, EXAMPLES[DOCUMENT]) == [Kind.LIVE_MIGRATION]


def test_every_vm_of_an_event_has_it() -> None:
    document = {
        "DocumentIncarnation": 1,
        "Events": [{**SCHEDULED, "Resources": ["a", "b"]}, {**SCHEDULED, "Resources": ["c"]}],
    }

    assert [one.name for one in whose(DOCUMENT, document)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "event", [SCHEDULED, {f"_{key}": value for key, value in SCHEDULED.items()}], ids=["today", "before 2017-08"]
)
def test_an_event_that_was_cut_out_of_its_document_is_known(event: dict[str, object]) -> None:
    assert kinds(DOCUMENT, event) == [Kind.LIVE_MIGRATION]


def test_event_grid_dates_an_event() -> None:
    (record,) = heard(read(GRID, EXAMPLES[GRID]))

    assert record.at == datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
    assert "undated" not in record.facts
    assert kinds(GRID, EXAMPLES[GRID]) == [Kind.LIVE_MIGRATION]
    assert covered(read(GRID, EXAMPLES[GRID])) == {}  # it is no reading of the annotations


def test_an_internal_alias_leaves_the_subject_to_say_whose_it_is() -> None:
    alias = "/providers/microsoft.idmapping/aliases/default/values/42/providers/microsoft.maintenance/scheduledevents/9"
    data = {"resourceInfo": {"id": alias, "properties": SCHEDULED}}

    assert [item.vm for item in read(GRID, changed(GRID, data=data)) if isinstance(item, VmRecord)] == [vm()]
    nameless = {"resourceInfo": {"id": alias, "properties": {**SCHEDULED, "Resources": []}}}
    with pytest.raises(MalformedRow, match="alias"):
        read(GRID, changed(GRID, data=nameless, subject=SUBSCRIPTION))


def test_a_row_of_resource_graph_is_of_the_vm_that_it_lies_below_and_undated() -> None:
    (event,) = snapshots(read(GRAPH, EXAMPLES[GRAPH]))
    assert (event.status, event.facts["undated"]) == ("Completed", "true")
    assert whose(GRAPH, EXAMPLES[GRAPH]) == [vm()]


@pytest.mark.parametrize(
    ("owner", "names", "meant"),
    [
        (SCALE_SET, ["pool_3"], [f"{SCALE_SET}/virtualMachines/3"]),
        (SCALE_SET, ["pool_1a2b3c"], [f"{GROUP}/providers/Microsoft.Compute/virtualMachines/pool_1a2b3c"]),
        (f"{GROUP}/providers/Microsoft.Compute/availabilitySets/as", ["web_1"], [VM.replace("web-01", "web_1")]),
        (VM, ["web-02"], [VM]),
    ],
)
def test_members_of_a_set_are_told_from_its_id(owner: str, names: list[str], meant: list[str]) -> None:
    assert [str(one) for one in whose(GRAPH, graph(owner, Resources=names))] == meant


def test_a_row_may_be_columns_beside_an_id() -> None:
    row = {"id": EXAMPLES[GRAPH]["id"], **SCHEDULED}
    assert snapshots(read(GRAPH, row))
    assert whose(GRAPH, row) == [vm()]


@pytest.mark.parametrize("members", [{"EventStatus": "Scheduled"}, {"EventStatus": "Canceled"}])
def test_an_event_that_did_not_begin_means_nothing(members: dict[str, object]) -> None:
    assert kinds(GRAPH, graph(VM, **members)) == [Kind.OTHER]


@samples.needs_samples
def test_published_documents_and_events_are_read() -> None:
    path = samples.FOLDER / "published" / "scheduled-events-live-migration-linux.json-seq"
    documents = [json.loads(part) for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]
    told = [kind for each in documents for kind in kinds(DOCUMENT, each)]

    assert told == [Kind.OTHER, Kind.OTHER, Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION]
    (row,) = samples.rows("published/eventgrid-scheduled-*.json")
    assert kinds(GRID, row) == [Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION]
