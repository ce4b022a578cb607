"""read_seconds(): a clock that nobody sets and that runs on while the machine sleeps or the process is stopped.

Sources: clock_gettime(2) of Linux (CLOCK_BOOTTIME counts suspension, CLOCK_MONOTONIC does not), of macOS
(CLOCK_MONOTONIC counts sleep, which Python's `time.monotonic` there does not). Python's `time.monotonic` on Windows
counts sleep up to 3.12, and its performance counter does, too.
"""

import sys
import time


def read_seconds() -> float:
    """Seconds since some instant in the past; only differences mean something."""
    name = "CLOCK_BOOTTIME" if sys.platform == "linux" else "CLOCK_MONOTONIC"
    clock = getattr(time, name, None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
