"""One run of `vmdiag check`: examine, render, count; must not judge, nor know a source or a format by name."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import typer

from vmdiag import plugins, renderers
from vmdiag.cli.error_output import print_error
from vmdiag.cli.exit_codes import FailOn, compute_exit_code, pick_worst_code
from vmdiag.cli.output_file import open_output
from vmdiag.cli.previous_cases import read_previous_cases
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.source_options import OpenedSource
from vmdiag.diagnosis.model import Case, Header
from vmdiag.errors import Interrupted, SourceError, UsageError
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.pipeline import Examination, examine_vms

if TYPE_CHECKING:
    from vmdiag.renderers import Renderer

# Worse than an interruption: what was done, or was not allowed.
_REDEPLOY_CODES = (6, 5)
# Of these the end is to be found out by a later run.
_UNFINISHED_STATUSES = (Status.STARTED, Status.UNKNOWN)
RedeployWorkflow = Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]]


@dataclass(slots=True)
class CaseTally:
    """Counts cases as soon as they are known, whatever becomes of the report, and keeps none of them.

    `undecided_vms` are the VMs of which a redeploy was asked for and nothing was decided yet.
    """

    fail_on: FailOn
    reported_count: int = 0
    exit_codes: set[int] = field(default_factory=set)
    statuses: set[Status] = field(default_factory=set)
    undecided_vms: set[VmId] = field(default_factory=set)

    def note_affected_vms(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The same cases, on their way to what may redeploy them."""
        for case in cases:
            if case.is_affected:
                self.undecided_vms.add(case.vm.id)
            yield case

    def count_cases(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The same cases, counted."""
        for case in cases:
            self.undecided_vms.discard(case.vm.id)
            self.exit_codes.add(compute_exit_code([case], self.fail_on))
            if case.mitigation is not None:
                self.statuses.add(case.mitigation.status)
            yield case

    def count_reported_cases(self, cases: Iterable[Case], watch: StatusConsole) -> Iterator[Case]:
        """The same cases, on their way into the report; the progress bar makes room for each."""
        for case in cases:
            watch.remove_bar()
            self.reported_count += 1
            yield case

    @property
    def has_redeploy_news(self) -> bool:
        """Whether what was done, or was to be done, is greater news than a report that cannot be written."""
        return bool(self.undecided_vms) or bool(self.statuses)

    @property
    def exit_code(self) -> int:
        """The exit code for what was counted so far; an affected VM that was not come to is still affected."""
        return pick_worst_code(self.exit_codes | {1} if self.undecided_vms else self.exit_codes)


def run_check(
    opened_source: OpenedSource,
    form: str,
    out: str,
    fail_on: str,
    previous_lines: Sequence[str],
    watch: StatusConsole,
    workflow: RedeployWorkflow | None = None,
) -> int:
    """Check what was opened, and render it; `previous_lines` are those of a report to continue."""
    renderer = plugins.load(renderers, form)
    finished = read_previous_cases(previous_lines, watch) if previous_lines else ()
    if workflow is not None:
        # What is to be redeployed is looked at anew.
        finished = tuple(case for case in finished if not case.is_affected)
    scope = replace(opened_source.scope, finished=frozenset(case.vm.id for case in finished))
    tally = CaseTally(FailOn(fail_on))

    def write_report() -> None:
        with open_output(out) as stream:
            found = examine_vms(
                opened_source.source, scope, unreachable_since=opened_source.unreachable_since, finished=finished
            )
            if workflow is not None:
                found.cases = workflow(tally.note_affected_vms(found.cases), scope.finished)
            found.cases = tally.count_cases(found.cases)
            header = _build_header(found, opened_source)
            report: Renderer = renderer.open_report(header, stream)
            cases = found.cases if getattr(renderer, "STREAMS", False) else found.in_order()
            for case in tally.count_reported_cases(cases, watch):
                report.add_case(case)
            report.finish(found.other_vms)
        _note_summary(header, found, tally, watch)

    _keep_outcome_on_error(write_report, tally)
    if watch.stop.is_set():
        hint = "--resume FILE continues an ndjson report."
        if not tally.statuses.isdisjoint(_UNFINISHED_STATUSES):
            hint = "The redeploy goes on: 'vmdiag mitigations --resume' finds out how it ended."
        print_error("interrupted: what was known by then is in the report", hint)
        return tally.exit_code if tally.exit_code in _REDEPLOY_CODES else Interrupted.exit_code
    return tally.exit_code


def _keep_outcome_on_error(write: Callable[[], None], tally: CaseTally) -> None:
    """Write the report; what was found or done by then is not hidden by what breaks it off."""
    try:
        write()
    except (UsageError, typer.Exit) as error:
        if not tally.has_redeploy_news:
            raise
        # That a report cannot be written, or is not read, must not hide what was done.
        if isinstance(error, UsageError):
            print_error(error.message, error.hint)
    except SourceError as error:
        tally.exit_codes.add(error.exit_code)
        if tally.exit_code == error.exit_code:
            raise
        # The reading broke off, but a VM that is affected was found before: that is the greater news.
        print_error(error.message, error.hint)


def _build_header(found: Examination, opened_source: OpenedSource) -> Header:
    return Header(
        source=opened_source.address,
        cloud=found.cloud or opened_source.cloud,
        window=found.window,
        generated_at=opened_source.now,
        names_scope=opened_source.scope.names_any,
        gaps=found.gaps,
    )


def _note_summary(header: Header, found: Examination, tally: CaseTally, watch: StatusConsole) -> None:
    watch.note(f"source: {header.source}")
    watch.note(f"window: {header.window.start.isoformat()} to {header.window.end.isoformat()}")
    watch.note(f"VMs: {tally.reported_count} in the report, {found.others} more")
    for gap in header.gaps:
        watch.note(f"not heard: {gap.signal}, {gap.reason}")
