"""Whether and how affected VMs are redeployed, as options, and the `Policy` that they mean; must not redeploy."""

import os
import sys
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vmdiag.cli import options
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from vmdiag.cli.console_prompt import ConsolePrompt
    from vmdiag.cli.progress import StatusConsole
    from vmdiag.cli.source_options import OpenedSource
    from vmdiag.diagnosis.model import Case
    from vmdiag.identity import VmId
    from vmdiag.redeploy.follow import RedeployContext
    from vmdiag.redeploy.model import Policy
    from vmdiag.sources.azure import AzureSource

# A schedule's environment is set once and for all; who lets a guard pass decides it for one command.
COMMAND_LINE_ONLY = frozenset({"yes", "max", "storm", "include_suspected", "allow_data_loss"})


@dataclass(frozen=True, slots=True)
class RedeployOptions:
    """The options of a redeploy."""

    redeploy: options.Redeploy = False
    yes: options.Yes = False
    dry_run: options.DryRun = False
    max: options.MaxRedeploys = 1
    include_suspected: options.IncludeSuspected = False
    allow_data_loss: options.AllowDataLoss = False
    storm: options.StormPercent = 20
    no_wait: options.NoWait = False
    wait_for: options.WaitFor = "30m"
    journal: options.JournalPath = None

    def validate_options(self, typed_options: "Collection[str]") -> None:
        """Raise `UsageError` for options that make no sense together; `typed_options` stand on the command line.

        One that does nothing is a misunderstanding, but for those that the environment sets for every command.
        """
        from vmdiag.cli.azure_options import parse_duration

        mine = [field.name for field in fields(self) if field.name in typed_options]
        if mine and not self.redeploy:
            option = _format_option(mine[0])
            message = f"{option} says how to redeploy, and --redeploy is not given"
            raise UsageError(message, f"Add --redeploy, or leave {option} out.")
        parse_duration(self.wait_for, "--wait-for")
        if self.no_wait and "wait_for" in typed_options:
            message = "--no-wait and --wait-for contradict each other"
            raise UsageError(message, "Give one of them.")

    def prepare_workflow(
        self, opened_source: "OpenedSource", out: str, watch: "StatusConsole"
    ) -> "Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]] | None":
        """What is to be done with the cases, `None` for nothing; raises where it is certain that it is not allowed."""
        if not self.redeploy:
            return None
        for field in fields(self):
            variable = options.get_variable_name(_format_option(field.name))
            if field.name in COMMAND_LINE_ONLY and os.environ.get(variable):
                watch.warn(f"{variable} has no effect: what loosens a guard comes from the command line alone")
        from vmdiag.cli.console_prompt import ConsolePrompt
        from vmdiag.redeploy.single_vm import WorkflowContext
        from vmdiag.redeploy.workflow import redeploy_affected
        from vmdiag.sources.azure import AzureSource

        prompt = ConsolePrompt(watch)
        context = None
        if isinstance(opened_source.source, AzureSource):
            context = build_redeploy_context(opened_source.source, prompt, self.journal, self.wait_for)
            if Path(out).resolve() == context.journal.path.resolve():
                message = f"the report would take the place of the journal {out}"
                raise UsageError(message, "Give another --out.")
            if not self.dry_run:
                opened_source.source.require_redeploy_permission(opened_source.scope)
        policy = self._build_policy(is_live=context is not None)
        # Of an archive, where a time of day is not made out yet, nothing is looked at again.
        stated = opened_source.unreachable_since if isinstance(opened_source.unreachable_since, datetime) else None
        room = WorkflowContext(
            proposer=prompt, policy=policy, now=opened_source.now, redeploying=context, stated=stated
        )
        return lambda cases, earlier: redeploy_affected(cases, replace(room, earlier=earlier))

    def _build_policy(self, *, is_live: bool) -> "Policy":
        from vmdiag.cli.progress import is_terminal
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


def _format_option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def build_redeploy_context(
    source: "AzureSource", prompt: "ConsolePrompt", journal: str | None, wait_for: str
) -> "RedeployContext":
    """Where redeploys are made, followed and written down."""
    from vmdiag.cli.azure_options import parse_duration
    from vmdiag.redeploy.follow import RedeployContext
    from vmdiag.redeploy.journal import Journal

    kept = Journal(Path(journal) if journal is not None else None)
    return RedeployContext(
        source=source, journal=kept, reporter=prompt, wait_for=parse_duration(wait_for, "--wait-for")
    )
