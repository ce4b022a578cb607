"""How commands declare options: dataclasses as groups of them, what several share, and how times are written."""

import functools
import inspect
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, time, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from typer.core import TyperCommand

from vmdiag import plugins
from vmdiag.cli.streams import StatusConsole
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CLOUD_TITLES = {
    "public": "public",
    "usgovernment": "US Government",
    "china": "China",
    "usnat": "USNat",
    "ussec": "USSec",
}
EXAMPLES = """\b
Examples:
  vmdiag check prod/web-01 --since 2d        one VM, all Azure knows of it
  vmdiag check --source FOLDER --all         exported files, without Azure
  vmdiag check web-01 --redeploy --dry-run   the plan, and each guard's answer

\b
Exit codes:
  0  no VM is affected now       4  nothing could be read
  1  at least one is             5  a redeploy was refused or declined
  2  the command line is wrong   6  a redeploy failed, or did not help
  3  some could not be judged    130  interrupted

"""
EPILOG = (
    "An option can be set in the environment as VMDIAG_<OPTION>, for example VMDIAG_FAIL_ON=any; a repeatable one "
    "takes a value a line, or on one line values separated by blanks (a word without '=' belongs to the tag before "
    "it). --yes, --max, --storm, --include-suspected and --allow-data-loss count on the command line alone."
)
EXCERPT_LENGTH = 80  # characters that an error quotes of what makes no sense
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UTC_OFFSET = re.compile(r"([+-])([01]\d)(?::?([0-5]\d))?", re.ASCII)
_MAX_UTC_OFFSET = timedelta(hours=14)  # Kiribati's Line Islands
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(slots=True)
class RunState:
    """What the error boundary must know of a command line that it did not parse."""

    debug: bool = False
    context: typer.Context | None = None


