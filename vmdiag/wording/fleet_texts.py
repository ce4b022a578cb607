"""What is said of a run as a whole: which VMs are told and in which order, and how many others there are."""

from collections.abc import Iterable, Iterator, Sequence

from vmdiag.diagnosis.model import Case, Header, OtherVms, State, Verdict

STATE_WORDS = {State.OPEN: "still lost", State.RECOVERED: "recovered", State.REDEPLOYED: "redeployed"}


def is_eventful(case: Case) -> bool:
    """Whether more is to be told of a VM than a line: it is affected, in doubt, or down for whatever reason."""
    return case.diagnosis.verdict is not Verdict.CLEAR or case.diagnosis.state is State.OPEN


def sort_cases(cases: Iterable[Case]) -> list[Case]:
    """Affected first: by verdict, then those still lost, then as they came."""
    verdicts = list(Verdict)
    return sorted(
        cases, key=lambda case: (verdicts.index(case.diagnosis.verdict), case.diagnosis.state is not State.OPEN)
    )


def split_told_cases(header: Header, cases: Iterable[Case]) -> tuple[list[Case], list[Case]]:
    """The cases to tell, affected first, and those that are only counted; one that is alone is told, whatever it is.

    Told is who was named, or is eventful.
    """
    told: list[Case] = []
    counted: list[Case] = []
    found = sort_cases(cases)
    for case in found:
        (told if is_eventful(case) or case.is_named or header.tells_all or len(found) == 1 else counted).append(case)
    return told, counted


def count_cases_by_verdict(cases: Sequence[Case]) -> Iterator[tuple[Verdict, int, int]]:
    """Each verdict, how many VMs have it, and how many of them are affected now."""
    for verdict in Verdict:
        found = [case for case in cases if case.diagnosis.verdict is verdict]
        yield verdict, len(found), sum(case.is_affected for case in found)


def describe_counted_cases(counted: Sequence[Case]) -> str | None:
    """How many VMs are clear and not down, and therefore not told one by one; `None` where there is none."""
    over = sum(bool(case.diagnosis.migrated_at or case.diagnosis.losses) for case in counted)
    had = f" ({over} with a live migration that did no harm, or a loss that is over)" if over else ""
    are = "VM is" if len(counted) == 1 else "VMs are"
    return f"{len(counted)} clear {are} not told one by one{had}: --show all tells every one." if counted else None


def describe_other_vms(others: OtherVms) -> Iterator[str]:
    """How many VMs there are besides: that nothing happened is said only of those that were judged."""
    told = (
        (others.clear, "seen without a migration or a loss."),
        (others.troubled, "seen with a migration or a loss, and not asked for: look without names to see all such."),
        (others.unclear, "seen and could not be told: --all says why."),
        (others.quiet, "not judged, for want of any record of a migration or a loss: --all judges every one."),
        (others.unread, "not looked at: outside of what was asked for."),
    )
    for count, says in told:
        if count:
            yield f"{count} other {'VM was' if count == 1 else 'VMs were'} {says}"


def describe_empty_report(header: Header, others: OtherVms) -> str:
    """The answer where there is no case; of `others` it is not said what was not seen of them."""
    if header.names_scope:
        return "No VM is in what was asked for, so none was diagnosed"
    had = "is known to have had" if others.unclear else "had"
    return f"No VM {had} a live migration or a loss of connectivity in the time that was read"
