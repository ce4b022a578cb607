"""Answers of Kusto's endpoints: the rows of the result, and what shows that there should be more."""

import pytest

from vmdiag.completeness import Missing
from vmdiag.sources.archive._wrappers import unwrap_rows
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.items import Row

COLUMNS = [{"ColumnName": "Computer", "ColumnType": "string"}, {"ColumnName": "n", "ColumnType": "long"}]
HEADER: Row = {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"}
END: Row = {"FrameType": "DataSetCompletion", "HasErrors": False, "Cancelled": False}
PROPERTIES: Row = {
    "FrameType": "DataTable",
    "TableId": 0,
    "TableKind": "QueryProperties",
    "TableName": "@ExtendedProperties",
    "Columns": COLUMNS,
    "Rows": [["Visualization", 1]],
}
ROW = {"Computer": "web-01", "n": 1}


def table(*rows: object, kind: str = "PrimaryResult") -> Row:
    return {
        "FrameType": "DataTable",
        "TableId": 1,
        "TableKind": kind,
        "TableName": "PrimaryResult",
        "Columns": COLUMNS,
        "Rows": list(rows),
    }


def read(*frames: Row) -> tuple[list[object], list[str]]:
    cuts = [cut.row for cut in unwrap_rows(RowResult(1, frame) for frame in frames)]
    faults = [one.reason for one in cuts if isinstance(one, Missing)]
    return [one for one in cuts if not isinstance(one, Missing)], faults


def test_the_rows_of_the_primary_result_are_rows_and_other_tables_are_not() -> None:
    assert read(HEADER, PROPERTIES, table(["web-01", 1]), END) == ([ROW], [])


def test_an_answer_without_its_completion_was_cut() -> None:
    rows, (reason,) = read(HEADER, table(["web-01", 1]))

    assert rows == [ROW]
    assert "DataSetCompletion" in reason


def test_each_of_two_answers_must_be_complete() -> None:
    assert len(read(HEADER, table(), HEADER, table(), END)[1]) == 1


@pytest.mark.parametrize(
    "last",
    [
        {
            **END,
            "HasErrors": True,
            "OneApiErrors": [{"error": {"code": "LimitsExceeded", "@message": "too many rows"}}],
        },
        {**END, "HasErrors": True},
        {**END, "Cancelled": True},
    ],
)
def test_an_answer_that_ends_in_an_error_is_read_in_part(last: Row) -> None:
    rows, faults = read(HEADER, table(["web-01", 1]), last)

    assert (rows, len(faults)) == ([ROW], 1)


def test_an_error_among_the_rows_is_told() -> None:
    broken = {"OneApiErrors": [{"error": {"code": "x", "@message": "node lost"}}]}

    assert read(HEADER, table(["web-01", 1], broken), END) == ([ROW], ["Azure answered in part (x)"])


def test_the_completions_rows_below_a_level_are_errors() -> None:
    columns = [{"ColumnName": "Level"}, {"ColumnName": "StatusDescription"}]
    said = {**table([4, "done"], [2, "ran out of memory"], kind="QueryCompletionInformation"), "Columns": columns}

    assert read(HEADER, said, END) == ([], ["the query ended in an error: ran out of memory"])


def fragment(*rows: object, kind: str = "DataAppend") -> Row:
    return {"FrameType": "TableFragment", "TableId": 1, "TableFragmentType": kind, "Rows": list(rows)}


def test_a_progressive_table_is_read_when_it_is_complete() -> None:
    head = {**table(), "FrameType": "TableHeader"}
    completion = {"FrameType": "TableCompletion", "TableId": 1, "RowCount": 2}
    progress = {"FrameType": "TableProgress", "TableId": 1, "TableProgress": 50.0}
    replaced = fragment(["web-01", 1], kind="DataReplace")

    rows, faults = read(
        HEADER, head, fragment(["old", 9]), replaced, progress, fragment(["web-01", 1]), completion, END
    )
    assert (rows, faults) == ([ROW, ROW], [])
    _, faults = read(HEADER, head, fragment(["web-01", 1]), completion, END)
    assert faults == ["a table of 2 rows of which 1 came"]


def answer(*tables: dict[str, object], **members: object) -> Row:
    return {"Tables": list(tables), **members}


def named(*rows: object, columns: list[dict[str, str]] = COLUMNS) -> dict[str, object]:
    return {"TableName": "Table_0", "Columns": columns, "Rows": list(rows)}


def test_an_answer_of_version_1_has_its_rows_in_the_first_table() -> None:
    assert read(answer(named(["web-01", 1]), named(["status", 2]))) == ([ROW], [])


def test_the_contents_say_which_tables_are_results() -> None:
    columns = [{"ColumnName": "Ordinal"}, {"ColumnName": "Kind"}]
    contents = named([0, "QueryStatus"], [1, "QueryResult"], [7, "QueryResult"], columns=columns)

    assert read(answer(named(["status", 2]), named(["web-01", 1]), contents)) == ([ROW], [])


def test_exceptions_of_version_1_are_told() -> None:
    rows, faults = read(answer(named(["web-01", 1]), Exceptions=["Query execution lacks memory"]))

    assert (rows, faults) == ([ROW], ["Azure answered in part (Query execution lacks memory)"])


@pytest.mark.parametrize("row", [{"Tables": []}, {"Tables": [{"TableName": "x"}]}, {"Tables": "x"}])
def test_something_else_with_tables_is_no_answer(row: Row) -> None:
    assert read(row) == ([row], [])
