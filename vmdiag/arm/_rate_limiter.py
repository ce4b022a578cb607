"""How fast Azure is asked: a bucket of tokens for each payer, and closing times; must not know what is asked.

Resource Manager gives a principal 250 reads of a subscription at once and 25 a second ("Understand how Azure Resource
Manager throttles requests"), Resource Graph 15 queries in 5 seconds, Log Analytics 200 in 30. Others use the same
principal, so not all of it is taken.
"""

import threading
import time
from collections.abc import Callable, Mapping

# Burst and rate a second.
DEFAULT_ALLOWANCE = (200.0, 20.0)
ALLOWANCES: Mapping[str, tuple[float, float]] = {"graph": (12.0, 2.5), "logs": (100.0, 6.0)}


class RateLimiter:
    """Buckets by payer; safe to use from many threads. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._blocked_until: dict[tuple[str, str], float] = {}

    def reserve_request(self, throttle_scope: str, provider: str) -> float:
        """Take a token; how many seconds to wait before it may be used."""
        burst, rate = ALLOWANCES.get(throttle_scope, DEFAULT_ALLOWANCE)
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(throttle_scope, (burst, now))
            left = min(burst, left + (now - at) * rate) - 1
            self._buckets[throttle_scope] = (left, now)
            opens = max(self._blocked_until.get((throttle_scope, each), now) for each in (provider, ""))
            return max(0.0, -left / rate, opens - now)

    def block_requests(self, throttle_scope: str, provider: str, seconds: float) -> None:
        """Nothing more until then, for Azure has said so: of one provider, or without one of any."""
        with self._lock:
            opens = max(self._blocked_until.get((throttle_scope, provider), 0.0), self._clock() + seconds)
            self._blocked_until[throttle_scope, provider] = opens
