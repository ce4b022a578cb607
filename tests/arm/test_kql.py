"""The evaluator of queries: what it computes, and above all what it refuses."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.arm.kql import Database, Kind, KqlError, Row, Table, run_query

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
COLUMNS = {
    "id": Kind.STRING,
    "name": Kind.STRING,
    "kind": Kind.STRING,
    "size": Kind.LONG,
    "properties": Kind.DYNAMIC,
    "tags": Kind.DYNAMIC,
}


def _create_row(name: str, size: int, properties: Mapping[str, Any] | None = None) -> Row:
    return {
        "id": f"/vm/{name}",
        "name": name,
        "kind": "",
        "size": size,
        "properties": properties,
        "tags": {"Env": "Prod"},
    }


ROWS = [
    _create_row(
        "Web-01",
        4,
        {"state": "Up", "at": "2026-03-02T09:30:00.1234567Z", "nics": [{"id": "a"}, {"id": "b"}], "a.b": {"c": 7}},
    ),
    _create_row("web-02", 8, {"state": "down", "at": "2026-03-01T09:30:00Z", "nics": [], "hot": True}),
    _create_row("db", 8, None),
]
OTHERS = [{"id": "/vm/db", "note": "master"}, {"id": "/vm/db", "note": "replica"}, {"id": "/vm/gone", "note": "old"}]


def _create_database(*, folds: bool = True) -> Database:
    notes = Table({"id": Kind.STRING, "note": Kind.STRING}, OTHERS)
    return Database(tables={"vms": lambda: Table(COLUMNS, ROWS), "notes": lambda: notes}, now=NOW, ignores_case=folds)


def _run_rows(query: str) -> list[Row]:
    return list(run_query(query, _create_database()).rows)


def _run_names(query: str) -> list[str]:
    return [row["name"] for row in _run_rows(f"vms | {query} | project name")]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("name == 'web-01'", []),
        ("name == 'Web-01'", ["Web-01"]),
        ("name =~ 'web-01'", ["Web-01"]),
        ("name != 'db' and size >= 8", ["web-02"]),
        ("name !~ 'WEB-01'", ["web-02", "db"]),
        ("size == 4 or size == 8 and name == 'db'", ["Web-01", "db"]),
        ("name in ('db', 'WEB-01')", ["db"]),
        ("name in~ ('db', 'WEB-01')", ["Web-01", "db"]),
        ("name !in~ ('db', 'WEB-01')", ["web-02"]),
        ("name has 'WEB'", ["Web-01", "web-02"]),
        ("name has 'we'", []),
        ("name contains 'eb-0'", ["Web-01", "web-02"]),
        ("name !contains 'eb-0'", ["db"]),
        ("name startswith 'WEB'", ["Web-01", "web-02"]),
        ("name !startswith 'WEB'", ["db"]),
        ("name endswith '2'", ["web-02"]),
        ("name matches regex '^w.*2$'", ["web-02"]),
        ("properties.state =~ 'UP'", ["Web-01"]),
        ("properties.state == 'up'", []),
        ("properties.State == 'Up'", []),
        ("properties['a.b'].c == 7", ["Web-01"]),
        ("properties.nics[1].id == 'b'", ["Web-01"]),
        ("properties.hot == true", ["web-02"]),
        ("properties.state != 'Up'", ["web-02", "db"]),
        ("isnotempty(tostring(properties.state))", ["Web-01", "web-02"]),
        ("todatetime(properties.at) > ago(1h)", ["Web-01"]),
        ("todatetime(properties.at) < datetime(2026-03-02T00:00:00Z)", ["web-02"]),
        ("tolower(name) == tolower('WEB-01')", ["Web-01"]),
        ("tostring(split(id, '/')[2]) == 'db'", ["db"]),
        ("['kind'] == ''", ["Web-01", "web-02", "db"]),
        ("tags.Env has 'prod'", ["Web-01", "web-02", "db"]),
        ('name == "web-02" // and nothing else', ["web-02"]),
    ],
)
def test_a_condition_holds_as_in_kusto(condition: str, names: list[str]) -> None:
    assert _run_names(f"where {condition}\n") == names


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("split('a/b/c', '/')", ["a", "b", "c"]),
        ("tostring(split('a/b/c', '/')[-1])", "c"),
        ("bag_pack('a', 1, 'b', 'x')", {"a": 1, "b": "x"}),
        ("todatetime('2026-03-02T10:00:00+02:00')", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("todatetime('soon')", None),
        ("tostring(datetime(2026-03-02))", "2026-03-02T00:00:00.0000000Z"),
        ("tostring(1d)", "1.00:00:00"),
        ("bin(datetime(2026-03-02T10:07:00Z), 5m)", datetime(2026, 3, 2, 10, 5, tzinfo=UTC)),
        (r"'it\'s'", "it's"),
        (r"@'C:\new'", r"C:\new"),
    ],
)
def test_an_expression_has_its_value(expression: str, value: object) -> None:
    assert _run_rows(f"vms | take 1 | project v = {expression}") == [{"v": value}]


def test_extend_replaces_and_adds_and_sees_only_what_was_there() -> None:
    row = _run_rows("vms | take 1 | extend size = bin(size, 3), rounded = bin(size, 3)")[0]

    assert (row["size"], row["rounded"]) == (3, 3)


def test_project_names_what_has_no_name_as_kusto_does() -> None:
    table = run_query("vms | project name, properties.state, tostring(properties.at), tolower(id)", _create_database())

    assert list(table.columns) == ["name", "properties_state", "properties_at", "Column1"]
    assert table.columns["properties_state"] == Kind.DYNAMIC


def test_order_descends_unless_told_and_take_cuts() -> None:
    assert _run_names("order by size, name") == ["web-02", "db", "Web-01"]
    assert _run_names("order by size asc, name asc | take 2") == ["Web-01", "db"]
    assert _run_names("order by todatetime(properties.at) asc | take 1") == ["db"]


def test_summarize_counts_and_lists() -> None:
    counted = _run_rows("vms | summarize count(), names = make_list(name) by size | order by size asc")

    assert counted[1] == {"size": 8, "count_": 2, "names": ["web-02", "db"]}
    assert _run_rows("vms | count") == [{"Count": 3}]
    assert _run_rows("vms | where size > 99 | summarize count()") == [{"count_": 0}]


def test_a_join_keeps_or_drops_what_has_no_partner() -> None:
    note = "(notes | project id, note)"

    assert len(_run_rows(f"vms | join kind=inner {note} on id")) == 2
    assert len(_run_rows(f"vms | join kind=leftouter {note} on $left.id == $right.id")) == 4
    assert _run_rows(f"vms | join kind=inner {note} on id | project id1, note")[0] == {
        "id1": "/vm/db",
        "note": "master",
    }
    assert _run_rows(f"vms | join kind=leftouter {note} on id | where name == 'web-02'")[0]["note"] == ""


def test_mv_expand_gives_a_row_for_each_element() -> None:
    expanded = _run_rows("vms | mv-expand nic = properties.nics | project name, nic = tostring(nic.id)")

    assert [row["nic"] for row in expanded] == ["a", "b", ""]


def test_table_names_fold_only_where_the_service_folds_them() -> None:
    assert len(_run_rows("VMs | take 5")) == 3
    with pytest.raises(KqlError, match="VMs"):
        run_query("VMs | take 5", _create_database(folds=False))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "vms |",
        "vms | wher name == 'a'",
        "nothing | take 1",
        "vms | where nme == 'a'",
        "vms | where Name == 'a'",
        "vms | where name",
        "vms | where properties.state",
        "vms | where name = 'a'",
        "vms | where name == 'a",
        r"vms | where name == 'a\/b'",
        "vms | where name > 'a'",
        "vms | where name == 5",
        "vms | where properties.at > ago(1d)",
        "vms | where ago(1d) < '2026-01-01'",
        "vms | where foo(name) == 1",
        "vms | where name.first == 'a'",
        "vms | where properties.title == 'a'",
        "vms | where properties.last == 'a'",
        "vms | where size has 'a'",
        "vms | where size =~ 'a'",
        "vms | where name == 'a' and size",
        "vms | extend kind = 'a'",
        "vms | extend a = 1, b = a",
        "vms | extend a = size + 1",
        "vms | extend a = tolower(name, name)",
        "vms | extend a = tostring(name == 'a')",
        "vms | project name, name",
        "vms | project id | where name == 'a'",
        "vms | order by properties.state",
        "vms | summarize count() by properties.state",
        "vms | summarize name by size",
        "vms | distinct name",
        "vms | join kind=inner (notes) on name",
        "vms | join kind=sideways (notes) on id",
        "vms | mv-expand name",
        "vms | take '5'",
        "vms | take 5; vms",
        "vms | parse id with * '/' rest",
        "vms | where name matches 'a'",
        "let x = 5; vms | take x",
        "vms | where size == 5 #",
    ],
)
def test_what_is_wrong_or_unknown_is_refused_before_a_row_is_read(query: str) -> None:
    with pytest.raises(KqlError):
        run_query(query, _create_database())


def test_a_refusal_says_where() -> None:
    with pytest.raises(KqlError) as refused:
        run_query("vms\n| where name ==\n", _create_database())

    assert (refused.value.code, refused.value.token, refused.value.line) == ("ParserFailure", "<EOF>", 3)


def test_a_long_array_is_cut_in_silence_unless_the_query_says_otherwise() -> None:
    many = [_create_row("hub", 1, {"nics": [{"id": str(number)} for number in range(500)]})]
    database = Database(tables={"vms": lambda: Table(COLUMNS, iter(many))}, now=NOW, ignores_case=True)

    def count(text: str) -> int:
        return len(list(run_query(text, database).rows))

    assert count("vms | mv-expand nic = properties.nics") == 128
    assert count("vms | mv-expand nic = properties.nics limit 400") == 400


def test_values_are_packed_into_an_array() -> None:
    assert _run_rows("vms | where name =~ 'web-01' | project all = pack_array(name, size)")[0]["all"] == ["Web-01", 4]
