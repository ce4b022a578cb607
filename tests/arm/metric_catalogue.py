"""The metrics a VM has, and an hour of them for a VM that is well; must not know what happens to it."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.incidents.model import Series


@dataclass(frozen=True, slots=True)
class Vital:
    """A platform metric of VMs: its unit, its usual aggregation, and the range of its usual level."""

    unit: str
    aggregation: str
    low: float = 0.0
    high: float = 0.0

    @property
    def is_measured(self) -> bool:
        """Whether worlds that were made up here have values for it."""
        return self.high > 0


VITALS: Mapping[str, Vital] = {
    "Percentage CPU": Vital("Percent", "average", 5, 40),
    "Network In": Vital("Bytes", "total"),
    "Network Out": Vital("Bytes", "total"),
    "Disk Read Bytes": Vital("Bytes", "total", 1e6, 1e8),
    "Disk Write Bytes": Vital("Bytes", "total", 1e6, 1e8),
    "Disk Read Operations/Sec": Vital("CountPerSecond", "average"),
    "Disk Write Operations/Sec": Vital("CountPerSecond", "average"),
    "CPU Credits Remaining": Vital("Count", "average"),
    "CPU Credits Consumed": Vital("Count", "average"),
    "Data Disk Queue Depth": Vital("Count", "average"),
    "OS Disk Queue Depth": Vital("Count", "average"),
    "Inbound Flows": Vital("Count", "average", 50, 500),
    "Outbound Flows": Vital("Count", "average", 50, 500),
    "Inbound Flows Maximum Creation Rate": Vital("CountPerSecond", "average"),
    "Outbound Flows Maximum Creation Rate": Vital("CountPerSecond", "average"),
    "Network In Total": Vital("Bytes", "total", 1e6, 1e8),
    "Network Out Total": Vital("Bytes", "total", 1e6, 1e8),
    "Available Memory Bytes": Vital("Bytes", "average"),
    "VmAvailabilityMetric": Vital("Count", "average", 1, 1),
}
"""From Microsoft's list of supported metrics of Microsoft.Compute/virtualMachines; names of metrics hold blanks."""


def hour(rng: random.Random, vm: str, start: datetime) -> tuple[Series, ...]:
    """60 minutes of a busy VM from `start` on, all metrics that are measured."""
    return tuple(
        Series(
            vm=vm,
            name=name,
            aggregation=vital.aggregation,
            unit=vital.unit,
            start=start.replace(second=0, microsecond=0),
            values=_values(rng, vital),
        )
        for name, vital in VITALS.items()
        if vital.is_measured
    )


def _values(rng: random.Random, vital: Vital) -> tuple[float, ...]:
    usual = math.exp(rng.uniform(math.log(vital.low), math.log(vital.high)))
    wobble = 0.3 if vital.low < vital.high else 0.0
    whole = vital.unit == "Bytes"
    return tuple(round(usual * (1 + rng.uniform(-wobble, wobble)), None if whole else 3) for _ in range(60))
