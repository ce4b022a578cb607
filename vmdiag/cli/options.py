"""The options that commands wear, each declared once; must not know what is done with them."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from vmdiag import plugins, renderers
from vmdiag.diagnosis import scenarios

CLOUD_NAMES = ("public", "usgovernment", "china", "usnat", "ussec")


@dataclass(slots=True)
class RunState:
    """What the error boundary must know of a command line that it did not parse."""

    debug: bool = False


def get_variable_name(flag: str) -> str:
    """The name of an option in the environment: `--fail-on` is VMDIAG_FAIL_ON."""
    return f"VMDIAG_{flag.removeprefix('--').replace('-', '_').upper()}"


def _declare_option(*flags: str, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `typer.Option`
    """An option that can be given as VMDIAG_<OPTION> too."""
    name = next(flag for flag in flags if flag.startswith("--"))
    return typer.Option(*flags, help=text, envvar=get_variable_name(name), show_envvar=False, **settings)


def _declare_repeatable(*flags: str, text: str, split: Callable[[str], list[str]] = str.split, **settings: Any) -> Any:  # noqa: ANN401
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

    return _declare_option(*flags, text=text, callback=split_environment_value, **settings)


def _declare_command_line_only(*flags: str, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `typer.Option`
    """An option that loosens a guard: it stands on the command line or nowhere."""
    return typer.Option(*flags, help=text, **settings)


def _split_tags(written: str) -> list[str]:
    """Tags parted by blanks; a word without `=` belongs to the value before it: `owner=Ops Team env=prod` are two."""
    return re.split(r"\s+(?=[^\s=]+=)", written.strip())


def _complete_format(incomplete: str) -> list[str]:
    return [name for name in plugins.list_names(renderers) if name.startswith(incomplete)]


def _complete_scenario(incomplete: str) -> list[str]:
    return [name for name in plugins.list_names(scenarios) if name.startswith(incomplete)]


def _store_debug_flag(context: typer.Context, *, value: bool) -> bool:
    if isinstance(context.obj, RunState):
        context.obj.debug |= value
    return value


EPILOG = (
    "An option can be set in the environment as VMDIAG_<OPTION>, for example VMDIAG_FAIL_ON=any; a repeatable one "
    "takes a value a line, or on one line values separated by blanks (a word without '=' belongs to the tag before "
    "it). --yes, --max, --storm, --include-suspected and --allow-data-loss count on the command line alone."
)

Vms = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VM]...",
        help="Name, group/name or resource id; * and ? stand for any; '-' reads them from standard input.",
    ),
]
VmsFrom = Annotated[
    str | None,
    _declare_option(
        "--vms-from",
        metavar="FILE",
        text="Read VMs from a file: one a line, '#' begins a comment, or a JSON array of ids or of objects with 'id'.",
    ),
]
Subscriptions = Annotated[
    list[str] | None,
    _declare_repeatable(
        "--subscription", "-s", metavar="ID", text="Only this subscription, by id or name; repeatable."
    ),
]
Groups = Annotated[
    list[str] | None,
    _declare_repeatable(
        "--resource-group", "-g", metavar="NAME", text="Only this resource group, * and ? allowed; repeatable."
    ),
]
Tags = Annotated[
    list[str] | None,
    _declare_repeatable(
        "--tag", metavar="KEY=VALUE", split=_split_tags, text="Only VMs with this tag; repeatable, all must fit."
    ),
]
AllVms = Annotated[bool, _declare_option("--all", text="Every VM in scope.")]
AllowEmpty = Annotated[
    bool, _declare_option("--allow-empty", text="A scope without VMs is no error: end with 0 where there is none.")
]
Since = Annotated[
    str,
    _declare_option(
        "--since",
        metavar="WHEN",
        text="Look from here on: 90m, 24h, 14d or 1w back from --until, 08:16 (the latest before it), or an ISO 8601 "
        "time (no offset: UTC).",
    ),
]
Until = Annotated[
    str | None,
    _declare_option(
        "--until", metavar="WHEN", text="Look up to here, as --since. Default: now, or an archive's last record."
    ),
]
SourceAddress = Annotated[
    str, _declare_option("--source", metavar="ADDRESS", text="'azure', or an archive: a file, folder or glob, or '-'.")
]
Cloud = Annotated[
    str,
    _declare_option(
        "--cloud", metavar="CLOUD", text=f"{', '.join(CLOUD_NAMES)}, or the URL of another cloud's Resource Manager."
    ),
]
CredentialKind = Annotated[
    Literal["auto", "cli", "environment", "workload", "managed"],
    _declare_option("--credential", text="Who signs in; auto tries azure-identity's chain."),
]
Tenant = Annotated[
    str | None, _declare_option("--tenant", metavar="ID", text="Sign in to this tenant: its id, or one of its domains.")
]
Jobs = Annotated[int, _declare_option("--jobs", metavar="N", min=1, max=64, text="Requests in flight at most.")]
Timeout = Annotated[
    str,
    _declare_option("--timeout", metavar="DURATION", text="Stop reading after 90s, 15m, 2h and tell what is known."),
]
Workspaces = Annotated[
    list[str] | None,
    _declare_repeatable(
        "--workspace",
        metavar="ID",
        text="Log Analytics workspace to read heartbeats from; repeatable. Default: those that the VMs' agents name.",
    ),
]
UtcOffset = Annotated[
    str | None,
    _declare_option(
        "--utc-offset",
        metavar="OFFSET",
        text="What local times in an archive are ahead of UTC, such as +02:00; else files with such times are refused.",
    ),
]
ProbePort = Annotated[
    int | None,
    _declare_option(
        "--probe", metavar="PORT", min=1, max=65535, text="Try a TCP connection to the VMs' public addresses."
    ),
]
ApiVersions = Annotated[
    list[str] | None,
    _declare_repeatable(
        "--api-version",
        metavar="SERVICE=DATE",
        text="For a cloud that lags, such as compute=2021-03-01; repeatable.",
    ),
]
Resume = Annotated[
    str | None,
    _declare_option(
        "--resume", metavar="FILE", text="Take the finished cases from an ndjson report, diagnose only the rest."
    ),
]
RecordOut = Annotated[
    str,
    _declare_option("--out", metavar="FILE", text="Write the archive here, whole or not at all; '-': standard output."),
]
DoctorFormat = Annotated[Literal["terminal", "json"], _declare_option("--output", "-o", text="Form of the answer.")]
UnreachableSince = Annotated[
    str | None,
    _declare_option(
        "--unreachable-since", metavar="WHEN", text="State that the named VMs cannot be reached since then."
    ),
]
ReportFormat = Annotated[
    str,
    _declare_option(
        "--output",
        "-o",
        metavar="FORMAT",
        autocompletion=_complete_format,
        text=f"Form of the report: {', '.join(plugins.list_names(renderers))}.",
    ),
]
ReportOut = Annotated[
    str,
    _declare_option(
        "--out", metavar="FILE", text="Write the report to a file, whole or not at all; '-': standard output."
    ),
]
Quiet = Annotated[bool, _declare_option("--quiet", text="No warnings and no progress.")]
Verbose = Annotated[bool, _declare_option("--verbose", text="Say on standard error what was read.")]
Debug = Annotated[bool, _declare_option("--debug", text="Show the traceback of an error.", callback=_store_debug_flag)]


@dataclass(frozen=True, slots=True)
class VerbosityOptions:
    """What is said on standard error; `debug` is for the error boundary."""

    quiet: Quiet = False
    verbose: Verbose = False
    debug: Debug = False


FailOnChoice = Annotated[
    Literal["open", "any", "never"],
    _declare_option("--fail-on", text="Which losses make the exit code 1: those that go on, any, none."),
]
Redeploy = Annotated[
    bool,
    _declare_option(
        "--redeploy", text="Redeploy the affected VMs, one by one, where every guard allows it; asks first."
    ),
]
Yes = Annotated[bool, _declare_command_line_only("--yes", text="Do not ask before redeploying.")]
DryRun = Annotated[bool, _declare_option("--dry-run", text="Show the plan and every guard's answer; redeploy nothing.")]
MaxRedeploys = Annotated[
    int,
    _declare_command_line_only(
        "--max", metavar="N", min=1, text="Refuse to redeploy anything where more than N VMs qualify."
    ),
]
IncludeSuspected = Annotated[
    bool, _declare_command_line_only("--include-suspected", text="Redeploy suspected VMs, too.")
]
AllowDataLoss = Annotated[
    bool,
    _declare_command_line_only("--allow-data-loss", text="Redeploy even where an ephemeral OS disk is wiped by it."),
]
StormPercent = Annotated[
    int,
    _declare_command_line_only(
        "--storm",
        metavar="PERCENT",
        min=1,
        max=100,
        text="Refuse where more than so many percent of the VMs are hit, with those redeployed within the hour.",
    ),
]
NoWait = Annotated[
    bool, _declare_option("--no-wait", text="Begin one redeploy, and follow it later: vmdiag mitigations --resume.")
]
WaitFor = Annotated[
    str,
    _declare_option(
        "--wait-for", metavar="DURATION", text="How long a redeploy is followed, with the proof that it helped."
    ),
]
JournalPath = Annotated[
    str | None,
    _declare_option(
        "--journal", metavar="PATH", text="The journal of redeploys. Default: in the folder for a user's state."
    ),
]
ResumeUnfinished = Annotated[
    bool,
    _declare_option("--resume", text="Find out how the unfinished redeploys ended, without asking for another one."),
]
ListFormat = Annotated[Literal["terminal", "json"], _declare_option("--output", "-o", text="Form of the list.")]
ScenarioName = Annotated[
    str | None,
    typer.Argument(metavar="[SCENARIO]", help="Its id or Azure's code for it.", autocompletion=_complete_scenario),
]
