"""Where VMs are looked for and how Azure is reached, as options, and the opened source that they mean."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from vmdiag import plugins, sources
from vmdiag.cli.options import (
    CLOUD_TITLES,
    ProbePort,
    declare_option,
    declare_repeatable,
    parse_duration,
    parse_utc_offset,
    require_match,
)
from vmdiag.cli.proof_options import NO_PROOFS, ProofOptions
from vmdiag.cli.scope_options import STANDARD_INPUT, ScopeOptions, resolve_unreachable_since
from vmdiag.errors import UsageError
from vmdiag.sources import kusto

if TYPE_CHECKING:
    from vmdiag.arm.request import AzureSettings
    from vmdiag.cli.streams import StatusConsole
    from vmdiag.sources.protocol import Scope, Source

LIVE_SOURCE = "azure"
ARCHIVE_SOURCE = "archive"
GRAPH_SOURCE = "resource-graph"
# Which variables name the authorities to trust: those of Python's library for requests, then OpenSSL's.
CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_SOURCE_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z-]+)(?::(?P<rest>.*))?", re.DOTALL)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# A tenant's id, or one of its domains (azure-identity takes letters, digits, dots and hyphens).
_TENANT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?", re.ASCII)
_API_VERSION_DATE = re.compile(r"20\d\d-\d\d-\d\d(?:-preview)?", re.ASCII)
_MAX_PROCESSES = 60  # Windows waits for no more than 61 at once
_HOW_TO_NAME_VMS = """\
Name some, by name, group, tag, or all:
  vmdiag check web-01
  vmdiag check prod/web-01 prod/web-02
  vmdiag check --resource-group prod
  vmdiag check --tag app=shop
  vmdiag check --all
