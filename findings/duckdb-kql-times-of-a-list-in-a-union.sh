#!/usr/bin/env bash
# In Kusto a list is `dynamic`, and a time inside it is written as ISO 8601 ("2026-03-01T10:00:00.0000000Z").
# duckdb-kql, which runs KQL on DuckDB, writes a time so in `tostring` and in a `bag_pack`.
# One would expect: the same of a list of times, whatever the list goes through.
# Seen: `make_list` of times alone gives times; beside a branch of a `union` whose list is `dynamic`, the same list
# becomes a text in DuckDB's own spelling, "2026-03-01 10:00:00": a blank for the T, and no zone. Who reads a time
# without a zone as local is off by the machine's offset, and only in the query with the union.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb-kql==1.1.2 duckdb==2.0.1
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import duckdb_kql

tables = duckdb_kql.connect()
tables.execute("create table Beats as select timestamp '2026-03-01 10:00:00' as at, 'web-01' as vm")


def ask(query):
    return duckdb_kql.kql(tables, query).fetchall()


lists = "Beats | summarize times = make_list(at) by vm"
alone = ask(lists)
joined = ask(f"union ({lists}), (Beats | distinct vm | extend times = dynamic([]))")
packed = ask("Beats | project bag = tostring(bag_pack('at', at))")
print("duckdb-kql", version("duckdb-kql"), "alone:", alone, "in a union:", joined, "in a bag:", packed)
assert alone[0][1][0].isoformat() == "2026-03-01T10:00:00"
assert ("web-01", '["2026-03-01 10:00:00"]') in joined
assert packed == [('{"at":"2026-03-01T10:00:00.0000000Z"}',)]
PY
