"""What fleets cost beside the same requests sent at once by hand: `python -m tests.benchmarks.fleet`.

The server is a process of its own and stands for the public cloud, reached through a proxy; its own processor time is
printed and not measured. Requests, bytes, peak memory and processor time count; seconds stand as ratios. The sizes are
small by default: `--vms 10000 --migrated 100 --groups 100`, `--vms 300 --migrated 294 --since 14d` (all look
suspicious), `--vms 5000 --groups 5000 --migrated 0`. With `--storm` Resource Manager throttles, the log of all is
refused, so that each group's is read, and somebody else spends the principal's allowance as the run begins. `--before
PATH` is the command of an earlier build, installed in an environment of its own.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.arm import ArmServer, Fault, Proxy, World
from tests.conftest import COMMAND

MEGABYTE = 1_000_000
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
PEER = Path(__file__).with_name("peers") / "minimum.py"
# Of the issue: requests of 1,000 VMs that did not migrate, and seconds beside the same requests sent at once by hand.
REQUESTS_LIMIT, HAND_LIMIT = 20, 1.3
# A process starts with its parent's peak: so a small one stands between.
MEASURE = (
    sys.executable,
    "-ISc",
    (
        "import json, os, subprocess, sys, time; began = time.perf_counter(); "
        "ran = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL); _, status, used = os.wait4(ran.pid, 0); "
        "took = time.perf_counter() - began; own = used.ru_utime + used.ru_stime; "
        "print(json.dumps([os.waitstatus_to_exitcode(status), took, own, used.ru_maxrss]), file=sys.stderr)"
    ),
)
# What Resource Manager allows of a subscription; a request that was sent before an answer may come so much after it.
READS_AT_ONCE, READS_A_SECOND, HTTP_TOO_MANY, UNDERWAY = 250, 25, 429, 0.2
AskServer = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The fleet, and how the server behaves."""

    vms: int
    groups: int
    subscriptions: int
    migrated: int
    latency: float
    page: int
    storm: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of a command, and what the server did meanwhile."""

    seconds: float
    processor: float
    peak: int
    requests: int
    received: int
    server: float


def main() -> None:
    """Print a line a command."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vms", type=int, default=200)
    options.add_argument("--groups", type=int, default=4)
    options.add_argument("--subscriptions", type=int, default=1)
    options.add_argument("--migrated", type=int, default=4, help="cut off; six more took no harm")
    options.add_argument("--since", default="1d")
    options.add_argument("--latency", type=float, default=0.05, metavar="SECONDS")
    options.add_argument("--page", type=int, default=200, help="rows a page of lists and of the activity log")
    options.add_argument("--storm", action="store_true", help="throttled from the first request on")
    options.add_argument("--before", nargs="*", default=[], metavar="PATH")
    asked = options.parse_args()
    sizes = Sizes(**{name: getattr(asked, name) for name in Sizes.__slots__})
    print(f"{sizes}, --since {asked.since}, --all, on {os.cpu_count()} processors that others share")
    with _serve_fleet(sizes) as (ask_server, environment), tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "report.json")
        checked = ["check", "--all", "--since", asked.since, "-o", "json", "--timeout", "60m", "--out", str(written)]
        ours = _run_command(ask_server, environment, [str(COMMAND), *checked])
        _print_figures("vmdiag check --all", ours, None)
        if asked.storm:
            _print_storm(ask_server("reads"), json.loads(written.read_bytes())["cases"])
            return
        path = Path(folder, "requests.jsonl")
        path.write_text("\n".join(_list_sent(sent := ask_server("sent"))))
        hand = _run_command(ask_server, environment, [sys.executable, str(PEER), str(path), "16"])
        _print_figures("the same at once by hand", hand, ours)
        kinds = Counter(re.sub(r"^.*/", "", one[1]) for one in sent)
        print(f"    {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}")
        for earlier in asked.before:
            _print_figures(earlier[-24:], _run_command(ask_server, environment, [earlier, *checked]), ours)
    calm = max(1, asked.vms - asked.migrated - 6)
    print(f"  requests per 1,000 VMs that did not migrate {ours.requests / calm * 1000:.0f} (limit {REQUESTS_LIMIT})")
    print(f"  of the time by hand {ours.seconds / hand.seconds:.2f} (limit {HAND_LIMIT})")


