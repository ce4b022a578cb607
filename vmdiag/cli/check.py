"""`vmdiag check`: diagnose VMs and print the report; must not judge, nor import what is heavy before it runs."""

import typer

from vmdiag.cli import options
from vmdiag.cli.azure_options import Azure, Place
from vmdiag.cli.option_groups import typed
from vmdiag.cli.redeploy_options import Cure
from vmdiag.cli.scope_options import Asked


def check(
    context: typer.Context,
    asked: Asked,
    place: Place,
    azure: Azure,
    *,
    unreachable_since: options.UnreachableSince = None,
    output: options.Format = "terminal",
    out: options.Out = "-",
    fail_on: options.FailOn = "open",
    resume: options.Resume = None,
    cure: Cure,
    talk: options.Talk,
) -> int:
    """Diagnose VMs and advise what to do; with --redeploy, do it.

    Live, VMs are named, or chosen by group, tag or --all; of an archive those with a migration or a loss are told.
    """
    from vmdiag.cli.progress import Watch
    from vmdiag.cli.report_formats import known, written
    from vmdiag.cli.source_options import opened

    with Watch(quiet=talk.quiet, verbose=talk.verbose) as watch:
        cure.check(typed(context))
        form, report = known(output), written(resume)
        open_ = opened(asked, place, azure, watch, unreachable_since)
        # Only now: a live source signs in while the rest is imported.
        from vmdiag.cli.run_check import run

        return run(open_, form, out, fail_on, report, watch, cure.treatment(open_, out, watch))
