"""The portal's "Download as CSV" of the activity log: display names, and no properties."""

import csv
import io

from tests.incidents.model import WireFile
from tests.incidents.wire.log_entry import LogEntry
from tests.incidents.wire.plain import format_time, get_group_name, get_subscription_id

_COLUMNS = (
    "Correlation id",
    "Operation name",
    "Status",
    "Event category",
    "Level",
    "Time",
    "Subscription",
    "Event initiated by",
    "Resource type",
    "Resource group",
    "Resource",
)


def write_portal_csv(entries: list[LogEntry]) -> list[WireFile]:
    """Newest first, behind a byte order mark; annotation names and health states are lost."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for entry in reversed(entries):
        writer.writerow(
            (
                entry.correlation,
                entry.localized,
                entry.status,
                entry.category,
                entry.level,
                format_time(entry.at, 7),
                get_subscription_id(entry.resource),
                entry.caller or "",
                entry.type,
                get_group_name(entry.resource),
                entry.resource,
            )
        )
    return [WireFile(path="QueryResult.csv", form="portal-csv", content=out.getvalue().encode("utf-8-sig"))]
