"""From options to a source that can be read, and the scope to read of it; must not know a source by more than name."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from vmdiag.cli.azure_options import AzureOptions, SourceOptions
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.scope_options import STANDARD_INPUT, ScopeOptions, resolve_unreachable_since
from vmdiag.cli.source_address import LIVE_SOURCE, connect_source, parse_address
from vmdiag.cli.times import parse_utc_offset
from vmdiag.errors import UsageError
from vmdiag.sources.protocol import Scope, Source


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source, what is asked of it, what a report calls it, and the cloud that it is in unless it knows better.

    `lost` is since when the operator states that the VMs cannot be reached.
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
