#!/usr/bin/env bash
# Kusto's datetime and timespan both count ticks of 100 ns, so both arrive with seven digits.
# One would expect: one library brings both to microseconds in the same way, so that the difference
# of two times that the cluster computed is the difference of the two times that the client reads.
# Seen: azure-kusto-data cuts the seventh digit of a datetime and rounds that of a timespan. In one
# row `End - Start` and `Duration`, equal on the cluster, are a microsecond apart at the client.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check azure-kusto-data==6.0.4
"$work/venv/bin/python" - <<'PY'
from datetime import timedelta
from importlib.metadata import version

from azure.kusto.data._models import KustoResultTable

names = {"Start": "datetime", "End": "datetime", "Duration": "timespan"}
table = KustoResultTable(
    {
        "TableName": "Table_0",
        "Columns": [{"ColumnName": name, "ColumnType": kind} for name, kind in names.items()],
        "Rows": [["2026-09-14T02:00:00Z", "2026-09-14T02:00:01.0000009Z", "00:00:01.0000009"]],
    }
)
row = next(iter(table))
took = row["End"] - row["Start"]
print("azure-kusto-data", version("azure-kusto-data"), "End - Start:", took, "Duration:", row["Duration"])
assert took == timedelta(seconds=1)
assert row["Duration"] == timedelta(seconds=1, microseconds=1)
PY
