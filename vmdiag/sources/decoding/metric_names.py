"""The platform metrics that are read: their names, what they tell of, which aggregation, and how far apart is too far.

Source: "Supported metrics for Microsoft.Compute/virtualMachines", whose spelling is given back whatever the file's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.items import IncompleteRead
from vmdiag.values import Struct

METRIC_SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
# A sum over a minute says how much passed. Where only another aggregation was asked for, it is of the same unit and
# falls when the traffic falls; `count` is of samples, not of bytes, and never stands in.
TOTAL_FIRST = ("total", "average", "maximum", "minimum")
# The mean of a gauge. The sum comes last: it equals the mean where a minute has one sample, as it has for VMs.
AVERAGE_FIRST = ("average", "maximum", "minimum", "total")
# A balancer has metrics of its own, which its backends' addresses split.
BALANCER_TYPE = "/providers/microsoft.network/loadbalancers/"
# Two points of the loss and some of the hour before it are the least that tells one from a pause.
GRAIN_SAMPLE = 60
COARSEST = timedelta(minutes=15)
ISO_SPAN = re.compile(r"P(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})S)?)?", re.IGNORECASE)
NET_SPAN = re.compile(r"(?:([0-9]{1,3})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})")  # as .NET writes a span


class Metric(Struct, frozen=True):
    """A metric in Azure's spelling, and which of its aggregations to read, best first."""

    name: str
    signal: Signal
    aggregations: tuple[str, ...]

    @property
    def is_summed(self) -> bool:
        """Whether several dimensions of it add up; else the least of them counts."""
        return self.signal is not Signal.AVAILABILITY


KNOWN_METRICS = (
    Metric("Network In Total", Signal.TRAFFIC, TOTAL_FIRST),
    Metric("Network Out Total", Signal.TRAFFIC, TOTAL_FIRST),
    Metric("Network In", Signal.TRAFFIC, TOTAL_FIRST),  # the name before 2019, still answered
    Metric("Network Out", Signal.TRAFFIC, TOTAL_FIRST),
    Metric("Inbound Flows", Signal.TRAFFIC, AVERAGE_FIRST),
    Metric("Outbound Flows", Signal.TRAFFIC, AVERAGE_FIRST),
    Metric("VmAvailabilityMetric", Signal.AVAILABILITY, AVERAGE_FIRST),
    Metric("Percentage CPU", Signal.CPU, AVERAGE_FIRST),
    Metric("Disk Read Bytes", Signal.DISK, TOTAL_FIRST),
    Metric("Disk Write Bytes", Signal.DISK, TOTAL_FIRST),
    Metric("Disk Read Operations/Sec", Signal.DISK, AVERAGE_FIRST),
    Metric("Disk Write Operations/Sec", Signal.DISK, AVERAGE_FIRST),
)
# Names that are shown to people, where they differ.
DISPLAY_NAMES = {
    "vm availability metric (preview)": "VmAvailabilityMetric",
    "vm availability metric": "VmAvailabilityMetric",
    "network in billable": "Network In",
    "network out billable": "Network Out",
    "network in billable (deprecated)": "Network In",
    "network out billable (deprecated)": "Network Out",
}
METRICS_BY_NAME: Mapping[str, Metric] = {metric.name.lower(): metric for metric in KNOWN_METRICS}


def find_metric(name: str) -> Metric | None:
    """The metric of a name in any letter case; `None` for one that is not read."""
    lower = name.lower()
    return METRICS_BY_NAME.get(DISPLAY_NAMES.get(lower, lower).lower())


def is_balancer_metric(row: Row) -> bool:
    """Whether a metric is a load balancer's."""
    return BALANCER_TYPE in find_text(row, "id").lower()


def list_metric_signals(name: str) -> tuple[Signal, ...]:
    """What a metric tells of; whatever metrics tell of where it is not named, nothing for one that is not read."""
    metric = find_metric(name)
    return METRIC_SIGNALS if not name else () if metric is None else (metric.signal,)


def parse_duration(written: str) -> timedelta | None:
    """The span that a grain names; `None` for none."""
    found = ISO_SPAN.fullmatch(written) or NET_SPAN.fullmatch(written)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds) or None


def find_grain(series: Sequence[Sequence[Row]]) -> timedelta | None:
    """How far apart an answer's points lie, measured or not, for it does not name its grain beside them.

    The first ones tell; all of them where those lie far apart, for they may stand in any order.
    """
    grain = None
    for lines in ([points[:GRAIN_SAMPLE] for points in series], series):
        times = (sorted(filter(None, (parse_time(point.get("timeStamp")) for point in points))) for points in lines)
        grain = min((later - at for each in times for at, later in pairwise(each) if later != at), default=None)
        if grain is not None and grain <= COARSEST:
            break
    return grain


def warn_coarse_grain(vm: VmId, metric: Metric, grain: timedelta | None, ref: str) -> Iterator[IncompleteRead]:
    """What is wrong with points that lie so far apart, where anything is: it is told, and the points are judged."""
    if grain is None or grain <= COARSEST:
        return
    minutes = round(grain.total_seconds() / 60)
    distance = f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"
    reason = f"its points lie {distance} apart, too coarse to show a loss: export them with --interval PT1M"
    place = ref.rpartition(":")[0] or ref
    yield IncompleteRead(signal=metric.signal, scope=vm.key, form="", place=place, reason=reason, lowers_verdict=False)
