"""Lists of VMs as files, in the forms in which the Azure CLI and PowerShell write them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import story
from tests.conftest import Runner
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.errors import UsageError

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
IDS = [story.make_vm_id("web-01"), story.make_vm_id("web-02")]
SHOWN = [{"id": one, "name": one.rpartition("/")[2], "resourceGroup": "prod", "tags": None} for one in IDS]


def names(folder: Path, content: str | bytes, *, allow_empty: bool = False) -> list[str]:
    file = folder / "vms"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    scope = replace(ScopeOptions(), vms_from=str(file), allow_empty=allow_empty).build_scope(NOW)
    return [selector.text for selector in scope.vms]


@pytest.mark.parametrize(
    "listed",
    [
        IDS,  # az vm list --query '[].id'
        SHOWN,  # az vm list
        [{"Id": one} for one in IDS],  # Get-AzVM | ConvertTo-Json
        {"value": SHOWN},  # REST
        {"count": 2, "data": SHOWN, "skip_token": None, "total_records": 2},  # az graph query
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_lists_are_read_in_every_form_and_encoding(tmp_path: Path, listed: Any, encoding: str) -> None:
    assert names(tmp_path, json.dumps(listed, indent=2).encode(encoding)) == IDS


def test_json_may_be_powershells_object_of_one_vm_and_have_comments_around(tmp_path: Path) -> None:
    assert names(tmp_path, json.dumps({"Id": IDS[0], "Name": "web-01"})) == IDS[:1]
    assert names(tmp_path, f"# tonight\n\n{json.dumps(IDS, indent=1)}\n\n# end\n") == IDS


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_lines_may_be_utf_16_with_a_mark(tmp_path: Path, mark: str, encoding: str) -> None:
    content = f"{mark}# tonight\r\nweb-01\r\n\r\nprod/web-02 # the noisy one\r\n".encode(encoding)
    if encoding != "utf-8" and not mark:
        with pytest.raises(UsageError, match="byte order mark"):
            names(tmp_path, content)
    else:
        assert names(tmp_path, content) == ["web-01", "prod/web-02"]


@pytest.mark.parametrize(
    "more",
    [
        {"nextLink": "https://management.azure.com/next"},
        {"skip_token": "abc"},
        {"$skipToken": "abc"},
        {"total_records": 3},
        {"totalRecords": 1000},
    ],
)
def test_a_list_that_is_not_whole_is_not_taken_for_whole(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="not whole"):
        names(tmp_path, json.dumps({"data": SHOWN, **more}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "none"),
        ('["web-01"', "none"),
        ('{"name": "web-01"}', "element 1"),
        (json.dumps([IDS[0], None]), "element 2"),
        (json.dumps([IDS[0], {"name": "web-02"}]), "element 2"),
        (json.dumps([IDS[0], {"id": 7}]), "element 2"),
        (json.dumps(["/subscriptions/1/resourceGroups/2"]), "does not name a VM"),
        ("[" * 100_000, "none"),
        ("[]", "empty"),
        ('{"value": []}', "empty"),
        ("\n# nothing\n", "empty"),
    ],
)
def test_what_is_no_list_is_a_usage_error(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        names(tmp_path, content)


@pytest.mark.parametrize("content", ["[]", "", "# none\n", '{"value": []}'])
def test_an_empty_list_may_be_meant(tmp_path: Path, content: str) -> None:
    file = tmp_path / "vms"
    file.write_text(content)
    scope = replace(ScopeOptions(), vms_from=str(file), allow_empty=True).build_scope(NOW)

    assert (scope.vms, scope.lists_none) == ((), True)


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:#\n idx/', max_size=60).map(str.encode))
def test_no_content_is_a_defect(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        found = names(folder, content, allow_empty=True)
    except UsageError:
        return
    assert all(found)


def test_a_json_list_comes_from_standard_input(vmdiag: Runner, tmp_path: Path) -> None:
    log = story.write_log(tmp_path, [*story.make_affected_log("web-01"), *story.make_affected_log("web-03")])
    ran = vmdiag("check", "-", "--source", log, "-o", "json", given=json.dumps(SHOWN))
    found = {case["vm"]["name"]: case for case in json.loads(ran.out)["cases"]}

    assert list(found) == ["web-01", "web-02"]
    assert "no such VM" in found["web-02"]["gaps"][0]["reason"]
