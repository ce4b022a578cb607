"""The options that commands wear, each declared once; must not know what is done with them."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from vmdiag import plugins, renderers
from vmdiag.diagnosis import scenarios

CLOUDS = ("public", "usgovernment", "china", "usnat", "ussec")


@dataclass(slots=True)
class Run:
    """What the error boundary must know of a command line that it did not parse."""

    debug: bool = False


def variable(flag: str) -> str:
    """The name of an option in the environment: `--fail-on` is VMDIAG_FAIL_ON."""
    return f"VMDIAG_{flag.removeprefix('--').replace('-', '_').upper()}"


def _option(*flags: str, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `typer.Option`
    """An option that can be given as VMDIAG_<OPTION> too."""
    name = next(flag for flag in flags if flag.startswith("--"))
    return typer.Option(*flags, help=text, envvar=variable(name), show_envvar=False, **settings)


def _repeatable(*flags: str, text: str, split: Callable[[str], list[str]] = str.split, **settings: Any) -> Any:  # noqa: ANN401
    """An option that may come several times; `split` is how blanks part its values in the environment."""

    def parted(context: typer.Context, parameter: typer.CallbackParam, value: list[str] | None) -> list[str] | None:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "ENVIRONMENT":
            return value
        written = os.environ.get(str(parameter.envvar), "")
        lines = [line.strip() for line in written.splitlines()]
        return [line for line in lines if line] if "\n" in written else split(written)

    return _option(*flags, text=text, callback=parted, **settings)


def _loosening(*flags: str, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `typer.Option`
    """An option that loosens a guard: it stands on the command line or nowhere."""
    return typer.Option(*flags, help=text, **settings)


def _tags(written: str) -> list[str]:
    """Tags parted by blanks; a word without `=` belongs to the value before it: `owner=Ops Team env=prod` are two."""
    return re.split(r"\s+(?=[^\s=]+=)", written.strip())


def _formats(incomplete: str) -> list[str]:
    return [name for name in plugins.names(renderers) if name.startswith(incomplete)]


def _scenarios(incomplete: str) -> list[str]:
    return [name for name in plugins.names(scenarios) if name.startswith(incomplete)]


def _remember(context: typer.Context, *, value: bool) -> bool:
    if isinstance(context.obj, Run):
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
    _option(
        "--vms-from",
        metavar="FILE",
        text="Read VMs from a file: one a line, '#' begins a comment, or a JSON array of ids or of objects with 'id'.",
    ),
]
Subscriptions = Annotated[
    list[str] | None,
    _repeatable("--subscription", "-s", metavar="ID", text="Only this subscription, by id or name; repeatable."),
]
Groups = Annotated[
    list[str] | None,
    _repeatable(
        "--resource-group", "-g", metavar="NAME", text="Only this resource group, * and ? allowed; repeatable."
    ),
]
Tags = Annotated[
    list[str] | None,
    _repeatable("--tag", metavar="KEY=VALUE", split=_tags, text="Only VMs with this tag; repeatable, all must fit."),
]
Everything = Annotated[bool, _option("--all", text="Every VM in scope.")]
AllowEmpty = Annotated[
    bool, _option("--allow-empty", text="A scope without VMs is no error: end with 0 where there is none.")
]
Since = Annotated[
    str,
    _option(
        "--since",
        metavar="WHEN",
        text="Look from here on: 90m, 24h, 14d or 1w back from --until, 08:16 (the latest before it), or an ISO 8601 "
        "time (no offset: UTC).",
    ),
]
Until = Annotated[
    str | None,
    _option("--until", metavar="WHEN", text="Look up to here, as --since. Default: now, or an archive's last record."),
]
Address = Annotated[
    str, _option("--source", metavar="ADDRESS", text="'azure', or an archive: a file, folder or glob, or '-'.")
]
Cloud = Annotated[
    str,
    _option("--cloud", metavar="CLOUD", text=f"{', '.join(CLOUDS)}, or the URL of another cloud's Resource Manager."),
]
CredentialKind = Annotated[
    Literal["auto", "cli", "environment", "workload", "managed"],
    _option("--credential", text="Who signs in; auto tries azure-identity's chain."),
]
Tenant = Annotated[
    str | None, _option("--tenant", metavar="ID", text="Sign in to this tenant: its id, or one of its domains.")
]
Jobs = Annotated[int, _option("--jobs", metavar="N", min=1, max=64, text="Requests in flight at most.")]
Timeout = Annotated[
    str, _option("--timeout", metavar="DURATION", text="Stop reading after 90s, 15m, 2h and tell what is known.")
]
Workspaces = Annotated[
    list[str] | None,
    _repeatable(
        "--workspace",
        metavar="ID",
        text="Log Analytics workspace to read heartbeats from; repeatable. Default: those that the VMs' agents name.",
    ),
]
UtcOffset = Annotated[
    str | None,
    _option(
        "--utc-offset",
        metavar="OFFSET",
        text="What local times in an archive are ahead of UTC, such as +02:00; else files with such times are refused.",
    ),
]
ProbePort = Annotated[
    int | None,
    _option("--probe", metavar="PORT", min=1, max=65535, text="Try a TCP connection to the VMs' public addresses."),
]
ApiVersions = Annotated[
    list[str] | None,
    _repeatable(
        "--api-version",
        metavar="SERVICE=DATE",
        text="For a cloud that lags, such as compute=2021-03-01; repeatable.",
    ),
]
Resume = Annotated[
    str | None,
    _option("--resume", metavar="FILE", text="Take the finished cases from an ndjson report, diagnose only the rest."),
]
RecordOut = Annotated[
    str, _option("--out", metavar="FILE", text="Write the archive here, whole or not at all; '-': standard output.")
]
DoctorFormat = Annotated[Literal["terminal", "json"], _option("--output", "-o", text="Form of the answer.")]
UnreachableSince = Annotated[
    str | None,
    _option("--unreachable-since", metavar="WHEN", text="State that the named VMs cannot be reached since then."),
]
Format = Annotated[
    str,
    _option(
        "--output",
        "-o",
        metavar="FORMAT",
        autocompletion=_formats,
        text=f"Form of the report: {', '.join(plugins.names(renderers))}.",
    ),
]
Out = Annotated[
    str, _option("--out", metavar="FILE", text="Write the report to a file, whole or not at all; '-': standard output.")
]
Quiet = Annotated[bool, _option("--quiet", text="No warnings and no progress.")]
Verbose = Annotated[bool, _option("--verbose", text="Say on standard error what was read.")]
Debug = Annotated[bool, _option("--debug", text="Show the traceback of an error.", callback=_remember)]


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said on standard error; `debug` is for the error boundary."""

    quiet: Quiet = False
    verbose: Verbose = False
    debug: Debug = False


