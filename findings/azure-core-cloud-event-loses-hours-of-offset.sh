#!/usr/bin/env bash
# A CloudEvent's `time` is a timestamp of RFC 3339, so it may have any offset: 12:00+02:00 is 10:00Z.
# Event Grid delivers whatever a publisher wrote; azure-core's CloudEvent is how Azure's clients read it.
# One would expect: one instant, written with one offset or another, is read as one instant.
# Seen: azure-core reads only the first digit of the offset's hours. +02:00 counts as none, +05:30 as 30 minutes
# and +10:00 as one hour, so the event is as many hours off as are lost, and nothing is raised. Only "Z" is safe.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check azure-core==1.41.0
"$work/venv/bin/python" - <<'PY'
from datetime import UTC, datetime, timedelta

from azure.core import __version__
from azure.core.messaging import CloudEvent

seen = {}
for written in ("10:00:00Z", "12:00:00+02:00", "15:30:00+05:30", "20:00:00+10:00", "05:00:00-05:00"):
    event = {"id": "1", "source": "/s", "type": "t", "specversion": "1.0", "time": f"2026-03-01T{written}"}
    seen[written] = CloudEvent.from_dict(event).time - datetime(2026, 3, 1, 10, tzinfo=UTC)
print("azure-core", __version__)
for written, off in seen.items():
    print(f"{written:15} is 10:00:00Z, and read {off.total_seconds() / 3600:+.0f} hours beside it")
lost = {"10:00:00Z": 0, "12:00:00+02:00": 2, "15:30:00+05:30": 5, "20:00:00+10:00": 9, "05:00:00-05:00": -5}
raise SystemExit(seen != {written: timedelta(hours=hours) for written, hours in lost.items()})
PY
