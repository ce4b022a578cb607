"""The redeploy of one VM: its price, the one request, and how Azure's operation goes on; must not decide on it.

`apply_order` is the only function of the program that changes anything in Azure. It takes an `Order`, which only the
guards make, and sends exactly one POST, whatever comes back: no retry, no redirect, no second try with another token.

Sources: "REST API: Virtual Machines - Redeploy", "Redeploy virtual machine to new Azure node". That allocation can fail
is told of starts and resizes, so of redeploys it is inferred.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, cast

from azure.core import exceptions as core
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import HeadersPolicy, SansIOHTTPPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse

from vmdiag import __version__
from vmdiag.arm import error_translation
from vmdiag.arm.rate_limits import parse_retry_after
from vmdiag.arm.session import Session
from vmdiag.diagnosis.model import Case
from vmdiag.errors import NotSignedIn, SourceError
from vmdiag.redeploy import messages, operation
from vmdiag.redeploy.guards import Order
from vmdiag.redeploy.model import Plan, Preflight

PERMISSIONS = (
    "Microsoft.Authorization/locks/read",
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Compute/availabilitySets/read",
    "Microsoft.Compute/virtualMachineScaleSets/read",
    "Microsoft.Features/providers/features/read",
    "Microsoft.Maintenance/updates/read",
    operation.PERMISSION,
    "Microsoft.Compute/virtualMachines/redeploy/action",
)
# Seconds to connect and between two pieces of the answer: Azure accepts within moments, or not at all.
CONNECT, PIECE = 10, 60
# urllib3's and requests' names for it; neither is a dependency of ours.
_UNCONNECTED = frozenset({"NewConnectionError", "ConnectTimeoutError", "ConnectTimeout"})
REDIRECT, TIMEOUT, BROKEN = 300, 408, 500  # of HTTP


class SendResult(StrEnum):
    """What became of the request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # Azure said no: nothing happened
    UNSENT = "unsent"  # it never left
    HELD = "held"  # it was kept back: the order was too old, or the run was asked to end
    UNHEARD = "unheard"  # it left, and no clear answer came: it may have happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The answer to the request; `operation` is the address at which Azure tells how it goes on."""

    reception: SendResult
    says: str
    hint: str = ""
    operation: str | None = None
    correlation: str | None = None


def build_plan(
    case: Case,
    facts: Preflight | None = None,
    again: Case | None = None,
    again_fails: str | None = None,
    request: str = "",
) -> Plan:
    """What a redeploy would be for this VM, and its price; pure."""
    return Plan(
        case=case,
        preflight=facts,
        again=again,
        again_fails=again_fails,
        request=request,
        loses=tuple(_list_losses(facts)),
        risks=tuple(_list_risks(facts)),
    )


def _list_losses(facts: Preflight | None) -> Iterator[str]:
    yield "what is in memory: it is a reboot"
    yield "everything on the temporary disk and on other disks of the host"
    if facts is not None and facts.ephemeral:
        yield "everything on the OS disk, which is ephemeral"
    if facts is None:
        yield "a dynamic public IP address may change"
    elif facts.address:
        yield f"the public IP address {facts.address}, which is dynamic, may change"


def _list_risks(facts: Preflight | None) -> Iterator[str]:
    known = facts or Preflight()
    narrow = f" ({', '.join(known.narrow)} narrows the choice)" if known.narrow else ""
    yield f"Azure may find no room for the VM on another host{narrow}: then it stays down"
    yield "what waits for a reboot inside the guest shows now"
    yield (
        "what another machine began shows in the VM's provisioning state and, minutes later, in the log: of two that "
        "decide in the same seconds neither sees the other, and both would redeploy it"
    )
    if not known.approves_itself:
        yield "scheduled events inside the guest can delay it by 10 minutes and more"
    if facts is not None:
        yield from _list_unknowns(facts)


def _list_unknowns(facts: Preflight) -> Iterator[str]:
    """What could not be read and does not forbid it."""
    if facts.locks is None:
        yield "whether a lock forbids it could not be read"
    elif facts.unread_locks:
        yield f"whether a lock of the {' or the '.join(facts.unread_locks)} forbids it could not be read"
    if facts.scheduled is None:
        yield "whether Azure has announced to move or reboot it could not be read"
    elif facts.announces is False:
        yield "whether Azure has announced to move or reboot it is not published: scheduled events are not opted in"
    if facts.address_unread:
        yield f"whether it has a dynamic public IP address, which may change, is not known ({facts.address_unread})"
    if facts.recent_unread:
        yield f"redeploys elsewhere in the subscription could not be seen ({facts.recent_unread})"
    for name in facts.untold:
        yield f"this cloud's answers do not tell {name}"