@contextmanager
def _serve_fleet(sizes: Sizes) -> Iterator[tuple[AskServer, Mapping[str, str]]]:
    """The server's process: what it is asked for, and what a client's environment holds."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_run_server, args=(theirs, sizes), daemon=True)
    server.start()
    environment = ours.recv()

    def ask_server(what: str) -> Any:
        ours.send(what)
        return ours.recv()

    try:
        yield ask_server, environment
    finally:
        ours.send("end")
        server.join()


def _run_server(line: Connection, sizes: Sizes) -> None:
    size, parts = {"vms": sizes.vms, "groups": sizes.groups}, {"subscriptions": sizes.subscriptions}
    world = World.with_fleet(**size, **parts, migrated=sizes.migrated)
    world.public = True
    with (
        ArmServer(world, latency=sizes.latency, throttle=sizes.storm, page=sizes.page) as arm,
        Proxy(arm.port) as proxy,
    ):
        line.send({**arm.environment, "HTTPS_PROXY": f"http://{proxy.address}", "NO_PROXY": "", "no_proxy": ""})
        if sizes.storm:
            arm.add_fault(Fault(path="management/values(?!.*resourceGroupName.{1,3}eq)", kind="status", status=403))
            threading.Thread(target=_spend_allowance, args=(arm,), daemon=True).start()
        while (what := line.recv()) != "end":
            seen = arm.requests
            if what == "reads":
                reads = (one for one in seen if one.method == "GET" and one.path.startswith("/subscriptions/"))
                line.send([(one.path.split("/")[2], one.status, one.came_at, one.answered_at) for one in reads])
            elif what == "sent":
                line.send([(one.method, one.path, dict(one.query), one.body) for one in seen if one.authorized])
            else:
                used = os.times()
                line.send((len(seen), sum(one.bytes_sent for one in seen), used.user + used.system))


def _spend_allowance(arm: ArmServer) -> None:
    """Somebody else reads as much as may be read at once, when the first of the run's reads comes."""
    while not any(one.path.endswith("management/values") for one in arm.requests):
        time.sleep(0.02)
    for subscription in arm.world.subscriptions:
        arm.spend_reads(subscription, READS_AT_ONCE)


def _list_sent(sent: Sequence[tuple[str, str, Mapping[str, str], bytes]]) -> Iterator[str]:
    """The very requests, as the peer reads them; those of a region's endpoint in the one region that there is."""
    for method, path, query, body in sent:
        host = "api.loganalytics.io" if path.startswith("/v1/") else "management.azure.com"
        audience = host
        if path.endswith("metrics:getBatch"):
            host, audience = "westeurope.metrics.monitor.azure.com", "metrics.monitor.azure.com"
        yield json.dumps(
            {
                "method": method,
                "url": f"https://{host}{path}?{urlencode(query)}",
                "body": json.loads(body) if body else None,
                "scope": f"https://{audience}/.default",
            }
        )


def _print_storm(reads: Sequence[tuple[str, int, float, float]], cases: Sequence[Any]) -> None:
    """What the throttled requests waited, beside what the bucket allows."""
    slowest, refused, early = 0.0, 0, 0
    for subscription in {one for one, *_ in reads}:
        times = [(status, came, answered) for one, status, came, answered in reads if one == subscription]
        closed = [answered for status, _, answered in times if status == HTTP_TOO_MANY]
        refused += len(closed)
        # What was on its way when the refusal came was sent before it; so little has the bucket that it asks for 1 s.
        early += sum(any(at + UNDERWAY < came < at + 1 for at in closed) for _, came, _ in times)
        took = max(answered for *_, answered in times) - min(came for _, came, _ in times)
        slowest = max(slowest, took / ((len(times) - len(closed)) / READS_A_SECOND))
    print(
        f"  {len(reads)} reads of subscriptions, {refused} of them refused, {early} sent before their Retry-After;"
        f" {slowest:.2f} of the time that the bucket needs (limit {HAND_LIMIT})"
    )
    unheard = sum(any(gap["signal"] == "activity" for gap in case["gaps"]) for case in cases)
    print(f"  {len(cases)} VMs in the report, {unheard} of them without their log")


def _run_command(ask_server: AskServer, environment: Mapping[str, str], command: Sequence[str]) -> Figures:
    before = ask_server("count")
    settings = {**os.environ, **environment, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com"}
    ran = subprocess.run([*MEASURE, *command], env=settings, capture_output=True, check=True, text=True)
    code, took, own, peak = json.loads(ran.stderr.splitlines()[-1])
    # Of ours 1 says that somebody is affected.
    if code not in {0, 1} or (code and command[0] == sys.executable):
        sys.exit(f"{command[0]} ended with {code}: {ran.stderr}")
    after = ask_server("count")
    requests, received, server = (now - then for now, then in zip(after, before, strict=True))
    return Figures(took, own, peak * PEAK_UNIT, requests, received, server)


def _print_figures(name: str, own: Figures, ours: Figures | None) -> None:
    share = "" if ours is None else f"  ours {ours.seconds / own.seconds:.2f} of its time, "
    share += "" if ours is None else f"{ours.processor / own.processor:.2f} of its processor time"
    print(
        f"  {name:26} {own.seconds:7.1f} s, processor {own.processor:6.1f} s, {own.requests:6} requests,"
        f" {own.received / MEGABYTE:7.1f} MB, peak {own.peak / MEGABYTE:4.0f} MB (server {own.server:.1f} s){share}",
        flush=True,
    )


if __name__ == "__main__":
    main()
