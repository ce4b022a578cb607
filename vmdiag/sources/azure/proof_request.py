"""One look at suspects from elsewhere as a value: what to ask, whom it concerns, how its answer is read.

A module of the folder `provers` is whoever can be asked: it is a `Prover`. For some suspects at a time it plans what to
ask: `ProofRequest`s, each one action of `arm.request` for one VM or for several (a balancer's rule for all its
backends), and `ProofGap`s, where it cannot ask. It may read what it needs for that (`session`), reads only, and sends
no action itself.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.items import Item

# An answer, the window's end, how much later it came, and where it was read.
AnswerReader = Callable[[object, datetime, timedelta, str], Iterable[Item]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProofRequest:
    """One action on behalf of VMs.

    `request` is the action (`is_action`), `rights` what it needs: ids of scopes, each with an action of Azure's.
    `read_items` tells what the answer says; it raises `MalformedRow` for one that cannot be understood.
    """

    request: Request
    vms: tuple[VmId, ...]
    rights: tuple[tuple[str, str], ...]
    read_items: AnswerReader


@dataclass(frozen=True, slots=True)
class ProofGap:
    """Why something is not asked for a VM."""

    vm: VmId
    reason: str


class Prover(Protocol):
    """A module of the folder `provers`."""

    PERMISSIONS: tuple[str, ...]  # what a role must allow besides reading, in Azure's words
    SIGNAL: Signal  # of what it tells, and of its gaps
    ABOUT: str  # what it asks, in a few words, with what that may cost

    def build_proof_requests(
        self,
        machines: Sequence[VirtualMachine],
        session: Session,
        ports: Mapping[VmId, int],
        suspects: Collection[VmId],
    ) -> list[ProofRequest | ProofGap]:
        """What to ask about these VMs; `SourceError` where that cannot be made out. It runs in another thread.

        `ports` are those at which tests of Connection Monitor try them; none of the `suspects` is to look.
        """
        ...
