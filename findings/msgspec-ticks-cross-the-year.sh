#!/usr/bin/env bash
# Azure writes times in ticks of 100 ns: seven digits after the second. The last tick of a year,
# as an activity-log export states it, read into a datetime by msgspec.
# One would expect: the seventh digit is cut, as azure-kusto-data does, and the event stays in its year.
# Seen: msgspec rounds it up. The event moves into the next second, hour, day, month and year,
# so it falls out of a window, or a partition by date, that ends there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0 azure-kusto-data==6.0.4
"$work/venv/bin/python" - <<'PY'
from datetime import datetime

import msgspec
from azure.kusto.data._converters import to_datetime

tick = "2026-12-31T23:59:59.9999999Z"
rounded = msgspec.json.decode(f'"{tick}"', type=datetime)
cut = to_datetime(tick)
print("msgspec", msgspec.__version__, rounded.isoformat())
print("azure-kusto-data 6.0.4", cut.isoformat())
assert rounded.isoformat() == "2027-01-01T00:00:00+00:00"
assert cut.isoformat() == "2026-12-31T23:59:59.999999+00:00"
PY