FailOn = Annotated[
    Literal["open", "any", "never"],
    _option("--fail-on", text="Which losses make the exit code 1: those that go on, any, none."),
]
Redeploy = Annotated[
    bool, _option("--redeploy", text="Redeploy the affected VMs, one by one, where every guard allows it; asks first.")
]
Yes = Annotated[bool, _loosening("--yes", text="Do not ask before redeploying.")]
DryRun = Annotated[bool, _option("--dry-run", text="Show the plan and every guard's answer; redeploy nothing.")]
Most = Annotated[
    int, _loosening("--max", metavar="N", min=1, text="Refuse to redeploy anything where more than N VMs qualify.")
]
IncludeSuspected = Annotated[bool, _loosening("--include-suspected", text="Redeploy suspected VMs, too.")]
AllowDataLoss = Annotated[
    bool, _loosening("--allow-data-loss", text="Redeploy even where an ephemeral OS disk is wiped by it.")
]
Storm = Annotated[
    int,
    _loosening(
        "--storm",
        metavar="PERCENT",
        min=1,
        max=100,
        text="Refuse where more than so many percent of the VMs are hit, with those redeployed within the hour.",
    ),
]
NoWait = Annotated[
    bool, _option("--no-wait", text="Begin one redeploy, and follow it later: vmdiag mitigations --resume.")
]
WaitFor = Annotated[
    str,
    _option("--wait-for", metavar="DURATION", text="How long a redeploy is followed, with the proof that it helped."),
]
JournalPath = Annotated[
    str | None,
    _option("--journal", metavar="PATH", text="The journal of redeploys. Default: in the folder for a user's state."),
]
ResumeOpen = Annotated[
    bool, _option("--resume", text="Find out how the unfinished redeploys ended, without asking for another one.")
]
ListFormat = Annotated[Literal["terminal", "json"], _option("--output", "-o", text="Form of the list.")]
ScenarioName = Annotated[
    str | None,
    typer.Argument(metavar="[SCENARIO]", help="Its id or Azure's code for it.", autocompletion=_scenarios),
]
