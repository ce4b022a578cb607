"""`vmdiag mitigations`: list the redeploys, or finish what is unfinished; must not import what is heavy early."""

from dataclasses import fields

import typer

from vmdiag.cli import options
from vmdiag.cli.azure_options import AzureOptions
from vmdiag.cli.option_groups import list_typed_options
from vmdiag.errors import UsageError


def mitigations(
    context: typer.Context,
    azure_options: AzureOptions,
    *,
    resume: options.ResumeUnfinished = False,
    journal: options.JournalPath = None,
    wait_for: options.WaitFor = "30m",
    probe: options.ProbePort = None,
    output: options.ListFormat = "terminal",
    verbosity: options.VerbosityOptions,
) -> int:
    """List the redeploys that vmdiag made on this machine.

    With --resume, find out how the unfinished ones ended and whether they helped; the exit codes are those of 'check'.
    """
    from vmdiag.cli.progress import StatusConsole
    from vmdiag.cli.run_mitigations import list_redeploys, resume_redeploys

    with StatusConsole(quiet=verbosity.quiet, verbose=verbosity.verbose) as watch:
        if resume:
            return resume_redeploys(azure_options, probe, journal, wait_for, output, watch)
        idle = sorted(
            list_typed_options(context) & {"wait_for", "probe", *(field.name for field in fields(azure_options))}
        )
        if idle:
            option = f"--{idle[0].replace('_', '-')}"
            message = f"{option} says how to ask Azure, and nothing is asked without --resume"
            raise UsageError(message, f"Add --resume, or leave {option} out.")
        return list_redeploys(journal, output, watch)
