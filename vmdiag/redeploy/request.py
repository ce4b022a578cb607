"""The redeploy of one VM: what it may cost, and the one request.

`apply_order` is the only function of the program that changes anything in Azure. It takes an `Order`, which only the
guards make, and sends exactly one POST, whatever comes back: no retry, no redirect, no second try with another token.

Sources: "REST API: Virtual Machines - Redeploy", "Redeploy virtual machine to new Azure node". That allocation can fail
is told of starts and resizes, so of redeploys it is inferred.
"""

import sys
import time
from collections.abc import Iterator
from datetime import datetime
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
from vmdiag.mitigation import REDEPLOY_ACTION
from vmdiag.redeploy.guards import Order
from vmdiag.redeploy.journal import Step
from vmdiag.redeploy.messages import explain_refusal
from vmdiag.redeploy.model import Plan, Preflight
from vmdiag.redeploy.operation import PERMISSION, Progress

PERMISSIONS = (
    "Microsoft.Authorization/locks/read",
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Compute/availabilitySets/read",
    "Microsoft.Compute/virtualMachineScaleSets/read",
    "Microsoft.Features/providers/features/read",
    "Microsoft.Maintenance/updates/read",
    PERMISSION,
    REDEPLOY_ACTION,
)
# Seconds to connect and between two pieces of the answer: Azure accepts within moments, or not at all.
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
# urllib3's and requests' names for it; neither is a dependency of ours.
_UNCONNECTED = frozenset({"NewConnectionError", "ConnectTimeoutError", "ConnectTimeout"})
CORRELATION = "x-ms-correlation-request-id"
REDIRECTION, TIMED_OUT, SERVER_ERROR = 300, 408, 500  # of HTTP


class HeldError(Exception):
    """The request was kept back: the order was too old, or the run was asked to end."""


def build_plan(case: Case, facts: Preflight | None = None) -> Plan:
    """What a redeploy would be for this VM, and what it may cost; pure."""
    loses = ["what is in memory: it is a reboot", "everything on the temporary disk and on other disks of the host"]
    if facts is None:
        loses.append("a dynamic public IP address may change")
    elif facts.ephemeral:
        loses.append("everything on the OS disk, which is ephemeral")
    if facts is not None and facts.address:
        loses.append(f"the public IP address {facts.address}, which is dynamic, may change")
    return Plan(case=case, preflight=facts, loses=tuple(loses), risks=tuple(_list_risks(facts)))


def _list_risks(facts: Preflight | None) -> Iterator[str]:
    """What may go wrong, and what could not be read and does not forbid it."""
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
    if facts is None:
        return
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
    yield from (f"this cloud's answers do not tell {name}" for name in facts.untold)


def apply_order(order: Order, session: Session) -> Progress:
    """Ask Azure to redeploy the VM of the order: one POST, never another; raises `HeldError` where none may leave."""
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
        return Progress(step=Step.VOID, says=error.message, hint=error.hint)
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {token}",
        "x-ms-client-request-id": order.plan.request,
    }
    # All that happens to the request on its way. The library's own would try again, redirect, register, and answer a
    # challenge, which sends it again.
    agent = UserAgentPolicy(base_user_agent=f"vmdiag/{__version__}")
    policies = [HeadersPolicy(headers), agent, _ExpiryPolicy(order, session)]
    client = ComputeManagementClient(
        _UnusedCredential(), vm.subscription, base_url=cloud.arm, policies=policies, transport=session.transport
    )
    try:
        poller = client.virtual_machines.begin_redeploy(
            vm.resource_group,
            vm.name,
            api_version=session.api_versions["compute"],
            polling=False,
            connection_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            cls=lambda response, _, __: response.http_response,
        )
        answer = cast("HttpResponse", poller.result())
    except (core.AzureError, OSError) as error:
        return _explain_error(error, session.now)
    return Progress(
        step=Step.ACCEPTED,
        says="Azure accepted the redeploy",
        operation=answer.headers.get("Azure-AsyncOperation"),
        correlation=answer.headers.get(CORRELATION),
    )


class _UnusedCredential(TokenCredential):
    """The client wants a credential, and must not use it: the token is fetched before, and sent as it is."""

    def get_token(self, *scopes: str, **options: object) -> NoReturn:
        del scopes, options
        raise NotImplementedError


class _ExpiryPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Raises `HeldError` as the last thing before the connection, for an order that expired or a run that was ended.

    Signing in, importing and writing the journal take time, and a process may be stopped at any point of it.
    """

    def __init__(self, order: Order, session: Session) -> None:
        self._order = order
        self._session = session

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        del request
        if self._session.stop.is_set():
            message = "the run was interrupted"
            raise HeldError(message)
        expiry = self._order.check_expiry(read_boot_seconds())
        if not expiry.passes:
            raise HeldError(expiry.found)


def _explain_error(error: Exception, now: datetime) -> Progress:
    """What became of a request that was not accepted, as far as the error tells."""
    if isinstance(error, core.HttpResponseError):
        answer = cast("HttpResponse | None", error.response)
        status = answer.status_code if answer is not None else None
        if answer is None or status is None or status < REDIRECTION or status == TIMED_OUT or status >= SERVER_ERROR:
            says = f"Azure's answer ({status}) does not say whether it took the request"
            return Progress(step=Step.INTENDED, says=says)
        try:
            body = bytes(answer.content)
        except core.AzureError:
            body = b""
        code, message = error_translation.parse_error_body(body)
        says, hint = explain_refusal(status, code, message, parse_retry_after(answer.headers, now), now)
        return Progress(step=Step.VOID, says=says, hint=hint, correlation=answer.headers.get(CORRELATION))
    causes = (says for word, says, _ in error_translation.NETWORK_CAUSES if word in str(error))
    cause = next(causes, type(error).__name__)
    # There was no connection? `ServiceRequestError` alone is also raised where TLS breaks over the answer.
    inner = error.inner_exception if isinstance(error, core.ServiceRequestError) else None
    while inner is not None:
        if any(kind.__name__ in _UNCONNECTED for kind in type(inner).__mro__):
            says = f"Azure could not be reached: {cause}"
            return Progress(step=Step.VOID, says=says, hint=error_translation.NETWORK_HINT)
        inner = inner.__cause__ or inner.__context__
    return Progress(step=Step.INTENDED, says=f"no answer came to the request: {cause}")


def read_boot_seconds() -> float:
    """Seconds since some instant, by a clock that nobody sets and that runs on while the machine or the process sleeps.

    Sources: clock_gettime(2) of Linux (CLOCK_BOOTTIME counts suspension, CLOCK_MONOTONIC does not), of macOS
    (CLOCK_MONOTONIC counts sleep, which Python's `time.monotonic` there does not). Python's `time.monotonic` on Windows
    counts sleep up to 3.12, and its performance counter does, too.
    """
    clock = getattr(time, "CLOCK_BOOTTIME" if sys.platform == "linux" else "CLOCK_MONOTONIC", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
