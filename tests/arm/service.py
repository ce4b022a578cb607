"""From a request to its answer: route, version, token, pace, right; must not know sockets."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from tests.arm.call import Answer, ApiCall, Refusal, get_action_scope, refuse
from tests.arm.entra import Entra
from tests.arm.routes import (
    activity_log,
    backend_health,
    balancers,
    cluster,
    compute,
    graph,
    health,
    locks,
    logs,
    metadata,
    metrics,
    metrics_batch,
    network_watcher,
    sets,
    subscriptions,
)
from tests.arm.routing import Route, RouteMatch, check_right, check_subscription, check_version, find_route
from tests.arm.throttle import GRAPH_QUERIES, GRAPH_SECONDS, FixedWindows, TokenBuckets
from tests.arm.world import World

ROUTES: tuple[Route, ...] = (
    *metadata.ROUTES,
    *activity_log.ROUTES,
    *compute.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *balancers.ROUTES,
    *backend_health.ROUTES,
    *metrics_batch.ROUTES,
    *graph.ROUTES,
    *logs.ROUTES,
    *cluster.ROUTES,
    *locks.ROUTES,
    *sets.ROUTES,
    *network_watcher.ROUTES,
    *subscriptions.ROUTES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRequest:
    """A request as it came; names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """Path and query, decoded, as faults look for them."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path

    @property
    def authorization(self) -> str:
        """The header, empty where there is none."""
        return self.headers.get("authorization", "")


class ArmApi:
    """Answers for a world, as long as its server runs."""

    def __init__(self, world: World, port: int, *, page: int, throttle: bool) -> None:
        self._world = world
        self._page = page
        self._throttle = throttle
        self.origin = f"https://localhost:{port}"
        self.entra = Entra(world, port)
        self._routes = (*self.entra.list_routes(), *ROUTES)

        def count_seconds() -> float:
            # Where a test moves the time, allowances fill up meanwhile.
            return time.monotonic() + world.skew.total_seconds()

        self._reads = TokenBuckets(250, 25, count_seconds)
        self._writes = TokenBuckets(200, 10, count_seconds)
        self._queries = FixedWindows(GRAPH_QUERIES, GRAPH_SECONDS, count_seconds)

    @property
    def now(self) -> datetime:
        """The present, as this Azure tells it."""
        with self._world.lock:
            return self._world.now()

    def answer_request(self, incoming: IncomingRequest) -> Answer:
        """The answer with all its headers; what was refused is one as well."""
        correlation = incoming.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        with self._world.lock:
            now = self._world.now()
            try:
                found = self._route_request(incoming, now, correlation)
            except Refusal as refused:
                found = refused.answer
        return self.add_common_headers(incoming, found, correlation)

    def add_common_headers(self, incoming: IncomingRequest, answer: Answer, correlation: str = "") -> Answer:
        """The answer with the headers that every answer has."""
        headers = {
            "Cache-Control": "no-cache",
            "Date": format_datetime(self._world.now(), usegmt=True),
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-correlation-request-id": correlation or str(uuid.uuid4()),
        }
        client = incoming.headers.get("x-ms-client-request-id")
        if client:
            headers["x-ms-client-request-id"] = client
        return replace(answer, headers={**headers, **answer.headers})

    def is_valid_token(self, authorization: str) -> bool:
        """Whether a token is one of ours and holds, for whatever audience."""
        with self._world.lock:
            issued = self.entra.find_token(authorization)
            return issued is not None and issued.expires > self._world.now()

    def spend_reads(self, subscription: str, count: int) -> None:
        """Take so many tokens of what a subscription allows."""
        for _ in range(count):
            self._reads.take_token(subscription.lower())

    def revoke_token(self, authorization: str) -> None:
        """Let a token expire now."""
        with self._world.lock:
            self.entra.revoke_token(authorization, self._world.now())

    def _route_request(self, incoming: IncomingRequest, now: datetime, correlation: str) -> Answer:
        taken = find_route(self._routes, incoming.method, incoming.path)
        kind = taken.route.audience
        if kind:
            self.entra.check_token(incoming.authorization, kind, now)
        check_version(taken, incoming.query.get("api-version"), self._world.api_ceiling)
        pace = self._check_rate(taken) if kind else {}
        check_subscription(self._world, taken.path_names)
        check_right(self._world, taken.route.action, get_action_scope(incoming.path))
        found = taken.route.handler(self._world, self._build_call(incoming, taken, now, correlation))
        return replace(found, headers={**pace, **found.headers})

    def _build_call(self, incoming: IncomingRequest, taken: RouteMatch, now: datetime, correlation: str) -> ApiCall:
        return ApiCall(
            method=incoming.method,
            path=incoming.path,
            origin=f"https://{incoming.headers.get('host', '')}" if self._world.public else self.origin,
            path_names=taken.path_names,
            query=incoming.query,
            headers=incoming.headers,
            body=incoming.body,
            now=now,
            page_size=self._page,
            request_id=str(uuid.uuid4()),
            correlation_id=correlation,
            client_request_id=incoming.headers.get("x-ms-client-request-id", ""),
        )

    def _check_rate(self, taken: RouteMatch) -> dict[str, str]:
        """Headers that say what is left; refuses who asks too fast."""
        if taken.route.path == graph.PATH:
            return self._check_query_rate()
        if taken.route.audience == "metrics":
            return {}  # what it allows no page tells
        is_read = taken.route.method == "GET"
        of = "subscription" if "subscription" in taken.path_names else "tenant"
        word = "reads" if is_read else "writes"
        buckets = self._reads if is_read else self._writes
        granted = buckets.take_token(taken.path_names.get("subscription", "tenant").lower())
        if self._throttle and not granted.is_allowed:
            whom = taken.path_names.get("subscription", "tenant")
            limit = f"Number of {word} for subscription '{whom}' exceeded the limit."
            message = f"{limit} Please try again after '{granted.wait}' seconds."
            refuse(429, "SubscriptionRequestsThrottled", message, Retry_After=str(granted.wait))
        return {f"x-ms-ratelimit-remaining-{of}-{word}": str(granted.remaining)}

    def _check_query_rate(self) -> dict[str, str]:
        if not self._throttle:
            return {}  # who obeys what is left would wait for what is granted anyhow
        granted = self._queries.take_request("")
        quota = {
            "x-ms-user-quota-remaining": str(granted.remaining),
            "x-ms-user-quota-resets-after": f"00:00:{granted.wait:02d}",
        }
        if not granted.is_allowed:
            message = "Client application has been throttled and should not attempt to repeat the request yet."
            told: Any = {"code": "RateLimiting", "message": message}
            body: Any = {"error": {**told, "details": [told]}}
            raise Refusal(Answer(status=429, body=body, headers={**quota, "Retry-After": str(granted.wait)}))
        return quota
