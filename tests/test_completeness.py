"""What an answer says of its own completeness: look-alikes that are whole first, then every sign of a lack."""

import pytest

from vmdiag.completeness import (
    find_continuation,
    find_missing_list,
    find_missing_part,
    find_reached_limit,
    holds_its_total,
    lacks_its_list,
)


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ({"value": []}, 0),
        ({"value": [], "nextLink": None}, 3),
        ({"value": [], "nextLink": ""}, 3),
        ({"data": [], "count": 3, "totalRecords": 3, "resultTruncated": "false"}, 3),
        ({"data": [], "count": 3, "total_records": 3, "skip_token": None}, 3),
        ({"data": [], "totalRecords": "3"}, 3),
        ({"tables": [], "error": None}, 3),
        ({"tables": [], "Exceptions": []}, 3),
        ({"HasErrors": False, "Cancelled": False}, 0),
        ({"value": [], "count": 2}, 3),
        ({"value": [], "count": True, "totalRecords": "many"}, 0),
        ({"message": "resultTruncated", "links": "nextLink"}, 0),
    ],
)
def test_an_answer_that_is_whole_lacks_nothing(answer: dict[str, object], rows: int) -> None:
    assert find_missing_part(answer, rows) is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": {"code": "PartialError", "message": "There were some errors."}}, "PartialError: There were some"),
        ({"error": "too much"}, "too much"),
        ({"Exceptions": ["Query result set has exceeded the limit"]}, "has exceeded the limit"),
        ({"OneApiErrors": [{"error": {"code": "LimitsExceeded", "message": "m"}}]}, "LimitsExceeded"),
        ({"resultTruncated": "true"}, "truncated"),
        ({"resultTruncated": True}, "truncated"),
        ({"result_truncated": "True"}, "truncated"),
        ({"HasErrors": True}, "HasErrors"),
        ({"Cancelled": True}, "Cancelled"),
        ({"nextLink": {"href": "https://management.azure.com/next"}}, "not in a form"),
    ],
)
def test_what_no_further_page_mends_is_missing_whatever_follows(answer: dict[str, object], said: str) -> None:
    for followed in (False, True):
        found = find_missing_part({**answer, "value": []}, 3, is_followed=followed)

        assert found is not None
        assert said in found.reason
        assert not found.is_continued


def test_the_innermost_error_says_what_happened() -> None:
    inner = {"code": "-2133196797", "message": "The results exceed the set limit (E_QUERY_RESULT_SET_TOO_LARGE)."}
    detail = {"code": "EngineError", "message": "Something went wrong.", "innererror": inner}
    found = find_missing_part({"error": {"code": "PartialError", "message": "Some errors.", "details": [detail]}}, 1)

    assert found is not None
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in found.reason


@pytest.mark.parametrize(
    "name",
    ["nextLink", "next_link", "NextLink", "@odata.nextLink", "$skipToken", "skipToken", "skip_token", "SkipToken"],
)
def test_a_page_names_the_next_one_however_it_is_spelt_and_lacks_that_alone(name: str) -> None:
    found = find_missing_part({"value": [], "resultTruncated": "true", name: "https://management.azure.com/next"}, 3)

    assert found is not None
    assert found.is_continued
    assert find_continuation({name: "x"}) == "x"
    assert find_missing_part({"value": [], name: "https://management.azure.com/next"}, 3, is_followed=True) is None


@pytest.mark.parametrize(
    "name", ["totalRecords", "total_records", "TotalRecords", "totalCount", "@odata.count", "count"]
)
def test_fewer_rows_than_the_total_are_a_part(name: str) -> None:
    found = find_missing_part({"data": [], name: 2995}, 3)

    assert found is not None
    assert "3 of 2995" in found.reason
    assert (found.rows, found.total) == (3, 2995)


def test_only_a_total_beyond_the_page_says_that_all_is_there() -> None:
    assert holds_its_total({"totalRecords": 100, "count": 100}, 100)
    assert not holds_its_total({"count": 100}, 100)
    assert not holds_its_total({"totalRecords": None}, 100)


@pytest.mark.parametrize(
    ("form", "rows", "tool"),
    [
        ("activity-log", 50, "az monitor activity-log list"),
        ("activity-log", 1_000, "Get-AzActivityLog"),
        ("resource-graph-health-changes", 100, "az graph query"),
        ("resource-changes", 1_000, "az graph query"),
        ("heartbeat", 30_000, "Log Analytics"),
        ("azure-activity", 500_000, "Log Analytics"),
    ],
)
def test_exactly_a_tools_limit_was_probably_cut_and_one_more_or_less_was_not(form: str, rows: int, tool: str) -> None:
    found = find_reached_limit(form, rows)

    assert found is not None
    assert tool in found.reason
    assert find_reached_limit(form, rows - 1) is find_reached_limit(form, rows + 1) is None
    assert find_reached_limit("metrics", rows) is find_reached_limit("", rows) is None


@pytest.mark.parametrize(
    ("answer", "member", "is_missing"),
    [
        (None, "value", True),
        ([], "value", True),
        ([{"value": []}], "value", True),
        ("null", "value", True),
        ({}, "value", True),
        ({"value": None}, "value", True),
        ({"value": "x"}, "value", True),
        ({"data": []}, "value", True),
        ({"value": []}, "value", False),
        ({"data": {"columns": [], "rows": []}}, "data", False),
        ({"tables": [{}]}, "tables", False),
    ],
)
def test_an_answer_without_its_list_is_no_empty_one(answer: object, member: str, *, is_missing: bool) -> None:
    assert (find_missing_list(answer, member) is not None) is is_missing


@pytest.mark.parametrize(
    ("document", "lacks"),
    [
        ({"value": None}, True),
        ({"value": None, "nextLink": None}, True),
        ({"data": None, "count": 0}, True),
        ({"value": []}, False),
        ({"data": {"context": {}}}, False),
        ({"value": None, "id": "x"}, False),
        ({"error": {}}, False),
        ({}, False),
    ],
)
def test_a_document_of_nothing_but_the_place_of_a_list_is_an_answer_without_it(
    document: dict[str, object], *, lacks: bool
) -> None:
    assert (lacks_its_list(document) is not None) is lacks
