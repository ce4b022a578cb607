"""How fast Azure lets anybody ask; must not know what is asked.

Figures from Microsoft's "Request limits and throttling" (2024) and "Guidance for throttled requests in Azure Resource
Graph".
"""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

GRAPH_QUERIES = 15
GRAPH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RateDecision:
    """Whether a request may pass, what is left, and how many seconds there is to wait."""

    is_allowed: bool
    remaining: int
    wait: int = 0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class TokenBuckets:
    """A bucket of tokens for each key, which fills all the time."""

    def __init__(self, size: int, refill: float, clock: Callable[[], float]) -> None:
        self._size = size
        self._refill = refill
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take_token(self, key: str) -> RateDecision:
        """One token, if there is one."""
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._size, now))
        bucket.tokens = min(self._size, bucket.tokens + (now - bucket.filled) * self._refill)
        bucket.filled = now
        if bucket.tokens < 1:
            return RateDecision(is_allowed=False, remaining=0, wait=math.ceil((1 - bucket.tokens) / self._refill))
        bucket.tokens -= 1
        return RateDecision(is_allowed=True, remaining=int(bucket.tokens))


class FixedWindows:
    """So many requests for each key in a window of so many seconds, which begins with the first."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._windows: dict[str, list[float]] = defaultdict(list)

    def take_request(self, key: str) -> RateDecision:
        """One request, if the window has room."""
        now = self._clock()
        window = self._windows[key]
        if window and now - window[0] >= self._seconds:
            window.clear()
        start = window[0] if window else now
        rest = math.ceil(self._seconds - (now - start))
        if len(window) >= self._limit:
            return RateDecision(is_allowed=False, remaining=0, wait=rest)
        window.append(now)
        return RateDecision(is_allowed=True, remaining=self._limit - len(window), wait=rest)
