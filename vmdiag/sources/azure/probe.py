"""A TCP connection from here to a VM's public address, with `--probe PORT`; no byte is sent through it."""

import socket
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from vmdiag.arm.session import Session
from vmdiag.errors import SourceError, Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.azure.worker_pool import run_jobs
from vmdiag.sources.items import VmRecord
from vmdiag.sources.store import ItemStore

# Long enough for a slow path across the world, short enough for a person who waits.
PROBE_TIMEOUT = 5.0
NO_ADDRESS_REASON = "the VM has no public address that a connection could be tried to"
UNTRIED_REASON = "not tried when the run's time was over, or when it was interrupted"


def probe_addresses(addresses: Mapping[VmId, str | None], at: datetime, spool: ItemStore, session: Session) -> None:
    """Try the VMs' addresses, and keep how it went, dated `at`, or why it could not be tried."""
    port = session.settings.probe_port or 0
    jobs = {vm: partial(_probe_address, one, port, at) for vm, one in addresses.items() if one is not None}
    reasons = {vm: UNTRIED_REASON if vm in jobs else NO_ADDRESS_REASON for vm in addresses}
    for vm, result in run_jobs(session.settings.jobs, jobs, lambda: session.should_stop):
        if isinstance(result, SourceError):
            reasons[vm] = result.message
        else:
            del reasons[vm]
            spool.add_item(VmRecord(vm, result))
    for vm, reason in reasons.items():
        spool.add_refusal(Signal.PROBE, vm.key, reason)


def _probe_address(address: str, port: int, at: datetime) -> Record:
    """How a connection went; a refusal comes from the guest, or from a firewall in front of it."""
    try:
        with socket.create_connection((address, port), PROBE_TIMEOUT):
            status = "answered"
    except ConnectionRefusedError:
        status = "refused"
    except TimeoutError:
        status = "timed out"
    except OSError as error:
        # That this machine has no way there says nothing of the VM.
        message = f"no connection from here to {address}:{port} could be tried: {error.strerror or error}"
        raise Unreachable(message, "Check this machine's network.") from error
    facts = {"address": address, "port": str(port)}
    ref = f"a connection from here to {address}:{port}"
    return Record(at=at, signal=Signal.PROBE, name="tcp", status=status, facts=facts, ref=ref)
