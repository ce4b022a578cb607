#!/usr/bin/env bash
# A cell of a Log Analytics table without a value is null in the API's answer, whatever the column's type.
# One would expect: LogsQueryClient gives None for it in every column, so that `if cell is None` tells it.
# Seen: in a column of type timespan or guid azure-monitor-query gives the text "None", which is true and looks like
# a value; in columns of all other types None. A query for losses still open (no duration yet) finds one in every row.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check azure-monitor-query==2.0.0 azure-core==1.41.0
"$work/venv/bin/python" - <<'PY'
import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from threading import Thread

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.monitor.query import LogsQueryClient

TYPES = ("string", "datetime", "long", "real", "bool", "dynamic", "decimal", "timespan", "guid")
COLUMNS = [{"name": f"a_{kind}", "type": kind} for kind in TYPES]
ANSWER = json.dumps({"tables": [{"name": "PrimaryResult", "columns": COLUMNS, "rows": [[None] * len(TYPES)]}]}).encode()


class Workspace(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class Token:
    def get_token(self, *_, **__):
        return AccessToken("none", 4102444800)


class Plain(RequestsTransport):
    def send(self, request, **options):
        request.url = request.url.replace("https://", "http://")
        return super().send(request, **options)


server = HTTPServer(("127.0.0.1", 0), Workspace)
Thread(target=server.serve_forever, daemon=True).start()
client = LogsQueryClient(Token(), endpoint=f"https://127.0.0.1:{server.server_port}", transport=Plain())
(table,) = client.query_workspace("w", "Losses", timespan=timedelta(hours=1)).tables
server.shutdown()
seen = dict(zip(TYPES, table.rows[0], strict=True))
print("azure-monitor-query", version("azure-monitor-query"), seen)
assert {kind for kind, cell in seen.items() if cell == "None"} == {"timespan", "guid"}
assert all(cell is None for kind, cell in seen.items() if kind not in {"timespan", "guid"})
PY
