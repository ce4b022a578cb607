"""Resource Graph as a source: `resource-graph`, fourteen days of health and changes over all subscriptions.

Source: "REST API: Resource Graph - Resources". It has no traffic and no heartbeats: a migration with a loss that health
shows is suspected, and without one nothing can be told of the network.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from vmdiag.arm.request import AzureSettings, Request
from vmdiag.errors import UsageError
from vmdiag.model import Needs, Window
from vmdiag.sources.protocol import Scope, Source, Watcher

PERMISSION = "Microsoft.ResourceGraph/resources/read"
PAGE_SIZE = 1_000
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def write_queries(scope: Scope, span: Window, needs: Needs) -> Mapping[str, str]:
    """The queries over a span, by what they read."""
    from vmdiag.sources.kusto._graph_queries import build_graph_queries

    return {query.table: query.write(span) for query in build_graph_queries(scope, span, needs)}


def connect(
    address: str, watcher: Watcher, build_access: Callable[[], AzureSettings], clock: Callable[[], datetime]
) -> Source:
    """The source that asks Resource Graph; it has no address of its own: the cloud is in the settings."""
    from vmdiag.arm.session import Session
    from vmdiag.sources.kusto._graph_queries import build_graph_queries
    from vmdiag.sources.kusto._kusto_source import KustoSource, QueryService

    if address:
        message = f"--source resource-graph takes no address, and {address[:80]!r} is one"
        raise UsageError(message, "Subscriptions are named with --subscription.")
    service = QueryService(
        where="in Resource Graph",
        list_member="data",
        build_request=_build_request,
        build_queries=build_graph_queries,
    )
    return KustoSource(service, Session(build_access(), clock, watcher.stop), watcher)


def _build_request(what: str, query: str, scope: Scope) -> Request:
    """A question over the subscriptions of a scope, or over all that the sign-in can see."""
    body: dict[str, object] = {"query": query, "options": {"$top": PAGE_SIZE, "resultFormat": "objectArray"}}
    # A name is looked for among what comes back: the service takes ids alone.
    named = (selector.vm_id for selector in scope.vms)
    own = {vm.subscription.lower() for vm in named if vm is not None}  # an id brings its own along
    if scope.subscriptions and all(map(GUID.fullmatch, own | scope.subscriptions)):
        body["subscriptions"] = sorted(own | scope.subscriptions)
    path = "/providers/Microsoft.ResourceGraph/resources"
    return Request(description=f"Resource Graph, {what}", service="graph", path=path, permission=PERMISSION, body=body)
