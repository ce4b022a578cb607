"""Azure's clouds: where each signs in, answers and keeps logs.

Sources: azure-identity's and azure-cli-core's tables for the first three; USNat and USSec as Microsoft's machine
learning SDK prints them. The announcement is that of `{arm}/metadata/endpoints`, which has been an object and a list.
"""

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from vmdiag.errors import BadAnswer, UsageError
from vmdiag.values import Struct

DEFAULT_PORT = 443  # of https
# The hosts whose identity the public login host vouches for; any other must not be asked about there, least of all
# from a network that cannot reach it.
KNOWN_AUTHORITIES = frozenset({
    "login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
})  # fmt: skip


class Cloud(Struct, frozen=True, kw_only=True):
    """A cloud's endpoints as origins (`https://host[:port]`); `logs` and `metrics` are `None` where none is known.

    Of many VMs the metrics are read in their regions, at `https://REGION.` and the host of `metrics`, whose tokens are
    made out to that host.
    """

    name: str
    arm: str
    authority: str
    audience: str  # what a token for Resource Manager is made out to, exactly as announced
    logs: str | None = None
    metrics: str | None = None

    @property
    def token_scope(self) -> str:
        """What a token for Resource Manager is asked for."""
        return f"{self.audience}/.default"

    @property
    def is_known_to_entra(self) -> bool:
        """Whether its authority may be looked up at the public login host."""
        return urlsplit(self.authority).hostname in KNOWN_AUTHORITIES


BUILTIN_CLOUDS: Mapping[str, Cloud] = {
    name: Cloud(
        name=name,
        arm=f"https://management.{arm}",
        authority=f"https://login.{login}",
        audience=f"https://management.{audience}",
        logs=logs and f"https://api.{logs}",
        # As azure-monitor-querymetrics names them; of the others no page tells.
        metrics=metrics and f"https://metrics.monitor.{metrics}",
    )
    for name, arm, login, audience, logs, metrics in (
        ("public", "azure.com", "microsoftonline.com", "azure.com", "loganalytics.io", "azure.com"),
        (
            "usgovernment",
            "usgovcloudapi.net",
            "microsoftonline.us",
            "core.usgovcloudapi.net",
            "loganalytics.us",
            "azure.us",
        ),
        ("china", "chinacloudapi.cn", "chinacloudapi.cn", "chinacloudapi.cn", "loganalytics.azure.cn", None),
        ("usnat", "azure.eaglex.ic.gov", "microsoftonline.eaglex.ic.gov", "azure.eaglex.ic.gov", None, None),
        ("ussec", "azure.microsoft.scloud", "microsoftonline.microsoft.scloud", "azure.microsoft.scloud", None, None),
    )
}

# What the clouds' audiences were called before there was a Resource Manager, for people.
_LEGACY_AUDIENCES: Mapping[str, str] = {
    "https://management.core.windows.net": "public",
    "https://management.core.chinacloudapi.cn": "china",
}
# Under whose names Microsoft's services are registered as audiences ("Azure services that support managed identities",
# "First-party Microsoft applications"), besides what lies in the built-in clouds. Whoever asks for a token to one of
# them and is not it wants to use it there. A tenant's own `onmicrosoft.com` is not among them: an Azure Stack Hub's
# audience lies under it.
MICROSOFT_DOMAINS = (
    "azure.com", "azure.net", "windows.net", "microsoft.com", "microsoftonline.com", "office.com", "office.net",
    "office365.com", "outlook.com", "sharepoint.com", "live.com", "dynamics.com", "powerapps.com", "powerbi.com",
    "visualstudio.com", "skype.com", "loganalytics.io", "applicationinsights.io", "azuresynapse.net",
    "azuredatabricks.net", "azureml.ms", "azureml.net", "azurewebsites.net", "microsoftazure.com", "cloud.microsoft",
    "azure.us", "usgovcloudapi.net", "loganalytics.us", "applicationinsights.us", "microsoft.us", "office365.us",
    "microsoftonline.us", "azuresynapse.us",
    "azure.cn", "chinacloudapi.cn", "windowsazure.cn", "microsoftonline.cn", "azuresynapse.cn",
    "microsoftonline.de", "cloudapi.de",
    "eaglex.ic.gov", "microsoft.scloud", "azure.scloud",
)  # fmt: skip


# Where the clusters of Azure Data Explorer of each cloud are ("wellKnownKustoEndpoints" of azure-kusto-data): the
# services that anybody may create one of, not Microsoft's own.
CLUSTER_DOMAINS: Mapping[str, tuple[str, ...]] = {
    "public": ("kusto.windows.net", "kusto.azuresynapse.net", "kusto.fabric.microsoft.com", "kusto.data.microsoft.com"),
    "usgovernment": ("kusto.usgovcloudapi.net",),
    "china": ("kusto.chinacloudapi.cn", "kusto.azuresynapse.azure.cn"),
    "usnat": ("kusto.core.eaglex.ic.gov",),
    "ussec": ("kusto.core.microsoft.scloud",),
}


def parse_cluster(url: str) -> str:
    """The origin of a cluster given by its URL; raises `UsageError` when a token could not be sent there safely."""
    found = _parse_origin(url)
    if found is None:
        message = f"{url!r} is not the https address of a cluster"
        raise UsageError(message, "Give adx:https://CLUSTER.REGION.kusto.windows.net/DATABASE.")
    return found


