"""`vmdiag watch`: check again and again, and tell each change once; what is heavy is imported when it runs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from vmdiag.cli.options import (
    VerbosityOptions,
    declare_option,
    declare_repeatable,
    list_typed_options,
    parse_duration,
    require_switch,
)
from vmdiag.cli.redeploy_options import RedeployOptions
from vmdiag.cli.scope_options import STANDARD_INPUT, ScopeOptions
from vmdiag.cli.source_options import (
    LIVE_SOURCE,
    AzureOptions,
    OpenedSource,
    SourceOptions,
    connect_source,
    open_source,
    parse_address,
)
from vmdiag.cli.streams import open_output
from vmdiag.errors import MitigationError, UsageError

if TYPE_CHECKING:
    from vmdiag.cli.watch_outlet import CommandOutlet, WatchConsole
    from vmdiag.sources.protocol import Source
    from vmdiag.watching.rounds import CaseWorkflow


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """The options of a watch."""

    HELP_HEADING = "Watch"

    every: Annotated[str, declare_option("--every", metavar="DURATION", text="From one round to the next.")] = "5m"
    notify: Annotated[
        list[str] | None,
        declare_repeatable(
            "--notify",
            metavar="URL",
            text="Tell people, too: an address in apprise's form; repeatable. VMDIAG_NOTIFY keeps passwords out of "
            "the list of processes.",
        ),
    ] = None
    state: Annotated[
        str | None,
        declare_option(
            "--state",
            metavar="FILE",
            text="What was told already. Default: a file for this scope in the folder for a user's state.",
        ),
    ] = None
    metrics: Annotated[
        str | None,
        declare_option("--metrics", metavar="FILE", text="Metrics for Prometheus' textfile collector, every round."),
    ] = None
    budget: Annotated[
        int,
        typer.Option(
            "--budget",
            metavar="N",
            min=1,
            help="With --redeploy: at most N redeploys within 24 hours by the journal, whoever made them. It counts "
            "on the command line alone.",
        ),
    ] = 1

    @contextmanager
    def hold_state(self, words: object) -> Iterator[Path]:
        """Lock the state file against other watches; without --state it is named by a digest of the scope's `words`."""
        from hashlib import sha256

        from vmdiag.redeploy.locks import hold_file_lock
        from vmdiag.redeploy.state_folder import make_folder, state_folder

        path = state_folder() / "watch" / f"{sha256(repr(words).encode()).hexdigest()[:16]}.jsonl"
        if self.state is not None:
            path = Path(self.state)
        with ExitStack() as held:
            try:
                if self.state is None:
                    make_folder(path.parent.parent)
                    make_folder(path.parent)
                is_mine = held.enter_context(hold_file_lock(path))
            except OSError as error:
                message = f"the state file {path} cannot be kept: {error.strerror or error}"
                raise UsageError(message, "Give a place that can be written to with --state FILE.") from error
            if not is_mine:
                message = f"another watch keeps its state in {path}"
                raise UsageError(message, "End it, or give this one another file with --state.")
            yield path

    def open_outlet(
        self,
        opened: OpenedSource,
        connect: "Callable[[], Source]",
        build_workflow: "Callable[[OpenedSource], CaseWorkflow] | None",
        console: "WatchConsole",
        out: TextIO,
    ) -> "CommandOutlet":
        """The outlet of this watch."""
        from vmdiag.cli.notices import Recipients
        from vmdiag.cli.watch_outlet import CommandOutlet

        return CommandOutlet(
            opened=opened,
            connect=connect,
            build_workflow=build_workflow,
            console=console,
            out=out,
            every=parse_duration(self.every, "--every"),
            recipients=Recipients(self.notify or ()),
            metrics=self.metrics,
        )

    def choose_workflow(
        self, redeploy_options: RedeployOptions, console: "WatchConsole"
    ) -> "Callable[[OpenedSource], CaseWorkflow] | None":
        """What prepares the redeploys of a round; `None` where none is wanted."""
        if not redeploy_options.redeploy:
            return None
        from vmdiag.cli.watch_outlet import RoundPrompt

        prompt = RoundPrompt(console)

        def build_workflow(opened: OpenedSource) -> "CaseWorkflow":
            """Redeploy under every guard; before that what is unfinished is followed to its end."""
            from vmdiag.redeploy.follow import resume_unfinished
            from vmdiag.redeploy.workflow import redeploy_affected
            from vmdiag.values import replace

            workflow = redeploy_options.build_context(opened, "", console)
            if workflow.redeploying is not None and not workflow.policy.dry_run:
                try:
                    list(resume_unfinished(workflow.redeploying))
                except OSError as error:
                    message = f"unfinished redeploys cannot be followed: {error.strerror or error}"
                    raise MitigationError(message, "Nothing is redeployed meanwhile.") from error
            policy = replace(workflow.policy, budget=self.budget)
            workflow = replace(workflow, reporter=prompt, policy=policy)
            return lambda cases: redeploy_affected(cases, workflow)

        return build_workflow


