"""`vmdiag record`: write what was heard, unjudged, as an archive; must not judge, nor import what is heavy early."""

from vmdiag.cli import options
from vmdiag.cli.azure_options import Azure, Place
from vmdiag.cli.scope_options import Asked


def record(asked: Asked, place: Place, azure: Azure, *, out: options.RecordOut = "-", talk: options.Talk) -> int:
    """Write what was read of VMs as an archive.

    'vmdiag check --source FILE' judges it, offline. Secrets, claims and callers' addresses are not in it.
    """
    from vmdiag.cli.progress import Watch
    from vmdiag.cli.run_record import run

    with Watch(quiet=talk.quiet, verbose=talk.verbose) as watch:
        return run(asked, place, azure, out, watch)
