"""JSON and NDJSON: the contract's keys, the schema, streaming."""

import io
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.renderers import cases, redeploy_cases
from tests.renderers.gallery import list_scenes, render_report
from tests.timeline_builders import make_case
from vmdiag.case_report import describe_case, read_case
from vmdiag.diagnosis.model import Case, Finding, Verdict
from vmdiag.mitigation import Status
from vmdiag.model import Signal
from vmdiag.renderers import ndjson
from vmdiag.report import dump_json, make_schema
from vmdiag.values import replace

SCHEMA = make_schema()
CASE = {**SCHEMA, "$ref": "#/$defs/case"}


def document(found: list[Case], **more: Any) -> Any:
    """The report, read again."""
    return json.loads(render_report("json", cases.make_report(found, **more)))


def test_the_schema_is_one_and_knows_every_signal() -> None:
    definitions: Any = SCHEMA["$defs"]

    Draft202012Validator.check_schema(SCHEMA)
    assert set(definitions["signal"]["enum"]) == set(Signal)


@pytest.mark.parametrize("found", [pytest.param(found, id=name) for name, found in list_scenes()])
def test_every_report_fits_the_schema_and_every_line_is_one_of_its_cases(found: list[Case]) -> None:
    told = document(found)
    Draft202012Validator(SCHEMA).validate(told)

    assert [json.loads(line) for line in render_report("ndjson", cases.make_report(found)).splitlines()] == told[
        "cases"
    ]


def test_no_key_is_written_that_the_schema_does_not_name() -> None:
    told = document([cases.make_confirmed_case()], gaps=cases.make_confirmed_case().gaps)
    definitions: Any = SCHEMA["$defs"]
    case = told["cases"][0]

    assert told.keys() == SCHEMA["properties"].keys()  # type: ignore[attr-defined]
    for name, part in {
        "case": case,
        "vm": case["vm"],
        "finding": case["findings"][0],
        "evidence": case["findings"][0]["evidence"][0],
        "loss": case["losses"][0],
        "channel": case["losses"][0]["channels"][0],
        "gap": told["gaps"][0],
        "event": case["events"][0],
        "curve": case["curve"],
        "recommendation": case["recommendation"],
    }.items():
        assert part.keys() == definitions[name]["properties"].keys(), name


def test_the_head_is_the_contracts() -> None:
    told = document(cases.make_fleet(), others=412)

    assert told["schema"] == "vmdiag.report/1"
    assert [case["vm"]["name"] for case in told["cases"]] == [case.vm.id.name for case in cases.make_fleet()]
    assert told["window"] == {"from": "2026-02-16T10:00:00Z", "to": "2026-03-02T10:00:00Z"}
    assert told["summary"] == {
        "vms": 6, "confirmed": 3, "suspected": 1, "inconclusive": 1, "clear": 1, "others": 412,
        "others_by": {"clear": 412, "migrated_or_lost": 0, "inconclusive": 0, "not_judged": 0},
        "redeploys": dict.fromkeys(Status, 0),
    }  # fmt: skip
    assert document(redeploy_cases.make_redeployed_fleet())["summary"]["redeploys"] == dict.fromkeys(Status, 0) | {
        "refused": 3, "succeeded": 2, "planned": 1
    }  # fmt: skip


@pytest.mark.parametrize("name", cases.CASE_BUILDERS | redeploy_cases.CASE_BUILDERS)
def test_a_case_is_read_back_as_it_was_told(name: str) -> None:
    told = dump_json(describe_case((cases.CASE_BUILDERS | redeploy_cases.CASE_BUILDERS)[name]()))

    assert dump_json(describe_case(read_case(told))) == told


def test_from_where_a_vm_was_cut_off_is_read_back_and_unknown_in_a_report_that_does_not_say() -> None:
    case = make_case("12:00 live-migration\n12:03 outside-lost\ninside normal")
    told = json.loads(dump_json(describe_case(case)))
    (loss,) = told["losses"]

    assert read_case(dump_json(told)).diagnosis.losses[0].scope == loss["scope"] == "outside"
    del loss["scope"]
    assert read_case(dump_json(told)).diagnosis.losses[0].scope == "unknown"


def test_of_the_other_scenarios_those_are_told_that_found_something() -> None:
    case = cases.make_clear_case()
    silent = Finding(scenario="guest-crash", verdict=Verdict.CLEAR)
    doubtful = Finding(scenario="host-failure", verdict=Verdict.INCONCLUSIVE)
    findings = (silent, doubtful, replace(case.diagnosis.finding, evidence=()))
    case = replace(case, diagnosis=replace(case.diagnosis, finding=findings[-1], findings=findings))
    told = json.loads(dump_json(describe_case(case)))

    assert [one["scenario"] for one in told["findings"]] == ["host-failure", "live-migration-datapath"]
    assert read_case(dump_json(told)).diagnosis.finding == findings[-1]


def test_a_confirmed_case_carries_scenario_and_code_and_a_clear_one_does_not() -> None:
    flagged, clear = document([cases.make_confirmed_case(), cases.make_clear_case()])["cases"]

    assert flagged["scenario"] == "live-migration-datapath"
    assert flagged["code"] == "NetworkDatapathLiveMigrationSerializationError"
    assert clear["scenario"] is clear["code"] is None
    assert clear["explanation"] == "user-stop"
    # The code is found where the case does not bring its scenario, too.
    assert describe_case(replace(cases.make_confirmed_case(), scenario=None)).code == flagged["code"]


def test_evidence_is_for_then_against_then_missing_each_in_order_of_time() -> None:
    evidence = document([cases.make_confirmed_case()])["cases"][0]["findings"][0]["evidence"]

    assert [one["stance"] for one in evidence] == ["for", "for", "for", "against", "missing"]
    assert [one["signal"] for one in evidence][:3] == ["health", "traffic", "heartbeat"]


def test_a_reading_that_is_no_number_is_null() -> None:
    case = cases.make_confirmed_case()
    broken = replace(cases.make_curve(), values=(float("nan"), float("inf"), *cases.make_curve().values[2:]))
    told = document([replace(case, curve=broken)])

    Draft202012Validator(SCHEMA).validate(told)
    assert [value for _, value in told["cases"][0]["curve"]["points"][:2]] == [None, None]


def test_a_cloud_without_the_scenario_is_noted_once() -> None:
    assert document(cases.make_fleet())["notes"] == []
    assert len(document(cases.make_fleet(), cloud="china")["notes"]) == 1
    assert document(cases.make_fleet(), cloud="https://management.example.net")["notes"] == []


def test_each_line_is_out_before_the_next_case_is_asked_for() -> None:
    flushed: list[str] = []

    class Pipe(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    lines = ndjson.open_report(cases.make_report([]).header, Pipe())
    for number, case in enumerate(cases.make_fleet(), 1):
        lines.add_case(case)

        assert len(flushed) == flushed[-1].count("\n") == number
