"""Nested fields may hold anything; reading them never fails."""

import pytest

from vmdiag.sources.decoding.fields import (
    FACT_LENGTH,
    collect_facts,
    fold_column_names,
    fold_columns,
    get_path,
    iter_objects,
    to_list,
    to_mapping,
    to_number,
    to_text,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain ", "plain"),
        ({"value": "Succeeded", "localizedValue": "Erfolgreich"}, "Succeeded"),
        ({"value": None, "localizedValue": "Restart"}, "Restart"),
        ({"value": "", "localizedValue": ""}, ""),
        ({"value": {"value": "deep"}}, ""),
        (429, "429"),
        (True, ""),
        (10**400, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_a_text_is_what_azure_decides_on(written: object, read: str) -> None:
    assert to_text(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1, 1.0),
        ("12.5", 12.5),
        ("", None),
        (True, None),
        ("NaN", None),
        (float("inf"), None),
        (10**400, None),
        ([], None),
    ],
)
def test_a_number_is_finite(written: object, read: float | None) -> None:
    assert to_number(written) == read


def test_an_object_may_be_hidden_in_a_string() -> None:
    assert to_mapping(' {"a": 1}') == {"a": 1}
    assert to_list("[1]") == [1]
    assert get_path({"a": '{"b": {"c": 3}}'}, "a", "b", "c") == 3
    assert list(iter_objects([{"a": 1}, 2, None])) == [{"a": 1}]


@pytest.mark.parametrize("broken", ["{'a': 1}", '{"a": 1', "[" * 100_000, "{" + '"a":{' * 100_000, '{"\ud800": 1}', 7])
def test_what_is_no_object_is_an_empty_one(broken: object) -> None:
    assert to_mapping(broken) == {}
    assert to_list(broken) == []


def test_a_fact_that_was_not_said_is_left_out_and_a_long_one_is_cut() -> None:
    assert collect_facts(title=" Live ", details=None, cause="", summary="x" * 10_000) == {
        "title": "Live",
        "summary": "x" * FACT_LENGTH,
    }


def test_columns_are_known_without_letter_case_units_and_byte_order_mark() -> None:
    row = {"\ufeffTimeGenerated [UTC]": "t", "Operation Name": "o"}

    assert fold_column_names(row)["timegenerated"] == "\ufeffTimeGenerated [UTC]"
    assert fold_columns(row) == {"timegenerated": "t", "operation name": "o"}
