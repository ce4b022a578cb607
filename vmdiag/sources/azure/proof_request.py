"""What is asked about suspects from elsewhere, as values: the action, the VMs it concerns, how its answer is read.

Each module of the folder `provers` is a `Prover`: a service of Azure's that can be asked. For some suspects at a time
it plans `ProofRequest`s, each one action for one VM or for several (a balancer's rule for all its backends), and
`ProofGap`s where it cannot ask. For planning it may read (`session`); it sends no action itself.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from vmdiag.arm.pending_operations import OPERATION_PERMISSION
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.items import Item
from vmdiag.values import Struct

# Reads an answer, given the window's end, how much later it came, and where it was read.
AnswerReader = Callable[[object, datetime, timedelta, str], Iterable[Item]]


class ProofRequest(Struct, frozen=True, kw_only=True, eq=False):
    """One action on behalf of VMs.

    `request` is the action (`is_action`), `rights` what it needs: ids of scopes, each with an action of Azure's.
    `read_items` tells what the answer says; it raises `MalformedRow` for one that cannot be understood.
    """

    request: Request
    vms: tuple[VmId, ...]
    rights: tuple[tuple[str, str], ...]
    read_items: AnswerReader


def list_action_rights(scope: str, action: str) -> tuple[tuple[str, str], ...]:
    """The rights to send an action at a scope, and to fetch its answer, which Azure keeps at the subscription.

    A page says so of balancers; of Network Watcher it is inferred.
    """
    return (scope, action), ("/".join(scope.split("/")[:3]), OPERATION_PERMISSION)


class ProofGap(Struct, frozen=True):
    """Why something is not asked for a VM."""

    vm: VmId
    reason: str


class Prover(Protocol):
    """What a module of the folder `provers` has to have."""

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
