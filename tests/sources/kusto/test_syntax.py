"""Every query that can be written is good KQL, by Microsoft's own parser: syntax, columns, types.

It is the npm package @kusto/language-service-next (`npm install --no-save @kusto/language-service-next`), which is not
needed for anything else: without it, or without Node, these tests are skipped.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.incidents.tables import GRAPH_COLUMNS, GRAPH_TABLES, LOG_COLUMNS
from vmdiag import plugins
from vmdiag.identity import Selector
from vmdiag.model import Kind, Needs, Window
from vmdiag.pipeline import combine_needs
from vmdiag.sources import kql, kusto
from vmdiag.sources.protocol import Scope, VmFilter

SCRIPT = Path(__file__).parent / "check_syntax.js"
END = datetime(2026, 3, 2, 8, 0, 0, 123456, UTC)
SPAN = Window(END - timedelta(days=17), END)
VM = "/subscriptions/s/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01"
HOSTILE = "it's \\ a 'name' | take 1 //"
SCOPES = (
    Scope(),
    Scope(everything=True),
    Scope(vms=(Selector(VM), Selector("web-01"), Selector("prod/web-*"))),
    Scope(vms=(Selector(HOSTILE),), groups=frozenset({"pr?d", HOSTILE})),
    Scope(groups=frozenset({"prod", "test*"}), subscriptions=frozenset({"s", "t"})),
)
FEW = Needs(triggers=frozenset({Kind.LIVE_MIGRATION}), margin=timedelta())
OTHER_TABLES = ("insightsresources", "servicehealthresources")
TABLES: Mapping[str, Mapping[str, str]] = {
    **LOG_COLUMNS,
    **dict.fromkeys((*GRAPH_TABLES, *OTHER_TABLES), GRAPH_COLUMNS),
}


def _check_queries(queries: Sequence[str]) -> list[list[str]]:
    """What Microsoft's parser has to say of each."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    asked = json.dumps({"tables": TABLES, "queries": queries})
    ran = subprocess.run([node, SCRIPT], input=asked, capture_output=True, text=True, check=False)
    if "Cannot find module" in ran.stderr:
        pytest.skip("@kusto/language-service-next is not installed")
    assert ran.stderr == ""
    found: list[list[str]] = json.loads(ran.stdout)
    return found


def test_microsofts_parser_finds_nothing_in_what_is_pushed_down() -> None:
    queries = [
        query
        for name in plugins.list_names(kusto)
        for scope in SCOPES
        for needs in (combine_needs(), FEW)
        for query in plugins.load(kusto, name).write_queries(scope, SPAN, needs).values()
    ]

    assert {problem for each in _check_queries(queries) for problem in each} == set()
    assert len(queries) == len(SCOPES) * 2 * (5 + 5 + 7)


def test_microsofts_parser_finds_nothing_in_what_a_live_reading_asks() -> None:
    who = VmFilter(ids=(VM,), names=("web-01", HOSTILE), groups=("prod", "t*"), patterns=(("prod", "web-?"),))
    about = (kql.machines, kql.passages, kql.regions, kql.workspaces)
    queries = [write(each) for write in about for each in (who, VmFilter())]
    queries += [kql.neighbours(who, 10), kql.maintenance(who), kql.health_changes(who, SPAN)]
    queries += [kql.heartbeats((VM, HOSTILE), SPAN), kql.test_results((VM, HOSTILE), SPAN), kql.connection_monitors()]
    queries.append(kql.finished_events())

    assert {problem for each in _check_queries(queries) for problem in each} == set()


def test_microsofts_parser_does_find_what_is_wrong() -> None:
    wrong = ("Heartbeat | where Nothing == 1", "Heartbeat | where TimeGenerated > 'x'", "AzureActivity | wherex 1", "T")

    assert all(_check_queries(wrong))
