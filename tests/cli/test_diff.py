"""Two reports compared: only what is affected now and was not before is news that fails a script."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import Runner
from tests.renderers import cases
from tests.renderers.gallery import render_report
from vmdiag.case_report import NotACaseError, read_report
from vmdiag.changes import Change, Difference
from vmdiag.diagnosis.model import Case
from vmdiag.report import make_schema

AFFECTED, SUSPECTED = cases.make_confirmed_case, cases.make_suspected_case
RECOVERED, CLEAR, UNCLEAR = cases.make_recovered_case, cases.make_clear_case, cases.make_inconclusive_case


def rename_case(case: Case, name: str = "vm-1") -> Case:
    from vmdiag.values import replace

    return replace(case, vm=cases.make_machine(name))


def write_report(path: Path, found: list[Case], form: str = "json") -> Path:
    path.write_text(render_report(form, cases.make_report(found)))
    return path


def compare(vmdiag: Runner, old: Path, new: Path) -> tuple[int, dict[str, Any]]:
    ran = vmdiag("diff", str(old), str(new), "-o", "json")
    return ran.code, json.loads(ran.out)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (AFFECTED, AFFECTED, None),
        (CLEAR, CLEAR, None),
        # It cannot be told any more: that is no recovery.
        (AFFECTED, UNCLEAR, "changed"),
        # The VM was stopped since: it is down for another reason.
        (AFFECTED, CLEAR, "changed"),
        (AFFECTED, SUSPECTED, "changed"),
        (AFFECTED, RECOVERED, "recovered"),
        (RECOVERED, AFFECTED, "affected"),
        (UNCLEAR, SUSPECTED, "affected"),
        (None, AFFECTED, "affected"),
        (None, RECOVERED, "appeared"),
        (AFFECTED, None, "disappeared"),
    ],
)  # fmt: skip
def test_a_vm_is_newly_affected_or_recovered_only_where_both_reports_bear_it_out(
    vmdiag: Runner, tmp_path: Path, before: Any, after: Any, kind: str | None
) -> None:
    other = rename_case(cases.make_recovered_case(), "other")
    old = write_report(tmp_path / "old", [other, *([rename_case(before())] if before else [])])
    new = write_report(tmp_path / "new", [*([rename_case(after())] if after else []), other], "ndjson")

    ended, told = compare(vmdiag, old, new)

    assert ended == int(kind == "affected")
    assert [change["change"] for change in told["changes"]] == ([kind] if kind else [])
    assert told["summary"]["unchanged"] == (1 if kind else 2)
    jsonschema.validate(told, make_schema(Difference, "difference"))


def test_each_form_tells_the_same_changes_and_a_line_fits_its_schema(vmdiag: Runner, tmp_path: Path) -> None:
    old = write_report(tmp_path / "old", cases.make_fleet())
    new = write_report(
        tmp_path / "new", [rename_case(case, f"vm-{number}") for number, case in enumerate(cases.make_fleet())]
    )
    told = compare(vmdiag, old, new)[1]
    lines = [json.loads(line) for line in vmdiag("diff", str(old), str(new), "-o", "ndjson").out.splitlines()]
    text = vmdiag("diff", str(old), str(new)).out

    assert lines == told["changes"]
    assert len(lines) == 12
    for line in lines:
        jsonschema.validate(line, make_schema(Change, "change"))
        assert f"{line['vm']['resource_group']}/{line['vm']['name']}: " in text
    assert text.startswith("Newly affected (3)\n")
    assert text.endswith("\n0 VMs stand as before.\n")


def test_a_report_that_was_cut_leaves_what_it_holds_and_ends_with_four(vmdiag: Runner, tmp_path: Path) -> None:
    found = [rename_case(cases.make_recovered_case(), name) for name in ("vm-1", "vm-2")]
    old = write_report(tmp_path / "old", found)
    new = write_report(tmp_path / "new", found, "ndjson")
    new.write_bytes(new.read_bytes()[:-200])

    ran = vmdiag("diff", str(old), str(new))

    assert ran.code == 4
    assert "case 2 cannot be read" in ran.err
    assert "1 VM stands as before" in ran.out


def test_windows_redirection_and_standard_input_are_read(tmp_path: Path) -> None:
    old = write_report(tmp_path / "old", [rename_case(cases.make_recovered_case())])
    old.write_bytes(old.read_text().encode("utf-16"))
    new = render_report("ndjson", cases.make_report([rename_case(cases.make_confirmed_case())]))

    ran = subprocess.run(
        [sys.executable, "-m", "vmdiag", "diff", str(old), "-"], input=new, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize("content", ["", "not a report\n" * 400, '{"schema": "other", "cases": []}', "[]"])
def test_what_is_no_report_is_an_error_and_never_a_clean_difference(
    vmdiag: Runner, tmp_path: Path, content: str
) -> None:
    write_report(tmp_path / "old", [rename_case(cases.make_confirmed_case())])
    (tmp_path / "new").write_text(content)

    for names in (("old", "new"), ("new", "old"), ("old", "none")):
        ran = vmdiag("diff", *(str(tmp_path / name) for name in names))

        assert ran.code == 4
        assert ran.out == ""
        assert "hint: Give two files" in ran.err
        assert len(ran.err.splitlines()) == 2


def test_half_a_case_may_be_all_that_a_killed_run_left_and_another_record_is_no_report() -> None:
    line = render_report("ndjson", cases.make_report([AFFECTED()]))

    assert read_report(line[:700].encode()) == ([], ["1"])
    assert read_report(f"{line}{line[:700]}\n{line}{{}}".encode())[1] == ["2", "4"]
    for content in ('{"schema": "vmdiag.transcript/1"}\n', line[:700] + "\n" + line[:700], "[\n{}\n]"):
        with pytest.raises(NotACaseError):
            read_report(content.encode())
