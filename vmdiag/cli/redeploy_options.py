"""Whether and how affected VMs are redeployed, as options, and the `Policy` that they mean."""

import os
import sys
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vmdiag.cli.options import JournalPath, WaitFor, declare_option, format_option, get_variable_name, parse_duration
from vmdiag.cli.streams import is_terminal
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from vmdiag.cli.source_options import OpenedSource
    from vmdiag.cli.streams import StatusConsole
    from vmdiag.diagnosis.model import Case
    from vmdiag.identity import VmId
    from vmdiag.redeploy.context import WorkflowContext
    from vmdiag.redeploy.model import Policy

# A schedule's environment is set once and for all; who lets a guard pass decides it for one command.
COMMAND_LINE_ONLY = frozenset({"yes", "max", "storm", "include_suspected", "allow_data_loss"})


@dataclass(frozen=True, slots=True)
class RedeployOptions:
    """The options of a redeploy."""

    HELP_HEADING = "Redeploy"

    redeploy: Annotated[
        bool,
        declare_option(
            "--redeploy", text="Redeploy the affected VMs, one by one, where every guard allows it; asks first."
        ),
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before redeploying.")] = False
    dry_run: Annotated[
        bool, declare_option("--dry-run", text="Show the plan and every guard's answer; redeploy nothing.")
    ] = False
    max: Annotated[
        int,
        typer.Option("--max", metavar="N", min=1, help="Refuse to redeploy anything where more than N VMs qualify."),
    ] = 1
    include_suspected: Annotated[bool, typer.Option("--include-suspected", help="Redeploy suspected VMs, too.")] = False
    allow_data_loss: Annotated[
        bool, typer.Option("--allow-data-loss", help="Redeploy even where an ephemeral OS disk is wiped by it.")
    ] = False
    storm: Annotated[
        int,
        typer.Option(
            "--storm",
            metavar="PERCENT",
            min=1,
            max=100,
            help="Refuse where more than so many percent of the VMs are hit, with those redeployed within the hour.",
        ),
    ] = 20
    no_wait: Annotated[
        bool, declare_option("--no-wait", text="Begin one redeploy, and follow it later: vmdiag mitigations --resume.")
    ] = False
    wait_for: WaitFor = "30m"
    journal: JournalPath = None

    def validate_options(self, typed_options: "Collection[str]") -> None:
        """Raise `UsageError` for options that make no sense together; `typed_options` stand on the command line."""
        parse_duration(self.wait_for, "--wait-for")
        if self.no_wait and "wait_for" in typed_options:
            message = "--no-wait and --wait-for contradict each other"
            raise UsageError(message, "Give one of them.")

    def prepare_workflow(
        self, opened: "OpenedSource", out: str, watch: "StatusConsole"
    ) -> "Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]]":
        """What is to be done with the cases; raises where it is certain that it is not allowed."""
        from vmdiag.redeploy.workflow import redeploy_affected
        from vmdiag.values import replace

        workflow = self.build_context(opened, out, watch)
        return lambda cases, earlier: redeploy_affected(cases, replace(workflow, earlier=earlier))

    def build_context(self, opened: "OpenedSource", out: str, watch: "StatusConsole") -> "WorkflowContext":
        """What a run of redeploys works with; raises where it is certain that it is not allowed."""
        for field in fields(self):
            variable = get_variable_name(format_option(field.name))
            if field.name in COMMAND_LINE_ONLY and os.environ.get(variable):
                watch.warn(f"{variable} has no effect: what loosens a guard comes from the command line alone")
        from vmdiag.cli.console_prompt import ConsolePrompt
        from vmdiag.redeploy.context import WorkflowContext
        from vmdiag.redeploy.journal import Journal
        from vmdiag.redeploy.second_look import build_redeploy_context
        from vmdiag.sources.azure import AzureSource

        prompt = ConsolePrompt(watch)
        context = None
        if isinstance(opened.source, AzureSource):
            journal = Journal(None if self.journal is None else Path(self.journal))
            if Path(out).resolve() == journal.path.resolve():
                message = f"the report would take the place of the journal {out}"
                raise UsageError(message, "Give another --out.")
            context = build_redeploy_context(
                source=opened.source,
                journal=journal,
                reporter=prompt,
                wait_for=parse_duration(self.wait_for, "--wait-for"),
            )
            if not self.dry_run:
                opened.source.require_redeploy_permission(opened.scope)
        return WorkflowContext(
            reporter=prompt,
            policy=self._build_policy(is_live=context is not None),
            now=opened.now,
            redeploying=context,
            # Of an archive, where a time of day is not made out yet, nothing is looked at again.
            stated=opened.unreachable_since if isinstance(opened.unreachable_since, datetime) else None,
        )

    def _build_policy(self, *, is_live: bool) -> "Policy":
        from vmdiag.redeploy.model import Consent, Policy

        consent = Consent.ASKABLE if is_terminal(sys.stdin) and is_terminal(sys.stderr) else Consent.NOBODY
        if self.yes or self.dry_run:
            # Whoever puts --dry-run behind a whole command wants to see what it would do.
            consent = Consent.NEEDLESS if self.dry_run else Consent.GIVEN
        return Policy(
            most=self.max,
            storm=self.storm,
            include_suspected=self.include_suspected,
            allow_data_loss=self.allow_data_loss,
            consent=consent,
            dry_run=self.dry_run,
            waits=not self.no_wait,
            is_live=is_live,
        )
