"""A TCP connection from here to a VM's public address, with `--probe PORT`; must not send a byte through it."""

import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from vmdiag.arm.session import Session
from vmdiag.errors import Unreachable
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.azure.worker_pool import Crew, Piece
from vmdiag.sources.items import Heard
from vmdiag.sources.store import Spool

# Long enough for a slow path across the world, short enough for a person who waits.
PATIENCE = 5.0
NO_ADDRESS = "the VM has no public address that a connection could be tried to"
UNTRIED = "not tried when the run's time was over, or when it was interrupted"


def probe(addresses: Mapping[VmId, str | None], at: datetime, spool: Spool, session: Session) -> None:
    """Try the VMs' addresses, and keep how it went, dated `at`, or why it could not be tried."""
    port = session.access.probe or 0
    crew: Crew[VmId, Record] = Crew(session.access.jobs)
    for vm, address in addresses.items():
        if address is None:
            spool.refuse(Signal.PROBE, vm.key, NO_ADDRESS)
        else:
            crew.add(vm, partial(_tried, address, port, at))
    waiting = {vm for vm, address in addresses.items() if address is not None}
    for result in crew.results(lambda: session.is_over):
        waiting.discard(result.key)
        if isinstance(result, Piece):
            spool.add(Heard(result.key, result.value))
        elif isinstance(result.error, Unreachable):
            spool.refuse(Signal.PROBE, result.key.key, result.error.message)
        elif result.error is not None:
            raise result.error
    for vm in waiting:
        spool.refuse(Signal.PROBE, vm.key, UNTRIED)


def _tried(address: str, port: int, at: datetime) -> Iterator[Record]:
    """How a connection went; a refusal comes from the guest, or from a firewall in front of it."""
    try:
        with socket.create_connection((address, port), PATIENCE):
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
    yield Record(at=at, signal=Signal.PROBE, name="tcp", status=status, facts=facts, ref=ref)
