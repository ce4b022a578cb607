"""`vmdiag record`: write what was heard, unjudged, as an archive; must not judge, nor import what is heavy early."""

from vmdiag.cli import options
from vmdiag.cli.azure_options import AzureOptions, SourceOptions
from vmdiag.cli.scope_options import ScopeOptions


def record(
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    *,
    out: options.RecordOut = "-",
    verbosity: options.VerbosityOptions,
) -> int:
    """Write what was read of VMs as an archive.

    'vmdiag check --source FILE' judges it, offline. Secrets, claims and callers' addresses are not in it.
    """
    from vmdiag.cli.progress import StatusConsole
    from vmdiag.cli.run_record import run_record

    with StatusConsole(quiet=verbosity.quiet, verbose=verbosity.verbose) as watch:
        return run_record(scope_options, source_options, azure_options, out, watch)
