"""`vmdiag check`: diagnose VMs and print the report; what is heavy is imported when it runs."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from vmdiag import plugins, renderers
from vmdiag.cli.options import (
    VerbosityOptions,
    complete_plugins,
    declare_option,
    list_typed_options,
    require_switch,
)
from vmdiag.cli.proof_options import ProofOptions
from vmdiag.cli.redeploy_options import RedeployOptions
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.cli.source_options import AzureOptions, OpenedSource, SourceOptions, open_source
from vmdiag.cli.streams import StatusConsole, keep_outcome, open_output, print_error
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from vmdiag.cli.exit_codes import CaseTally
    from vmdiag.diagnosis.model import Case, Header
    from vmdiag.identity import VmId
    from vmdiag.model import Window
    from vmdiag.pipeline import Examination
    from vmdiag.renderers import Renderer


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of the report."""

    HELP_HEADING = "Output"

    unreachable_since: Annotated[
        str | None,
        declare_option(
            "--unreachable-since",
            metavar="WHEN",
            rich_help_panel="When",
            text="State that the named VMs cannot be reached since then.",
        ),
    ] = None
    output: Annotated[
        str,
        declare_option(
            "--output",
            "-o",
            metavar="FORMAT",
            autocompletion=complete_plugins(renderers),
            text=f"Form of the report: {', '.join(plugins.list_names(renderers))}.",
        ),
    ] = "terminal"
    out: Annotated[
        str,
        declare_option(
            "--out", metavar="FILE", text="Write the report to a file, whole or not at all; '-': standard output."
        ),
    ] = "-"
    show: Annotated[
        Literal["affected", "all"],
        declare_option(
            "--show",
            text="What terminal, markdown and html tell: VMs that are affected, down, in doubt or were named, the "
            "others as a count; or all. Other forms hold all.",
        ),
    ] = "affected"
    fail_on: Annotated[
        Literal["open", "any", "never"],
        declare_option("--fail-on", text="Which losses make the exit code 1: those that go on, any, none."),
    ] = "open"
    resume: Annotated[
        str | None,
        declare_option(
            "--resume", metavar="FILE", text="Take the finished cases from an earlier report, diagnose only the rest."
        ),
    ] = None

    mask: Annotated[
        bool,
        declare_option(
            "--mask", text="Stable stand-ins for subscriptions, groups, VM names and addresses, in every form."
        ),
    ] = False

    def validate_options(self) -> None:
        """Raise `UsageError` for options that exclude each other, and with a near name for an unknown format."""
        if self.mask and self.resume is not None:
            message = "--resume cannot tell which VMs a masked report is about, so it does not go with --mask"
            raise UsageError(message, "Leave one of them out.")
        formats = plugins.list_names(renderers)
        if self.output in formats:
            return
        from difflib import get_close_matches

        near = get_close_matches(self.output, formats, n=1)
        message = f"--output {self.output} is not a format that this version knows"
        guess = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(message, f"{guess}Give one of {', '.join(formats)}.")

    def open_renderer(self, header: "Header", vms: "Collection[VmId]", out: TextIO, watch: StatusConsole) -> "Renderer":
        """What writes the report, masked with this user's key where that is wanted; `vms` are those asked for."""
        from vmdiag.values import replace

        header = replace(header, tells_all=self.show == "all")
        renderer = plugins.load(renderers, self.output)
        if not self.mask:
            return renderers.begin_report(renderer, header, out)
        from secrets import token_bytes

        from vmdiag.masking import Mask, MaskedReport
        from vmdiag.redeploy.state_folder import load_secret

        try:
            key = load_secret("mask.key")
        except OSError as error:
            watch.warn(f"the key of --mask cannot be kept ({error.strerror}): another report has other stand-ins")
            key = token_bytes(32)
        mask = Mask(key)
        mask.learn_vms(vms)
        opened = renderers.begin_report(renderer, mask.mask_header(header), out)
        return MaskedReport(mask, opened, streams=getattr(renderer, "STREAMS", False))

    def read_previous_cases(self, watch: StatusConsole) -> "Sequence[Case]":
        """The cases of the report that is resumed, none where none is; `UsageError` for a file that is none."""
        if self.resume is None:
            return ()
        from vmdiag import case_report
        from vmdiag.wording.redeploy_texts import join_first_names

        hint = "Give the file that an earlier run wrote with -o ndjson."
        try:
            cases, unread = case_report.read_report(Path(self.resume).read_bytes())
        except OSError as error:
            message = f"the report {self.resume} cannot be read: {error.strerror}"
            raise UsageError(message, hint) from error
        except case_report.NotACaseError as error:
            message = f"{self.resume} is no report of 'vmdiag check' in ndjson or json, or not a whole one"
            raise UsageError(message, hint) from error
        if unread:
            # A run that was killed leaves half a line at the end.
            lines, are = ("lines", "are no cases; their VMs are") if unread[1:] else ("line", "is no case; its VM is")
            watch.warn(f"{lines} {join_first_names(unread)} of the earlier report {are} diagnosed again")
        return cases


