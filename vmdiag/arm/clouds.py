"""Azure's clouds: where each signs in, answers and keeps logs; pure, must not open a connection.

Sources: azure-identity's and azure-cli-core's tables for the first three; USNat and USSec as Microsoft's machine
learning SDK prints them. The announcement is that of `{arm}/metadata/endpoints`, which has been an object and a list.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vmdiag.errors import BadAnswer, UsageError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# The hosts whose identity the public login host vouches for; any other must not be asked about there, least of all
# from a network that cannot reach it.
KNOWN_AUTHORITIES = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A cloud's endpoints as origins (`https://host[:port]`); `logs` is `None` where none is known.

    `audience` is what a token for Resource Manager is made out to, exactly as announced.
    """

    name: str
    arm: str
    authority: str
    audience: str
    logs: str | None = None

    @property
    def scope(self) -> str:
        """What a token for Resource Manager is asked for."""
        return f"{self.audience}/.default"

    @property
    def is_known_to_entra(self) -> bool:
        """Whether its authority may be looked up at the public login host."""
        return urlsplit(self.authority).hostname in KNOWN_AUTHORITIES


BUILT_IN: Mapping[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name="public",
            arm="https://management.azure.com",
            authority="https://login.microsoftonline.com",
            audience="https://management.azure.com",
            logs="https://api.loganalytics.io",
        ),
        Cloud(
            name="usgovernment",
            arm="https://management.usgovcloudapi.net",
            authority="https://login.microsoftonline.us",
            audience="https://management.core.usgovcloudapi.net",
            logs="https://api.loganalytics.us",
        ),
        Cloud(
            name="china",
            arm="https://management.chinacloudapi.cn",
            authority="https://login.chinacloudapi.cn",
            audience="https://management.chinacloudapi.cn",
            logs="https://api.loganalytics.azure.cn",
        ),
        Cloud(
            name="usnat",
            arm="https://management.azure.eaglex.ic.gov",
            authority="https://login.microsoftonline.eaglex.ic.gov",
            audience="https://management.azure.eaglex.ic.gov",
        ),
        Cloud(
            name="ussec",
            arm="https://management.azure.microsoft.scloud",
            authority="https://login.microsoftonline.microsoft.scloud",
            audience="https://management.azure.microsoft.scloud",
        ),
    )
}

# Whose tokens Azure's own audiences are; the `core` names are those of the service before Resource Manager.
AUDIENCES: Mapping[str, str] = {
    "https://management.core.windows.net": "public",
    "https://management.core.chinacloudapi.cn": "china",
    **{cloud.arm: cloud.name for cloud in BUILT_IN.values()},
    **{cloud.audience: cloud.name for cloud in BUILT_IN.values()},
}


def named(words: str) -> Cloud | None:
    """The built-in cloud of a name or of its endpoint; `None` for another cloud's endpoint.

    Raises `UsageError` for what is neither.
    """
    known = BUILT_IN.get(words.strip().lower())
    if known is not None:
        return known
    arm = endpoint(words)
    return next((cloud for cloud in BUILT_IN.values() if cloud.arm == arm), None)


def endpoint(words: str) -> str:
    """The origin of an endpoint given by its URL; raises `UsageError` when a token could not be sent there safely."""
    found = _origin(words)
    if found is None:
        message = f"--cloud {words} is neither a cloud's name nor the https address of a Resource Manager"
        raise UsageError(message, f"Give one of {', '.join(BUILT_IN)}, or https://management.example.com.")
    return found


def discovered(announced: object, arm: str, authority: str | None = None) -> Cloud:
    """The cloud that an endpoint announces; `authority` stands in for the announced one.

    Raises `BadAnswer` where it announces none, or an audience for which another cloud's tokens would be sent to it.
    """
    for each in sorted(_clouds(announced), key=lambda each: _origin(each.get("resourceManager")) != arm):
        signing = each.get("authentication")
        if not isinstance(signing, dict):
            continue
        audiences = signing.get("audiences")
        login = _origin(authority) or _origin(signing.get("loginEndpoint"))
        if isinstance(audiences, list) and audiences and isinstance(audiences[0], str) and login:
            _refuse_foreign(audiences[0], arm)
            logs = _origin(each.get("logAnalyticsResourceId"))
            return Cloud(name=arm, arm=arm, authority=login, audience=audiences[0], logs=logs)
    message = f"{arm} does not announce where to sign in"
    raise BadAnswer(message, "Check that --cloud is the address of a Resource Manager, without a path.")


def _clouds(announced: object) -> Iterator[Mapping[str, object]]:
    each = announced if isinstance(announced, list) else [announced]
    return (one for one in each if isinstance(one, dict))


def _refuse_foreign(audience: str, arm: str) -> None:
    """A stranger's endpoint that asks for tokens of Azure's own audience wants to use them elsewhere."""
    owner = AUDIENCES.get(_origin(audience) or "")
    if owner is not None and urlsplit(arm).hostname not in LOOPBACK:
        message = f"{arm} asks for tokens that are made out to {audience}, which belongs to the cloud {owner}"
        raise BadAnswer(message, f"Use --cloud {owner}, or check who runs {arm}.")


def _origin(url: object) -> str | None:
    """Scheme, host and port of an https URL, without a slash at the end; `None` for anything else."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path.strip("/") or parts.query:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"https://{host}:{port}" if port else f"https://{host}"
