"""The metrics a VM has, and an hour of them for a VM that is well; must not know what happens to it."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.incidents.model import Series


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A platform metric of VMs: its unit, its usual aggregation, and the range of its usual level."""

    unit: str
    aggregation: str
    low: float = 0.0
    high: float = 0.0

    @property
    def has_values(self) -> bool:
        """Whether worlds that were made up here have values for it."""
        return self.high > 0


METRIC_DEFINITIONS: Mapping[str, MetricDefinition] = {
    "Percentage CPU": MetricDefinition("Percent", "average", 5, 40),
    "Network In": MetricDefinition("Bytes", "total"),
    "Network Out": MetricDefinition("Bytes", "total"),
    "Disk Read Bytes": MetricDefinition("Bytes", "total", 1e6, 1e8),
    "Disk Write Bytes": MetricDefinition("Bytes", "total", 1e6, 1e8),
    "Disk Read Operations/Sec": MetricDefinition("CountPerSecond", "average"),
    "Disk Write Operations/Sec": MetricDefinition("CountPerSecond", "average"),
    "CPU Credits Remaining": MetricDefinition("Count", "average"),
    "CPU Credits Consumed": MetricDefinition("Count", "average"),
    "Data Disk Queue Depth": MetricDefinition("Count", "average"),
    "OS Disk Queue Depth": MetricDefinition("Count", "average"),
    "Inbound Flows": MetricDefinition("Count", "average", 50, 500),
    "Outbound Flows": MetricDefinition("Count", "average", 50, 500),
    "Inbound Flows Maximum Creation Rate": MetricDefinition("CountPerSecond", "average"),
    "Outbound Flows Maximum Creation Rate": MetricDefinition("CountPerSecond", "average"),
    "Network In Total": MetricDefinition("Bytes", "total", 1e6, 1e8),
    "Network Out Total": MetricDefinition("Bytes", "total", 1e6, 1e8),
    "Available Memory Bytes": MetricDefinition("Bytes", "average"),
    "VmAvailabilityMetric": MetricDefinition("Count", "average", 1, 1),
}
"""From Microsoft's list of supported metrics of Microsoft.Compute/virtualMachines; names of metrics hold blanks."""


def generate_hour(rng: random.Random, vm: str, start: datetime) -> tuple[Series, ...]:
    """60 minutes of a busy VM from `start` on, all metrics that are measured."""
    return tuple(
        Series(
            vm=vm,
            name=name,
            aggregation=vital.aggregation,
            unit=vital.unit,
            start=start.replace(second=0, microsecond=0),
            values=_generate_values(rng, vital),
        )
        for name, vital in METRIC_DEFINITIONS.items()
        if vital.has_values
    )


def _generate_values(rng: random.Random, vital: MetricDefinition) -> tuple[float, ...]:
    usual = math.exp(rng.uniform(math.log(vital.low), math.log(vital.high)))
    wobble = 0.3 if vital.low < vital.high else 0.0
    whole = vital.unit == "Bytes"
    return tuple(round(usual * (1 + rng.uniform(-wobble, wobble)), None if whole else 3) for _ in range(60))
