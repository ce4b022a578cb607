"""A question to Azure as a value, the api-versions in which it is asked, and how the operator wants Azure reached."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote

from vmdiag.errors import NotAllowed
from vmdiag.values import Struct, field

CREDENTIALS = ("auto", "cli", "environment", "workload", "managed")

# One version a service, old enough for clouds that lag and new enough to hold what is read ("REST API" reference of
# each service). A cloud that knows only older ones says so, and the newest of those is taken.
API_VERSIONS: Mapping[str, str] = {
    "activity-log": "2015-04-01",  # the only one there is
    "balancer-health": "2025-05-01",  # that of its reference; in which the operation came first no page tells
    "compute": "2023-03-01",
    "events": "2022-10-01",
    "features": "2021-07-01",
    "graph": "2021-03-01",
    "health": "2022-10-01",  # the first whose rows name context and category
    "locks": "2016-09-01",
    "metadata": "2019-05-01",
    "metrics": "2018-01-01",
    "metrics-batch": "2023-10-01",  # the first that is stable
    "network": "2021-08-01",
    "permissions": "2018-07-01",
    "subscriptions": "2020-01-01",
    # Apart from `compute`: the first in which VMs, scale sets and availability sets all tell what guards look at
    # (managedBy 2023-09-01, scheduledEventsPolicy 2024-03-01 and of availability sets 2024-07-01).
    "virtual-machine": "2024-07-01",
}
# The actions of `--prove`: the only POSTs besides queries that a reading may send. Each looks at a VM from somewhere
# else and changes nothing; each needs a right that Reader lacks. Sources: "REST API: Network Watchers - Check
# Connectivity", "- Verify IP Flow", "- Get Next Hop", "Load Balancer Load Balancing Rules - Health", "Application
# Gateways - Backend Health".
# A name holds nothing that ends the path, climbs up in it or hides a part of it; names of Azure's have none of these.
_NAME = r"(?!\.{1,2}/)[^/?#%\\;\s]+"
_NAMED = rf"/subscriptions/{_NAME}/resourcegroups/{_NAME}/providers/microsoft\.network"
PROOF_PATHS = (
    re.compile(rf"{_NAMED}/networkwatchers/{_NAME}/(connectivitycheck|ipflowverify|nexthop)", re.IGNORECASE),
    re.compile(rf"{_NAMED}/loadbalancers/{_NAME}/loadbalancingrules/{_NAME}/health", re.IGNORECASE),
    re.compile(rf"{_NAMED}/applicationgateways/{_NAME}/backendhealth", re.IGNORECASE),
)


class Endpoint(StrEnum):
    """Which of a cloud's endpoints answers."""

    ARM = "arm"
    LOGS = "logs"
    CLUSTER = "cluster"  # a cluster of Azure Data Explorer: the run's own
    METRICS = "metrics"  # one a region
    METADATA = "metadata"  # without a sign-in


class Request(Struct, frozen=True, kw_only=True):
    """One reading, of one page or more.

    `description` says for people what is read; `service` names its version; `permission` is what a role must allow.
    With a `body` it is a query that is sent as a POST and changes nothing. Answers are decoded as `answer_type` where
    they fit it, else, and without one, as plain values. `patience` is how many seconds the service may think about it
    before it begins to answer, where that is long by its nature; `hint` is what to do where it is not allowed; `region`
    is whose endpoint is asked, where each has its own. `is_action` marks a POST that only `--prove` sends, with or
    without a body, `is_operation` a look at what such a one began.
    """

    description: str
    service: str
    path: str
    permission: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    endpoint: Endpoint = Endpoint.ARM
    answer_type: type | None = None
    patience: float | None = None
    hint: str = ""
    region: str = ""
    is_action: bool = False
    is_operation: bool = False

    @property
    def throttle_scope(self) -> str:
        """Whose allowance of requests it is charged to: the subscription's, or that of a service across them."""
        if self.endpoint is Endpoint.METRICS:
            return f"{self.service} {self.region}"
        parts = self.path.lower().split("/")
        return parts[2] if parts[:2] == ["", "subscriptions"] and len(parts) > 2 else self.service  # noqa: PLR2004

    @property
    def provider(self) -> str:
        """The resource provider that answers, in lower case; each throttles for itself besides Resource Manager."""
        return self.path.lower().rpartition("/providers/")[2].partition("/")[0]

    def build_path(self, api_versions: Mapping[str, str]) -> str:
        """Path and query, in the api-version of its service where that has one."""
        params = dict(self.params)
        if self.service in api_versions:
            params["api-version"] = api_versions[self.service]
        query = "&".join(f"{name}={quote(value, safe=':,/')}" for name, value in params.items())
        return f"{quote(self.path, safe='/')}{'?' if query else ''}{query}"


def get_members(page: object) -> Mapping[str, object]:
    """The members of an answer, as whatever it was decoded; none of what is no object."""
    names = getattr(page, "__struct_fields__", ())
    return page if isinstance(page, dict) else {name: getattr(page, name) for name in names}


class PendingAnswer(Struct, frozen=True):
    """Azure works at it (202): the headers say where the answer will be, and when to look again."""

    headers: Mapping[str, str]


class AzureSettings(Struct, frozen=True, kw_only=True):
    """The settings of one run.

    `cloud` is a name or an endpoint's URL; `authority` overrides the one that an endpoint announces; `tenant` is where
    to sign in, and `client_id` the client id of a managed identity; `ca_bundle` is a file with the authorities to
    trust; `api_versions` are api-versions by service, for clouds that lag; `timeout` bounds the whole reading;
    `probe_port` is a TCP port; `cluster` is the origin of the cluster of Azure Data Explorer that is asked. `proves`
    allows the actions of `--prove`, which look at suspects from elsewhere: from the VMs `proof_origins`, as named.
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
    cluster: str | None = None
    proves: bool = False
    proof_origins: tuple[str, ...] = ()


def require_proof_action(request: Request, *, proves: bool) -> None:
    """Raise for an action that this run may not send: without `--prove` any, with it what is none of its own."""
    if request.is_action and not (proves and any(path.fullmatch(request.path) for path in PROOF_PATHS)):
        message = f"{request.description}: an action that was not asked for"
        raise NotAllowed(message, "Only --prove sends actions, and only those that look.")