An export needs no name: vmdiag check --source FOLDER"""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options that say where to look."""

    HELP_HEADING = "From where"

    source: Annotated[
        str,
        declare_option(
            "--source",
            metavar="ADDRESS",
            text="'azure', an archive (a file, folder or glob, or '-'), log-analytics:WORKSPACE_ID, "
            "adx:CLUSTER_URL/DATABASE, or 'resource-graph'.",
        ),
    ] = LIVE_SOURCE
    probe: ProbePort = None
    utc_offset: Annotated[
        str | None,
        declare_option(
            "--utc-offset",
            metavar="OFFSET",
            text="What local times in an archive are ahead of UTC, such as +02:00; else files with such times are "
            "refused.",
        ),
    ] = None
    processes: Annotated[
        int | None,
        declare_option(
            "--processes",
            metavar="N",
            min=1,
            max=_MAX_PROCESSES,
            text="Processes that read large files; else the cores.",
        ),
    ] = None
    exact_scan: Annotated[
        bool, declare_option("--exact-scan", text="Read every record of an archive whole, also those that say nothing.")
    ] = False
    screen: Annotated[
        Literal["on", "off"],
        declare_option(
            "--screen",
            text="Of many VMs in Azure only the suspicious are read deeply; 'off': every one.",
        ),
    ] = "on"


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """The options of whatever talks to Azure."""

    HELP_HEADING = "From where"

    cloud: Annotated[
        str,
        declare_option(
            "--cloud",
            metavar="CLOUD",
            autocompletion=lambda incomplete: [name for name in CLOUD_TITLES if name.startswith(incomplete)],
            text=f"{', '.join(CLOUD_TITLES)}, or the URL of another cloud's Resource Manager.",
        ),
    ] = "public"
    credential: Annotated[
        Literal["auto", "cli", "environment", "workload", "managed"],
        declare_option("--credential", text="Who signs in; auto tries azure-identity's chain."),
    ] = "auto"
    tenant: Annotated[
        str | None,
        declare_option("--tenant", metavar="ID", text="Sign in to this tenant: its id, or one of its domains."),
    ] = None
    jobs: Annotated[int, declare_option("--jobs", metavar="N", min=1, max=64, text="Requests in flight at most.")] = 16
    timeout: Annotated[
        str,
        declare_option("--timeout", metavar="DURATION", text="Stop reading after 90s, 15m, 2h and tell what is known."),
    ] = "15m"
    workspace: Annotated[
        list[str] | None,
        declare_repeatable(
            "--workspace",
            metavar="ID",
            text="Log Analytics workspace to read heartbeats and connection tests from; repeatable. Default: those "
            "that the VMs' agents name. Tests are also read where connection monitors write to.",
        ),
    ] = None
    api_version: Annotated[
        list[str] | None,
        declare_repeatable(
            "--api-version",
            metavar="SERVICE=DATE",
            text="For a cloud that lags, such as compute=2021-03-01; repeatable.",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Raise `UsageError` for a cloud that is none, whatever is read: a report names it."""
        if self.cloud.strip().lower() not in CLOUD_TITLES:
            from vmdiag.arm.clouds import parse_endpoint

            parse_endpoint(self.cloud)

    def build_access(self, probe: int | None = None) -> "AzureSettings":
        """The settings that the options and the environment mean; `UsageError` for what makes no sense."""
        from vmdiag.arm.request import API_VERSIONS, AzureSettings

        api_versions: dict[str, str] = {}
        for word in self.api_version or ():
            service, _, api_versions[service] = word.partition("=")
            if service not in API_VERSIONS or not _API_VERSION_DATE.fullmatch(api_versions[service]):
                message = f"--api-version {word} is not SERVICE=YYYY-MM-DD"
                raise UsageError(message, f"The services are {', '.join(API_VERSIONS)}.")
        tenant_hint = "Give its id, or one of its domains: contoso.onmicrosoft.com."
        workspace_hint = "Give the GUID that its overview shows as 'Workspace ID'."
        return AzureSettings(
            cloud=self.cloud,
            authority=os.environ.get("AZURE_AUTHORITY_HOST"),
            credential=self.credential,
            tenant=None
            if self.tenant is None
            else require_match(self.tenant, _TENANT, f"--tenant {self.tenant!r} is no tenant", tenant_hint),
            client_id=os.environ.get("AZURE_CLIENT_ID") or None,
            ca_bundle=next(filter(None, map(os.environ.get, CA_BUNDLE_VARIABLES)), None),
            jobs=self.jobs,
            timeout=parse_duration(self.timeout, "--timeout"),
            api_versions=api_versions,
            workspaces=tuple(
                require_match(word, _GUID, f"--workspace {word!r} is no workspace's id", workspace_hint).lower()
                for word in self.workspace or ()
            ),
            probe_port=probe,
        )


class OpenedSource(NamedTuple):
    """A source, what is asked of it, what a report calls it, and the cloud that it is in unless it knows better.

    `unreachable_since` is since when the operator states that the VMs cannot be reached.
    """

    source: "Source"
    scope: "Scope"
    address: str
    cloud: str
    now: datetime
    unreachable_since: datetime | time | None


def open_source(
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    watch: "StatusConsole",
    unreachable_since: str | None = None,
    proofs: ProofOptions = NO_PROOFS,
) -> OpenedSource:
    """Open what the options name; `UsageError` for whatever is wrong with them, before anything is read."""
    from vmdiag.values import replace

    name, path = parse_address(source_options.source)
    if path == STANDARD_INPUT and scope_options.reads_standard_input():
        message = "the archive and the list of VMs cannot both come from standard input"
        raise UsageError(message, "Put one of them in a file.")
    now = datetime.now(UTC)
    is_live, is_archive = name == LIVE_SOURCE, name == ARCHIVE_SOURCE
    offset = None if source_options.utc_offset is None else parse_utc_offset(source_options.utc_offset)
    _refuse_misplaced_options(source_options, azure_options, proofs, name)
    is_account = name in (LIVE_SOURCE, GRAPH_SOURCE)
    scope = scope_options.build_scope(now, os.environ.get("AZURE_SUBSCRIPTION_ID") if is_account else None)
    if is_live and not scope.names_any:
        # A whole tenant is not read by accident.
        message = "no VM is named"
        raise UsageError(message, _HOW_TO_NAME_VMS)
    if not is_archive:
        watch.catch_stop_signals()
    processes = source_options.processes or min(os.cpu_count() or 1, _MAX_PROCESSES)
    is_exact, screens = source_options.exact_scan, source_options.screen == "on"
    scope = replace(scope, exact_scan=is_exact, screens=screens, utc_offset=offset, processes=processes)
    lost = resolve_unreachable_since(unreachable_since, scope, now, is_live=not is_archive)
    source = connect_source(source_options, azure_options, watch, proofs)
    if begin_reading := getattr(source, "begin_reading", None):
        begin_reading(scope)  # while what judges is imported
    address, cloud = f"{name}:{path}" if path else name, azure_options.cloud.strip().lower()
    return OpenedSource(source=source, scope=scope, address=address, cloud=cloud, now=now, unreachable_since=lost)


def connect_source(
    source_options: SourceOptions, azure_options: AzureOptions, watch: "StatusConsole", proofs: ProofOptions = NO_PROOFS
) -> "Source":
    """The source that the options name; one that asks Azure begins to sign in."""
    name, path = parse_address(source_options.source)

    def build_access() -> "AzureSettings":
        return proofs.add_settings(azure_options.build_access(source_options.probe))

    package = kusto if name in plugins.list_names(kusto) else sources
    source: Source = plugins.load(package, name).connect(path, watch, build_access, lambda: datetime.now(UTC))
    return source


def _refuse_misplaced_options(
    source_options: SourceOptions, azure_options: AzureOptions, proofs: ProofOptions, name: str
) -> None:
    """Raise `UsageError` for an option that only another kind of source has a use for."""
    of_live = {
        "--probe": source_options.probe,
        "--prove": proofs.prove,
        "--workspace": azure_options.workspace,
        "--screen": source_options.screen == "off",
    }
    of_azure = {"--api-version": azure_options.api_version}
    of_files = {
        "--utc-offset": source_options.utc_offset,
        "--processes": source_options.processes,
        "--exact-scan": source_options.exact_scan,
    }
    is_archive = name == ARCHIVE_SOURCE
    misplaced = of_live | of_azure if is_archive else of_files if name == LIVE_SOURCE else of_files | of_live
    option = next((option for option, value in misplaced.items() if value), None)
    if option in of_files:
        message = f"{option} says how files are read, and Azure is asked"
        raise UsageError(message, "Leave it out, or name an archive with --source.")
    if option and is_archive:
        message = f"{option} asks something of Azure, and an archive is read"
        raise UsageError(message, "Leave one of them out.")
    if option:
        message = f"{option} is for the source '{LIVE_SOURCE}', and {name} is asked"
        raise UsageError(message, f"Leave it out, or leave out --source {name}.")


def parse_address(address: str) -> tuple[str, str]:
    """The source's name and what it is to open; a path needs no `archive:` before it."""
    if address in (LIVE_SOURCE, GRAPH_SOURCE):
        return address, ""
    found = _SOURCE_ADDRESS.fullmatch(address)
    if found is None or Path(address).exists():
        return ARCHIVE_SOURCE, address
    name = found["scheme"]
    is_source = name in (ARCHIVE_SOURCE, *plugins.list_names(kusto))
    if not is_source or not found["rest"]:
        known = f"'{LIVE_SOURCE}', '{GRAPH_SOURCE}', archive:PATH, log-analytics:ID or adx:CLUSTER_URL/DATABASE"
        message = f"--source {address} is neither a path that exists nor a source that this version knows"
        raise UsageError(message, f"Give the path of a file or folder, '-' for standard input, or {known}.")
    return name, found["rest"]
