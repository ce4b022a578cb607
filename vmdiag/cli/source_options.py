"""From options to a source that can be read, and the scope to read of it; must not know a source by more than name."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from vmdiag.cli.azure_options import Azure, Place
from vmdiag.cli.progress import Watch
from vmdiag.cli.scope_options import STANDARD_INPUT, Asked, lost_at
from vmdiag.cli.source_address import LIVE, connect, resolve
from vmdiag.cli.times import utc_offset
from vmdiag.errors import UsageError
from vmdiag.sources.protocol import Scope, Source


@dataclass(frozen=True, slots=True)
class Opened:
    """A source, what is asked of it, what a report calls it, and the cloud that it is in unless it knows better.

    `lost` is since when the operator states that the VMs cannot be reached.
    """

    source: Source
    scope: Scope
    address: str
    cloud: str
    now: datetime
    lost: datetime | time | None


def opened(asked: Asked, place: Place, azure: Azure, watch: Watch, unreachable_since: str | None = None) -> Opened:
    """Open what the options name; `UsageError` for whatever is wrong with them, before anything is read."""
    name, path = resolve(place.source)
    if path == STANDARD_INPUT and asked.reads_standard_input():
        message = "the archive and the list of VMs cannot both come from standard input"
        raise UsageError(message, "Put one of them in a file.")
    now = datetime.now(UTC)
    is_live = name == LIVE
    offset = None if place.utc_offset is None else utc_offset(place.utc_offset, "--utc-offset")
    if not is_live:
        _refuse_live_options(place, azure)
    elif offset is not None:
        message = "--utc-offset says what local times in files mean, and Azure is asked"
        raise UsageError(message, "Leave it out: Azure's own times name their offset.")
    scope = asked.scope(now, os.environ.get("AZURE_SUBSCRIPTION_ID") if is_live else None)
    scope = replace(scope, utc_offset=offset)
    if is_live:
        _refuse_nothing(scope)
        watch.listen()
    lost = lost_at(unreachable_since, scope, now, is_live=is_live)
    source = connect(name, path, watch, azure.access(os.environ, place.probe))
    return Opened(source, scope, f"{name}:{path}" if path else name, azure.cloud.strip().lower(), now, lost)


def _refuse_live_options(place: Place, azure: Azure) -> None:
    live = {"--probe": place.probe, "--workspace": azure.workspace, "--api-version": azure.api_version}
    for option, value in live.items():
        if value:
            message = f"{option} asks something of Azure, and an archive is read"
            raise UsageError(message, "Leave one of them out.")


def _refuse_nothing(scope: Scope) -> None:
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
