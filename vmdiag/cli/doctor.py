"""`vmdiag doctor`: say what works and what does not, with the fix for each; must not import what is heavy early."""

from vmdiag.cli import options
from vmdiag.cli.azure_options import Azure


def doctor(
    azure: Azure,
    *,
    subscription: options.Subscriptions = None,
    output: options.DoctorFormat = "terminal",
    talk: options.Talk,
) -> int:
    """Try sign-in, cloud, subscriptions and feeds.

    Ends with 0 where everything works, 3 where something cannot be read, 4 where nothing can. Prints the smallest
    roles as JSON for 'az role definition create --role-definition'.
    """
    from vmdiag.cli.progress import Watch
    from vmdiag.cli.run_doctor import run

    with Watch(quiet=talk.quiet, verbose=talk.verbose) as watch:
        return run(azure, subscription or [], output, watch)
