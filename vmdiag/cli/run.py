"""One run of `vmdiag check`: open, examine, render, count; must not judge, nor know a source or a format by name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from types import ModuleType

from vmdiag import plugins, renderers
from vmdiag.cli.address import connect, resolve
from vmdiag.cli.asked import Asked
from vmdiag.cli.complaint import complain
from vmdiag.cli.destination import destination
from vmdiag.cli.named import STANDARD_INPUT
from vmdiag.cli.watch import Watch
from vmdiag.diagnosis import Case, FailOn, Report, exit_code
from vmdiag.errors import SourceError, UsageError
from vmdiag.pipeline import Examination, examine

# An archive does not say which cloud it came from; this is the contract's default.
CLOUD = "public"
# The worst first: where several apply, the first one wins.
_WORST_FIRST = (1, SourceError.exit_code, 3, 0)


@dataclass(slots=True)
class Tally:
    """Counts cases on their way to the report and keeps none of them."""

    fail_on: FailOn
    cases: int = 0
    codes: set[int] = field(default_factory=lambda: {0})

    def over(self, examination: Examination, watch: Watch) -> Iterator[Case]:
        """The same cases, counted; the progress bar makes room for the first."""
        for case in examination.cases:
            watch.finish()
            self.cases += 1
            self.codes.add(exit_code([case], self.fail_on))
            yield case

    @property
    def exit_code(self) -> int:
        """The exit code for what was counted so far."""
        return next(code for code in _WORST_FIRST if code in self.codes)


def run(asked: Asked, address: str, form: str, out: str, fail_on: str, watch: Watch) -> int:
    """Check one scope against one source; what is wrong with the command line is found before anything is read."""
    source, place = resolve(address)
    if place == STANDARD_INPUT and asked.reads_standard_input():
        message = "the archive and the list of VMs cannot both come from standard input"
        raise UsageError(message, "Put one of them in a file.")
    now = datetime.now(UTC)
    scope = asked.scope(now)
    lost_at = asked.lost_at(scope, now)
    renderer = _renderer(form)
    tally = Tally(FailOn(fail_on))
    try:
        with destination(out) as stream:
            found = examine(connect(source, place, watch), scope, unreachable_since=lost_at)
            report = _report(found, tally, watch, f"{source}:{place}", now)
            renderer.render(report, stream)
    except SourceError as error:
        tally.codes.add(error.exit_code)
        if tally.exit_code == error.exit_code:
            raise
        # The reading broke off, but a VM that is affected was found before: that is the greater news.
        complain(error.message, error.hint)
    else:
        _tell(report, tally, watch)
    return tally.exit_code


def _renderer(form: str) -> ModuleType:
    formats = plugins.names(renderers)
    if form not in formats:
        near = get_close_matches(form, formats, n=1)
        message = f"--output {form} is not a format that this version knows"
        guess = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(message, f"{guess}Give one of {', '.join(formats)}.")
    return plugins.load(renderers, form)


def _report(found: Examination, tally: Tally, watch: Watch, source: str, now: datetime) -> Report:
    def cases() -> Iterator[Case]:
        yield from tally.over(found, watch)
        # Only now is it known how many VMs had nothing to tell; the report is not shared with anybody yet.
        object.__setattr__(report, "others", found.others)

    report = Report(
        source=source,
        cloud=CLOUD,
        window=found.window,
        generated_at=now,
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
