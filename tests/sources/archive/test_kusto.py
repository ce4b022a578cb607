"""Answers of Kusto's endpoints: the rows of the result, and what shows that there should be more."""

import pytest

from vmdiag.completeness import Missing, Row
from vmdiag.sources.archive._wrappers import unwrap_rows
from vmdiag.sources.files.memory_rows import RowResult

ROW = {"Computer": "web-01", "n": 1}
CELLS = list(ROW.values())
CUT = "the answer of Kusto ends without DataSetCompletion: it was cut"
HEADER: Row = {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"}
END: Row = {"FrameType": "DataSetCompletion", "HasErrors": False, "Cancelled": False}
LIMIT = {"error": {"code": "LimitsExceeded", "@message": "too many rows"}}


def table(*rows: object, columns: tuple[str, ...] = ("Computer", "n"), **members: object) -> dict[str, object]:
    """A table of version 1."""
    return {"TableName": "T", "Columns": [{"ColumnName": name} for name in columns], "Rows": list(rows), **members}


def frame(*rows: object, kind: str = "PrimaryResult", columns: tuple[str, ...] = ("Computer", "n")) -> Row:
    return table(*rows, columns=columns, FrameType="DataTable", TableId=1, TableKind=kind)


def fragment(*rows: object, kind: str = "DataAppend") -> Row:
    return {"FrameType": "TableFragment", "TableId": 1, "TableFragmentType": kind, "Rows": list(rows)}


LEVELS = ([4, "done"], [2, "ran out of memory"])
STATUS = frame(*LEVELS, kind="QueryCompletionInformation", columns=("Level", "StatusDescription"))
PROGRESSIVE: Row = {**frame(), "FrameType": "TableHeader"}
PROGRESS: Row = {"FrameType": "TableProgress", "TableId": 1, "TableProgress": 50.0}
COMPLETION: Row = {"FrameType": "TableCompletion", "TableId": 1, "RowCount": 2}
CONTENTS = table([0, "QueryStatus"], [1, "QueryResult"], [7, "QueryResult"], columns=("Ordinal", "Kind"))
OTHER_ROWS: list[Row] = [{"Tables": []}, {"Tables": [{"TableName": "x"}]}, {"Tables": "x"}]


@pytest.mark.parametrize(
    ("frames", "rows", "faults"),
    [
        ([HEADER, frame(["x", 1], kind="QueryProperties"), frame(CELLS), END], [ROW], []),
        ([HEADER, frame(CELLS)], [ROW], [CUT]),
        ([HEADER, frame(), HEADER, frame(), END], [], [CUT]),
        (
            [HEADER, frame(CELLS), {**END, "HasErrors": True, "OneApiErrors": [LIMIT]}],
            *([ROW], ["Azure answered in part (LimitsExceeded)"]),
        ),
        (
            [HEADER, frame(CELLS), {**END, "HasErrors": True}],
            *([ROW], ["it says that the query failed on the way (HasErrors)"]),
        ),
        (
            [HEADER, frame(CELLS), {**END, "Cancelled": True}],
            *([ROW], ["it says that the query was cancelled on the way (Cancelled)"]),
        ),
        (
            [HEADER, frame(CELLS, {"OneApiErrors": [LIMIT]}), END],
            *([ROW], ["Azure answered in part (LimitsExceeded)"]),
        ),
        ([HEADER, STATUS, END], [], ["the query ended in an error: ran out of memory"]),
        (
            [
                *(HEADER, PROGRESSIVE, fragment(["old", 9]), fragment(CELLS, kind="DataReplace"), PROGRESS),
                *(fragment(CELLS), COMPLETION, END),
            ],
            *([ROW, ROW], []),
        ),
        ([HEADER, PROGRESSIVE, fragment(CELLS), COMPLETION, END], [ROW], ["a table of 2 rows of which 1 came"]),
        ([{"Tables": [table(CELLS), table(["status", 2])]}], [ROW], []),
        ([{"Tables": [table(["status", 2]), table(CELLS), CONTENTS]}], [ROW], []),
        (
            [{"Tables": [table(CELLS)], "Exceptions": ["Query execution lacks memory"]}],
            *([ROW], ["Azure answered in part (Query execution lacks memory)"]),
        ),
        *(([row], [row], []) for row in OTHER_ROWS),
    ],
    ids=[
        "only the primary result has rows",
        *("no completion", "no completion of the first of two", "errors", "an error said", "cancelled"),
        *("an error among the rows", "an error of the completion's rows"),
        *("a progressive table", "a progressive table that lacks a row"),
        *("version 1", "the contents say which tables are results", "exceptions of version 1"),
        *("no tables", "tables without rows", "a text"),
    ],
)
def test_an_answer_is_its_results_and_says_what_it_lacks(frames: list[Row], rows: list[Row], faults: list[str]) -> None:
    found = [cut.row for cut in unwrap_rows(RowResult(1, frame) for frame in frames)]

    assert [one for one in found if not isinstance(one, Missing)] == rows
    assert [one.reason for one in found if isinstance(one, Missing)] == faults
