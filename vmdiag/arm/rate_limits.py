"""When the next request may go: what Azure allows, how long one page is tried for, and what a refusal asks for.

Resource Manager gives a principal 250 reads of a subscription at once and 25 a second ("Understand how Azure Resource
Manager throttles requests"), Resource Graph 15 queries in 5 seconds, Log Analytics 200 in 30. Others use the same
principal, so not all of it is taken. Where the server names a pause it expects to be asked again, and short ones may
follow one another: Resource Graph's quota is of 5 seconds, and many clients may share it, the activity log's of 50
queries in 30 seconds ("Azure Monitor service limits", which show no answer: a 429 may name no pause). Where another
refusal names none, three tries show that the server does not answer.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

# Burst and rate a second.
DEFAULT_ALLOWANCE = (200.0, 20.0)
ALLOWANCES: Mapping[str, tuple[float, float]] = {"graph": (12.0, 2.5), "logs": (100.0, 6.0)}
# Seconds before the second and the third try, where the server names none.
RETRY_DELAYS = (0.5, 2.0)
# Seconds in all, where it names them; beyond, the other feeds are told without this one (our judgement).
TOTAL_DELAY_LIMIT = 120.0
# "Retry-After: 0" is what a gateway says that does not know; the next such pause is twice as long, up to the second.
MIN_SERVER_DELAY, MAX_SERVER_DELAY = 0.5, 8.0
_QUOTA_RESET = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)", re.ASCII)


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
        return max(0.0, -left / rate, self.measure_block(throttle_scope, provider))

    def measure_block(self, throttle_scope: str, provider: str) -> float:
        """How many seconds nothing may be sent, because Azure has said so."""
        with self._lock:
            now = self._clock()
            return max(self._blocked_until.get((throttle_scope, each), now) - now for each in (provider, ""))

    def block_requests(self, throttle_scope: str, provider: str, seconds: float) -> None:
        """Nothing more until then, for Azure has said so: of one provider, or without one of any."""
        with self._lock:
            opens = max(self._blocked_until.get((throttle_scope, provider), 0.0), self._clock() + seconds)
            self._blocked_until[throttle_scope, provider] = opens


class RetryBudget:
    """What is left of it for one page."""

    def __init__(self) -> None:
        self._delays = list(RETRY_DELAYS)
        self._waited = 0.0
        self._min_delay = MIN_SERVER_DELAY

    @property
    def has_retries_left(self) -> bool:
        """Whether there is another try."""
        return bool(self._delays) and self._waited < TOTAL_DELAY_LIMIT

    def take_next_delay(self, server_delay: float | None = None) -> float:
        """How many seconds to wait before the next try, of which the server has perhaps named a number."""
        if server_delay is None:
            return self._delays.pop(0)
        found = server_delay
        if server_delay < MIN_SERVER_DELAY:
            found, self._min_delay = self._min_delay, min(MAX_SERVER_DELAY, 2 * self._min_delay)
        self._waited += found
        return found


def parse_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds a server asks to wait; `None` when it does not say."""
    for name, unit in (("retry-after-ms", 1000), ("x-ms-retry-after-ms", 1000), ("Retry-After", 1)):
        said = headers.get(name, "")
        if said.isascii() and said.isdigit():
            return int(said[:9]) / unit
    try:
        return max(0.0, (parsedate_to_datetime(headers.get("Retry-After", "")) - now) / timedelta(seconds=1))
    except (TypeError, ValueError, OverflowError):  # a year beyond what fits a C integer overflows
        return None


def parse_quota_reset(headers: Mapping[str, str]) -> float | None:
    """After how many seconds Resource Graph answers again, where its quota is used up; `None` where it is not.

    Source: "Guidance for throttled requests in Azure Resource Graph": `hh:mm:ss`.
    """
    found = _QUOTA_RESET.fullmatch(headers.get("x-ms-user-quota-resets-after", "").strip())
    if found is None or headers.get("x-ms-user-quota-remaining", "").strip() != "0":
        return None
    hours, minutes, seconds = map(float, found.groups())
    return hours * 3600 + minutes * 60 + seconds
