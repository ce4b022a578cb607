#!/usr/bin/env bash
# A long operation of Azure's (a redeploy, a connectivity check) says in Retry-After when to ask again.
# One would expect: `Retry-After: 0` is asked again at once, as `Retry-After: 1` is after a second.
# Seen: azure-core takes 0 for "not said" and waits its own interval instead, every time: 30 seconds by default.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet azure-core==1.41.0 azure-mgmt-core==1.6.0 requests==2.32.5
cat >poll.py <<'PY'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from azure.core import PipelineClient
from azure.core.pipeline.transport import RequestsTransport
from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest
from azure.mgmt.core.polling.arm_polling import ARMPolling


class Operation(BaseHTTPRequestHandler):
    """Runs for two polls, then is done."""

    waits, polls = "0", 0

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Retry-After", Operation.waits)
        self.send_header("Location", f"http://{self.headers['Host']}/operation")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        Operation.polls = 0
        self.answer(202, {})

    def do_GET(self):
        Operation.polls += 1
        self.answer(202 if Operation.polls < 3 else 200, {"done": True})

    def log_message(self, *_):
        pass


class Recorded(RequestsTransport):
    """Notes how long it was told to sleep, and does not."""

    slept = ()

    def sleep(self, duration):
        Recorded.slept += (duration,)


server = HTTPServer(("127.0.0.1", 0), Operation)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PipelineClient(f"http://127.0.0.1:{server.server_port}", transport=Recorded())
seen = {}
for Operation.waits in ("0", "1"):
    Recorded.slept = ()
    started = client._pipeline.run(HttpRequest("POST", f"http://127.0.0.1:{server.server_port}/start"))
    LROPoller(client, started, lambda answer: answer, ARMPolling()).wait()
    seen[Operation.waits] = Recorded.slept
print("azure-core", version("azure-core"))
for said, slept in seen.items():
    print(f"Retry-After: {said}: slept {', '.join(f'{each:g} s' for each in slept)}")
sys.exit(0 if set(seen["0"]) == {30} and set(seen["1"]) == {1} else 1)
PY
env/bin/python poll.py
