"""One run of `vmdiag check`: examine, render, count; must not judge, nor know a source or a format by name."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vmdiag import plugins, renderers
from vmdiag.cli.complaint import complain
from vmdiag.cli.destination import destination
from vmdiag.cli.opening import Opened
from vmdiag.cli.resumed import resumed
from vmdiag.cli.watch import Watch
from vmdiag.diagnosis import Case, FailOn, Report, exit_code, worst
from vmdiag.errors import Interrupted, SourceError, UsageError
from vmdiag.identity import VmId
from vmdiag.pipeline import Examination, examine

# Worse than an interruption: what was done, or was not allowed.
_DEEDS = (6, 5)
Treatment = Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]]


@dataclass(slots=True)
class Tally:
    """Counts cases on their way to the report and keeps none of them."""

    fail_on: FailOn
    cases: int = 0
    codes: set[int] = field(default_factory=set)

    def over(self, cases: Iterable[Case], watch: Watch) -> Iterator[Case]:
        """The same cases, counted; the progress bar makes room for each."""
        for case in cases:
            watch.finish()
            self.cases += 1
            self.codes.add(exit_code([case], self.fail_on))
            yield case

    @property
    def exit_code(self) -> int:
        """The exit code for what was counted so far."""
        return worst(self.codes)


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
    try:
        with destination(out) as stream:
            found = examine(open_.source, scope, unreachable_since=open_.lost, finished=finished)
            if treatment is not None:
                found.cases = treatment(found.cases, scope.finished)
            report = _report(found, tally, watch, open_, streams=getattr(renderer, "STREAMS", False))
            renderer.render(report, stream)
    except UsageError as error:
        if tally.exit_code not in _DEEDS:
            raise
        # That a report cannot be written must not hide what was done.
        complain(error.message, error.hint)
    except SourceError as error:
        tally.codes.add(error.exit_code)
        if tally.exit_code == error.exit_code:
            raise
        # The reading broke off, but a VM that is affected was found before: that is the greater news.
        complain(error.message, error.hint)
    else:
        _tell(report, tally, watch)
    if watch.stop.is_set():
        complain("interrupted: what was known by then is in the report", "--resume FILE continues an ndjson report.")
        return tally.exit_code if tally.exit_code in _DEEDS else Interrupted.exit_code
    return tally.exit_code


def _report(found: Examination, tally: Tally, watch: Watch, open_: Opened, *, streams: bool) -> Report:
    def cases() -> Iterator[Case]:
        yield from tally.over(found.cases if streams else found.in_order(), watch)
        # Only now is it known how many VMs had nothing to tell; the report is not shared with anybody yet.
        object.__setattr__(report, "others", found.others)

    report = Report(
        source=open_.address,
        cloud=found.cloud or open_.cloud,
        window=found.window,
        generated_at=open_.now,
        cases=cases(),
        others=found.others,
        gaps=found.gaps,
    )
    return report


def _tell(report: Report, tally: Tally, watch: Watch) -> None:
    watch.note(f"source: {report.source}")
    watch.note(f"window: {report.window.start.isoformat()} to {report.window.end.isoformat()}")
    watch.note(
        f"VMs: {tally.cases} in the report, {report.others} more without a migration or a loss, or not asked for"
    )
    for gap in report.gaps:
        watch.note(f"not heard: {gap.signal}, {gap.reason}")
