"""Who signs in: one of azure-identity's credentials, remembered and renewed."""

import base64
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    AzureCliCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from vmdiag.arm.clouds import Cloud
from vmdiag.arm.request import AzureSettings, get_members

# azure-core asks for a new token this long before the old one ends; so the memory must not hand out an older one.
TOKEN_EXPIRY_MARGIN = 300.0
# Seconds; by default azure-core waits 300 for a host that does not answer.
SIGN_IN_TIMEOUT = 30
# The CLI on a busy machine with a cold disk takes longer than azure-identity's 10 s to start.
CLI_TIMEOUT = 60
# A credential that is set up for one tenant asks another one only where that is allowed beforehand.
ANY_TENANT = ["*"]


class CachedCredential:
    """A `TokenCredential` that asks once for all threads (the Azure CLI is a process each), and can start anew."""

    def __init__(self, create: Callable[[], TokenCredential], tenant: str | None) -> None:
        self._create = create
        self._tenant = tenant
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: object,
    ) -> AccessToken:
        """A token for these scopes; `claims` is Azure's challenge, for which no remembered one will do."""
        if claims is None and (known := self._find_token(scopes)):
            # Not behind the lock: somebody may be asking for another token.
            return known
        with self._lock:
            if claims is None and (known := self._find_token(scopes)):
                return known
            self._credential = self._credential or self._create()
            tenant = tenant_id or self._tenant
            found = self._credential.get_token(*scopes, claims=claims, tenant_id=tenant, enable_cae=enable_cae)
            self._tokens[scopes] = found
            return found

    def _find_token(self, scopes: tuple[str, ...]) -> AccessToken | None:
        """The remembered token for these scopes, if it holds long enough."""
        known = self._tokens.get(scopes)
        if known is None or known.expires_on - time.time() <= TOKEN_EXPIRY_MARGIN:  # noqa: TID251 - the token's own clock
            return None
        return known

    def invalidate_token(self, used: str) -> None:
        """Forget everything, if this token is still the one that is handed out."""
        with self._lock:
            if any(known.token == used for known in self._tokens.values()):
                self._credential = None
                self._tokens.clear()

    def get_credential_name(self) -> str:
        """Which credential answered, in azure-identity's words."""
        inner = self._credential
        # The chain remembers which of its credentials succeeded, and tells only its log.
        answered = getattr(inner, "_successful_credential", None) or getattr(inner, "_credential", None) or inner
        return type(answered).__name__ if answered is not None else "nobody"


def decode_claims(token: str) -> Mapping[str, object]:
    """What a token says of its bearer, unverified: only to be shown; empty where it is no JSON web token."""
    try:
        # Base64 takes more padding than it needs, and this has none.
        return get_members(msgspec.json.decode(base64.urlsafe_b64decode(f"{token.split('.')[1]}===")))
    except (IndexError, msgspec.DecodeError, ValueError):
        return {}


def create_credential(access: AzureSettings, cloud: Cloud, transport: RequestsTransport) -> TokenCredential:
    """The credential; the CLI and a managed identity know their own cloud."""
    if access.credential == "cli":
        return AzureCliCredential(additionally_allowed_tenants=ANY_TENANT, process_timeout=CLI_TIMEOUT)
    if access.credential == "managed":
        return ManagedIdentityCredential(client_id=access.client_id, transport=transport)
    options: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": not cloud.is_known_to_entra,
        "additionally_allowed_tenants": ANY_TENANT,
        "connection_timeout": SIGN_IN_TIMEOUT,
        "read_timeout": SIGN_IN_TIMEOUT,
        "transport": transport,
    }
    if access.credential == "environment":
        return EnvironmentCredential(**options)
    if access.credential == "workload":
        return WorkloadIdentityCredential(**options, **({"tenant_id": access.tenant} if access.tenant else {}))
    if access.tenant:
        options["workload_identity_tenant_id"] = access.tenant
    return DefaultAzureCredential(process_timeout=CLI_TIMEOUT, **options)
