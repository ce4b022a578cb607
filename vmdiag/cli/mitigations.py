"""`vmdiag mitigations`: list the redeploys, or finish what is unfinished; must not import what is heavy early."""

from dataclasses import fields

import typer

from vmdiag.cli import options
from vmdiag.cli.azure_options import Azure
from vmdiag.cli.option_groups import typed
from vmdiag.errors import UsageError


def mitigations(
    context: typer.Context,
    azure: Azure,
    *,
    resume: options.ResumeOpen = False,
    journal: options.JournalPath = None,
    wait_for: options.WaitFor = "30m",
    probe: options.ProbePort = None,
    output: options.ListFormat = "terminal",
    talk: options.Talk,
) -> int:
    """List the redeploys that vmdiag made on this machine.

    With --resume, find out how the unfinished ones ended and whether they helped; the exit codes are those of 'check'.
    """
    from vmdiag.cli.progress import Watch
    from vmdiag.cli.run_mitigations import listed, resumed

    with Watch(quiet=talk.quiet, verbose=talk.verbose) as watch:
        if resume:
            return resumed(azure, probe, journal, wait_for, output, watch)
        idle = sorted(typed(context) & {"wait_for", "probe", *(field.name for field in fields(azure))})
        if idle:
            option = f"--{idle[0].replace('_', '-')}"
            message = f"{option} says how to ask Azure, and nothing is asked without --resume"
            raise UsageError(message, f"Add --resume, or leave {option} out.")
        return listed(journal, output, watch)
