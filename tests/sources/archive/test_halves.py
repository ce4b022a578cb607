"""Files that are not whole, or hold records that cannot be read: a gap in every case that it may concern."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sources.archive_reader import read_archive
from tests.sources.rows import EVENT, GROUP, NSG, SUBSCRIPTION, VM
from vmdiag.model import Gap, Needs, Signal, Transcript

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
END = START + timedelta(hours=4)
NEAR = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-02"
OTHER = (
    f"{SUBSCRIPTION.replace('1111', '9999', 1)}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/db-01"
)
LOG = {Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE}
NEEDS = Needs(triggers=frozenset(), margin=timedelta(hours=1))

HEALTH_EVENT: dict[str, object] = {
    "category": {"value": "ResourceHealth"},
    "operationName": {"value": "Microsoft.Resourcehealth/healthevent/Activated/action"},
    "properties": "{'title': 'Unavailable'}",
}
INCIDENT: dict[str, object] = {
    "category": {"value": "ServiceHealth"},
    "operationName": {"value": "Microsoft.ServiceHealth/incident/action"},
    "eventTimestamp": "soon",
}
Content = str | bytes | object


def stamp(minute: int) -> str:
    return f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S}Z"


def event(minute: int, **members: object) -> dict[str, object]:
    return {**EVENT, "id": None, "eventTimestamp": stamp(minute)} | members


def beat(minute: int, vm: str = VM) -> dict[str, object]:
    row = {"TimeGenerated": stamp(minute), "Computer": vm.rpartition("/")[2], "Category": "Azure Monitor Agent"}
    return {**row, "_ResourceId": vm, "Type": "Heartbeat"}


def change(number: int, vm: str = VM) -> dict[str, object]:
    target = f"{vm}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
    changes = {"properties.annotationName": {"newValue": "VirtualMachineRestarted"}}
    body = {
        "targetResourceId": target,
        "targetResourceType": "microsoft.resourcehealth/resourceannotations",
        "changeType": "Update",
        "changeAttributes": {"timestamp": stamp(number)},
        "changes": changes,
    }
    return {"id": f"{target}/{number}", "type": "microsoft.resources/changes", "properties": body}


def metric(name: str, vm: str = VM) -> dict[str, object]:
    points = [{"timeStamp": stamp(minute), "total": 5e6, "average": 5.0} for minute in range(240)]
    identifier = f"{vm}/providers/Microsoft.Insights/metrics/{name}"
    return {"id": identifier, "name": {"value": name}, "timeseries": [{"data": points}]}


FAILED_METRIC = {**metric("Percentage CPU"), "errorCode": "InternalServerError"}


def told(folder: Path, files: Mapping[str, Content], *vms: str) -> dict[str, Transcript]:
    """What is known of VMs from files, by name; of all of them by default."""
    for name, content in files.items():
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    reading = read_archive(folder, NEEDS, *vms, everything=not vms, since=START, until=END)
    return {each.vm.id.name: each for each in reading.transcripts}


def cut(transcript: Transcript) -> dict[Signal, Gap]:
    """The gaps in part that count as not read."""
    return {gap.signal: gap for gap in transcript.gaps if gap.cut}


def torn(rows: list[dict[str, object]]) -> str:
    """A JSON array that ends inside its last record."""
    return json.dumps(rows)[:-30]


@pytest.mark.parametrize(
    ("files", "signals"),
    [
        ({"log.json": {"nextLink": "https://management.azure.com/next", "value": [event(1)]}}, LOG),
        ({"log.json": torn([event(1), event(2)])}, LOG),
        ({"log.jsonl": f"{json.dumps(event(1))}\n{json.dumps(event(2))[:-30]}"}, LOG),
        ({"log.json": [event(minute % 7) for minute in range(50)]}, LOG),
        ({"log.jsonl": "\n".join(json.dumps(event(minute % 7)) for minute in range(50))}, LOG),
        ({"log.json.gz": gzip.compress(json.dumps([event(n) for n in range(9)]).encode())[:-40]}, LOG),
        ({"beats.json": torn([beat(n % 5) for n in range(30)])}, {Signal.HEARTBEAT}),
        ({"changes.json": {"data": [change(1)], "count": 1, "totalRecords": 2995}}, {Signal.HEALTH}),
        ({"changes.json": {"data": [change(1)], "skip_token": "abc", "total_records": 1}}, {Signal.HEALTH}),
        ({"changes.json": {"data": [change(1)], "resultTruncated": "true"}}, {Signal.HEALTH}),
        ({"changes.json": [change(n % 7) for n in range(100)]}, {Signal.HEALTH}),
        ({"metrics.json": json.dumps(metric("Percentage CPU"))[:-60]}, {Signal.CPU}),
        ({"log.json": [event(1), event(2, eventTimestamp="yesterday")]}, {Signal.ACTIVITY}),
        ({"log.json": [event(1), 7]}, LOG),
        ({"log.json": [event(1), event(2, **HEALTH_EVENT)]}, {Signal.HEALTH}),
        ({"log.json": [event(1), event(2, resourceId=SUBSCRIPTION, **INCIDENT)]}, {Signal.SERVICE}),
        ({"log.json": [event(1)], "rest.json": json.dumps([event(2)])[:-40]}, LOG),
        ({"a.json": [event(1)], "b.json": {"value": None}}, LOG),
        ({"metrics.json": {"value": [metric("Network In Total"), FAILED_METRIC]}}, {Signal.CPU}),
    ],
    ids=[
        *("next link", "torn array", "torn line", "limit of az", "limit of az in lines", "torn gzip"),
        *("torn heartbeats", "total above count", "skip token", "truncated", "limit of az graph", "torn metric"),
        *("no time", "no record", "health without properties", "incident without time", "no whole record", "no list"),
        "metric that failed",
    ],
)
def test_what_shows_that_it_is_not_whole_is_cut_for_the_signals_of_its_form(
    tmp_path: Path, files: dict[str, Content], signals: set[Signal]
) -> None:
    others = {"vm.json": {"id": VM, "type": "Microsoft.Compute/virtualMachines", "instanceView": {"statuses": []}}}

    assert cut(told(tmp_path, {**others, **files})["web-01"]).keys() == signals


def test_a_record_that_names_its_vm_concerns_it_alone(tmp_path: Path) -> None:
    found = told(tmp_path, {"log.json": [event(1), event(2, resourceId=NEAR, eventTimestamp="soon")]})

    assert cut(found["web-01"]) == {}
    assert cut(found["web-02"]).keys() == {Signal.ACTIVITY}


def test_a_record_of_a_network_resource_may_concern_every_vm(tmp_path: Path) -> None:
    lost = event(
        2, resourceId=NSG, operationName="Microsoft.Network/networkSecurityGroups/write", eventTimestamp="soon"
    )
    found = told(tmp_path, {"log.json": [event(1), event(3, resourceId=NEAR), lost]})

    assert cut(found["web-01"]).keys() == cut(found["web-02"]).keys() == {Signal.ACTIVITY}


def test_a_log_of_one_subscription_that_is_cut_says_nothing_of_another(tmp_path: Path) -> None:
    files = {"one.json": torn([event(1), event(2)]), "other.json": [event(1, resourceId=OTHER)]}
    found = told(tmp_path, files)

    assert cut(found["web-01"]).keys() == LOG
    assert cut(found["db-01"]) == {}


COLUMNS = [{"name": name, "type": "string"} for name in beat(0)]
BEATS = [list(beat(minute).values()) for minute in range(60)]
ANSWER = {"tables": [{"name": "PrimaryResult", "columns": COLUMNS, "rows": BEATS}], "error": {"code": "PartialError"}}


@pytest.mark.parametrize(
    ("content", "signal", "span", "word"),
    [
        (torn([beat(minute) for minute in range(60)]), Signal.HEARTBEAT, (58, 240), ""),
        (ANSWER, Signal.HEARTBEAT, (59, 240), "PartialError"),
        (torn([beat(minute * 7 % 60) for minute in range(60)]), Signal.HEARTBEAT, (None, 240), ""),
        (
            [event(200 - minute, resourceId=VM if minute % 2 else NEAR) for minute in range(50)],
            *(Signal.ACTIVITY, (None, 151), "--max-events"),
        ),
    ],
    ids=["in order", "a table with an error beside its rows", "in no order", "the newest first"],
)
def test_what_is_missing_lies_behind_the_last_row_where_rows_are_in_order(
    tmp_path: Path, content: Content, signal: Signal, span: tuple[int | None, int], word: str
) -> None:
    gap, (start, end) = cut(told(tmp_path, {"a.json": content})["web-01"])[signal], span

    assert gap.window.end == START + timedelta(minutes=end)
    assert gap.window.start < START if start is None else gap.window.start == START + timedelta(minutes=start)
    assert word in gap.reason


def test_order_within_one_vm_says_nothing_of_the_others(tmp_path: Path) -> None:
    files = {
        "beats.json": torn([beat(minute) for minute in range(60)]),
        "log.json": [event(1), event(2, resourceId=NEAR)],
    }
    found = told(tmp_path, files)

    assert cut(found["web-02"])[Signal.HEARTBEAT].window.start < START


@pytest.mark.parametrize(
    ("files", "signal"),
    [
        ({"a.json": torn([beat(n) for n in range(240)]), "b.json": [beat(n) for n in range(240)]}, Signal.HEARTBEAT),
        ({"a.json": torn([event(1), event(2)]), "b.json": [event(0), event(1), event(2)]}, Signal.ACTIVITY),
        ({"a.json": torn([event(1), event(2)]), "b.json": {"data": [change(1)], "totalRecords": 1}}, Signal.HEALTH),
    ],
)
def test_what_another_reading_was_whole_for_is_told_and_lowers_nothing(
    tmp_path: Path, files: dict[str, Content], signal: Signal
) -> None:
    found = told(tmp_path, files)["web-01"]

    assert signal not in cut(found)
    assert [gap for gap in found.gaps if gap.signal is signal and gap.partial and "a.json" in gap.reason]


@pytest.mark.parametrize(
    ("files", "signal"),
    [
        ({"a.json": torn([beat(n) for n in range(240)]), "b.json": [beat(n) for n in range(100)]}, Signal.HEARTBEAT),
        ({"a.json": torn([beat(n) for n in range(60)]), "b.json": [beat(n) for n in range(99, 240)]}, Signal.HEARTBEAT),
        ({"a.json": torn([event(1), event(9), event(9)]), "b.json": [event(2), event(3)]}, Signal.ACTIVITY),
        ({"a.json": {"data": [change(1)], "skip_token": "t"}, "b.json": [event(0), event(240)]}, Signal.HEALTH),
    ],
)
def test_a_reading_of_another_span_or_the_log_for_annotations_makes_nothing_good(
    tmp_path: Path, files: dict[str, Content], signal: Signal
) -> None:
    assert signal in cut(told(tmp_path, files)["web-01"])


PAGE, LAST_PAGE = {"value": [EVENT], "nextLink": "n"}, {"value": [EVENT]}
ROLE = {"operationName": {"value": "Microsoft.Authorization/roleAssignments/write"}, "eventTimestamp": "soon"}
POLICY = {"category": {"value": "Policy"}, "resourceId": None}


@pytest.mark.parametrize(
    "files",
    [
        {
            "log.json": {"value": [event(minute) for minute in range(49)], "nextLink": None},
            "changes.json": {"data": [change(n) for n in range(100)], "count": 100, "totalRecords": 100},
            "beats.json": [beat(minute) for minute in range(240)],
            "metrics.json": {"value": [metric("Network In Total")]},
        },
        {"log.json": [event(1), event(2, **ROLE), event(3, **POLICY)]},
        {"log.json": "WARNING: The command is in preview.\n" + json.dumps([event(1)])},
        {"log.json": [event(1)], "notes.json": '{"todo": ["call Azure"', "values.json": {"replicas": 3}},
        {"log.jsonl": f"{json.dumps(PAGE)}\n{json.dumps(LAST_PAGE)}"},
        {"log.json": [PAGE, LAST_PAGE]},
        {"log-9.json": PAGE, "log-10.json": LAST_PAGE},
        {"log.json": PAGE, "log2.json": LAST_PAGE},
        {"log-1.json": PAGE, "log-2.json.gz": gzip.compress(json.dumps([EVENT]).encode())},
    ],
    ids=[
        "whole files",
        "entries of other providers",
        "a tool's words between documents",
        "foreign files",
        *("pages in lines", "pages in a list", "pages in files", "a first page without a number", "a packed page"),
    ],
)
def test_what_is_whole_lacks_nothing(tmp_path: Path, files: dict[str, Content]) -> None:
    assert cut(told(tmp_path, files)["web-01"]) == {}


@pytest.mark.parametrize("count", [2, 3])
def test_pages_of_resource_graph_are_whole_when_all_of_the_total_is_there(tmp_path: Path, count: int) -> None:
    files: dict[str, Content] = {
        f"page-{number}.json": {
            "data": [change(number)],
            "totalRecords": 3,
            "$skipToken": "" if number == count else "t",
        }
        for number in range(1, count + 1)
    }

    assert (cut(told(tmp_path, files)["web-01"]) == {}) is (count == 3)


def test_a_gap_that_concerns_nobody_in_particular_stands_in_every_case(tmp_path: Path) -> None:
    heartbeats = torn([beat(n % 7) for n in range(30)])
    found = told(tmp_path, {"log.json": [event(1), event(1, resourceId=OTHER)], "beats.json": heartbeats})

    assert all(Signal.HEARTBEAT in cut(transcript) for transcript in found.values())
    assert set(found) == {"web-01", "db-01"}


def test_half_a_metric_is_a_gap_of_that_metric_and_the_others_are_read(tmp_path: Path) -> None:
    whole, half = json.dumps(metric("Network In Total")), json.dumps(metric("Percentage CPU"))[:-60]
    found = told(tmp_path, {"metrics.json": f'{{"value": [{whole}, {half}'})["web-01"]

    assert cut(found).keys() == {Signal.CPU}
    assert [one.name for one in found.series] == ["Network In Total"]
