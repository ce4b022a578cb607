"""How long live readings take beside what others would do, in one run: `python -m tests.benchmarks.live`.

Peers that are not there are left out: the Azure CLI (`--az PATH`), a Python with azure-mgmt-compute, -monitor and
-resourcehealth (`--sdk PATH`), each best in an environment of its own. All talk to the same local Resource Manager.
The commands run in turn, and the quickest run of each counts: what makes another slower is the machine's other work.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import certifi

from tests.arm import ArmServer, World
from tests.conftest import COMMAND

PEERS = Path(__file__).with_name("peers")
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
# The contract of the issue: shares of the peers' time, and requests.
AZ_LIMIT, MINIMUM_LIMIT, AT_ONCE_LIMIT, SDK_LIMIT, REQUESTS_LIMIT = 0.6, 1.5, 1.15, 0.2, 60
MEGABYTE = 1_000_000
# A process starts with its parent's peak, and this one serves: so a small one stands between.
MEASURE = (
    sys.executable,
    "-ISc",
    (
        "import json, os, subprocess, sys, time; began = time.perf_counter(); "
        "ran = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL); _, status, used = os.wait4(ran.pid, 0); "
        "took = time.perf_counter() - began; "
        "busy = used.ru_utime + used.ru_stime; "
        "print(json.dumps([os.waitstatus_to_exitcode(status), took, used.ru_maxrss, busy]), file=sys.stderr)"
    ),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command against the server."""

    seconds: float
    busy: float  # processor time, in seconds
    peak: int
    requests: int
    received: int


@dataclass(frozen=True, slots=True)
class Peer:
    """Commands that run one after another, and which share of their time is the most that vmdiag may take."""

    name: str
    commands: Sequence[Sequence[str]]
    limit: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def main() -> None:
    """Print seconds, requests, bytes and peak memory of each, and the ratios beside their limits."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--az", default=shutil.which("az"))
    options.add_argument("--sdk", default=sys.executable)
    options.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.05], metavar="SECONDS")
    options.add_argument("--since", nargs="*", default=["1d", "14d"])
    options.add_argument(
        "--all-authorities", action="store_true", help="trust whom everybody trusts, too, as for Azure"
    )
    asked = options.parse_args()
    for latency in asked.latency:
        for since in asked.since:
            _one(asked, latency, since)
        _fleet(asked, latency)


def _one(asked: argparse.Namespace, latency: float, since: str) -> None:
    print(f"\none VM, --since {since}, {latency * 1000:.0f} ms of latency")
    with ArmServer(World.with_one_vm(), latency=latency, throttle=False) as arm, ExitStack() as stack:
        vm = next(iter(arm.world)).id
        check = [str(COMMAND), "check", vm, "--since", since, "-o", "json", "--cloud", arm.url]
        _run(arm, Peer("warm-up", [check]))
        requests = stack.enter_context(_by_hand(arm))
        script = [sys.executable, str(PEERS / "minimum.py"), str(requests)]
        trust = {}
        if asked.all_authorities:
            trusted = requests.with_name("authorities.pem")
            trusted.write_text(f"{certifi.contents()}\n{arm.ca_bundle.read_text()}")
            trust["REQUESTS_CA_BUNDLE"] = str(trusted)
        peers = [
            Peer("vmdiag check", [check], environment=trust),
            Peer("requests, one by one", [[*script, "1"]], MINIMUM_LIMIT, trust),
            Peer("requests, all at once", [[*script, "16"]], AT_ONCE_LIMIT, trust),
            # As who knows no more than vmdiag at its beginning has to: the cloud first, then what follows from answers.
            Peer("requests, in rounds", [[*script, "16", arm.url]], AT_ONCE_LIMIT, trust),
        ]
        if asked.az:
            environment = stack.enter_context(_signed_in(arm, asked.az)) | trust
            peers.append(Peer("four az calls", list(_az_calls(asked.az, arm, vm, since)), AZ_LIMIT, environment))
        _compared(arm, peers, asked.runs)


def _fleet(asked: argparse.Namespace, latency: float) -> None:
    print(f"\n200 VMs in 4 resource groups, 10 of them migrated, --since 1d, {latency * 1000:.0f} ms of latency")
    # Six of the ten took no harm.
    with ArmServer(World.with_fleet(vms=200, groups=4, migrated=4), latency=latency, throttle=False) as arm:
        check = [str(COMMAND), "check", "--all", "--since", "1d", "-o", "json", "--cloud", arm.url]
        script = [asked.sdk, str(PEERS / "sdk.py"), arm.url, next(iter(arm.world)).subscription, "24"]
        peers = [Peer("vmdiag check --all", [check]), Peer("SDK script, VM by VM", [script], SDK_LIMIT)]
        if subprocess.run([asked.sdk, "-c", "import azure.mgmt.monitor"], capture_output=True, check=False).returncode:
            print("  the SDKs are not installed: left out")
            peers.pop()
        _run(arm, peers[0])
        ours = _compared(arm, peers, 1)
        print(f"  {'requests':22} {ours.requests} (limit {REQUESTS_LIMIT})")


@contextmanager
def _by_hand(arm: ArmServer) -> Iterator[Path]:
    """A file with the very requests of vmdiag's last run."""
    scopes = [parse_qs(seen.body.decode())["scope"][0].split()[0] for seen in arm.requests if "oauth2" in seen.path]
    last = max(number for number, seen in enumerate(arm.requests) if seen.path.startswith("/metadata"))
    told = min(seen.answered_at for seen in arm.requests[last:] if seen.authorized)
    lines = [
        json.dumps(
            {
                "method": seen.method,
                "url": f"{arm.url}{seen.path}?{urlencode(seen.query)}",
                "body": json.loads(seen.body) if seen.body else None,
                "scope": next(scope for scope in scopes if ("/v1/" in seen.path) is (scope != scopes[0])),
                "round": 1 if seen.came_at <= told else 2,
            }
        )
        for seen in arm.requests[last:]
        if seen.authorized
    ]
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "requests.jsonl")
        asked.write_text("\n".join(lines))
        yield asked


