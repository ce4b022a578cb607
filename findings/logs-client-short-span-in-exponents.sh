#!/usr/bin/env bash
# LogsQueryClient takes the window of a query as a timedelta and sends it as an ISO 8601 duration.
# One would expect: a window of 50 microseconds goes out as PT0.00005S, and one of no length at all
# as PT0S (or is refused).
# Seen: azure-monitor-query writes the number as Python prints it, PT5e-05S, which no ISO 8601
# duration may look like; and timedelta(0) sends no timespan at all, just as timespan=None does, which
# is the way to ask without a limit in time. A local server shows what leaves.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check azure-monitor-query==2.0.0 azure-core==1.41.0
"$work/venv/bin/python" - <<'PY'
import json
from datetime import timedelta
from importlib.metadata import version

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.monitor.query import LogsQueryClient
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

sent = []


class Workspace(BaseHTTPRequestHandler):
    def do_POST(self):
        sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("timespan"))
        answer = b'{"tables": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

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
for span in (timedelta(minutes=5), timedelta(microseconds=50), timedelta(0)):
    client.query_workspace("w", "Heartbeat", timespan=span)
server.shutdown()
print("azure-monitor-query", version("azure-monitor-query"), sent)
assert sent == ["PT300.0S", "PT5e-05S", None]
PY
