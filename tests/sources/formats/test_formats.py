"""Laws of every format: a row has one format, and no content makes one fail otherwise than by `MalformedRow`."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vmdiag.sources.formats as formats_package
from tests.sources import samples
from tests.sources.reading import FORMATS, REF, heard, read
from tests.sources.rows import EXAMPLES
from vmdiag import plugins
from vmdiag.completeness import MalformedRow
from vmdiag.sources.formats import recognises_row

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 0, 2**63])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["/", "//", "/subscriptions/", "/subscriptions/s", "{", '{"a": [', "[]", '{"value": null}'])
    | st.sampled_from(
        [
            "0001-01-01T00:00:00",
            "9999-12-31T23:59:59-14:00",
            "2026-03-02T08:14:05Z",
            "13/13/2026 1:01:01 AM",
            "Administrative",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "localizedValue", "id", "code", "newValue"]), inner, max_size=3)
    ),
    max_leaves=6,
)

AVAILABLE, UNAVAILABLE = ("availability", "Available"), ("availability", "Unavailable")
DEALLOCATED = ("VirtualMachineDeallocationInitiated", "")
STARTED = ("VirtualMachineStartInitiatedByControlPlane", "")
PUBLISHED: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("activity-log", "published/activity-log-resource-health.json", [UNAVAILABLE, ("", "")]),
    (
        "alerts",
        "published/activity-log-alert-webhook-resource-health.json",
        [("availability", "Unavailable"), ("", "")],
    ),
    ("exported-records", "published/pt1h-resource-health.jsonl", [("availability", "Unknown"), STARTED]),
    ("exported-records", "published/storage-event-hub-records.json", []),
    ("event-grid", "published/cloudevent-*.json", [AVAILABLE, DEALLOCATED]),
    ("event-grid", "published/eventgrid-[!s]*.json", [AVAILABLE, DEALLOCATED]),
    ("resource-health", "resource-health/*.json", []),
    ("resources", "resource-graph/15*.json", []),
]
SILENT = ("resource-health", "resources")  # rows of a classic VM and of other types


def paths(value: object, so_far: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a row where another value can be put."""
    if so_far:
        yield so_far
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in steps:
        yield from paths(inner, (*so_far, key))


def put(row: object, path: tuple[str | int, ...], value: object) -> object:
    """The row with a value at a place; unchanged where the place is gone by an earlier change."""
    key, *rest = path
    inner = put(_inside(row, key), tuple(rest), value) if rest else value
    if isinstance(row, dict) and key in row:
        return {**row, key: inner}
    if isinstance(row, list) and isinstance(key, int) and key < len(row):
        return [*row[:key], inner, *row[key + 1 :]]
    return row


def _inside(row: object, key: str | int) -> object:
    if isinstance(row, dict):
        return row.get(key)
    return row[key] if isinstance(row, list) and isinstance(key, int) and key < len(row) else None


def read_or_malformed(name: str, row: dict[str, object]) -> None:
    """Read a row; any failure but `MalformedRow` is the test's."""
    with contextlib.suppress(MalformedRow):
        list(FORMATS[name].decode_row(row, REF))


def test_every_format_of_the_folder_has_an_example_here_and_says_what_it_carries() -> None:
    assert set(plugins.list_names(formats_package)) == set(EXAMPLES)
    assert [name for name, each in FORMATS.items() if not each.SIGNALS] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_is_recognised_by_its_own_format_and_no_other(name: str) -> None:
    assert [other for other, each in FORMATS.items() if recognises_row(each, EXAMPLES[name])] == [name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_says_something(name: str) -> None:
    assert list(FORMATS[name].decode_row(EXAMPLES[name], REF))


@pytest.mark.parametrize("row", [{}, {"error": {"code": "x"}}, {"Code": "x", "Message": "y"}, {"name": "x", "id": 1}])
def test_what_is_no_data_is_recognised_by_none(row: dict[str, object]) -> None:
    assert not [name for name, each in FORMATS.items() if recognises_row(each, row)]


@pytest.mark.parametrize("name", EXAMPLES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_stands_in_a_row_it_is_read_or_malformed(name: str, data: st.DataObject) -> None:
    row: object = EXAMPLES[name]
    places = list(paths(row))
    for path in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        row = put(row, path, data.draw(JSON))
    assert isinstance(row, dict)
    read_or_malformed(name, row)


@pytest.mark.parametrize("name", EXAMPLES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_row_of_any_content_has_one_format_at_most(name: str, data: st.DataObject) -> None:
    row = put(EXAMPLES[name], data.draw(st.sampled_from(list(paths(EXAMPLES[name])))), data.draw(JSON))
    assert isinstance(row, dict)
    assert len([other for other, each in FORMATS.items() if recognises_row(each, row)]) <= 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_personal_leaves_a_row(name: str) -> None:
    said = str(list(FORMATS[name].decode_row(EXAMPLES[name], REF)))
    assert not [word for word in ("contoso.example", "Olive", "203.0.113") if word in said]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_absurdly_long_field_does_not_fill_memory(name: str) -> None:
    row = json.loads(json.dumps(EXAMPLES[name]).replace("Live Migration", "Live Migration" + "x" * 100_000))
    assert len(str(list(FORMATS[name].decode_row(row, REF)))) < 20_000


@samples.needs_samples
def test_no_published_row_has_two_formats() -> None:
    for row in samples.rows("*/*.json") + samples.rows("*/*.jsonl"):
        assert len([name for name, each in FORMATS.items() if recognises_row(each, row)]) <= 1


@samples.needs_samples
@pytest.mark.parametrize(("name", "pattern", "said"), PUBLISHED)
def test_published_rows_are_read(name: str, pattern: str, said: list[tuple[str, str]]) -> None:
    rows = samples.rows(pattern)
    items = [item for row in rows for item in read(name, row)]

    assert rows
    assert [(record.name, record.status) for record in heard(items)] == said
    assert bool(items) is (name not in SILENT)


@samples.needs_samples
def test_no_published_error_is_taken_for_data() -> None:
    for row in samples.rows("errors/*.json") + samples.rows("instance-view/07*.json"):
        assert not [name for name, each in FORMATS.items() if recognises_row(each, row)]
