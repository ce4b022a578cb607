"""One run of `vmdiag check`: examine, render, count; must not judge, nor know a source or a format by name."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import typer

from vmdiag import plugins, renderers
from vmdiag.cli.error_output import complain
from vmdiag.cli.exit_codes import FailOn, exit_code, worst
from vmdiag.cli.output_file import destination
from vmdiag.cli.previous_cases import resumed
from vmdiag.cli.progress import Watch
from vmdiag.cli.source_options import Opened
from vmdiag.diagnosis.model import Case, Header
from vmdiag.errors import Interrupted, SourceError, UsageError
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.pipeline import Examination, examine

if TYPE_CHECKING:
    from vmdiag.renderers import Renderer

# Worse than an interruption: what was done, or was not allowed.
_DEEDS = (6, 5)
# Of these the end is to be found out by a later run.
_OPEN = (Status.STARTED, Status.UNKNOWN)
Treatment = Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]]


@dataclass(slots=True)
class Tally:
    """Counts cases as soon as they are known, whatever becomes of the report, and keeps none of them.

    `waiting` are the VMs of which a redeploy was asked for and nothing was decided yet.
    """

    fail_on: FailOn
    cases: int = 0
    codes: set[int] = field(default_factory=set)
    statuses: set[Status] = field(default_factory=set)
    waiting: set[VmId] = field(default_factory=set)

    def before(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The same cases, on their way to what may redeploy them."""
        for case in cases:
            if case.is_affected:
                self.waiting.add(case.vm.id)
            yield case

    def over(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The same cases, counted."""
        for case in cases:
            self.waiting.discard(case.vm.id)
            self.codes.add(exit_code([case], self.fail_on))
            if case.mitigation is not None:
                self.statuses.add(case.mitigation.status)
            yield case

    def told(self, cases: Iterable[Case], watch: Watch) -> Iterator[Case]:
        """The same cases, on their way into the report; the progress bar makes room for each."""
        for case in cases:
            watch.finish()
            self.cases += 1
            yield case

    @property
    def outranks_report(self) -> bool:
        """Whether what was done, or was to be done, is greater news than a report that cannot be written."""
        return bool(self.waiting) or bool(self.statuses)

    @property
    def exit_code(self) -> int:
        """The exit code for what was counted so far; an affected VM that was not come to is still affected."""
        return worst(self.codes | {1} if self.waiting else self.codes)


def run(
    open_: Opened,
    form: str,
    out: str,
    fail_on: str,
    earlier: Sequence[str],
    watch: Watch,
    treatment: Treatment | None = None,
) -> int:
    """Check what was opened, and render it in a form that is known; `earlier` are lines of a report to continue."""
    renderer = plugins.load(renderers, form)
    finished = resumed(earlier, watch) if earlier else ()
    if treatment is not None:
        # What is to be redeployed is looked at anew.
        finished = tuple(case for case in finished if not case.is_affected)
    scope = replace(open_.scope, finished=frozenset(case.vm.id for case in finished))
    tally = Tally(FailOn(fail_on))

    def written() -> None:
        with destination(out) as stream:
            found = examine(open_.source, scope, unreachable_since=open_.lost, finished=finished)
            if treatment is not None:
                found.cases = treatment(tally.before(found.cases), scope.finished)
            found.cases = tally.over(found.cases)
            header = _header(found, open_)
            report: Renderer = renderer.open_report(header, stream)
            cases = found.cases if getattr(renderer, "STREAMS", False) else found.in_order()
            for case in tally.told(cases, watch):
                report.add_case(case)
            report.finish(found.other_vms)
        _tell(header, found, tally, watch)

    _attempt(written, tally)
    if watch.stop.is_set():
        hint = "--resume FILE continues an ndjson report."
        if not tally.statuses.isdisjoint(_OPEN):
            hint = "The redeploy goes on: 'vmdiag mitigations --resume' finds out how it ended."
        complain("interrupted: what was known by then is in the report", hint)
        return tally.exit_code if tally.exit_code in _DEEDS else Interrupted.exit_code
    return tally.exit_code


def _attempt(write: Callable[[], None], tally: Tally) -> None:
    """Write the report; what was found or done by then is not hidden by what breaks it off."""
    try:
        write()
    except (UsageError, typer.Exit) as error:
        if not tally.outranks_report:
            raise
        # That a report cannot be written, or is not read, must not hide what was done.
        if isinstance(error, UsageError):
            complain(error.message, error.hint)
    except SourceError as error:
        tally.codes.add(error.exit_code)
        if tally.exit_code == error.exit_code:
            raise
        # The reading broke off, but a VM that is affected was found before: that is the greater news.
        complain(error.message, error.hint)


def _header(found: Examination, open_: Opened) -> Header:
    return Header(
        source=open_.address,
        cloud=found.cloud or open_.cloud,
        window=found.window,
        generated_at=open_.now,
        names_scope=open_.scope.names_any,
        gaps=found.gaps,
    )


def _tell(header: Header, found: Examination, tally: Tally, watch: Watch) -> None:
    watch.note(f"source: {header.source}")
    watch.note(f"window: {header.window.start.isoformat()} to {header.window.end.isoformat()}")
    watch.note(f"VMs: {tally.cases} in the report, {found.others} more")
    for gap in header.gaps:
        watch.note(f"not heard: {gap.signal}, {gap.reason}")
