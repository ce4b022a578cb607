"""From a request to its answer: route, version, token, pace, right; must not know sockets."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

from tests.arm.call import Answer, Call, Refused, refuse, scope_of
from tests.arm.entra import Entra
from tests.arm.routes import (
    activity_log,
    compute,
    graph,
    health,
    locks,
    logs,
    metadata,
    metrics,
    network,
    sets,
    subscriptions,
)
from tests.arm.routing import Route, Taken, check_right, check_subscription, check_version, route_of
from tests.arm.throttle import GRAPH_QUERIES, GRAPH_SECONDS, Buckets, Granted, Windows
from tests.arm.world import World
from tests.incidents.wire.plain import JsonObject

ROUTES: tuple[Route, ...] = (
    *metadata.ROUTES,
    *activity_log.ROUTES,
    *compute.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *network.ROUTES,
    *graph.ROUTES,
    *logs.ROUTES,
    *locks.ROUTES,
    *sets.ROUTES,
    *subscriptions.ROUTES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
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


class Service:
    """Answers for a world, as long as its server runs."""

    def __init__(self, world: World, port: int, *, page: int, throttle: bool) -> None:
        self._world = world
        self._page = page
        self._throttle = throttle
        self.origin = f"https://localhost:{port}"
        self.entra = Entra(world, port)
        self._routes = (*self.entra.routes(), *ROUTES)
        self._reads = Buckets(250, 25, time.monotonic)
        self._writes = Buckets(200, 10, time.monotonic)
        self._queries = Windows(GRAPH_QUERIES, GRAPH_SECONDS, time.monotonic)

    @property
    def now(self) -> datetime:
        """The present, as this Azure tells it."""
        with self._world.lock:
            return self._world.now()

    def answer(self, incoming: Incoming) -> Answer:
        """The answer with all its headers; what was refused is one as well."""
        correlation = incoming.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        with self._world.lock:
            now = self._world.now()
            try:
                found = self._routed(incoming, now, correlation)
            except Refused as refused:
                found = refused.answer
        return self.dressed(incoming, found, correlation)

    def dressed(self, incoming: Incoming, answer: Answer, correlation: str = "") -> Answer:
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

    def knows(self, authorization: str) -> bool:
        """Whether a token is one of ours and holds, for whatever audience."""
        with self._world.lock:
            issued = self.entra.issued(authorization)
            return issued is not None and issued.expires > self._world.now()

    def revoke(self, authorization: str) -> None:
        """Let a token expire now."""
        with self._world.lock:
            self.entra.revoke(authorization, self._world.now())

    def _routed(self, incoming: Incoming, now: datetime, correlation: str) -> Answer:
        taken = route_of(self._routes, incoming.method, incoming.path)
        kind = taken.route.audience
        if kind:
            self.entra.authenticate(incoming.authorization, kind, now)
        check_version(taken, incoming.query.get("api-version"), self._world.api_ceiling)
        pace = self._paced(taken) if kind else {}
        check_subscription(self._world, taken.names)
        check_right(self._world, taken.route.action, scope_of(incoming.path))
        found = taken.route.does(self._world, self._call(incoming, taken, now, correlation))
        return replace(found, headers={**pace, **found.headers})

    def _call(self, incoming: Incoming, taken: Taken, now: datetime, correlation: str) -> Call:
        return Call(
            method=incoming.method,
            path=incoming.path,
            origin=self.origin,
            names=taken.names,
            query=incoming.query,
            headers=incoming.headers,
            body=incoming.body,
            now=now,
            page=self._page,
            request_id=str(uuid.uuid4()),
            correlation=correlation,
            client_request_id=incoming.headers.get("x-ms-client-request-id", ""),
        )

    def _paced(self, taken: Taken) -> dict[str, str]:
        """Headers that say what is left; refuses who asks too fast."""
        if taken.route.path == graph.PATH:
            return self._paced_query()
        is_read = taken.route.method == "GET"
        of = "subscription" if "subscription" in taken.names else "tenant"
        word = "reads" if is_read else "writes"
        buckets = self._reads if is_read else self._writes
        granted = buckets.take(taken.names.get("subscription", "tenant").lower())
        if self._throttle and not granted.allowed:
            _refuse_pace(taken, word, granted)
        return {f"x-ms-ratelimit-remaining-{of}-{word}": str(granted.remaining)}

    def _paced_query(self) -> dict[str, str]:
        granted = self._queries.take("")
        quota = {
            "x-ms-user-quota-remaining": str(granted.remaining),
            "x-ms-user-quota-resets-after": f"00:00:{granted.wait:02d}",
        }
        if self._throttle and not granted.allowed:
            raise Refused(Answer(status=429, body=_rate(), headers={**quota, "Retry-After": str(granted.wait)}))
        return quota


def _rate() -> JsonObject:
    message = "Client application has been throttled and should not attempt to repeat the request yet."
    told: JsonObject = {"code": "RateLimiting", "message": message}
    return {"error": {**told, "details": [told]}}


def _refuse_pace(taken: Taken, word: str, granted: Granted) -> None:
    whom = taken.names.get("subscription", "tenant")
    message = (
        f"Number of {word} for subscription '{whom}' exceeded the limit. Please try again after '{granted.wait}'"
        " seconds."
    )
    refuse(429, "SubscriptionRequestsThrottled", message, Retry_After=str(granted.wait))
