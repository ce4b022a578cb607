"""The evaluator of queries: what it computes, and above all what it refuses."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.arm.kql import Kind, KqlError, Row, Table, evaluate, parse

COLUMNS = {**dict.fromkeys(("id", "name"), Kind.STRING), **dict.fromkeys(("properties", "tags"), Kind.DYNAMIC)}


def _create_row(name: str, properties: Mapping[str, Any] | None = None) -> Row:
    return {"id": f"/vm/{name}", "name": name, "properties": properties, "tags": {"Env": "Prod"}}


UP = {"state": "Up", "at": "2026-03-02T09:30:00.1234567Z", "nics": [{"id": "a"}, {"id": "b"}], "a.b": {"c": "7"}}
DOWN = {"state": "down", "at": "2026-03-01T09:30:00Z", "nics": []}
MANY = {"nics": [{"id": str(number)} for number in range(500)]}
NOTES = [{"id": "/vm/db", "note": "master"}, {"id": "/vm/db", "note": "replica"}, {"id": "/vm/gone", "note": "old"}]
TABLES = {
    "vms": Table(COLUMNS, [_create_row("Web-01", UP), _create_row("web-02", DOWN), _create_row("db")]),
    "hubs": Table(COLUMNS, [_create_row("hub", MANY)]),
    "notes": Table({"id": Kind.STRING, "note": Kind.STRING}, NOTES),
}


def _run_rows(query: str) -> list[Row]:
    return list(evaluate(parse(query), TABLES.get).rows)


def _run_names(query: str) -> list[str]:
    return [row["name"] for row in _run_rows(f"vms | {query} | project name")]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("name =~ 'web-01'", ["Web-01"]),
        ("name !~ 'WEB-01'", ["web-02", "db"]),
        ("name =~ 'db' or name contains 'web' and id contains '1'", ["Web-01", "db"]),
        ("(name =~ 'db' or name contains 'web') and id contains '1'", ["Web-01"]),
        ("name in~ ('db', 'WEB-01')", ["Web-01", "db"]),
        ("name contains 'EB-0'", ["Web-01", "web-02"]),
        ("name matches regex '^w.*2$'", ["web-02"]),
        ("properties.state =~ 'UP'", ["Web-01"]),
        ("properties.State =~ 'Up'", []),
        ("properties['a.b'].c =~ '7'", ["Web-01"]),
        ("properties.nics[1].id =~ 'b'", ["Web-01"]),
        ("properties.state !~ 'Up'", ["web-02", "db"]),
        ("isnotempty(tostring(properties.state))", ["Web-01", "web-02"]),
        ("todatetime(properties.at) >= datetime(2026-03-02T09:00:00Z)", ["Web-01"]),
        ("todatetime(properties.at) <= datetime(2026-03-02)", ["web-02"]),
        ("tolower(name) =~ tolower('WEB-01')", ["Web-01"]),
        ("tostring(split(id, '/')[2]) =~ 'db'", ["db"]),
        ("tags.Env in~ ('prod')\n", ["Web-01", "web-02", "db"]),
    ],
)
def test_a_condition_holds_as_in_kusto(condition: str, names: list[str]) -> None:
    assert _run_names(f"where {condition}") == names


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("split('a/b/c', '/')", ["a", "b", "c"]),
        ("bag_pack('a', 'y', 'b', pack_array('x', name))", {"a": "y", "b": ["x", "Web-01"]}),
        ("todatetime('2026-03-02T10:00:00+02:00')", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("todatetime('soon')", None),
        ("tostring(datetime(2026-03-02))", "2026-03-02T00:00:00.0000000Z"),
        ("bin(datetime(2026-03-02T10:07:00Z), 1d)", datetime(2026, 3, 2, tzinfo=UTC)),
        (r"'it\'s'", "it's"),
    ],
)
def test_an_expression_has_its_value(expression: str, value: object) -> None:
    assert _run_rows(f"vms | take 1 | project v = {expression}") == [{"v": value}]


def test_extend_replaces_and_adds_and_sees_only_what_was_there() -> None:
    row = _run_rows("vms | take 1 | extend name = tolower(name), before = name")[0]

    assert (row["name"], row["before"], row["id"]) == ("web-01", "Web-01", "/vm/Web-01")


def test_order_ascends_with_nulls_first_and_take_cuts() -> None:
    assert _run_names("order by name asc | take 2") == ["Web-01", "db"]
    assert _run_names("extend at = todatetime(properties.at) | order by at asc | take 2") == ["db", "web-02"]


def test_summarize_lists_what_is_not_null() -> None:
    listed = "summarize all = make_list(properties.state) by env = tostring(tags.Env)"

    assert _run_rows(f"vms | {listed}") == [{"env": "Prod", "all": ["Up", "down"]}]
    assert _run_rows(f"vms | where name =~ '' | {listed}") == []


def test_a_join_keeps_or_drops_what_has_no_partner() -> None:
    inner = _run_rows("vms | join kind=inner (notes | project id, note) on id | project id1, note")
    outer = _run_rows("vms | join kind=leftouter (notes) on id")

    assert inner == [{"id1": "/vm/db", "note": "master"}, {"id1": "/vm/db", "note": "replica"}]
    assert [row["note"] for row in outer] == ["", "", "master", "replica"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("vms | mv-expand nic = properties.nics", ["a", "b", ""]),
        # A long array is cut in silence unless the query says otherwise.
        ("hubs | mv-expand nic = properties.nics", [str(number) for number in range(128)]),
        ("hubs | mv-expand nic = properties.nics limit 400", [str(number) for number in range(400)]),
    ],
)
def test_mv_expand_gives_a_row_for_each_element(query: str, ids: list[str]) -> None:
    assert [row["nic"] for row in _run_rows(f"{query} | project nic = tostring(nic.id)")] == ids


@pytest.mark.parametrize(
    ("code", "queries"),
    [
        ("ParserFailure", ["", "vms |", "vms | wher name =~ 'a'", "vms | distinct name", "let x = 5; vms | take x"]),
        ("ParserFailure", ["vms | take '5'", "vms | take 5; vms", "vms | parse id with * '/' rest", "vms | take 5 #"]),
        ("ParserFailure", ["vms | where name = 'a'", "vms | where name == 'a'", "vms | where name =~ 'a"]),
        ("ParserFailure", [r"vms | where name =~ 'a\/b'", "vms | where name > 'a'", "vms | where size has 'a'"]),
        ("ParserFailure", ["vms | where name matches 'a'", "vms | where name in ('a')", "vms | where name in~ (id)"]),
        ("ParserFailure", [f"vms | where properties.{word} =~ 'a'" for word in ("title", "last", "kind")]),
        ("ParserFailure", ["vms | extend kind = 'a'", "vms | extend a = id + 1", "vms | project properties.state"]),
        ("ParserFailure", ["vms | order by name", "vms | order by name desc", "vms | order by properties.state asc"]),
        ("ParserFailure", ["vms | summarize count() by name", "vms | where name =~ datetime(soon)"]),
        ("ParserFailure", ["vms | join kind=sideways (notes) on id", "vms | join (notes) on id"]),
        ("UnresolvedReference", ["nothing | take 1", "VMs | take 1", "vms | project id | where name =~ 'a'"]),
        ("UnresolvedReference", ["vms | where nme =~ 'a'", "vms | where Name =~ 'a'", "vms | where foo(name) =~ 'a'"]),
        ("UnresolvedReference", ["vms | extend a = id, b = a", "vms | join kind=inner (notes) on name"]),
        ("TypeMismatch", ["vms | where name", "vms | where properties.state", "vms | where name =~ 'a' and id"]),
        ("TypeMismatch", ["vms | where properties.at >= datetime(2026-01-01)", "vms | where name >= 'a'"]),
        ("TypeMismatch", ["vms | where name.a =~ 'a'", "vms | where todatetime(name) =~ 'a'"]),
        ("TypeMismatch", ["vms | where todatetime(name) in~ ('a')", "vms | extend a = tostring(name =~ 'a')"]),
        ("TypeMismatch", ["vms | extend a = bin(name, 1d)", "vms | extend a = 1d", "vms | mv-expand a = name"]),
        ("TypeMismatch", ["vms | order by properties asc", "vms | summarize a = make_list(id) by properties"]),
        ("TypeMismatch", ["vms | join kind=inner (hubs) on tags", "vms | extend a = bag_pack(tags, id)"]),
        ("TypeMismatch", ["vms | join kind=inner (vms | extend id = todatetime(id)) on id"]),
        ("InvalidArguments", ["vms | extend a = tolower(name, name)", "vms | extend a = bag_pack('a')"]),
        ("InvalidQuery", ["vms | project name, name"]),
    ],
)
def test_what_is_wrong_or_unknown_is_refused_before_a_row_is_read(code: str, queries: list[str]) -> None:
    for query in queries:
        with pytest.raises(KqlError) as refused:
            evaluate(parse(query), TABLES.get)
        assert (query, refused.value.code) == (query, code)


def test_a_refusal_says_where() -> None:
    with pytest.raises(KqlError) as refused:
        parse("vms\n| where name =~\n")

    assert (refused.value.code, refused.value.token, refused.value.line) == ("ParserFailure", "<EOF>", 3)
