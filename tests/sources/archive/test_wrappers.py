"""Records that other tools wrapped, and what the wrapping shows of their wholeness."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.reading import FORMATS, changed, heard, read, vm
from tests.sources.rows import ANNOTATION, EVENT, EXAMPLES, VM
from vmdiag.completeness import MalformedRow, Missing, Row
from vmdiag.sources.archive._wrappers import WRAPPER_KEYS, unwrap_rows
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.files.rows import read_rows
from vmdiag.sources.formats import recognises_row

TEXT = json.dumps(EVENT)
GRID = EXAMPLES["event-grid"]
BASE64 = base64.b64encode(json.dumps(GRID).encode()).decode()
KEYS = {
    "dequeueCount",
    "Data",
    "SkipToken",
    "Tables",
    "Id",
    "ResourceId",
    "timeseries",
    "properties",
    "Columns",
    "Rows",
}
QUEUED = {"id": "m1", "dequeueCount": 1, "insertionTime": "2026-03-02T08:15:00+00:00", "popReceipt": None}


def inside(row: Row) -> list[object]:
    return [cut.row for cut in unwrap_rows([RowResult(1, row)])]


@pytest.mark.parametrize(
    "row",
    [
        {"message": "the VM is well", "time": "x"},
        {"message": '{"truncated": ', "time": "x"},
        {"code": "X", "message": TEXT},
        {**EVENT, "message": TEXT},
        {"event": {"kind": "event", "code": 4}},
        {"record": 4, "records": []},
        {"content": BASE64, "id": "a file of somebody's"},
        {**QUEUED, "content": "not base64!"},
        {**QUEUED, "content": base64.b64encode(b"a plain text").decode()},
        {"Data": [1], "Name": "x"},
        {"results": [], "hits": 4},
        {"id": VM, "properties": {}, "results": [EVENT]},
        {"resource_id": VM, "properties_annotationName": "x", "metric_name": "y"},  # a table, no model of the SDK
        *EXAMPLES.values(),
    ],
)
def test_what_is_no_wrapping_stays_as_it_is(row: Row) -> None:
    assert inside(row) == [row]


@pytest.mark.parametrize(
    "row",
    [
        {"event": {"original": TEXT}, "azure": {"resource": {"id": VM}}, "@timestamp": "2026-03-02T08:14:05Z"},
        {"event.original": TEXT},
        {"_index": "logs", "_id": "1", "_source": {"event": {"original": TEXT}}},
        {"_index": "logs", "_id": "1", "_source": EVENT},
        {"_index": "logs", "fields": {"event.original": [TEXT], "tags": ["x"]}},
        {"preview": False, "result": {"_raw": TEXT, "_time": "1772439245"}},
        {"_raw": TEXT, "host": "h", "time": "08:14"},
        {"_raw": TEXT, "operationName": "x", "resourceId": "y", "properties.title": "z"},
        {"record": EVENT},
        {"record": TEXT},
        {"message": TEXT, "@version": "1"},
        {"input": {"message": TEXT}},
        {"record": {"event": {"original": json.dumps({"records": [EVENT]})}}},
        {"_raw": json.dumps([EVENT])},
        {"SkipToken": None, "Data": [EVENT]},
        {"EnqueuedTimeUtc": "x", "SequenceNumber": 1, "Body": json.dumps({"records": [EVENT]})},
        {"took": 3, "hits": {"total": 1, "hits": [{"_source": {"event": {"original": TEXT}}}]}},
        {"preview": False, "init_offset": 0, "results": [{"_raw": TEXT}]},
        {"responses": [{"id": "1", "status": 200, "body": {"records": [EVENT]}}]},
    ],
)
def test_the_original_inside_a_wrapping_is_read(row: Row) -> None:
    assert inside(row) == [EVENT]
    assert inside({"_raw": json.dumps({"records": [row, row]})}) == [EVENT, EVENT]


@pytest.mark.parametrize("key", ["content", "messageText", "message_text", "MessageText"])
@pytest.mark.parametrize("written", [BASE64, json.dumps(GRID)])
def test_a_message_of_a_storage_queue_is_the_event(key: str, written: str) -> None:
    assert inside({**QUEUED, key: written}) == [GRID]


@pytest.mark.parametrize("indent", [None, 2])
def test_lines_of_base64_are_messages_as_they_lie_in_the_queue(indent: int | None) -> None:
    message = base64.b64encode(json.dumps(GRID, indent=indent).encode())
    text = b"\n".join([message, message, b"eyJub3QganNvbg==", b"nothing of the kind", b""])
    found = [cut.row for cut in read_rows(iter([text]))]

    assert found[:2] == [GRID, GRID]
    assert [type(each) for each in found[2:]] == [MalformedRow, MalformedRow]


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from([TEXT, BASE64, "@{"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(WRAPPER_KEYS | KEYS)), inner, max_size=3)
    ),
    max_leaves=8,
)
QUERY = {
    "FrameType": ["DataSetHeader", "DataTable", "TableHeader", "TableFragment", "TableCompletion", "DataSetCompletion"],
    "TableKind": ["PrimaryResult", "QueryCompletionInformation"],
    "TableFragmentType": ["DataAppend", "DataReplace"],
}
FRAME = st.fixed_dictionaries(
    {"FrameType": st.sampled_from(QUERY["FrameType"])},
    optional={
        "TableKind": st.sampled_from(QUERY["TableKind"]) | ANY,
        "TableFragmentType": st.sampled_from(QUERY["TableFragmentType"]) | ANY,
        **dict.fromkeys(("Columns", "Rows", "RowCount", "OneApiErrors", "HasErrors", "Cancelled", "TableId"), ANY),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.sampled_from(sorted(WRAPPER_KEYS | KEYS)), ANY, max_size=4) | FRAME, max_size=5))
def test_whatever_is_wrapped_it_becomes_rows_or_is_told(written: list[dict[str, object]]) -> None:
    for cut in unwrap_rows(RowResult(1, row) for row in written):
        assert isinstance(cut.row, dict | MalformedRow | Missing)


def test_wrappings_without_end_are_not_followed() -> None:
    row: dict[str, object] = {"a": 1}
    for _ in range(50):
        row = {"record": row}

    assert len(inside(row)) == 1


def test_a_token_of_search_azgraph_says_that_there_are_more() -> None:
    (_, lack) = inside({"SkipToken": "ew0K", "Data": [EVENT]})

    assert isinstance(lack, Missing)
    assert lack.reason == "it names a next page that is not in it"


@pytest.mark.parametrize(
    "member",
    [
        {"properties": "@{targetResourceId=/subscriptions/s; annotationName=LiveMigrationSucceeded}"},
        {"ResourceId": VM, "properties": {"changes": {"properties.annotationName": "@{newValue=x; previousValue=y}"}}},
        {"properties": "@{targetResourceId=/subscriptions/s; annotationNa"},
        {"properties": "@{}"},
        {"Id": VM, "Timeseries": [{"Data": "Microsoft.Azure.Management.Monitor.Models.MetricValue"}]},
        {"Id": VM, "Properties": {"Content": "System.Collections.Generic.Dictionary`2[System.String,System.String]"}},
        {"Id": VM, "Statuses": ["System.Object[]"]},
    ],
)
def test_what_convertto_json_cut_is_told_with_its_way_out(member: dict[str, object]) -> None:
    (fault, kept) = inside({"id": VM, **member})

    assert kept == {"id": VM, **member}
    assert isinstance(fault, MalformedRow)
    assert (fault.reason, fault.vm) == ("cut by ConvertTo-Json: export it again with -Depth 20", vm())


@pytest.mark.parametrize("text", ["@{", "@{owner} restarted it", "@{=x}"])
def test_a_text_that_only_begins_like_what_convertto_json_cut_is_a_text(text: str) -> None:
    assert inside({"id": VM, "description": text}) == [{"id": VM, "description": text}]


def snake(value: object, kept: tuple[str, ...] = ("claims",)) -> object:
    """As a model's `as_dict()`."""
    if isinstance(value, dict):
        return {
            "".join(f"_{one.lower()}" if one.isupper() else one for one in key): inner
            if key in kept
            else snake(inner, kept)
            for key, inner in value.items()
        }
    return [snake(each, kept) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["activity-log", "metrics", "resource-health", "virtual-machine"])
def test_a_model_of_the_sdk_is_the_same_answer_in_snake_case(name: str) -> None:
    (row,) = inside(snake(EXAMPLES[name]))  # type: ignore[arg-type]
    assert isinstance(row, dict)

    assert read(name, row) == read(name, EXAMPLES[name])


def test_a_models_properties_keep_the_words_of_the_log() -> None:
    event = snake(changed("activity-log", properties={"status_code": "OK"}), ("claims", "properties"))
    (row,) = inside(event)  # type: ignore[arg-type]

    assert isinstance(row, dict)
    assert row["properties"] == {"status_code": "OK"}


def test_an_annotation_in_a_queue_is_heard() -> None:
    (row,) = inside({**QUEUED, "content": BASE64})
    assert isinstance(row, dict)

    assert recognises_row(FORMATS["event-grid"], row)
    assert [record.name for record in heard(read("event-grid", row))] == [ANNOTATION["annotationName"]]
