"""Reads the metrics of a VM from the spool; must not judge them."""

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import lt

from vmdiag.model import Series, Signal


def read_series(database: sqlite3.Connection, number: int, span: tuple[float, float]) -> Iterator[Series]:
    """Every metric of a VM in a span, given in seconds since 1970; in order of time, without repeats."""
    found = database.execute("select name, signal, times, vals from points where vm = ?", (number,))
    together: defaultdict[tuple[str, str], list[tuple[array[float], array[float]]]] = defaultdict(list)
    for name, signal, times, values in found:
        together[name, signal].append((array("d", times), array("d", values)))
    first, last = span
    # Metrics that were read together have the same 20,000 minutes.
    instants: dict[bytes, tuple[datetime, ...]] = {}
    for (name, signal), parts in sorted(together.items()):
        times, values = parts[0] if len(parts) == 1 and _is_ascending(parts[0][0]) else _merge_points(parts)
        low, high = bisect_left(times, first), bisect_right(times, last)
        inside = times[low:high]
        key = inside.tobytes()
        if key not in instants:
            instants[key] = tuple(datetime.fromtimestamp(at, UTC) for at in inside)
        yield Series(name=name, signal=Signal(signal), times=instants[key], values=tuple(values[low:high]))


def _is_ascending(times: "array[float]") -> bool:
    return all(map(lt, times, times[1:]))


def _merge_points(parts: "list[tuple[array[float], array[float]]]") -> "tuple[array[float], array[float]]":
    """All points in order of time; of two readings of one minute the larger is the fuller count."""
    points: dict[float, float] = {}
    for times, values in parts:
        for at, value in zip(times, values, strict=True):
            points[at] = max(value, points.get(at, value))
    ordered = sorted(points)
    return array("d", ordered), array("d", (points[at] for at in ordered))
