"""Metrics as `Get-AzMetric | ConvertTo-Json` writes them.

Source: Az.Monitor's `PSMetric`. It writes out what was not measured as null, and repeats the first series' points.
"""

from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import to_mapping, to_text
from vmdiag.sources.decoding.metric_names import METRIC_SIGNALS, list_metric_signals
from vmdiag.sources.formats import Signature, metrics
from vmdiag.sources.items import Item

SIGNALS = METRIC_SIGNALS


def has_points(row: Row) -> bool:
    """Whether a metric has a list of series or of points, spelt as .NET does."""
    return isinstance(row.get("Timeseries"), list) or isinstance(row.get("Data"), list)


SIGNATURES = (Signature(all_of={"Name", "Id"}, one_of={"Timeseries", "Data"}, condition=has_points),)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the metric tells of."""
    return list_metric_signals(to_text(convert_powershell(row.get("Name"))))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The points of a metric that is read."""
    return metrics.decode_row(to_mapping(convert_powershell(row)), ref)
