"""`vmdiag mitigations`: list the redeploys, or finish what is unfinished; what is heavy is imported when it runs."""

from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vmdiag.cli import options
from vmdiag.cli.source_options import AzureOptions
from vmdiag.cli.streams import StatusConsole, keep_outcome, open_output
from vmdiag.errors import Interrupted, UsageError
from vmdiag.wording.plain_text import escape_controls, format_instant, format_vm_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmdiag.redeploy.journal import Journal, JournalEntry


def mitigations(
    context: typer.Context,
    azure_options: AzureOptions,
    *,
    resume: Annotated[
        bool,
        options.declare_option(
            "--resume", text="Find out how the unfinished redeploys ended, without asking for another one."
        ),
    ] = False,
    journal: options.JournalPath = None,
    wait_for: options.WaitFor = "30m",
    probe: options.ProbePort = None,
    output: Annotated[
        Literal["terminal", "json"], options.declare_option("--output", "-o", text="Form of the list.")
    ] = "terminal",
    verbosity: options.VerbosityOptions,
) -> int:
    """List the redeploys that vmdiag made on this machine.

    With --resume, find out how the unfinished ones ended and whether they helped; the exit codes are those of 'check'.
    """
    with verbosity.open_console() as watch:
        if resume:
            return resume_redeploys(azure_options, probe, journal, wait_for, output, watch)
        return list_redeploys(options.list_typed_options(context), journal, output, watch)


def list_redeploys(typed_options: set[str], path: str | None, form: str, watch: StatusConsole) -> int:
    """Every redeploy, oldest first."""
    idle = sorted(typed_options & {"wait_for", "probe", *(field.name for field in fields(AzureOptions))})
    if idle:
        option = options.format_option(idle[0])
        message = f"{option} says how to ask Azure, and nothing is asked without --resume"
        raise UsageError(message, f"Add --resume, or leave {option} out.")
    journal, entries = _read_journal(path, watch)
    _write_entries(entries, journal, form)
    count = sum(entry.is_open for entry in entries)
    if count:
        watch.warn(
            f"{count} of {len(entries)} redeploys unfinished: 'vmdiag mitigations --resume' finds out about them"
        )
    return 0


def resume_redeploys(
    azure_options: AzureOptions, probe: int | None, path: str | None, wait_for: str, form: str, watch: StatusConsole
) -> int:
    """Follow the unfinished ones to their end, and list them; the exit code is the worst of theirs."""
    from vmdiag.cli.exit_codes import compute_mitigation_code, pick_worst_code

    limit = options.parse_duration(wait_for, "--wait-for")
    journal, entries = _read_journal(path, watch)
    followed: list[JournalEntry] = []
    # Whoever has nothing to take up need not sign in.
    if any(entry.is_open for entry in entries):
        from vmdiag.cli.console_prompt import ConsolePrompt
        from vmdiag.redeploy.follow import resume_unfinished
        from vmdiag.redeploy.second_look import build_redeploy_context
        from vmdiag.sources import azure

        watch.catch_stop_signals()
        access = partial(azure_options.build_access, probe)
        source = azure.connect("", watch, access, lambda: datetime.now(UTC))
        try:
            context = build_redeploy_context(source, journal, ConsolePrompt(watch), limit)
            followed = [one.entry for one in resume_unfinished(context)]
        except OSError as error:
            message = f"the lock cannot be taken: {error.strerror or error}"
            raise UsageError(message, "Set XDG_STATE_HOME, or its like, to a folder that can be written to.") from error
    with keep_outcome(lambda _: bool(followed)):
        _write_entries(followed, journal, form)
    code = pick_worst_code({compute_mitigation_code(entry.mitigation) for entry in followed})
    return Interrupted.exit_code if watch.stop.is_set() else code


def _read_journal(path: str | None, watch: StatusConsole) -> "tuple[Journal, Sequence[JournalEntry]]":
    from vmdiag.redeploy.journal import Journal, UnknownVersionError

    journal = Journal(None if path is None else Path(path))
    if path is not None and not journal.path.exists():
        watch.warn(f"there is no journal {journal.path}")
    try:
        return journal, journal.read_entries(watch.warn)
    except OSError as error:
        message = f"the journal {journal.path} cannot be read: {error.strerror or error}"
        hint = "Give another one with --journal PATH."
        if isinstance(error, UnknownVersionError):
            hint = "Update vmdiag, and leave the journal as it is: it tells what was redeployed."
        raise UsageError(message, hint) from error


def _write_entries(entries: "Sequence[JournalEntry]", journal: "Journal", form: str) -> None:
    from vmdiag.command_answers import MitigationsAnswer, describe_journal_entry
    from vmdiag.report import dump_json

    with open_output() as out:
        if form == "json":
            told = tuple(map(describe_journal_entry, entries))
            answer = MitigationsAnswer(journal=str(journal.path), mitigations=told)
            out.write(dump_json(answer, 2) + "\n")
        else:
            for entry in entries:
                vm = escape_controls(format_vm_name(entry.vm))
                status = f"{entry.mitigation.status}{', unfinished' * entry.is_open}"
                says = f"    {escape_controls(entry.says)}\n" if entry.says else ""
                out.write(f"{format_instant(entry.at)}  {status}  {vm}\n{says}")
            out.write("" if entries else "No redeploys.\n")
