"""Tables that answer KQL, whichever service is asked: run by duckdb-kql on DuckDB; must not know HTTP or a service."""

import json
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.incidents.wire.plain import Json, format_time

Columns = Mapping[str, str]
"""Names of columns, and Kusto's types of them."""
Row = Mapping[str, Json]

_DUCKDB_TYPES = {"string": "VARCHAR", "datetime": "TIMESTAMP", "dynamic": "JSON", "real": "DOUBLE", "int": "INTEGER"}
_KUSTO_TYPES = {kind: name for name, kind in _DUCKDB_TYPES.items()} | {"BIGINT": "long"}


class QueryError(Exception):
    """The query is wrong, names what is not there, or is more than duckdb-kql knows."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns with Kusto's types, and rows; dynamic values are plain ones, times as Kusto writes them."""

    columns: Columns
    rows: list[list[Json]]


class KustoTables:
    """Some tables, each with its columns; missing cells are empty texts, and nulls of any other type."""

    def __init__(self, tables: Mapping[str, tuple[Columns, Iterable[Row]]]) -> None:
        import duckdb_kql

        self._lock = threading.Lock()
        self._database = duckdb_kql.connect()
        self.queries: list[str] = []
        self.rest_url = ""
        for name, (columns, rows) in tables.items():
            self._create_table(name, columns, rows)

    def run_query(self, query: str) -> QueryResult:
        """What a query gives; raises `QueryError`."""
        import duckdb
        import duckdb_kql

        with self._lock:
            self.queries.append(query)
            try:
                found = duckdb_kql.kql(self._database, query)
                names = dict(zip(found.columns, map(str, found.types), strict=True))
                rows = found.fetchall()
            except (duckdb_kql.KqlError, duckdb.Error) as error:
                raise QueryError(str(error)) from error
        kinds = {name: _KUSTO_TYPES.get(kind, "dynamic") for name, kind in names.items()}
        return QueryResult(kinds, [list(_convert_row(row, kinds.values())) for row in rows])

    @contextmanager
    def open_rest_server(self) -> Iterator[None]:
        """Let duckdb-kql's own server, which speaks Kusto's REST protocol, answer for the database `memory`."""
        from duckdb_kql.server import KustoRestServer

        with KustoRestServer(self._database, port=0, quiet=True) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.rest_url = server.url
            try:
                yield
            finally:
                self.rest_url = ""
                server.shutdown()

    def _create_table(self, name: str, columns: Columns, rows: Iterable[Row]) -> None:
        """By a file: DuckDB reads one a hundred times as fast as it takes rows one by one."""
        listed = ", ".join(f'"{column}" {_DUCKDB_TYPES[kind]}' for column, kind in columns.items())
        self._database.execute(f'create table "{name}" ({listed})')
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.json"
            lines = [
                json.dumps({column: _store_cell(row.get(column), columns[column]) for column in columns})
                for row in rows
            ]
            if lines:
                path.write_text("\n".join(lines), encoding="utf-8")
                types = ", ".join(f"'{column}': '{_DUCKDB_TYPES[kind]}'" for column, kind in columns.items())
                self._database.execute(
                    f"insert into \"{name}\" select * from read_json('{path}', format='newline_delimited',"  # noqa: S608 - ours
                    f" columns={{{types}}}, maximum_object_size=100000000)"
                )


def _store_cell(value: Json, kind: str) -> Any:
    if value is None:
        return "" if kind == "string" else None
    if kind == "datetime":
        return str(value)[:26].rstrip("Z").replace("T", " ")
    if kind == "dynamic" and isinstance(value, str):
        return json.loads(value)
    return value


def _convert_row(row: tuple[Any, ...], kinds: Iterable[str]) -> Iterator[Json]:
    return (_convert_cell(value, is_dynamic=kind == "dynamic") for value, kind in zip(row, kinds, strict=True))


def _convert_cell(value: Any, *, is_dynamic: bool) -> Json:
    if isinstance(value, datetime):
        return format_time(value.replace(tzinfo=UTC), 7)
    if isinstance(value, list):
        return [_convert_cell(each, is_dynamic=True) for each in value]
    if is_dynamic and isinstance(value, str):
        # What is no JSON is a text within a dynamic value.
        with suppress(ValueError):
            return _convert_cell(json.loads(value), is_dynamic=False)
    cell: Json = value
    return cell