@contextmanager
def _signed_in(arm: ArmServer, az: str) -> Iterator[dict[str, str]]:
    """A configuration of the Azure CLI that knows this cloud and no other."""
    with tempfile.TemporaryDirectory() as folder:
        own = {
            "AZURE_CONFIG_DIR": folder,
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        }
        known = arm.environment
        login = ["login", "--service-principal", "-u", known["AZURE_CLIENT_ID"], "-p", known["AZURE_CLIENT_SECRET"]]
        for words in (
            ["cloud", "register", "-n", "here", "--endpoint-resource-manager", arm.url],
            ["cloud", "set", "-n", "here"],
            [*login, "--tenant", known["AZURE_TENANT_ID"]],
        ):
            subprocess.run([az, *words], env=os.environ | known | own, capture_output=True, check=True)
        yield own


def _az_calls(az: str, arm: ArmServer, vm: str, since: str) -> Iterator[list[str]]:
    """What a person would type: the view, the log, the health, the metrics."""
    group = vm.split("/")[4]
    names = ["Network In Total", "Inbound Flows", "VmAvailabilityMetric", "Percentage CPU"]
    names += ["Disk Read Bytes", "Disk Write Bytes"]
    yield [az, "vm", "get-instance-view", "--ids", vm]
    yield [az, "monitor", "activity-log", "list", "-g", group, "--offset", since, "--max-events", "100000"]
    health = f"{arm.url}{vm}/providers/Microsoft.ResourceHealth/availabilityStatuses?api-version=2022-10-01"
    yield [az, "rest", "--url", health]
    metrics = [az, "monitor", "metrics", "list", "--resource", vm, "--interval", "PT1M", "--offset", since]
    yield [*metrics, "--aggregation", "Total", "Average", "--metrics", *names]


def _compared(arm: ArmServer, peers: Sequence[Peer], runs: int) -> Run:
    """Run them in turn, so that the machine's other work hits all; print the quickest, and return that of the first."""
    done = [[_run(arm, peer) for peer in peers] for _ in range(runs)]
    best: list[Run] = [min(theirs, key=attrgetter("seconds")) for theirs in zip(*done, strict=True)]
    for peer, run in zip(peers, best, strict=True):
        figures = (
            f"{run.seconds:7.2f} s {run.busy:6.2f} s busy {run.requests:5} requests {run.received / MEGABYTE:6.2f} MB"
        )
        bound = f" (limit {peer.limit})" if peer.limit else ""
        ratio = "" if peer is peers[0] else f"  ours {best[0].seconds / run.seconds:.2f} of it{bound}"
        print(f"  {peer.name:22} {figures}  peak {run.peak / MEGABYTE:4.0f} MB{ratio}", flush=True)
    return best[0]


def _run(arm: ArmServer, peer: Peer) -> Run:
    before, seconds, busy, peak = len(arm.requests), 0.0, 0.0, 0
    for command in peer.commands:
        settings = os.environ | arm.environment | dict(peer.environment)
        ran = subprocess.run([*MEASURE, *command], env=settings, capture_output=True, check=True, text=True)
        code, took, most, spent = json.loads(ran.stderr.splitlines()[-1])
        # An affected VM is no failure.
        if code not in {0, 1} or (code and command[0] != str(COMMAND)):
            sys.exit(f"{command[0]} ended with {code}: {ran.stderr}")
        seconds, busy, peak = seconds + took, busy + spent, max(peak, most)
    seen = arm.requests[before:]
    return Run(seconds, busy, peak * PEAK_UNIT, len(seen), sum(each.bytes_sent for each in seen))


if __name__ == "__main__":
    main()