def require_own_cluster(cluster: str, cloud: Cloud) -> str:
    """A cluster's origin; raises `UsageError` where it is not known to be of this cloud.

    The token that is sent there is made out to that very address, and to no other.
    """
    domains = CLUSTER_DOMAINS.get(cloud.name)
    host = urlsplit(cluster).hostname or ""
    is_own = not is_microsoft_audience(cluster) if domains is None else host.endswith(tuple(f".{d}" for d in domains))
    if is_own:
        return cluster
    message = f"{cluster} is no cluster of Azure Data Explorer in the cloud {cloud.name}: no token is sent there"
    known = f"Those of this cloud end in {' or '.join(domains)}. " if domains else ""
    raise UsageError(message, f"{known}Check the address and --cloud.")


def find_builtin_cloud(name_or_url: str) -> Cloud | None:
    """The built-in cloud of a name or its endpoint, `None` for another's endpoint; raises `UsageError` for neither."""
    if (name := name_or_url.strip().lower()) in BUILTIN_CLOUDS:
        return BUILTIN_CLOUDS[name]
    arm = parse_endpoint(name_or_url)
    return next((cloud for cloud in BUILTIN_CLOUDS.values() if cloud.arm == arm), None)


def parse_endpoint(url: str) -> str:
    """The origin of an endpoint given by its URL; raises `UsageError` when a token could not be sent there safely."""
    found = _parse_origin(url)
    if found is None:
        message = f"--cloud {url} is neither a cloud's name nor the https address of a Resource Manager"
        raise UsageError(message, f"Give one of {', '.join(BUILTIN_CLOUDS)}, or https://management.example.com.")
    return found


def parse_cloud_metadata(metadata: object, arm: str, authority: str | None = None) -> Cloud:
    """The cloud that an endpoint announces; `authority` stands in for the announced one.

    Raises `BadAnswer` where it announces none, or an audience of which it cannot be told that it is its own.
    """
    announced = [each for each in (metadata if isinstance(metadata, list) else [metadata]) if isinstance(each, dict)]
    for each in sorted(announced, key=lambda each: _parse_origin(each.get("resourceManager")) != arm):
        signing = each.get("authentication")
        if not isinstance(signing, dict):
            continue
        audiences = signing.get("audiences")
        login = _parse_origin(authority) or _parse_origin(signing.get("loginEndpoint"))
        if isinstance(audiences, list) and audiences and isinstance(audiences[0], str) and login:
            if is_microsoft_audience(audiences[0]):
                # Another's endpoint that asks for tokens of Microsoft's own audiences wants to use them elsewhere.
                origin = _parse_origin(audiences[0])
                known = (cloud.name for cloud in BUILTIN_CLOUDS.values() if origin in (cloud.arm, cloud.audience))
                owner = next(known, None) or _LEGACY_AUDIENCES.get(origin or "")
                whose = f"belongs to the cloud {owner}" if owner else "may be one of Microsoft's own services"
                message = f"{arm} asks for tokens that are made out to {audiences[0][:200]}, which {whose}"
                raise BadAnswer(message, f"{f'Use --cloud {owner}, or check' if owner else 'Check'} who runs {arm}.")
            logs = _parse_origin(each.get("logAnalyticsResourceId"))
            # A token for Microsoft's own logs would be one for another cloud, wherever it is sent.
            own_logs = logs if logs is not None and not is_microsoft_audience(logs) else None
            return Cloud(name=arm, arm=arm, authority=login, audience=audiences[0], logs=own_logs)
    message = f"{arm} does not announce where to sign in"
    raise BadAnswer(message, "Check that --cloud is the address of a Resource Manager, without a path.")


def strip_origin(origin: str, link: str) -> str | None:
    """Path and query of a link that leads to this origin, however it is spelt; `None` for any other."""
    try:
        parts = urlsplit(link)
        is_here = _normalize_origin(parts) == origin
    except ValueError:
        return None
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}" if is_here else None


def is_microsoft_audience(audience: str) -> bool:
    """Whether a token for this audience would be good at a service of Microsoft's, or whether that cannot be told.

    An application's id, `api://` or a URN may be anybody's, Microsoft's own services included; only an https address
    says whose it is.
    """
    try:
        parts = urlsplit(audience)
        _ = parts.port
    except ValueError:
        return True
    host = (parts.hostname or "").rstrip(".")
    is_plain = audience.isascii() and audience.isprintable() and not set(audience) & set(" \\@%")
    if parts.scheme != "https" or not host or not is_plain:
        return True
    return any(host == each or host.endswith(f".{each}") for each in MICROSOFT_DOMAINS)


def _parse_origin(url: object) -> str | None:
    """Scheme, host and port of an https URL, without a slash at the end; `None` for anything else."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url.strip())
        found = _normalize_origin(parts)
    except ValueError:
        return None
    return None if parts.path.strip("/") or parts.query else found


def _normalize_origin(parts: SplitResult) -> str | None:
    """The origin of an https address, spelt in one way; raises `ValueError` for a port that is none."""
    port = parts.port
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        return None
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}:{port}" if port not in (None, DEFAULT_PORT) else f"https://{named}"
