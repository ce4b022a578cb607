"""Who signs in: one of azure-identity's credentials, remembered and renewed; must not know what is asked of Azure."""

import base64
import threading
import time
from collections.abc import Callable, Mapping

import msgspec
from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import (
    AzureCliCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from vmdiag.arm.clouds import Cloud

# azure-core asks for a new token this long before the old one ends; so the memory must not hand out an older one.
MARGIN = 300.0
# Seconds; by default azure-core waits 300 for a host that does not answer.
PATIENCE = 30

_OPENERS: Mapping[str, Callable[..., TokenCredential]] = {
    "auto": DefaultAzureCredential,
    "environment": EnvironmentCredential,
    "workload": WorkloadIdentityCredential,
}


class Credential:
    """A `TokenCredential` that asks once for all threads, and can start anew when Azure no longer takes its token.

    Without the memory each of the first requests would ask for itself: with the Azure CLI a process each.
    """

    def __init__(self, kind: str, cloud: Cloud) -> None:
        self._kind = kind
        self._cloud = cloud
        self._lock = threading.Lock()
        self._inner: TokenCredential | None = None
        self._known: dict[tuple[str, ...], AccessToken] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: object,
    ) -> AccessToken:
        """A token for these scopes; `claims` is Azure's challenge, for which no remembered one will do."""
        del options
        with self._lock:
            known = self._known.get(scopes)
            if known is not None and claims is None and known.expires_on - time.time() > MARGIN:  # noqa: TID251 - the token's own clock
                return known
            if self._inner is None:
                self._inner = _opened(self._kind, self._cloud)
            found = self._inner.get_token(*scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)
            self._known[scopes] = found
            return found

    def renew(self, used: str) -> None:
        """Forget everything, if this token is still the one that is handed out."""
        with self._lock:
            if any(known.token == used for known in self._known.values()):
                self._inner = None
                self._known.clear()

    def name(self) -> str:
        """Which credential answered, in azure-identity's words."""
        inner = self._inner
        # The chain remembers which of its credentials succeeded, and tells only its log.
        answered = getattr(inner, "_successful_credential", None) or getattr(inner, "_credential", None) or inner
        return type(answered).__name__ if answered is not None else "nobody"


def claims(token: str) -> Mapping[str, object]:
    """What a token says of its bearer, unverified: only to be shown; empty where it is no JSON web token."""
    body = token.split(".")[1:2]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(body[0] + "=" * (-len(body[0]) % 4))) if body else {}
    except (msgspec.DecodeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _opened(kind: str, cloud: Cloud) -> TokenCredential:
    # The CLI and a managed identity know their own cloud.
    if kind == "cli":
        return AzureCliCredential()
    if kind == "managed":
        return ManagedIdentityCredential()
    return _OPENERS[kind](
        authority=cloud.authority,
        disable_instance_discovery=not cloud.is_known_to_entra,
        connection_timeout=PATIENCE,
        read_timeout=PATIENCE,
    )
