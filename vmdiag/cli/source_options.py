"""From options to a source that can be read, and the scope to read of it; must not know a source by more than name."""

import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

from vmdiag import plugins, sources
from vmdiag.arm.request import AzureSettings
from vmdiag.cli.azure_options import AzureOptions, SourceOptions
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.scope_options import STANDARD_INPUT, ScopeOptions, resolve_unreachable_since
from vmdiag.cli.times import parse_utc_offset
from vmdiag.errors import UsageError
from vmdiag.sources.protocol import Scope, Source, Watcher

LIVE_SOURCE = "azure"
ARCHIVE_SOURCE = "archive"
_SOURCE_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z-]+)(?::(?P<rest>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source, what is asked of it, what a report calls it, and the cloud that it is in unless it knows better.

    `unreachable_since` is since when the operator states that the VMs cannot be reached.
    """

    source: Source
    scope: Scope
    address: str
    cloud: str
    now: datetime
    unreachable_since: datetime | time | None


def open_source(
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    watch: StatusConsole,
    unreachable_since: str | None = None,
) -> OpenedSource:
    """Open what the options name; `UsageError` for whatever is wrong with them, before anything is read."""
    name, path = parse_address(source_options.source)
    if path == STANDARD_INPUT and scope_options.reads_standard_input():
        message = "the archive and the list of VMs cannot both come from standard input"
        raise UsageError(message, "Put one of them in a file.")
    now = datetime.now(UTC)
    is_live = name == LIVE_SOURCE
    offset = None if source_options.utc_offset is None else parse_utc_offset(source_options.utc_offset, "--utc-offset")
    if not is_live:
        _refuse_live_options(source_options, azure_options)
    elif offset is not None:
        message = "--utc-offset says what local times in files mean, and Azure is asked"
        raise UsageError(message, "Leave it out: Azure's own times name their offset.")
    scope = scope_options.build_scope(now, os.environ.get("AZURE_SUBSCRIPTION_ID") if is_live else None)
    scope = replace(scope, utc_offset=offset)
    if is_live:
        _require_named_vms(scope)
        watch.catch_stop_signals()
    lost = resolve_unreachable_since(unreachable_since, scope, now, is_live=is_live)
    source = connect_source(name, path, watch, azure_options.build_access(os.environ, source_options.probe))
    return OpenedSource(
        source, scope, f"{name}:{path}" if path else name, azure_options.cloud.strip().lower(), now, lost
    )


def _refuse_live_options(source_options: SourceOptions, azure_options: AzureOptions) -> None:
    live = {
        "--probe": source_options.probe,
        "--workspace": azure_options.workspace,
        "--api-version": azure_options.api_version,
    }
    for option, value in live.items():
        if value:
            message = f"{option} asks something of Azure, and an archive is read"
            raise UsageError(message, "Leave one of them out.")


def _require_named_vms(scope: Scope) -> None:
    """A whole tenant is not read by accident."""
    if not scope.names_any:
        message = "no VM is named"
        hint = """\
Name some, by name, group, tag, or all:
  vmdiag check web-01
  vmdiag check prod/web-01 prod/web-02
  vmdiag check --resource-group prod
  vmdiag check --tag app=shop
  vmdiag check --all
An export needs no name: vmdiag check --source FOLDER"""
        raise UsageError(message, hint)


def parse_address(address: str) -> tuple[str, str]:
    """The source's name and what it is to open; a path needs no `archive:` before it."""
    if address == LIVE_SOURCE:
        return LIVE_SOURCE, ""
    found = _SOURCE_ADDRESS.fullmatch(address)
    if found is None or Path(address).exists():
        return ARCHIVE_SOURCE, address
    if not _is_source(found["scheme"]) or found["scheme"] == LIVE_SOURCE or not found["rest"]:
        known = f"'{LIVE_SOURCE}' or {ARCHIVE_SOURCE}:PATH"
        message = f"--source {address} is neither a path that exists nor a source that this version knows"
        raise UsageError(message, f"Give the path of a file or folder, '-' for standard input, or {known}.")
    return found["scheme"], found["rest"]


def _is_source(name: str) -> bool:
    return name in plugins.list_packages(sources) and hasattr(plugins.load(sources, name), "connect")


def connect_source(name: str, address: str, watcher: Watcher, access: AzureSettings) -> Source:
    """Open a source; it is read later."""
    source: Source = plugins.load(sources, name).connect(address, watcher, access, lambda: datetime.now(UTC))
    return source
