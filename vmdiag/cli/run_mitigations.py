"""The journal of redeploys as a list, and the unfinished ones taken up again; must not know how they are followed."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import typer

from vmdiag.case_report import describe_mitigation
from vmdiag.cli.azure_options import AzureOptions, parse_duration
from vmdiag.cli.console_prompt import ConsolePrompt
from vmdiag.cli.error_output import print_error
from vmdiag.cli.exit_codes import compute_mitigation_code, pick_worst_code
from vmdiag.cli.output_file import open_output
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.redeploy_options import build_redeploy_context
from vmdiag.errors import Interrupted, UsageError
from vmdiag.redeploy.journal import Journal, JournalEntry, UnknownVersionError
from vmdiag.report import to_plain
from vmdiag.sources import azure as live
from vmdiag.wording.sanitize import escape_controls, replace_surrogates, shorten_name
from vmdiag.wording.time_formats import format_instant, format_optional_iso

SCHEMA_ID = "vmdiag.mitigations/1"


def list_redeploys(journal: str | None, form: str, watch: StatusConsole) -> int:
    """Every redeploy, oldest first."""
    journal_file, entries = _read_journal(journal, watch)
    with open_output() as out:
        _write_entries(entries, journal_file.path, form, out)
    open_ = sum(entry.is_open for entry in entries)
    if open_:
        watch.warn(
            f"{open_} of {len(entries)} redeploys unfinished: 'vmdiag mitigations --resume' finds out about them"
        )
    return 0


def resume_redeploys(
    azure_options: AzureOptions, probe: int | None, journal: str | None, wait_for: str, form: str, watch: StatusConsole
) -> int:
    """Follow the unfinished ones to their end, and list them; the exit code is the worst of theirs."""
    parse_duration(wait_for, "--wait-for")
    journal_file, entries = _read_journal(journal, watch)
    followed_entries = (
        list(_follow_unfinished(azure_options, probe, journal, wait_for, watch))
        if any(entry.is_open for entry in entries)
        else []
    )
    code = pick_worst_code({compute_mitigation_code(entry.mitigation) for entry in followed_entries})
    try:
        with open_output() as out:
            _write_entries(followed_entries, journal_file.path, form, out)
    except (UsageError, typer.Exit) as error:
        if not followed_entries:
            raise
        # That the list cannot be written, or is not read, must not hide what was found out.
        if isinstance(error, UsageError):
            print_error(error.message, error.hint)
    return Interrupted.exit_code if watch.stop.is_set() else code


def _read_journal(journal: str | None, watch: StatusConsole) -> tuple[Journal, tuple[JournalEntry, ...]]:
    journal_file = Journal(Path(journal) if journal is not None else None)
    if journal is not None and not journal_file.path.exists():
        watch.warn(f"there is no journal {journal_file.path}")
    try:
        return journal_file, journal_file.read_entries(watch.warn)
    except UnknownVersionError as error:
        message = f"the journal {journal_file.path} cannot be read: {error.strerror}"
        raise UsageError(
            message, "Update vmdiag, and leave the journal as it is: it tells what was redeployed."
        ) from error
    except OSError as error:
        message = f"the journal {journal_file.path} cannot be read: {error.strerror or error}"
        raise UsageError(message, "Give another one with --journal PATH.") from error


def _follow_unfinished(
    azure_options: AzureOptions, probe: int | None, journal: str | None, wait_for: str, watch: StatusConsole
) -> Iterator[JournalEntry]:
    # Only now: whoever has nothing to take up need not sign in.
    from vmdiag.redeploy.workflow import resume_unfinished

    watch.catch_stop_signals()
    source = live.connect("", watch, azure_options.build_access(os.environ, probe), lambda: datetime.now(UTC))
    context = build_redeploy_context(source, ConsolePrompt(watch), journal, wait_for)
    try:
        yield from (followed.entry for followed in resume_unfinished(context))
    except OSError as error:
        message = f"the lock cannot be taken: {error.strerror or error}"
        raise UsageError(message, "Set XDG_STATE_HOME, or its like, to a folder that can be written to.") from error


def _write_entries(entries: Iterable[JournalEntry], path: Path, form: str, out: TextIO) -> None:
    if form == "json":
        document = {
            "schema": SCHEMA_ID,
            "journal": str(path),
            "mitigations": [_serialize_entry(entry) for entry in entries],
        }
        out.write(json.dumps(document, indent=2) + "\n")
    else:
        lines = [line for entry in entries for line in _format_entry(entry)]
        out.writelines(f"{line}\n" for line in lines or ["No redeploys."])


def _serialize_entry(entry: JournalEntry) -> dict[str, object]:
    return {
        "id": replace_surrogates(entry.id),
        "vm": replace_surrogates(str(entry.vm)),
        "cloud": replace_surrogates(entry.cloud),
        "finished": not entry.is_open,
        "failed_at": format_optional_iso(entry.lost_at),
        "migrated_at": format_optional_iso(entry.migrated_at),
        **to_plain(describe_mitigation(entry.mitigation)),
    }


def _format_entry(entry: JournalEntry) -> Iterator[str]:
    """A redeploy on one line, and how it went on the next."""
    done = entry.mitigation
    open_ = ", unfinished" if entry.is_open else ""
    vm = f"{shorten_name(entry.vm.resource_group)}/{shorten_name(entry.vm.name)}"
    yield f"{format_instant(entry.at)}  {done.status}{open_}  {escape_controls(vm)}"
    if done.says:
        yield f"    {escape_controls(done.says)}"
