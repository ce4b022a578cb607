"""Metrics as `Get-AzMetric | ConvertTo-Json` writes them; must not know what a value means.

Source: Az.Monitor's `PSMetric`. It writes out what was not measured as null, and repeats the first series' points.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import to_mapping
from vmdiag.sources.formats import metrics
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)


def recognises_row(row: Row) -> bool:
    """A metric has a name and points, all spelt as .NET does."""
    return "Name" in row and "Id" in row and (_is_list(row, "Timeseries") or _is_list(row, "Data"))


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the metric tells of."""
    return metrics.identify_signals({"name": convert_powershell(row.get("Name"))})


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The points of a metric that is read."""
    return metrics.decode_row(to_mapping(convert_powershell(row)), ref)


def _is_list(row: Row, key: str) -> bool:
    return isinstance(row.get(key), list)
