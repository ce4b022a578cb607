"""`vmdiag diff`: tell what changed between two reports; what is heavy is imported when it runs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vmdiag.cli.options import VerbosityOptions, declare_option
from vmdiag.cli.streams import STANDARD_OUTPUT, StatusConsole, open_output
from vmdiag.errors import BadArchive, SourceError
from vmdiag.wording.plain_text import escape_controls

if TYPE_CHECKING:
    from vmdiag.changes import Change
    from vmdiag.diagnosis.model import Case

HINT = "Give two files that 'vmdiag check -o json' or '-o ndjson' wrote."
HEADINGS = {
    "affected": "Newly affected",
    "recovered": "Recovered",
    "changed": "Changed",
    "appeared": "Only in the new report",
    "disappeared": "Only in the old report",
}


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier report, json or ndjson; '-': standard input.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later report, likewise.")],
    *,
    output: Annotated[
        Literal["terminal", "json", "ndjson"], declare_option("--output", "-o", text="Form of the answer.")
    ] = "terminal",
    out: Annotated[
        str, declare_option("--out", metavar="FILE", text="Write it to a file, whole or not at all.")
    ] = STANDARD_OUTPUT,
    verbosity: VerbosityOptions,
) -> int:
    """Tell what changed between two reports of 'check'.

    Ends with 0 where no VM is newly affected, 1 where one is, 4 where a report cannot be read, or not whole.
    """
    from vmdiag.changes import Difference, compare_reports
    from vmdiag.report import dump_json

    with verbosity.open_console() as watch:
        before, is_old_whole = read_report(old, watch)
        after, is_new_whole = read_report(new, watch)
        summary, changes = compare_reports(before, after)
        with open_output(out) as stream:
            if output == "json":
                told = Difference(old=old, new=new, summary=summary, changes=changes)
                stream.write(dump_json(told, 2) + "\n")
            elif output == "ndjson":
                stream.writelines(f"{dump_json(change)}\n" for change in changes)
            else:
                stream.writelines(f"{escape_controls(line)}\n" for line in format_changes(changes, summary.unchanged))
    if summary.affected:
        return 1
    return 0 if is_old_whole and is_new_whole else SourceError.exit_code


def read_report(path: str, watch: StatusConsole) -> "tuple[list[Case], bool]":
    """The cases of a report, and whether it was read whole: a warning tells what was not."""
    from vmdiag import case_report
    from vmdiag.wording.redeploy_texts import join_first_names

    name = "standard input" if path == STANDARD_OUTPUT else path
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_OUTPUT else Path(path).read_bytes()
    except OSError as error:
        message = f"the report {name} cannot be read: {error.strerror or error}"
        raise SourceError(message, HINT) from error
    try:
        cases, unread = case_report.read_report(content)
    except case_report.NotACaseError as error:
        message = f"{name} is no report of 'vmdiag check' in json or ndjson, or not a whole one"
        raise BadArchive(message, HINT) from error
    if unread:
        numbers, whose = ("cases", "their VMs") if unread[1:] else ("case", "its VM")
        watch.warn(f"{name}: {numbers} {join_first_names(unread)} cannot be read, so nothing is said of {whose}")
    if not cases and (unread or not content.strip()):
        message = f"{name} holds no case"
        raise BadArchive(message, HINT)
    return cases, not unread


def format_changes(changes: "tuple[Change, ...]", unchanged: int) -> Iterator[str]:
    """The changes under their headings, the affected first, and how many VMs stand as before."""
    for kind, heading in HEADINGS.items():
        found = [change for change in changes if change.change == kind]
        if found:
            yield f"{heading} ({len(found)})"
        yield from (f"  {each.vm.resource_group}/{each.vm.name}: {each.says}" for each in found)
    yield f"{unchanged} {'VM stands' if unchanged == 1 else 'VMs stand'} as before."
