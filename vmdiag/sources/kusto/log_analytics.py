"""A Log Analytics workspace as a source: `log-analytics:WORKSPACE_ID`.

Source: "Azure Monitor Log Analytics API: Query" (`POST /v1/workspaces/{workspace}/query`). Whether a migrated VM lost
its network is told by `AzureMetrics` and `Heartbeat`, where they are collected; what is not collected is a gap.
"""

import re
from collections.abc import Callable
from datetime import datetime

from vmdiag.arm.request import AzureSettings, Endpoint, Request
from vmdiag.errors import UsageError
from vmdiag.sources.kusto._log_queries import MEASURED, build_log_queries, write_queries
from vmdiag.sources.protocol import Scope, Source, Watcher

__all__ = ["connect", "write_queries"]

WORKSPACE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
PERMISSION = "Microsoft.OperationalInsights/workspaces/query/read"
# A query may take three minutes, unless another time is asked for ("Azure Monitor Log Analytics API timeouts").
PATIENCE = 190.0


def connect(
    address: str, watcher: Watcher, build_access: Callable[[], AzureSettings], clock: Callable[[], datetime]
) -> Source:
    """The source that asks the workspace of this id."""
    from vmdiag.arm.session import Session
    from vmdiag.sources.kusto._kusto_source import KustoSource, QueryService

    if not WORKSPACE_ID.fullmatch(address.strip()):
        message = f"--source log-analytics:{address[:80]} names no workspace"
        raise UsageError(message, "Give the GUID that its overview shows as 'Workspace ID'.")
    workspace = address.strip().lower()

    def build_request(what: str, query: str, _: Scope) -> Request:
        return Request(
            description=what,
            service="logs",
            path=f"/v1/workspaces/{workspace}/query",
            permission=PERMISSION,
            body={"query": query},
            endpoint=Endpoint.LOGS,
            patience=PATIENCE,
        )

    service = QueryService(
        where="in the workspace",
        list_member="tables",
        build_request=build_request,
        build_queries=build_log_queries,
        measured=MEASURED,
    )
    return KustoSource(service, Session(build_access(), clock, watcher.stop), watcher)
