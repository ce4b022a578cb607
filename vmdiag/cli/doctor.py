"""`vmdiag doctor`: say what works and what does not, with the fix for each; must not import what is heavy early."""

from vmdiag.cli import options
from vmdiag.cli.azure_options import AzureOptions


def doctor(
    azure_options: AzureOptions,
    *,
    subscription: options.Subscriptions = None,
    output: options.DoctorFormat = "terminal",
    verbosity: options.VerbosityOptions,
) -> int:
    """Try sign-in, cloud, subscriptions and feeds.

    Ends with 0 where everything works, 3 where something cannot be read, 4 where nothing can. Prints the smallest
    roles as JSON for 'az role definition create --role-definition'.
    """
    from vmdiag.cli.progress import StatusConsole
    from vmdiag.cli.run_doctor import run_doctor

    with StatusConsole(quiet=verbosity.quiet, verbose=verbosity.verbose) as watch:
        return run_doctor(azure_options, subscription or [], output, watch)
