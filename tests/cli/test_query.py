"""`vmdiag query`: what is printed is what is sent, and whoever prints it signs in nowhere."""

import pytest

from tests.arm import World
from tests.arm.kusto_tables import KustoTables
from tests.conftest import Runner
from tests.incidents.tables import build_graph_tables, build_log_tables
from tests.live.conftest import AzureStarter, azure  # noqa: F401 - a fixture
from tests.live.test_push_down import name_source, stage_incidents

WINDOW = ("--since", "2026-03-01T08:00Z", "--until", "2026-03-02T08:00Z")


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("log-analytics", ("web-01", "prod/web-*")),
        ("log-analytics", ("-g", "prod", "-g", "test*")),
        ("adx", ()),
        ("resource-graph", ("--all", "--subscription", "11111111-2222-3333-4444-555555555555")),
    ],
)
def test_what_is_printed_is_what_is_sent(
    azure: AzureStarter,  # noqa: F811 - the fixture
    kind: str,
    scope: tuple[str, ...],
) -> None:
    build = build_graph_tables if kind == "resource-graph" else build_log_tables
    tables = KustoTables(build(stage_incidents("quiet_vm")))
    served = azure(World.with_tables(tables))
    printed = served.runner("query", kind, *scope, *WINDOW)
    served.run_command("check", *scope, "--source", name_source(kind, served), *WINDOW)

    blocks = printed.out.rstrip("\n").split("\n\n")
    assert (printed.code, printed.err) == (0, "")
    assert all(block.startswith("// ") for block in blocks)
    assert [block.partition("\n")[2] for block in blocks] == tables.queries


def test_an_address_behind_the_source_changes_nothing_and_needs_no_account(vmdiag: Runner) -> None:
    plain = vmdiag("query", "adx", "web-01", *WINDOW)
    named = vmdiag("query", "adx:https://nowhere.example/db", "web-01", *WINDOW)

    assert plain.code == 0
    assert plain.out == named.out
    assert "'web-01'" in plain.out


@pytest.mark.parametrize("source", ["azure", "archive:x", "kusto", "_log-queries"])
def test_a_source_that_is_not_asked_in_kql_is_a_usage_error(vmdiag: Runner, source: str) -> None:
    ran = vmdiag("query", source)

    assert ran.code == 2
    assert "adx, log-analytics, resource-graph" in ran.err


@pytest.mark.parametrize(
    ("source", "option"),
    [
        ("log-analytics:7a1b2c3d-5555-4666-a777-888899990000", ("--utc-offset", "Z")),
        ("resource-graph", ("--exact-scan",)),
        ("adx:https://c.kusto.windows.net/db", ("--probe", "22")),
        ("resource-graph", ("--workspace", "7a1b2c3d-5555-4666-a777-888899990000")),
        ("log-analytics:production", ()),
        ("adx:https://c.kusto.windows.net", ()),
        ("adx:http://c.kusto.windows.net/db", ()),
        ("adx:c/db", ()),
    ],
)
def test_what_makes_no_sense_of_a_source_is_said_before_anything_is_asked(
    vmdiag: Runner, source: str, option: tuple[str, ...]
) -> None:
    ran = vmdiag("check", "--all", "--source", source, *option)

    assert (ran.code, ran.out) == (2, "")
