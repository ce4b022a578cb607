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

    from vmdiag.cli.console_prompt import Bedside
    from vmdiag.cli.progress import Watch
    from vmdiag.cli.source_options import Opened
    from vmdiag.diagnosis.model import Case
    from vmdiag.identity import VmId
    from vmdiag.redeploy.follow import Ward
    from vmdiag.redeploy.model import Policy
    from vmdiag.sources.azure import Azure

# A schedule's environment is set once and for all; who lets a guard pass decides it for one command.
LOOSENS = frozenset({"yes", "max", "storm", "include_suspected", "allow_data_loss"})


@dataclass(frozen=True, slots=True)
class Cure:
    """The options of a redeploy."""

    redeploy: options.Redeploy = False
    yes: options.Yes = False
    dry_run: options.DryRun = False
    max: options.Most = 1
    include_suspected: options.IncludeSuspected = False
    allow_data_loss: options.AllowDataLoss = False
    storm: options.Storm = 20
    no_wait: options.NoWait = False
    wait_for: options.WaitFor = "30m"
    journal: options.JournalPath = None

    def check(self, typed: "Collection[str]") -> None:
        """Raise `UsageError` for options that make no sense together; `typed` are those that stand on the command line.

        One that does nothing is a misunderstanding, but for those that the environment sets for every command.
        """
        from vmdiag.cli.azure_options import duration

        mine = [field.name for field in fields(self) if field.name in typed]
        if mine and not self.redeploy:
            option = _option(mine[0])
            message = f"{option} says how to redeploy, and --redeploy is not given"
            raise UsageError(message, f"Add --redeploy, or leave {option} out.")
        duration(self.wait_for, "--wait-for")
        if self.no_wait and "wait_for" in typed:
            message = "--no-wait and --wait-for contradict each other"
            raise UsageError(message, "Give one of them.")

    def treatment(
        self, open_: "Opened", out: str, watch: "Watch"
    ) -> "Callable[[Iterable[Case], Collection[VmId]], Iterator[Case]] | None":
        """What is to be done with the cases, `None` for nothing; raises where it is certain that it is not allowed."""
        if not self.redeploy:
            return None
        for field in fields(self):
            variable = options.variable(_option(field.name))
            if field.name in LOOSENS and os.environ.get(variable):
                watch.warn(f"{variable} has no effect: what loosens a guard comes from the command line alone")
        from vmdiag.cli.console_prompt import Bedside
        from vmdiag.redeploy.single_vm import Room
        from vmdiag.redeploy.workflow import treat
        from vmdiag.sources.azure import Azure

        bedside = Bedside(watch)
        ward = None
        if isinstance(open_.source, Azure):
            ward = ward_of(open_.source, bedside, self.journal, self.wait_for)
            if Path(out).resolve() == ward.journal.path.resolve():
                message = f"the report would take the place of the journal {out}"
                raise UsageError(message, "Give another --out.")
            if not self.dry_run:
                open_.source.require_redeploy(open_.scope)
        policy = self._policy(is_live=ward is not None)
        # Of an archive, where a time of day is not made out yet, nothing is looked at again.
        stated = open_.lost if isinstance(open_.lost, datetime) else None
        room = Room(proposer=bedside, policy=policy, now=open_.now, ward=ward, stated=stated)
        return lambda cases, earlier: treat(cases, replace(room, earlier=earlier))

    def _policy(self, *, is_live: bool) -> "Policy":
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


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def ward_of(source: "Azure", bedside: "Bedside", journal: str | None, wait_for: str) -> "Ward":
    """Where redeploys are made, followed and written down."""
    from vmdiag.cli.azure_options import duration
    from vmdiag.redeploy.follow import Ward
    from vmdiag.redeploy.journal import Journal

    kept = Journal(Path(journal) if journal is not None else None)
    return Ward(source=source, journal=kept, attendant=bedside, wait_for=duration(wait_for, "--wait-for"))
