"""`vmdiag check`: diagnose VMs and print the report; must not judge, nor import what is heavy before it runs."""

from vmdiag.cli import options


def check(
    vms: options.Vms = None,
    *,
    vms_from: options.VmsFrom = None,
    subscription: options.Subscriptions = None,
    resource_group: options.Groups = None,
    everything: options.Everything = False,
    since: options.Since = "14d",
    until: options.Until = None,
    source: options.Address = "azure",
    unreachable_since: options.UnreachableSince = None,
    output: options.Format = "terminal",
    out: options.Out = "-",
    fail_on: options.FailOn = "open",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    debug: options.Debug = False,  # noqa: ARG001 - see Debug
) -> int:
    """Diagnose VMs and advise what to do.

    Without a VM, a group or --all: those that had a migration or a loss.
    """
    from vmdiag.cli.asked import Asked
    from vmdiag.cli.run import run
    from vmdiag.cli.watch import Watch

    groups, subscriptions = resource_group or [], subscription or []
    asked = Asked(vms or [], vms_from, subscriptions, groups, everything, since, until, unreachable_since)
    with Watch(quiet=quiet, verbose=verbose) as watch:
        return run(asked, source, output, out, fail_on, watch)