def expand_option_groups(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command as Typer is to see it: a parameter that is a dataclass becomes an option for each of its fields."""
    plain = inspect.signature(command)
    annotations = {name: each.annotation for name, each in plain.parameters.items()}
    only = inspect.Parameter.KEYWORD_ONLY
    for kind in filter(is_dataclass, annotations.values()):
        for declared in (info for field in fields(kind) for info in get_args(field.type)[1:]):
            # What Typer's Rich help calls a panel is a heading in ours.
            declared.rich_help_panel = declared.rich_help_panel or getattr(kind, "HELP_HEADING", None)
    groups = {
        name: [inspect.Parameter(one.name, only, default=one.default, annotation=one.type) for one in fields(kind)]
        for name, kind in annotations.items()
        if is_dataclass(kind)
    }

    @functools.wraps(command)
    def call_with_groups(**words: Any) -> int | None:  # noqa: ANN401 - whatever Typer parsed
        for name, options in groups.items():
            words[name] = annotations[name](**{option.name: words.pop(option.name) for option in options})
        try:
            return command(**words)
        except KeyboardInterrupt as error:
            raise typer.Abort from error  # else Typer ends the run without a word

    del call_with_groups.__wrapped__  # Typer would look through it
    parameters = [
        option for name, each in plain.parameters.items() for option in groups.get(name, [each.replace(kind=only)])
    ]
    call_with_groups.__signature__ = plain.replace(parameters=parameters)  # type: ignore[attr-defined]
    call_with_groups.__annotations__ = {each.name: each.annotation for each in parameters}
    return call_with_groups


class GroupedCommand(TyperCommand):
    """A command whose help shows the options under the headings of their groups, in the order of the first of each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - of the Click that Typer brings
        """Parse, and keep for errors where each value came from."""
        if isinstance(ctx.obj, RunState):
            ctx.obj.context = ctx
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - of the Click that Typer brings
        """Write the lists, `--help` last."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            heading = getattr(parameter, "rich_help_panel", None)
            if row is not None:
                rows.setdefault(heading or f"{parameter.param_type_name.capitalize()}s", []).append(row)
        for heading, found in rows.items():
            with formatter.section(heading):
                formatter.write_dl(found)


def list_typed_options(context: typer.Context) -> set[str]:
    """The names of the parameters that stand on the command line; the others are defaults, or the environment's."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def name_variables(message: str, context: typer.Context | None) -> str:
    """What an error says, with the variable for each option that the environment gave."""
    names = {flag: one.name for one in context.command.params for flag in one.opts} if context else {}

    def choose_name(found: re.Match[str]) -> str:
        source = context.get_parameter_source(names.get(found[1]) or "") if context else None
        return get_variable_name(found[1]) if source is not None and source.name == "ENVIRONMENT" else found[0]

    # Typer names the short form beside it.
    return re.sub(r"(--[a-z][a-z-]*)(?:' / '-\w)?", choose_name, message)


def require_switch(switch: str, group: "DataclassInstance", typed_options: Collection[str]) -> None:
    """Raise `UsageError` where an option of a group is typed without the switch of the group, for it does nothing then.

    That is a misunderstanding; what the environment sets for every command is none.
    """
    if getattr(group, switch.removeprefix("--")):
        return
    for typed in (field for field in fields(group) if field.name in typed_options):
        declared = get_args(typed.type)[1]  # its first flag is what Typer calls a default
        option = next(flag for flag in (declared.default, *declared.param_decls) if str(flag).startswith("--"))
        message = f"{option} goes with {switch}, and {switch} is not given"
        raise UsageError(message, f"Add {switch}, or leave {option} out.")


def get_variable_name(flag: str) -> str:
    """The name of an option in the environment: `--fail-on` is VMDIAG_FAIL_ON."""
    return f"VMDIAG_{flag.removeprefix('--').replace('-', '_').upper()}"


def format_option(name: str) -> str:
    """A parameter as it is typed: `wait_for` is `--wait-for`."""
    return f"--{name.replace('_', '-')}"


def declare_option(*flags: str, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `typer.Option`
    """An option that can be given as VMDIAG_<OPTION> too."""
    name = next(flag for flag in flags if flag.startswith("--"))
    return typer.Option(*flags, help=text, envvar=get_variable_name(name), show_envvar=False, **settings)


def declare_repeatable(*flags: str, text: str, split: Callable[[str], list[str]] = str.split, **settings: Any) -> Any:  # noqa: ANN401
    """An option that may come several times; `split` is how blanks part its values in the environment."""

    def split_environment_value(
        context: typer.Context, parameter: typer.CallbackParam, value: list[str] | None
    ) -> list[str] | None:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "ENVIRONMENT":
            return value
        written = os.environ.get(str(parameter.envvar), "")
        lines = [line.strip() for line in written.splitlines()]
        return [line for line in lines if line] if "\n" in written else split(written)

    return declare_option(*flags, text=text, callback=split_environment_value, **settings)


def complete_plugins(package: ModuleType) -> Callable[[str], list[str]]:
    """What completes the name of a plug-in."""
    return lambda incomplete: [name for name in plugins.list_names(package) if name.startswith(incomplete)]


def _store_debug_flag(context: typer.Context, *, value: bool) -> bool:
    if isinstance(context.obj, RunState):
        context.obj.debug |= value
    return value


Subscriptions = Annotated[
    list[str] | None,
    declare_repeatable("--subscription", "-s", metavar="ID", text="Only this subscription, by id or name; repeatable."),
]
ProbePort = Annotated[
    int | None,
    declare_option(
        "--probe", metavar="PORT", min=1, max=65535, text="Try a TCP connection to the VMs' public addresses."
    ),
]
WaitFor = Annotated[
    str,
    declare_option(
        "--wait-for", metavar="DURATION", text="How long a redeploy is followed, with the proof that it helped."
    ),
]
JournalPath = Annotated[
    str | None,
    declare_option(
        "--journal", metavar="PATH", text="The journal of redeploys. Default: in the folder for a user's state."
    ),
]
Debug = Annotated[bool, declare_option("--debug", text="Show the traceback of an error.", callback=_store_debug_flag)]


@dataclass(frozen=True, slots=True)
class VerbosityOptions:
    """What is said on standard error; `debug` is for the error boundary."""

    HELP_HEADING = "Output"

    quiet: Annotated[bool, declare_option("--quiet", "-q", text="No warnings and no progress.")] = False
    verbose: Annotated[bool, declare_option("--verbose", "-v", text="Say on standard error what was read.")] = False
    debug: Debug = False

    def open_console(self) -> StatusConsole:
        """The console that says as much."""
        return StatusConsole(quiet=self.quiet, verbose=self.verbose)


def require_match(word: str, pattern: re.Pattern[str], message: str, hint: str) -> str:
    """The word without the blanks around it; `UsageError` where it is not of the pattern."""
    if not pattern.fullmatch(word.strip()):
        raise UsageError(message, hint)
    return word.strip()


def parse_time(text: str, option: str) -> datetime | timedelta | time:
    """A span such as `24h`, a time of day such as `08:16`, or an ISO 8601 time; all in UTC, without an offset, too."""
    try:
        if clock := _CLOCK.fullmatch(text.strip()):
            hour, minute, second, offset = clock.groups()
            written = f"{int(hour):02}:{minute}:{second or '00'}{offset or 'Z'}"
            # Any day will do; one in the middle has others on both sides.
            return datetime.fromisoformat(f"2000-06-15T{written.upper()}").astimezone(UTC).time()
        if span := _SPAN.fullmatch(text.strip()):
            return timedelta(**{_UNITS[span[2]]: int(span[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{option} {text[:EXCERPT_LENGTH]!r} is neither a duration nor a time"
        hint = "Write 90m, 24h, 14d, 1w, 08:14, or an ISO 8601 time such as 2026-03-02T08:14Z."
        raise UsageError(message, hint) from error


def resolve_time(text: str, option: str, now: datetime) -> datetime:
    """The same as a point in time: a span counts back from `now`, a time of day is the latest before it."""
    from vmdiag.sources.protocol import find_latest_time

    at = parse_time(text, option)
    if isinstance(at, datetime):
        return at
    if isinstance(at, time):
        return find_latest_time(at, now)
    try:
        return now - at
    except OverflowError as error:
        message = f"{option} {text!r} lies before the year 1"
        raise UsageError(message, "Give a shorter duration.") from error


def parse_duration(text: str, option: str) -> timedelta:
    """A span of time that is not empty; `UsageError` for anything else."""
    found = parse_time(text, option)
    if not isinstance(found, timedelta) or found <= timedelta():
        message = f"{option} {text} is not a duration"
        raise UsageError(message, "Write 90s, 15m or 2h.")
    return found


def parse_utc_offset(text: str) -> timedelta:
    """How far a place's clocks are ahead of UTC: `+02:00`, `-0330`, `+01`, `Z`."""
    if text.strip().upper() in {"Z", "UTC"}:
        return timedelta()
    found = _UTC_OFFSET.fullmatch(text.strip())
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0)) if found else None
    if found is None or offset is None or offset > _MAX_UTC_OFFSET:
        message = f"--utc-offset {text!r} is no offset from UTC"
        raise UsageError(message, "Write +02:00 for two hours ahead of UTC, -05:00 for five behind.")
    return -offset if found[1] == "-" else offset