def check(
    context: typer.Context,
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    proof_options: ProofOptions,
    report_options: ReportOptions,
    redeploy_options: RedeployOptions,
    verbosity: VerbosityOptions,
) -> int:
    """Diagnose VMs and advise what to do; with --redeploy, do it.

    Live, VMs are named, or chosen by group, tag or --all; of an archive those with a migration or a loss are told.
    """
    with verbosity.open_console() as watch:
        typed_options = list_typed_options(context)
        require_switch("--redeploy", redeploy_options, typed_options)
        require_switch("--prove", proof_options, typed_options)
        if redeploy_options.redeploy:
            redeploy_options.validate_options(typed_options)
        if proof_options.prove:
            proof_options.validate_origins()
        report_options.validate_options()
        previous = report_options.read_previous_cases(watch)
        stated = report_options.unreachable_since
        source = open_source(scope_options, source_options, azure_options, watch, stated, proof_options)
        workflow = None
        if redeploy_options.redeploy:
            workflow = redeploy_options.prepare_workflow(source, report_options.out, watch)
        return run_check(source, report_options, previous, watch, workflow)


def run_check(
    opened: OpenedSource,
    report_options: ReportOptions,
    previous: "Sequence[Case]",
    watch: StatusConsole,
    workflow: "Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]] | None",
) -> int:
    """Examine what was opened, and render it case by case; `previous` are the cases of a report to continue."""
    # Only now: a live source signs in while the rest is imported.
    from vmdiag.cli.exit_codes import UNCLEAR_CODE, CaseTally, FailOn
    from vmdiag.pipeline import examine_vms
    from vmdiag.values import replace

    is_streaming = getattr(plugins.load(renderers, report_options.output), "STREAMS", False)
    finished = select_finished_cases(previous, watch, keep_affected=workflow is None) if previous else ()
    scope = replace(opened.scope, finished=frozenset(case.vm.id for case in finished))
    tally = CaseTally(FailOn(report_options.fail_on))
    with keep_outcome(tally.outweighs_error):
        with open_output(report_options.out) as out:
            run = examine_vms(opened.source, scope, unreachable_since=opened.unreachable_since, finished=finished)
            require_read_time(opened.unreachable_since, run.window)
            header = build_header(opened, run)
            report = report_options.open_renderer(header, run.order, out, watch)
            waiting = []
            for case in run.cases if workflow is None else workflow(tally.note_affected_vms(run.cases), scope.finished):
                tally.count_case(case)
                watch.progress("VMs", tally.case_count, len(run.order))
                if is_streaming:
                    watch.remove_bar()
                    report.add_case(case)
                else:
                    waiting.append(case)
            watch.remove_bar()
            for case in run.sort_cases(waiting):
                report.add_case(case)
            if run.other_vms.unclear and not header.names_scope:
                tally.exit_codes.add(UNCLEAR_CODE)  # all were meant, and some cannot be told
            report.finish(run.other_vms)
        finish_run(header, tally, run.other_vms.total, watch)
    if watch.stop.is_set():
        code, hint = tally.describe_interruption()
        print_error("interrupted: what was known by then is in the report", hint)
        return code
    return tally.exit_code


def build_header(opened: OpenedSource, run: "Examination") -> "Header":
    """What a report tells of the run as a whole."""
    from vmdiag.diagnosis.model import Header

    return Header(
        source=opened.address,
        cloud=run.cloud or opened.cloud,
        window=run.window,
        generated_at=opened.now,
        names_scope=opened.scope.names_any,
        gaps=run.gaps,
    )


def require_read_time(stated: datetime | time | None, window: "Window") -> None:
    """Raise `UsageError` where the operator speaks of a time that is not read.

    It would count for nothing, and the VM be judged as if nobody had missed it.
    """
    from vmdiag.pipeline import combine_needs
    from vmdiag.sources.protocol import reading_span

    begin, end = reading_span(window, combine_needs()).start, window.end
    if isinstance(stated, datetime) and not begin <= stated <= end:
        where = "after" if stated > end else "before"
        read = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
        message = f"--unreachable-since {stated:%Y-%m-%dT%H:%MZ} lies {where} what is looked at, {read}"
        raise UsageError(message, "Give a time within that, or --since and --until around it.")


def select_finished_cases(
    previous: "Iterable[Case]", watch: StatusConsole, *, keep_affected: bool = True
) -> "tuple[Case, ...]":
    """The cases of an earlier report that need not be diagnosed again, each VM once.

    What is to be redeployed is looked at anew: then the affected are not kept.
    """
    from vmdiag.model import INTERRUPTED_REASONS, UNKNOWN_VM

    # What a later run can read is asked for again, and what was not there may be there now.
    again = (*INTERRUPTED_REASONS, *UNKNOWN_VM)
    kept = (one for one in previous if not any(gap.reason.startswith(again) for gap in one.gaps))
    cases = {one.vm.id: one for one in kept if keep_affected or not one.is_affected}
    watch.note(f"cases taken from the earlier report: {len(cases)}")
    return tuple(cases.values())


def finish_run(header: "Header", tally: "CaseTally", other_count: int, watch: StatusConsole) -> None:
    """Tell who asked for it what was read, and keep the VMs' names for the shell's completion."""
    from vmdiag.redeploy.state_folder import keep_vm_names

    watch.note(f"source: {header.source}")
    watch.note(f"window: {header.window.start.isoformat()} to {header.window.end.isoformat()}")
    watch.note(f"VMs: {tally.case_count} in the report, {other_count} more")
    for gap in header.gaps:
        watch.note(f"not heard: {gap.signal}, {gap.reason}")
    keep_vm_names(tally.known_vms)
