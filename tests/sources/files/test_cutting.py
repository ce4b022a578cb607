"""Law: whatever a file is cut at, so that it shows, its signals are cut in the case, and what came whole is read."""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.archive_reader import read_archive
from tests.sources.reading import FORMATS, changed
from tests.sources.rows import EXAMPLES, VM
from vmdiag.model import Needs, Signal, Transcript

NEEDS = Needs(triggers=frozenset(), margin=timedelta(days=1))
UNTIL = datetime(2026, 3, 2, 10, tzinfo=UTC)
COUNT = 3
# Something else that is known, so that a file of which nothing can be read ends no run.
BESIDE = json.dumps(EXAMPLES["virtual-machine"] | {"properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}}})
# Rows that only tables have are no JSON documents of their own.
TABLES = ("azure-activity", "azure-metrics", "heartbeat", "portal-csv")
DOCUMENTS = sorted(FORMATS.keys() - {"transcripts"})

Rows = list[dict[str, object]]


def array(rows: Rows) -> str:
    return json.dumps(rows)


def pretty(rows: Rows) -> str:
    return json.dumps({"value": rows}, indent=2)


def enveloped(rows: Rows) -> str:
    return json.dumps({"nextLink": None, "value": rows})


def graph(rows: Rows) -> str:
    return json.dumps({"data": rows, "count": len(rows)})


def table(rows: Rows) -> str:
    columns = [{"name": name, "type": "string"} for name in rows[0]]
    cells = [list(row.values()) for row in rows]
    return json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": cells}]})


def sheet(rows: Rows) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def parting(one: str, other: str) -> int:
    """Where two texts begin to differ, or the first one ends."""
    return next((place for place, letter in enumerate(one) if letter != other[place]), len(one))


def told(content: str) -> Transcript:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vm.json").write_text(BESIDE)
        Path(folder, "export.json").write_text(content)
        (transcript,) = read_archive(folder, NEEDS, VM, since=timedelta(days=1), until=UNTIL).transcripts
    return transcript


def cut(transcript: Transcript) -> set[Signal]:
    return {gap.signal for gap in transcript.gaps if gap.cut}


def size(transcript: Transcript) -> int:
    """How much is known of the VM from what was read."""
    return len(transcript.records) + sum(len(one.times) for one in transcript.series)


def three(name: str) -> Rows:
    """Rows of a format that differ in their time."""
    row = json.dumps(changed(name))
    return [json.loads(row.replace("08:14", f"08:{14 + 7 * number}")) for number in range(COUNT)]


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("container", [array, pretty, enveloped, graph, table, sheet], ids=lambda each: each.__name__)
@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_file_cut_anywhere_is_cut_for_its_signals(
    name: str, container: Callable[[Rows], str], data: st.DataObject
) -> None:
    if (container in (table, sheet)) is not (name in TABLES):
        return
    rows = three(name)
    text = container(rows)
    # Behind the first record, which says of which form the file is, and before the last sign of an end.
    begin = parting(container(rows[:1]), text) + 1
    at = data.draw(st.integers(begin, len(text.rstrip()) - 2))
    half = text[:at]
    if container is sheet and half.rstrip().endswith('"') and (half.endswith("\n") or half.count('"') % 2 == 0):
        return  # between two rows, or two cells and nothing open: the former does not show
    found = told(half)

    assert cut(found), half[-80:]
    assert cut(found) <= set(FORMATS[name].SIGNALS)
    assert not cut(told(text))


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_came_whole_before_a_cut_is_read(name: str, data: st.DataObject) -> None:
    rows = three(name)
    text = array(rows)
    whole = len(array(rows[:2])) - 1
    at = data.draw(st.integers(whole, len(text) - 2))

    assert size(told(text[:at])) >= size(told(array(rows[:2])))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "sign",
    [
        {"error": {"code": "PartialError", "message": "There were some errors."}},
        {"nextLink": "https://management.azure.com/next"},
        {"@odata.nextLink": "https://management.azure.com/next"},
        {"$skipToken": "t"},
        {"skip_token": "t", "total_records": 3},
        {"resultTruncated": "true"},
        {"totalRecords": 4, "count": 3},
    ],
    ids=lambda each: next(iter(each)),
)
@pytest.mark.parametrize("first", [True, False])
def test_a_sign_beside_the_rows_of_any_format_cuts_its_signals(
    name: str, sign: dict[str, object], *, first: bool
) -> None:
    rows = {"value": three(name)}
    found = told(json.dumps({**sign, **rows} if first else {**rows, **sign}))

    assert cut(found) == set(FORMATS[name].SIGNALS)
    assert size(found) == size(told(json.dumps(rows)))


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_that_is_broken_in_its_middle_costs_itself_and_is_a_gap(name: str, data: st.DataObject) -> None:
    rows = [json.dumps(row) for row in three(name)]
    at = data.draw(st.integers(1, len(rows[1]) - 2))
    broken = rows[1][:at] + "\x01" + rows[1][at:]
    lines = "\n".join((rows[0], broken, rows[2]))
    found = told(lines)

    # Half a change does not say whether a health record changed.
    assert cut(found)
    assert cut(found) <= {*FORMATS[name].SIGNALS, *([Signal.HEALTH] if name == "resource-changes" else [])}
    assert size(found) >= size(told("\n".join((rows[0], rows[2]))))
