"""`vmdiag check`: diagnose VMs and print the report; must not judge, nor import what is heavy before it runs."""

import typer

from vmdiag.cli import options
from vmdiag.cli.azure_options import AzureOptions, SourceOptions
from vmdiag.cli.option_groups import list_typed_options
from vmdiag.cli.redeploy_options import RedeployOptions
from vmdiag.cli.report_formats import check_format, read_report_lines
from vmdiag.cli.scope_options import ScopeOptions


def check(
    context: typer.Context,
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    *,
    unreachable_since: options.UnreachableSince = None,
    output: options.ReportFormat = "terminal",
    out: options.ReportOut = "-",
    fail_on: options.FailOnChoice = "open",
    resume: options.Resume = None,
    redeploy_options: RedeployOptions,
    verbosity: options.VerbosityOptions,
) -> int:
    """Diagnose VMs and advise what to do; with --redeploy, do it.

    Live, VMs are named, or chosen by group, tag or --all; of an archive those with a migration or a loss are told.
    """
    from vmdiag.cli.progress import StatusConsole
    from vmdiag.cli.source_options import open_source

    with StatusConsole(quiet=verbosity.quiet, verbose=verbosity.verbose) as watch:
        redeploy_options.validate_options(list_typed_options(context))
        form, report = check_format(output), read_report_lines(resume)
        source = open_source(scope_options, source_options, azure_options, watch, unreachable_since)
        # Only now: a live source signs in while the rest is imported.
        from vmdiag.cli.run_check import run_check

        workflow = redeploy_options.prepare_workflow(source, out, watch)
        return run_check(source, form, out, fail_on, report, watch, workflow)
