"""The platform metrics that are read: their names, what they tell of, which aggregation; must not know wire forms.

Source: "Supported metrics for Microsoft.Compute/virtualMachines", whose spelling is given back whatever the file's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vmdiag.model import Signal

# A sum over a minute says how much passed. Where only another aggregation was asked for, it is of the same unit and
# falls when the traffic falls; `count` is of samples, not of bytes, and never stands in.
TOTAL = ("total", "average", "maximum", "minimum")
# The mean of a gauge. The sum comes last: it equals the mean where a minute has one sample, as it has for VMs.
AVERAGE = ("average", "maximum", "minimum", "total")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in Azure's spelling, and which of its aggregations to read, best first."""

    name: str
    signal: Signal
    aggregations: tuple[str, ...]

    @property
    def is_summed(self) -> bool:
        """Whether several dimensions of it add up; else the least of them counts."""
        return self.signal is not Signal.AVAILABILITY


METRICS = (
    Metric("Network In Total", Signal.TRAFFIC, TOTAL),
    Metric("Network Out Total", Signal.TRAFFIC, TOTAL),
    Metric("Network In", Signal.TRAFFIC, TOTAL),  # the name before 2019, still answered
    Metric("Network Out", Signal.TRAFFIC, TOTAL),
    Metric("Inbound Flows", Signal.TRAFFIC, AVERAGE),
    Metric("Outbound Flows", Signal.TRAFFIC, AVERAGE),
    Metric("VmAvailabilityMetric", Signal.AVAILABILITY, AVERAGE),
    Metric("Percentage CPU", Signal.CPU, AVERAGE),
    Metric("Disk Read Bytes", Signal.DISK, TOTAL),
    Metric("Disk Write Bytes", Signal.DISK, TOTAL),
    Metric("Disk Read Operations/Sec", Signal.DISK, AVERAGE),
    Metric("Disk Write Operations/Sec", Signal.DISK, AVERAGE),
)
# Names that are shown to people, where they differ.
SHOWN = {
    "vm availability metric (preview)": "VmAvailabilityMetric",
    "vm availability metric": "VmAvailabilityMetric",
    "network in billable": "Network In",
    "network out billable": "Network Out",
    "network in billable (deprecated)": "Network In",
    "network out billable (deprecated)": "Network Out",
}
BY_NAME: Mapping[str, Metric] = {metric.name.lower(): metric for metric in METRICS}


def known(name: str) -> Metric | None:
    """The metric of a name in any letter case; `None` for one that is not read."""
    lower = name.lower()
    return BY_NAME.get(SHOWN.get(lower, lower).lower())
