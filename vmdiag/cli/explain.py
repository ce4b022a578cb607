"""`vmdiag explain`: list the scenarios, or print one as a page of plain text."""

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vmdiag import plugins
from vmdiag.cli.options import CLOUD_TITLES, Debug, complete_plugins, declare_option
from vmdiag.cli.streams import open_output
from vmdiag.diagnosis import scenarios
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.diagnosis.model import Scenario

# What a page lists begins with "- ", "A  " or "1. ", and goes on indented.
_LIST_ITEM = re.compile(r"(?:[-*] +|[A-Z]  +|\d+\. +)")
# Longer lines are hard to read, however wide the terminal; in a narrower one it may break lines itself.
_WIDEST, _NARROWEST = 100, 40


def explain(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO]", help="Its id or Azure's code for it.", autocompletion=complete_plugins(scenarios)
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Print every page.")] = False,
    output: Annotated[
        Literal["terminal", "markdown"], declare_option("--output", "-o", text="Form of the pages.")
    ] = "terminal",
    debug: Debug = False,  # noqa: ARG001 - its callback tells the error boundary
) -> None:
    """List the scenarios, or explain one, or all of them."""
    known = [module.SCENARIO for module in plugins.load_all(scenarios).values()]
    if scenario is not None and everything:
        message = "--all and a scenario contradict each other"
        raise UsageError(message, "Leave one of them out.")
    pages = [find_scenario(scenario, known)] if scenario is not None else known
    width = shutil.get_terminal_size().columns
    if output == "markdown":
        lines = format_manual(pages)
    elif scenario is None and not everything:
        lines = format_index(known)
    else:
        lines = (line for page in pages for line in (*format_page(page, width), *[""] * everything))
    with open_output() as out:
        out.writelines(f"{line}\n" for line in lines)


def find_scenario(wanted: str, known: "Sequence[Scenario]") -> "Scenario":
    """The scenario with this id or Azure code, in any letter case; `UsageError` with near names otherwise."""
    from difflib import get_close_matches

    by_name = {name.lower(): one for one in known for name in (one.id, one.code) if name}
    found = by_name.get(wanted.strip().lower())
    if found is not None:
        return found
    near = dict.fromkeys(by_name[name].id for name in get_close_matches(wanted.lower(), by_name))
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    message = f"no scenario is called {wanted!r}"
    raise UsageError(message, f"{hint}'vmdiag explain' lists them.")


def format_index(known: "Sequence[Scenario]") -> Iterator[str]:
    """One scenario a line: id and title, and below them Azure's code where it has one."""
    width = max((len(one.id) for one in known), default=0)
    for one in known:
        yield f"{one.id:{width}}  {one.title}"
        if one.code is not None:
            yield f"{'':{width}}  {one.code}"


def format_manual(pages: "Sequence[Scenario]") -> Iterator[str]:
    """The pages as one Markdown document: a section a scenario, its paragraphs and lists as they are written."""
    yield "# Scenarios"
    yield ""
    yield "What `vmdiag explain --all -o markdown` prints."
    for scenario in pages:
        yield from ("", f"## {scenario.title}", "", f"`{scenario.id}`")
        if scenario.code is not None:
            yield from ("", f"Azure's code: `{scenario.code}`")
        # Most pages begin with the title as a sentence.
        page = scenario.page.strip().removeprefix(f"{scenario.title}.\n\n")
        # What leads a paragraph in bold, a link as one, a lettered item as an item.
        page = re.sub(r"^([A-Z])  +", r"- **\1** ", page, flags=re.MULTILINE)
        page = re.sub(
            r"^(What it is|Told from look-alikes|What to do|Source)\b(:?)", r"**\1\2**", page, flags=re.MULTILINE
        )
        page = re.sub(r"(https://\S+)", r"<\1>", page)
        yield from ("", *page.splitlines(), "", "**What helps:**", "")
        yield from (f"- {remedy}" for remedy in scenario.remedies)
        if scenario.vm_action is not None:
            yield f"- `az vm {scenario.vm_action} --ids VM_ID`"


def format_page(scenario: "Scenario", width: int) -> Iterator[str]:
    """The lines of the manual page: Azure's name, where it was published, what the scenario is, what helps.

    Paragraphs and list items are filled to the width; words (links) stay whole.
    """
    yield f"Scenario: {scenario.id}"
    if scenario.code is not None:
        yield f"Azure's code: {scenario.code}"
    if scenario.clouds:
        absent = ", ".join(name for cloud, name in CLOUD_TITLES.items() if cloud not in scenario.clouds)
        there = ", ".join(CLOUD_TITLES.get(cloud, cloud) for cloud in scenario.clouds)
        yield f"Published for: {there}{f' (not {absent})' if absent else ''}"
    command = () if scenario.vm_action is None else (f"az vm {scenario.vm_action} --ids VM_ID",)
    remedies = "\n".join(f"- {remedy}" for remedy in (*scenario.remedies, *command))
    for block in re.split(r"\n\s*\n", f"{scenario.page.strip()}\n\nWhat helps:\n{remedies}"):
        yield ""
        items: list[list[str]] = []
        for line in block.splitlines():
            if not items or _LIST_ITEM.match(line):
                items.append([])
            items[-1].append(line)
        for item in items:
            mark = _LIST_ITEM.match(item[0])
            yield from textwrap.wrap(
                " ".join(line.strip() for line in item),
                max(_NARROWEST, min(width, _WIDEST)),
                subsequent_indent=" " * len(mark[0]) if mark else "",
                break_long_words=False,
                break_on_hyphens=False,
            )
