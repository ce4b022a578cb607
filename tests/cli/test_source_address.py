"""What `--source` may be."""

from pathlib import Path

import pytest

from vmdiag.cli.source_options import parse_address
from vmdiag.errors import UsageError

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
