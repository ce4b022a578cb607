"""The journal of redeploys as a list, and the unfinished ones taken up again; must not know how they are followed."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import typer

from vmdiag.case_report import describe_mitigation
from vmdiag.cli.azure_options import Azure, duration
from vmdiag.cli.console_prompt import Bedside
from vmdiag.cli.error_output import complain
from vmdiag.cli.exit_codes import code_of, worst
from vmdiag.cli.output_file import destination
from vmdiag.cli.progress import Watch
from vmdiag.cli.redeploy_options import ward_of
from vmdiag.errors import Interrupted, UsageError
from vmdiag.redeploy.journal import Deed, Journal, UnknownVersionError
from vmdiag.report import to_plain
from vmdiag.sources import azure as live
from vmdiag.wording.sanitize import name, visible, whole
from vmdiag.wording.time_formats import iso_or_none, stamp

SCHEMA = "vmdiag.mitigations/1"


def listed(journal: str | None, form: str, watch: Watch) -> int:
    """Every redeploy, oldest first."""
    kept, deeds = _read(journal, watch)
    with destination() as out:
        _write(deeds, kept.path, form, out)
    open_ = sum(deed.is_open for deed in deeds)
    if open_:
        watch.warn(f"{open_} of {len(deeds)} redeploys unfinished: 'vmdiag mitigations --resume' finds out about them")
    return 0


def resumed(azure: Azure, probe: int | None, journal: str | None, wait_for: str, form: str, watch: Watch) -> int:
    """Follow the unfinished ones to their end, and list them; the exit code is the worst of theirs."""
    duration(wait_for, "--wait-for")
    kept, known = _read(journal, watch)
    taken = list(_taken(azure, probe, journal, wait_for, watch)) if any(deed.is_open for deed in known) else []
    code = worst({code_of(deed.mitigation) for deed in taken})
    try:
        with destination() as out:
            _write(taken, kept.path, form, out)
    except (UsageError, typer.Exit) as error:
        if not taken:
            raise
        # That the list cannot be written, or is not read, must not hide what was found out.
        if isinstance(error, UsageError):
            complain(error.message, error.hint)
    return Interrupted.exit_code if watch.stop.is_set() else code


def _read(journal: str | None, watch: Watch) -> tuple[Journal, tuple[Deed, ...]]:
    kept = Journal(Path(journal) if journal is not None else None)
    if journal is not None and not kept.path.exists():
        watch.warn(f"there is no journal {kept.path}")
    try:
        return kept, kept.deeds(watch.warn)
    except UnknownVersionError as error:
        message = f"the journal {kept.path} cannot be read: {error.strerror}"
        raise UsageError(
            message, "Update vmdiag, and leave the journal as it is: it tells what was redeployed."
        ) from error
    except OSError as error:
        message = f"the journal {kept.path} cannot be read: {error.strerror or error}"
        raise UsageError(message, "Give another one with --journal PATH.") from error


def _taken(azure: Azure, probe: int | None, journal: str | None, wait_for: str, watch: Watch) -> Iterator[Deed]:
    # Only now: whoever has nothing to take up need not sign in.
    from vmdiag.redeploy.workflow import resume

    watch.listen()
    source = live.connect("", watch, azure.access(os.environ, probe), lambda: datetime.now(UTC))
    ward = ward_of(source, Bedside(watch), journal, wait_for)
    try:
        yield from (attended.deed for attended in resume(ward))
    except OSError as error:
        message = f"the lock cannot be taken: {error.strerror or error}"
        raise UsageError(message, "Set XDG_STATE_HOME, or its like, to a folder that can be written to.") from error


def _write(deeds: Iterable[Deed], path: Path, form: str, out: TextIO) -> None:
    if form == "json":
        told = {"schema": SCHEMA, "journal": str(path), "mitigations": [_told(deed) for deed in deeds]}
        out.write(json.dumps(told, indent=2) + "\n")
    else:
        lines = [line for deed in deeds for line in _lines(deed)]
        out.writelines(f"{line}\n" for line in lines or ["No redeploys."])


def _told(deed: Deed) -> dict[str, object]:
    return {
        "id": whole(deed.id),
        "vm": whole(str(deed.vm)),
        "cloud": whole(deed.cloud),
        "finished": not deed.is_open,
        "failed_at": iso_or_none(deed.lost_at),
        "migrated_at": iso_or_none(deed.migrated_at),
        **to_plain(describe_mitigation(deed.mitigation)),
    }


def _lines(deed: Deed) -> Iterator[str]:
    """A redeploy on one line, and how it went on the next."""
    done = deed.mitigation
    open_ = ", unfinished" if deed.is_open else ""
    vm = f"{name(deed.vm.resource_group)}/{name(deed.vm.name)}"
    yield f"{stamp(deed.at)}  {done.status}{open_}  {visible(vm)}"
    if done.says:
        yield f"    {visible(done.says)}"
