"""How far apart the points of a metric lie, and whether a loss can be seen between them; must not know a format."""

import re
from collections.abc import Iterator
from datetime import timedelta

from vmdiag.identity import VmId
from vmdiag.sources.decoding.metric_names import Metric
from vmdiag.sources.items import IncompleteRead

# Two points of the loss and some of the hour before it are the least that tells one from a pause.
COARSEST = timedelta(minutes=15)
ISO_SPAN = re.compile(r"P(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})S)?)?", re.IGNORECASE)
NET_SPAN = re.compile(r"(?:([0-9]{1,3})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})")  # as .NET writes a span


def parse_duration(written: str) -> timedelta | None:
    """The span that a grain names; `None` for none."""
    found = ISO_SPAN.fullmatch(written) or NET_SPAN.fullmatch(written)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds) or None


def warn_coarse_grain(vm: VmId, metric: Metric, grain: timedelta, ref: str) -> Iterator[IncompleteRead]:
    """What is wrong with points that lie so far apart, where anything is: it is told, and the points are judged."""
    if grain > COARSEST:
        reason = (
            f"its points lie {_format_grain(grain)} apart, too coarse to show a loss: export them with --interval PT1M"
        )
        place = ref.rpartition(":")[0] or ref
        yield IncompleteRead(
            signal=metric.signal, scope=vm.key, form="", place=place, reason=reason, lowers_verdict=False
        )


def _format_grain(grain: timedelta) -> str:
    minutes = round(grain.total_seconds() / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