def watch(
    context: typer.Context,
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    watch_options: WatchOptions,
    redeploy_options: RedeployOptions,
    verbosity: VerbosityOptions,
) -> int:
    """Check again and again; tell each change once.

    Each change is a line of JSON. It goes on until Ctrl-C or SIGTERM, and ends with 0; a restart repeats nothing and
    misses nothing. With --redeploy --yes it redeploys under every guard of 'check', and within --budget.
    """
    from vmdiag.cli.watch_outlet import WatchConsole

    typed = list_typed_options(context)
    refuse_misplaced_options(typed, scope_options, source_options, redeploy_options)
    require_switch("--redeploy", redeploy_options, typed)
    redeploy_options.validate_options(typed)
    with WatchConsole(quiet=verbosity.quiet, verbose=verbosity.verbose) as console, open_output() as out:
        build_workflow = watch_options.choose_workflow(redeploy_options, console)
        opened = open_source(scope_options, source_options, azure_options, console)
        console.catch_stop_signals()
        connect = partial(connect_source, source_options, azure_options, console)
        outlet = watch_options.open_outlet(opened, connect, build_workflow, console, out)
        with watch_options.hold_state((scope_options, source_options.source, azure_options.cloud)) as state:
            return run_watch(outlet, state)


def run_watch(outlet: "CommandOutlet", state: Path) -> int:
    """Watch what was opened, from where an earlier watch left off, until it is to end."""
    from vmdiag.watching.loop import keep_watching
    from vmdiag.watching.rounds import ScopeReader

    memory = outlet.load_memory(state)
    reader = ScopeReader(outlet.open_source, outlet.opened.scope, looks_first=outlet.is_live)
    outlet.manager.send_state("READY=1", "STATUS=reading for the first time")
    try:
        keep_watching(reader, outlet, memory, outlet.every)
    finally:
        outlet.manager.send_state("STOPPING=1", "STATUS=ending")
    return 0


def refuse_misplaced_options(
    typed_options: set[str],
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    redeploy_options: RedeployOptions,
) -> None:
    """Raise `UsageError` for what makes sense once, and not again and again."""
    name, path = parse_address(source_options.source)
    if path == STANDARD_INPUT:
        message = "standard input can be read once, and a watch reads again and again"
        raise UsageError(message, "Put the archive in a file or a folder.")
    if scope_options.until is not None:
        message = "--until says where to end, and a watch goes on"
        raise UsageError(message, "Leave it out; 'vmdiag check' looks at the past.")
    if "budget" in typed_options and not redeploy_options.redeploy:
        message = "--budget says how many redeploys are allowed, and --redeploy is not given"
        raise UsageError(message, "Add --redeploy --yes, or leave --budget out.")
    if not redeploy_options.redeploy:
        return
    if name != LIVE_SOURCE:
        message = "--redeploy does something to VMs, and an archive is read"
        raise UsageError(message, "Watch Azure itself, or leave --redeploy out.")
    if not (redeploy_options.yes or redeploy_options.dry_run):
        message = "nobody is there to be asked before a redeploy"
        raise UsageError(message, "Add --yes, or --dry-run to see what it would do.")
