"""What `--source` may be."""

from pathlib import Path

import pytest

from vmdiag.cli.source_options import parse_address
from vmdiag.errors import UsageError


@pytest.mark.parametrize("address", ["-", "logs/*.json", "./azure", "C:\\logs", "activity.json", "/logs/x:y"])
def test_a_path_needs_no_scheme(address: str) -> None:
    assert parse_address(address) == ("archive", address)


def test_archive_says_that_a_path_follows() -> None:
    assert parse_address("archive:azure") == ("archive", "azure")


def test_a_path_that_exists_is_a_path_whatever_it_is_called(tmp_path: Path) -> None:
    assert parse_address(str(tmp_path)) == ("archive", str(tmp_path))


@pytest.mark.parametrize("address", ["adx:https://x/y", "resource-graph", "log-analytics:1", "archive:", "archive"])
def test_an_unknown_source_is_a_usage_error_that_lists_what_works(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(address)

    assert "archive:" in caught.value.hint


def test_live_azure_has_no_address_of_its_own() -> None:
    assert parse_address("azure") == ("azure", "")
    with pytest.raises(UsageError, match="neither a path"):
        parse_address("azure:westeurope")
