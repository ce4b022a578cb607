"""Microsoft's own clients ask what vmdiag asks of the same server, and get the rows that vmdiag is given.

They are in the extra `peers`; each is skipped where it is not installed.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from tests.arm import ArmServer, World
from tests.arm.kusto_tables import KustoTables
from tests.incidents.tables import build_graph_tables, build_log_tables
from tests.live.test_push_down import stage_incidents
from vmdiag.arm.request import AzureSettings
from vmdiag.model import Window
from vmdiag.pipeline import combine_needs
from vmdiag.sources.kusto import adx, log_analytics, resource_graph
from vmdiag.sources.kusto._answer_reader import AnswerReader
from vmdiag.sources.kusto._kusto_source import KustoSource
from vmdiag.sources.protocol import Scope
from vmdiag.sources.store import ItemStore

Table = list[list[Any]]
INCIDENTS = ("traffic_lost_after_migration", "silent_agent", "user_stop")
DATABASE = "monitoring"


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    yield from _serve(monkeypatch, KustoTables(build_log_tables(stage_incidents(*INCIDENTS))))


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    yield from _serve(monkeypatch, KustoTables(build_graph_tables(stage_incidents(*INCIDENTS))))


def _serve(monkeypatch: pytest.MonkeyPatch, tables: KustoTables) -> Iterator[ArmServer]:
    with ArmServer(World.with_tables(tables)) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


@dataclass
class _Listener:
    stop: threading.Event = field(default_factory=threading.Event)

    def warn(self, text: str) -> None:
        raise AssertionError(text)

    def note(self, text: str) -> None: ...

    def progress(self, what: str, done: int, total: int | None) -> None: ...


def _read_by_vmdiag(source: Any, scope: Scope, span: Window) -> dict[str, Table]:
    """The queries of a source, and the rows that vmdiag reads in the answers."""
    assert isinstance(source, KustoSource)
    reader = AnswerReader(
        session=source.session,
        store=ItemStore(),
        watcher=_Listener(),
        build_request=lambda what, query: source.service.build_request(what, query, scope),
        list_member=source.service.list_member,
    )
    found: dict[str, Table] = {}
    for query in source.service.build_queries(scope, span, combine_needs()):
        (answered,) = reader.iterate_parts(query, span)
        assert answered.lack is None
        found[query.write(span)] = [_convert_row(row.values()) for row in answered.rows if isinstance(row, dict)]
    assert reader.failures == {}
    return found


def _convert_row(row: Iterable[Any]) -> list[Any]:
    """Cells whichever client gave them: times as such, dynamic values unpacked."""
    return [_convert_cell(cell) for cell in row]


def _convert_cell(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC)
    if isinstance(cell, list):
        return [_convert_cell(each) for each in cell]
    if not isinstance(cell, str):
        return cell
    if cell[:1] in ("[", "{"):
        return _convert_cell(json.loads(cell))
    try:
        return datetime.fromisoformat(cell).astimezone(UTC) if cell[4:5] == "-" and cell[10:11] == "T" else cell
    except ValueError:
        return cell


def _sort(rows: Table) -> list[str]:
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def _open_source(kind: ModuleType, address: str, arm: ArmServer) -> Any:
    access = AzureSettings(cloud=arm.url, authority=arm.url, credential="environment", ca_bundle=str(arm.ca_bundle))
    return kind.connect(address, _Listener(), lambda: access, lambda: datetime.now(UTC))


def _list_span() -> Window:
    until = stage_incidents(*INCIDENTS)[0].until
    return Window(until - timedelta(days=17), until)


def test_azure_monitor_query_gets_the_same_rows_of_a_workspace(logs: ArmServer) -> None:
    query = pytest.importorskip("azure.monitor.query")
    identity = pytest.importorskip("azure.identity")
    found = _read_by_vmdiag(_open_source(log_analytics, logs.world.workspace, logs), Scope(), _list_span())
    endpoint = logs.url.replace("localhost", "127.0.0.1")
    with (
        identity.EnvironmentCredential(disable_instance_discovery=True) as credential,
        query.LogsQueryClient(credential, endpoint=endpoint, audience=endpoint) as client,
    ):
        for text, rows in found.items():
            answer = client.query_workspace(logs.world.workspace, text, timespan=None)
            assert answer.status == query.LogsQueryStatus.SUCCESS
            assert _sort(rows) == _sort([_convert_row(row) for row in answer.tables[0].rows])
    assert sum(map(len, found.values())) > 10


def test_azure_kusto_data_gets_the_same_rows_of_a_database(logs: ArmServer) -> None:
    data = pytest.importorskip("azure.kusto.data")
    identity = pytest.importorskip("azure.identity")
    cluster = logs.url.replace("localhost", "127.0.0.1")
    found = _read_by_vmdiag(_open_source(adx, f"{cluster}/{DATABASE}", logs), Scope(), _list_span())
    with identity.EnvironmentCredential(disable_instance_discovery=True) as credential:
        how = data.KustoConnectionStringBuilder.with_azure_token_credential(cluster, credential)
        with data.KustoClient(how) as client:
            for text, rows in found.items():
                answer = client.execute_query(DATABASE, text)
                table = answer.primary_results[0]
                assert _sort(rows) == _sort([_convert_row(row) for row in table.raw_rows])
    assert sum(map(len, found.values())) > 10


def test_azure_mgmt_resourcegraph_gets_the_same_rows(graph: ArmServer) -> None:
    resourcegraph = pytest.importorskip("azure.mgmt.resourcegraph")
    models = pytest.importorskip("azure.mgmt.resourcegraph.models")
    identity = pytest.importorskip("azure.identity")
    found = _read_by_vmdiag(_open_source(resource_graph, "", graph), Scope(), _list_span())
    with identity.EnvironmentCredential(disable_instance_discovery=True) as credential:
        scopes = [f"{graph.url}/.default"]
        with resourcegraph.ResourceGraphClient(credential, base_url=graph.url, credential_scopes=scopes) as client:
            for text, rows in found.items():
                options = models.QueryRequestOptions(top=1_000)
                answer = client.resources(models.QueryRequest(query=text, options=options))
                assert _sort(rows) == _sort([_convert_row(row.values()) for row in answer.data])
    assert sum(map(len, found.values())) > 10
