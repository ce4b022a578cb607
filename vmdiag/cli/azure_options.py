"""Where VMs are looked for and how Azure is reached, as options, and what they mean; must not open anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vmdiag.cli import options
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.arm.request import AzureSettings

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# A tenant's id, or one of its domains (azure-identity takes letters, digits, dots and hyphens).
_TENANT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?", re.ASCII)
# Which variables name the authorities to trust: those of Python's library for requests, then OpenSSL's.
CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_API_VERSION_DATE = re.compile(r"20\d\d-\d\d-\d\d(?:-preview)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """The options of whatever talks to Azure."""

    cloud: options.Cloud = "public"
    credential: options.CredentialKind = "auto"
    tenant: options.Tenant = None
    jobs: options.Jobs = 16
    timeout: options.Timeout = "15m"
    workspace: options.Workspaces = None
    api_version: options.ApiVersions = None

    def build_access(self, environment: Mapping[str, str], probe: int | None = None) -> "AzureSettings":
        """What these words mean; `UsageError` for what makes no sense."""
        from vmdiag.arm.request import AzureSettings

        return AzureSettings(
            cloud=self.cloud,
            authority=environment.get("AZURE_AUTHORITY_HOST"),
            credential=self.credential,
            tenant=_normalize_tenant(self.tenant),
            client_id=environment.get("AZURE_CLIENT_ID") or None,
            ca_bundle=next((environment[name] for name in CA_BUNDLE_VARIABLES if environment.get(name)), None),
            jobs=self.jobs,
            timeout=parse_duration(self.timeout, "--timeout"),
            api_versions=dict(map(_parse_api_version, self.api_version or ())),
            workspaces=tuple(map(_normalize_workspace, self.workspace or ())),
            probe_port=probe,
        )


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options that say where to look."""

    source: options.SourceAddress = "azure"
    probe: options.ProbePort = None
    utc_offset: options.UtcOffset = None


def parse_duration(text: str, option: str) -> timedelta:
    """A span of time that is not empty; `UsageError` for anything else."""
    from vmdiag.cli.times import parse_time

    found = parse_time(text, option)
    if not isinstance(found, timedelta) or found <= timedelta():
        message = f"{option} {text} is not a duration"
        raise UsageError(message, "Write 90s, 15m or 2h.")
    return found


def _normalize_tenant(word: str | None) -> str | None:
    if word is None:
        return None
    if not _TENANT.fullmatch(word.strip()):
        message = f"--tenant {word!r} is no tenant"
        raise UsageError(message, "Give its id, or one of its domains: contoso.onmicrosoft.com.")
    return word.strip()


def _parse_api_version(word: str) -> tuple[str, str]:
    from vmdiag.arm.request import API_VERSIONS

    service, _, date = word.partition("=")
    if service not in API_VERSIONS or not _API_VERSION_DATE.fullmatch(date):
        message = f"--api-version {word} is not SERVICE=YYYY-MM-DD"
        raise UsageError(message, f"The services are {', '.join(API_VERSIONS)}.")
    return service, date


def _normalize_workspace(word: str) -> str:
    if not _GUID.fullmatch(word.strip()):
        message = f"--workspace {word!r} is no workspace's id"
        raise UsageError(message, "Give the GUID that its overview shows as 'Workspace ID'.")
    return word.strip().lower()
