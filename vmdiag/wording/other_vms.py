"""How many VMs there are besides the cases, and the answer where there is none; must not know a format."""

from collections.abc import Iterator

from vmdiag.diagnosis.model import Header, OtherVms


def describe_other_vms(others: OtherVms) -> Iterator[str]:
    """How many VMs there are besides: that nothing happened is said only of those that were judged."""
    told = (
        (others.clear, "seen without a migration or a loss."),
        (others.troubled, "seen with a migration or a loss, and not asked for: look without names to see all such."),
        (others.unclear, "looked at, and could not be told: --all says why."),
        (others.quiet, "not judged, for want of any record of a migration or a loss: --all judges every one."),
        (others.unread, "not looked at: outside of what was asked for."),
    )
    for count, says in told:
        if count:
            yield f"{count} other {'VM was' if count == 1 else 'VMs were'} {says}"


def describe_empty_report(header: Header) -> str:
    """The answer where there is no case."""
    if header.names_scope:
        return "No VM is in what was asked for, so none was diagnosed"
    return "No VM had a live migration or a loss of connectivity in the time that was read"
