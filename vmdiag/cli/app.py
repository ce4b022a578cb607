"""The Typer app and the one place where errors become words and exit codes."""

import os
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from vmdiag import __version__
from vmdiag.cli.check import check
from vmdiag.cli.options import EPILOG, EXAMPLES, GroupedCommand, RunState, expand_option_groups, name_variables
from vmdiag.cli.streams import json_errors, print_error
from vmdiag.errors import Interrupted, UsageError, VmdiagError

# In the order of the help; each is the function of its name in the module of its name.
COMMANDS = ("check", "watch", "record", "diff", "doctor", "mitigations", "explain", "schema", "query", "mcp")
# These have no groups of options, and nothing that the environment could set.
SHORT_COMMANDS = frozenset({"explain", "schema", "mcp"})
# EX_SOFTWARE of sysexits.h: a defect must never look like an answer (0, 1 or 3).
DEFECT_EXIT_CODE = 70


def _show_version(*, value: bool) -> None:
    if value:
        typer.echo(f"vmdiag {__version__}")
        raise typer.Exit


def vmdiag(
    context: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Tell whether a live migration cut an Azure VM off, and what to do now."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(UsageError.exit_code)


def build_app(names: Iterable[str]) -> typer.Typer:
    """The app with these commands: to import and build all for the one that is run takes a twentieth of a short run."""
    app = typer.Typer(
        # Markup and pretty tracebacks would import Rich before anything is asked: 55 ms of every `--help`.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        # As wide as the terminal, up to where a line is hard to read.
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 120},
    )
    app.callback(invoke_without_command=True)(vmdiag)
    for name in names:
        # What most runs are is imported with this module.
        command = check if name == "check" else getattr(import_module(f"vmdiag.cli.{name}"), name)
        if name in SHORT_COMMANDS:
            app.command()(command)
        else:
            epilog = EXAMPLES + EPILOG if command is check else EPILOG
            app.command(epilog=epilog, cls=GroupedCommand)(expand_option_groups(command))
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's own) and return its exit code."""
    run_state = RunState()
    words = sys.argv[1:] if arguments is None else arguments
    json_errors.set(find_output_format(words) == "json")
    # Before the command stands nothing but an option that is answered without any.
    app = build_app(words[:1] if words and words[0] in COMMANDS else COMMANDS)

    def report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if run_state.debug:
            import traceback

            traceback.print_exception(kind, error, trace)
        print_error(f"unexpected {kind.__name__}: {error}", "This is a defect in vmdiag; --debug shows where.")
        sys.exit(DEFECT_EXIT_CODE)

    sys.excepthook = report_defect
    # What a thread dies of is raised again by the one that waits for it.
    threading.excepthook = lambda _: None
    try:
        # Not `app(...)`: that puts Typer's own hook in place of ours and answers a closed pipe with code 1.
        code = get_command(app).main(arguments, prog_name="vmdiag", standalone_mode=False, obj=run_state)
    except VmdiagError as error:
        if run_state.debug:
            import traceback

            traceback.print_exception(error)
        print_error(name_variables(error.message, run_state.context), error.hint)
        return error.exit_code
    except typer.TyperException as error:
        message = name_variables(error.format_message(), run_state.context)
        print_error(message, "'vmdiag --help' and 'vmdiag COMMAND --help' list what can be said.")
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print_error("interrupted", "Nothing more was written.")
        return Interrupted.exit_code
    return code if isinstance(code, int) else 0


def find_output_format(arguments: Sequence[str]) -> str:
    """The form that a command line asks for, also where it is wrong and cannot be parsed."""
    found = os.environ.get("VMDIAG_OUTPUT", "")
    for word, following in pairwise([*arguments, ""]):
        if word in {"-o", "--output"}:
            found = following
        elif word.startswith(("-o", "--output=")):
            found = word.removeprefix("--output=").removeprefix("-o")
    return found
