"""A database of Azure Data Explorer as a source, `adx:CLUSTER_URL/DATABASE`: a workspace's tables, exported into it.

Source: "Azure Data Explorer: Query V2 HTTP request" (`POST /v2/rest/query`), "Data export in Azure Monitor" (the tables
keep their columns). What the database does not hold is a gap.
"""

from collections.abc import Callable
from datetime import datetime

from vmdiag.arm.clouds import parse_cluster
from vmdiag.arm.request import AzureSettings, Endpoint, Request
from vmdiag.errors import UsageError
from vmdiag.sources.kusto._log_queries import MEASURED, build_log_queries, write_queries
from vmdiag.sources.protocol import Scope, Source, Watcher
from vmdiag.values import replace

__all__ = ["connect", "write_queries"]

SERVER_TIMEOUT = "00:03:00"
PATIENCE = 190.0
HINT = "The cluster's administrator grants it: .add database DATABASE viewers ('aadapp=...' or 'aaduser=...')."


def connect(
    address: str, watcher: Watcher, build_access: Callable[[], AzureSettings], clock: Callable[[], datetime]
) -> Source:
    """The source that asks a database of a cluster."""
    from vmdiag.arm.session import Session
    from vmdiag.sources.kusto._kusto_source import KustoSource, QueryService

    url, slash, database = address.strip().rstrip("/").rpartition("/")
    if not slash or url.endswith("/") or not database:
        message = f"--source adx:{address[:200]} names no database of a cluster"
        raise UsageError(message, "Give adx:https://CLUSTER.REGION.kusto.windows.net/DATABASE.")
    cluster = parse_cluster(url)

    def build_request(what: str, query: str, _: Scope) -> Request:
        # Whatever a query says, it changes nothing then.
        options = {"servertimeout": SERVER_TIMEOUT, "request_readonly": True}
        return Request(
            description=what,
            service="kusto",
            path="/v2/rest/query",
            permission=f"the role Viewer of the database {database[:100]}",
            body={"db": database, "csl": query, "properties": {"Options": options}},
            endpoint=Endpoint.CLUSTER,
            patience=PATIENCE,
            hint=HINT,
        )

    service = QueryService(
        where="in the database",
        list_member="",
        build_request=build_request,
        build_queries=build_log_queries,
        measured=MEASURED,
    )
    return KustoSource(service, Session(replace(build_access(), cluster=cluster), clock, watcher.stop), watcher)
