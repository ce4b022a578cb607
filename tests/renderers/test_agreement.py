"""Every format tells the same of the same VMs: each report is read back and compared, case by case."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.renderers import cases, redeploy_cases
from tests.renderers.gallery import render_report
from tests.renderers.page_reader import read_page
from tests.renderers.test_strangers import NASTY
from vmdiag.cli.exit_codes import compute_exit_code
from vmdiag.diagnosis.model import Case
from vmdiag.values import replace

Facts = dict[str, dict[str, str]]
FIELDS = ("verdict", "state", "explanation", "action")
FLEETS = {
    name: [replace(case, vm=cases.make_machine(f"vm-{number:02}")) for number, case in enumerate(found)]
    for name, found in (("fleet", cases.make_fleet()), ("redeployed", redeploy_cases.make_redeployed_fleet()))
}


def read_json(text: str) -> Facts:
    return read_cases(json.loads(text)["cases"])


def read_lines(text: str) -> Facts:
    return read_cases([json.loads(line) for line in text.splitlines()])


def read_cases(found: list[dict[str, Any]]) -> Facts:
    return {
        case["vm"]["name"]: pick_fields({**case, "action": case["recommendation"]["action"]}, case["mitigation"])
        for case in found
    }


def read_table(text: str) -> Facts:
    return {row["name"]: pick_fields(row, {"status": row["mitigation"]}) for row in csv.DictReader(io.StringIO(text))}


def read_suite(text: str) -> Facts:
    lines = (ET.fromstring(text).findtext("system-out") or "").splitlines()
    found = {}
    for line in lines:
        path, *told = line.split(" ")
        row = {key: "" if value == "-" else value for key, _, value in (each.partition("=") for each in told)}
        found[path.rpartition("/")[2]] = pick_fields(row, {"status": row["mitigation"]})
    return found


def read_metrics(text: str) -> Facts:
    (family,) = (each for each in text_string_to_metric_families(text) if each.name == "vmdiag_vm_verdict")
    return {
        sample.labels["name"]: pick_fields(sample.labels, {"status": sample.labels.get("mitigation", "")})
        for sample in family.samples
    }


def read_rows(text: str) -> Facts:
    words = {"still lost": "open"}
    return {
        row["vm"].rpartition("/")[2]: pick_fields(
            {**row, "verdict": row["verdict"].rpartition(" ")[2], "state": words.get(row["state"], row["state"])},
            {"status": row.get("mitigation", "")},
        )
        for row in read_page(text).rows
    }


def pick_fields(row: Mapping[str, Any], mitigation: dict[str, str] | None) -> dict[str, str]:
    return {name: str(row.get(name) or "") for name in FIELDS} | {"mitigation": (mitigation or {}).get("status", "")}


READERS: dict[str, Callable[[str], Facts]] = {
    "ndjson": read_lines, "csv": read_table, "junit": read_suite, "prometheus": read_metrics,
    "html": read_rows,
}  # fmt: skip


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("fleet", FLEETS)
def test_a_format_tells_of_every_vm_what_json_tells(form: str, fleet: str) -> None:
    report = cases.make_report(FLEETS[fleet])
    wanted = read_json(render_report("json", report))

    assert len(wanted) == len(report.cases)
    assert READERS[form](render_report(form, report)) == wanted


@pytest.mark.parametrize("fleet", FLEETS)
def test_a_test_case_fails_where_the_command_would(fleet: str) -> None:
    found = FLEETS[fleet]
    suite = ET.fromstring(render_report("junit", cases.make_report(found)))

    for case, element in zip(found, suite.iter("testcase"), strict=True):
        results = {child.tag for child in element}
        # A plan that was refused leaves the VM as it was.
        wanted = {0: set(), 3: {"error"}}.get(compute_exit_code(case), {"failure"})
        assert element.get("name") == case.vm.id.name
        assert results == wanted, case.vm.id.name
    assert int(suite.get("failures", "")) == len(list(suite.iter("failure")))
    assert int(suite.get("errors", "")) == len(list(suite.iter("error")))
    assert int(suite.get("tests", "")) == len(found)


@pytest.mark.parametrize("found", [cases.make_fleet(), [], [cases.make_hostile_case("".join(NASTY))]])
def test_the_suite_has_what_the_common_schema_asks_for(found: list[Case]) -> None:
    """Elements in their order and with their attributes, as `JUnit.xsd` for Apache Ant's tasks states them."""
    suite = ET.fromstring(render_report("junit", cases.make_report(found)))
    first, *tests, out, err = suite

    assert (suite.tag, first.tag, out.tag, err.tag) == ("testsuite", "properties", "system-out", "system-err")
    assert suite.keys() == ["name", "timestamp", "hostname", "tests", "failures", "errors", "time"]
    assert len(suite.get("timestamp", "")) == len("2026-03-02T10:00:00")
    assert all(each.tag == "property" and each.keys() == ["name", "value"] for each in first)
    for test in tests:
        assert test.tag == "testcase"
        assert test.keys() == ["name", "classname", "time"]
        assert all(child.tag in {"failure", "error"} and child.keys() == ["message", "type"] for child in test)
        assert len(test) <= 1


def test_metrics_with_hostile_names_are_read_by_prometheus_own_parser_and_name_no_series_twice() -> None:
    found = [cases.make_hostile_case(text) for text in NASTY]
    text = render_report("prometheus", cases.make_report(found))
    series = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]

    assert len(series) == len(set(series))
    assert text.endswith("\n")
    assert ("vmdiag_run_success", ()) in series
