"""How Azure is to be reached, as the operator said it: cloud, credential, limits; must not know Azure's libraries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

CREDENTIALS = ("auto", "cli", "environment", "workload", "managed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSettings:
    """The settings of one run.

    `cloud` is a name or an endpoint's URL; `authority` overrides the one that an endpoint announces; `tenant` is where
    to sign in, and `client_id` the client id of a managed identity; `ca_bundle` is a file with the authorities to
    trust; `api_versions` are api-versions by service, for clouds that lag; `timeout` bounds the whole reading;
    `probe_port` is a TCP port.
    """

    cloud: str = "public"
    authority: str | None = None
    credential: str = "auto"
    tenant: str | None = None
    client_id: str | None = None
    ca_bundle: str | None = None
    jobs: int = 16
    timeout: timedelta = timedelta(minutes=15)
    api_versions: Mapping[str, str] = field(default_factory=dict)
    workspaces: tuple[str, ...] = ()
    probe_port: int | None = None
