"""Sign-in: tokens for the one principal there is, and what is said to any other; must not know resources.

Messages as Microsoft Entra and Azure Resource Manager word them.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import parse_qs

from tests.arm.call import Answer, ApiCall, Refusal, refuse
from tests.arm.routing import Route
from tests.arm.world import PUBLIC_AUDIENCES, World
from tests.incidents.wire.plain import Json, JsonObject

AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "arm": ("https://localhost:{port}", "https://management.core.localhost"),
    "logs": ("https://127.0.0.1:{port}",),
    "cluster": ("https://127.0.0.1:{port}",),
}
"""For what tokens are issued, by who accepts them; logs and clusters have audiences of their own, as in Azure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token that was given out."""

    audience: str
    expires: datetime
    claims: str
    """What the client asked for after a claims challenge."""


class Entra:
    """Gives tokens out and knows them again."""

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        self._tokens: dict[str, IssuedToken] = {}
        audiences = PUBLIC_AUDIENCES if world.public else AUDIENCES
        self.audiences = {kind: tuple(each.format(port=port) for each in known) for kind, known in audiences.items()}

    def list_routes(self) -> tuple[Route, ...]:
        """Discovery, tokens for the secret, and tokens of managed identities."""
        tenant = "/{tenant}"
        return (
            Route("/common/discovery/instance", self._answer_instances, audience=""),
            Route(f"{tenant}/v2.0/.well-known/openid-configuration", self._answer_discovery, audience=""),
            Route(f"{tenant}/oauth2/v2.0/token", self._answer_token, method="POST", audience=""),
            Route("/msi/token", self._answer_managed_identity, audience=""),
            Route("/metadata/identity/oauth2/token", self._answer_managed_identity, audience=""),
        )

    def find_token(self, authorization: str) -> IssuedToken | None:
        """The token in a header, if it was given out here."""
        return self._tokens.get(authorization.partition(" ")[2])

    def revoke_token(self, authorization: str, now: datetime) -> None:
        """Let the token in a header expire."""
        token = authorization.partition(" ")[2]
        if token in self._tokens:
            self._tokens[token] = replace(self._tokens[token], expires=now)

    def check_token(self, authorization: str, kind: str, now: datetime) -> None:
        """Refuse a token that is missing, unknown, expired or for somebody else."""
        if not authorization.lower().startswith("bearer "):
            self._refuse_with_challenge(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        # Log Analytics answers 403 where Resource Manager answers 401 ("Azure Monitor Log Analytics API errors").
        status = 403 if kind == "logs" else 401
        issued = self.find_token(authorization)
        if issued is None:
            self._refuse_with_challenge("InvalidAuthenticationToken", "The access token is invalid.", status)
        if issued.expires <= now:
            self.refuse_expired(issued.expires, now)
        allowed = self.audiences.get(kind, ())
        if issued.audience.rstrip("/") not in allowed:
            listed = ",".join(f"'{each}/','{each}'" for each in allowed)
            message = (
                f"The access token has been obtained for wrong audience or resource '{issued.audience}'. It should"
                f" exactly match with one of the allowed audiences {listed}."
            )
            self._refuse_with_challenge("InvalidAuthenticationTokenAudience", message, status)

    def refuse_expired(self, expired: datetime, now: datetime) -> NoReturn:
        """Refuse a token that holds no more."""
        message = f"The access token expiry UTC time '{expired:%m/%d/%Y %H:%M:%S}' is earlier than current UTC time"
        self._refuse_with_challenge("ExpiredAuthenticationToken", f"{message} '{now:%m/%d/%Y %H:%M:%S}'.")

    def _refuse_with_challenge(self, code: str, message: str, status: int = 401) -> NoReturn:
        authority = f"{self.audiences['arm'][0]}/{self._world.principal.tenant}"
        error = "invalid_token"
        challenge = f'Bearer authorization_uri="{authority}", error="{error}", error_description="{message}"'
        refuse(status, code, message, WWW_Authenticate=challenge)

    def _issue_token(self, resource: str, claims: str, call: ApiCall) -> JsonObject:
        world, now = self._world, call.now
        expires = now + timedelta(seconds=world.expires_in)
        who = world.principal
        payload: JsonObject = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{who.tenant}/",
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "appid": who.client,
            "idtyp": "app",
            "oid": who.object_id,
            "tid": who.tenant,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
        token = f"{_encode_part({'typ': 'JWT', 'alg': 'none'})}.{_encode_part(payload)}."
        self._tokens[token] = IssuedToken(audience=resource, expires=expires, claims=claims)
        return {"token_type": "Bearer", "expires_in": world.expires_in, "access_token": token}

    def _answer_discovery(self, world: World, call: ApiCall) -> Answer:
        _check_tenant(world, call)
        root = f"{call.origin}/{call.path_names['tenant']}"
        body: JsonObject = {
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code", "id_token"],
            "tenant_region_scope": None,
        }
        return Answer(body=body)

    def _answer_instances(self, _: World, call: ApiCall) -> Answer:
        """Which hosts sign in for the public cloud."""
        host = call.headers.get("host", "")
        names: JsonObject = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        there = f"{call.origin}/common/.well-known/openid-configuration"
        return Answer(body={"tenant_discovery_endpoint": there, "api-version": "1.1", "metadata": [names]})

    def _answer_token(self, world: World, call: ApiCall) -> Answer:
        _check_tenant(world, call)
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        who = world.principal
        if form.get("grant_type") != "client_credentials":
            _refuse_sign_in(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.", call)
        if form.get("client_id") != who.client:
            message = f"Application with identifier '{form.get('client_id')}' was not found in the directory 'Contoso'."
            _refuse_sign_in(400, "unauthorized_client", 700016, message, call)
        if form.get("client_secret") != who.secret:
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
                f" value, not the client secret ID, for a secret added to app '{who.client}'."
            )
            _refuse_sign_in(401, "invalid_client", 7000215, message, call)
        resource = self._parse_resource(form.get("scope", ""), call)
        return Answer(
            body={**self._issue_token(resource, form.get("claims", ""), call), "ext_expires_in": world.expires_in}
        )

    def _parse_resource(self, scope: str, call: ApiCall) -> str:
        """The resource of a scope `<resource>/.default`; there is no other way for a client's own rights."""
        resource, dot, rest = scope.partition("/.default")
        if not dot or rest:
            message = f"The provided value for scope {scope} is not valid. Client credential flows must have a scope"
            _refuse_sign_in(
                400, "invalid_scope", 1002012, f"{message} value with /.default suffixed to the resource.", call
            )
        known = {each for known in self.audiences.values() for each in known} | {self._world.logs}
        if resource.rstrip("/") not in known:
            message = f"The resource principal named {resource} was not found in the tenant named Contoso."
            _refuse_sign_in(400, "invalid_resource", 500011, message, call)
        return resource

    def _answer_managed_identity(self, _: World, call: ApiCall) -> Answer:
        """Azure Arc, App Service and the VM's own metadata service: all ask for a `resource`."""
        if call.headers.get("metadata") != "true" and "x-identity-header" not in call.headers:
            body: JsonObject = {
                "error": "invalid_request",
                "error_description": "Required metadata header not specified",
            }
            raise Refusal(Answer(status=400, body=body))
        resource = self._parse_resource(f"{call.query.get('resource', '')}/.default", call)
        issued = self._issue_token(resource, "", call)
        expires_on = str(int((call.now + timedelta(seconds=self._world.expires_in)).timestamp()))
        return Answer(body={**issued, "resource": resource, "expires_on": expires_on})


def _check_tenant(world: World, call: ApiCall) -> None:
    tenant = call.path_names["tenant"]
    if tenant.lower() != world.principal.tenant:
        message = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        _refuse_sign_in(400, "invalid_request", 90002, message, call)


def _refuse_sign_in(status: int, error: str, code: int, message: str, call: ApiCall) -> NoReturn:
    at = call.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    traces = f"Trace ID: {call.request_id} Correlation ID: {call.correlation_id} Timestamp: {at}"
    body: JsonObject = {
        "error": error,
        "error_description": f"AADSTS{code}: {message} {traces}",
        "error_codes": [code],
        "timestamp": at,
        "trace_id": call.request_id,
        "correlation_id": call.correlation_id,
        "error_uri": f"{call.origin}/error?code={code}",
    }
    raise Refusal(Answer(status=status, body=body))


def _encode_part(value: Mapping[str, Json]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
