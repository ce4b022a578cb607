"""What `--source` may be."""

import os
from pathlib import Path

import pytest

from vmdiag.cli.source_options import AzureOptions, parse_address
from vmdiag.errors import UsageError
from vmdiag.sources.files.input_files import find_files

HERE = str(Path(__file__).parent)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        *((path, ("archive", path)) for path in ("-", "logs/*.json", "./azure", "C:\\logs", "/logs/x:y", HERE)),
        ("archive:azure", ("archive", "azure")),
        ("azure", ("azure", "")),
        ("resource-graph", ("resource-graph", "")),
        ("log-analytics:1", ("log-analytics", "1")),
        ("adx:https://x/y", ("adx", "https://x/y")),
    ],
)
def test_a_source_is_named_and_a_path_needs_no_scheme(address: str, found: tuple[str, str]) -> None:
    assert parse_address(address) == found


@pytest.mark.parametrize(
    "address", ["adx", "log-analytics:", "resource-graph:", "kusto:x", "archive:", "archive", "azure:westeurope"]
)
def test_an_unknown_source_is_a_usage_error_that_lists_what_works(address: str) -> None:
    with pytest.raises(UsageError, match="neither a path") as caught:
        parse_address(address)

    assert "archive:" in caught.value.hint


def test_a_pipe_that_others_may_write_into_is_no_archive_and_one_that_the_shell_hands_over_is(tmp_path: Path) -> None:
    named = tmp_path / "pipe"
    os.mkfifo(named)
    (tmp_path / "page").touch()
    ends = os.pipe()
    for address, kind in ((str(named), "a named pipe"), ("/dev/null", "a device")):
        with pytest.raises(UsageError, match=f"is {kind}, not a file"):
            list(find_files(address))

    assert [file.name for file in find_files(f"{tmp_path}/p*")] == [str(tmp_path / "page")]
    assert [file.name for file in find_files(f"/dev/fd/{ends[0]}")] == [f"/dev/fd/{ends[0]}"]
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("cloud", ["mars", "publik", "http://arm.example.com", "https://arm.example.com/path", ""])
def test_a_cloud_that_is_none_is_a_usage_error_whatever_is_read(cloud: str) -> None:
    with pytest.raises(UsageError, match="neither a cloud's name nor"):
        AzureOptions(cloud=cloud)

    assert AzureOptions(cloud=" USGovernment ").cloud