def apply_order(order: Order, session: Session) -> Sent:
    """Ask Azure to redeploy the VM of the order: one POST, never another."""
    if not isinstance(order, Order):  # the type says so; a mistake here would cost a VM
        message = f"{type(order).__name__} is no Order"  # type: ignore[unreachable]
        raise TypeError(message)
    # 0.2 s, and 50 MB of models, only for whoever redeploys.
    from azure.mgmt.compute import ComputeManagementClient

    vm, cloud = order.plan.vm, session.cloud
    try:
        with error_translation.translate_errors("signing in", NotSignedIn):
            token = session.get_token(cloud.token_scope, enable_cae=True).token
    except SourceError as error:
        return Sent(reception=SendResult.UNSENT, says=error.message, hint=error.hint)
    client = ComputeManagementClient(
        _Nobody(),
        vm.subscription,
        base_url=cloud.arm,
        policies=[*_build_policies(token, order.plan.request), _Gate(order, session)],
        transport=session.transport,
    )
    try:
        poller = client.virtual_machines.begin_redeploy(
            vm.resource_group,
            vm.name,
            api_version=session.api_versions["compute"],
            polling=False,
            connection_timeout=CONNECT,
            read_timeout=PIECE,
            cls=lambda response, _, __: response.http_response,
        )
        answer: HttpResponse = cast("HttpResponse", poller.result())
    except _HeldError as held:
        return Sent(reception=SendResult.HELD, says=str(held))
    except core.HttpResponseError as error:
        return _decode_refusal(error, session.now)
    except (core.AzureError, OSError) as error:
        if _never_left(error):
            says = f"Azure could not be reached: {_find_cause(error)}"
            return Sent(reception=SendResult.UNSENT, says=says, hint=error_translation.NETWORK_HINT)
        return Sent(reception=SendResult.UNHEARD, says=f"no answer came to the request: {_find_cause(error)}")
    operation = answer.headers.get("Azure-AsyncOperation")
    return Sent(
        reception=SendResult.ACCEPTED,
        says="Azure accepted the redeploy",
        operation=operation,
        correlation=answer.headers.get("x-ms-correlation-request-id"),
    )


def read_boot_seconds() -> float:
    """Seconds since some instant, by a clock that nobody sets and that runs on while the machine or the process sleeps.

    Sources: clock_gettime(2) of Linux (CLOCK_BOOTTIME counts suspension, CLOCK_MONOTONIC does not), of macOS
    (CLOCK_MONOTONIC counts sleep, which Python's `time.monotonic` there does not). Python's `time.monotonic` on Windows
    counts sleep up to 3.12, and its performance counter does, too.
    """
    clock = getattr(time, "CLOCK_BOOTTIME" if sys.platform == "linux" else "CLOCK_MONOTONIC", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class _Nobody(TokenCredential):
    """The client wants a credential, and must not use it: the token is fetched before, and sent as it is."""

    def get_token(self, *scopes: str, **options: object) -> NoReturn:
        del scopes, options
        raise NotImplementedError


class _Signature(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Signs the request, and does not answer a challenge: that would send it again."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


class _HeldError(Exception):
    """The request must not leave any more."""


class _Gate(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """The last thing before the connection: an order that has grown old, or a run that was ended, sends nothing.

    Signing in, importing and writing the journal take time, and a process may be stopped at any point of it.
    """

    def __init__(self, order: Order, session: Session) -> None:
        self._order = order
        self._session = session

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        del request
        if self._session.stop.is_set():
            message = "the run was interrupted"
            raise _HeldError(message)
        expiry = self._order.check_expiry(read_boot_seconds())
        if not expiry.passes:
            raise _HeldError(expiry.found)


def _build_policies(token: str, request: str) -> list[object]:
    """All that happens to the request on its way; the library's own would try again, redirect and register."""
    headers = {"Accept": "application/json", "x-ms-client-request-id": request}
    return [HeadersPolicy(headers), UserAgentPolicy(base_user_agent=f"vmdiag/{__version__}"), _Signature(token)]


def _decode_refusal(error: core.HttpResponseError, now: datetime) -> Sent:
    answer = cast("HttpResponse | None", error.response)
    status = answer.status_code if answer is not None else None
    if answer is None or status is None or status < REDIRECT or status == TIMEOUT or status >= BROKEN:
        return Sent(
            reception=SendResult.UNHEARD, says=f"Azure's answer ({status}) does not say whether it took the request"
        )
    code, message = error_translation.parse_error_body(_read_body(answer))
    after = parse_retry_after(answer.headers, now)
    meaning = messages.explain_refusal(status, code, message, after, now)
    correlation = answer.headers.get("x-ms-correlation-request-id")
    return Sent(reception=SendResult.REFUSED, says=meaning.says, hint=meaning.hint, correlation=correlation)


def _read_body(answer: HttpResponse) -> bytes:
    try:
        return bytes(answer.content)
    except core.AzureError:
        return b""


def _never_left(error: Exception) -> bool:
    """Whether there was no connection; `ServiceRequestError` alone is also raised where TLS breaks over the answer."""
    inner = error.inner_exception if isinstance(error, core.ServiceRequestError) else None
    while inner is not None:
        if any(kind.__name__ in _UNCONNECTED for kind in type(inner).__mro__):
            return True
        inner = inner.__cause__ or inner.__context__
    return False


def _find_cause(error: Exception) -> str:
    causes = (says for word, says, _ in error_translation.NETWORK_CAUSES if word in str(error))
    return next(causes, type(error).__name__)
