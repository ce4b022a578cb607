"""`vmdiag explain`: list the scenarios, or print one as a page of plain text."""

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vmdiag import plugins
from vmdiag.cli.options import CLOUD_TITLES, Debug, complete_plugins
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
    debug: Debug = False,  # noqa: ARG001 - its callback tells the error boundary
) -> None:
    """List the scenarios, or explain one."""
    known = [plugins.load(scenarios, name).SCENARIO for name in plugins.list_names(scenarios)]
    width = shutil.get_terminal_size().columns
    lines = format_index(known) if scenario is None else format_page(find_scenario(scenario, known), width)
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
    remedies = "\n".join(f"- {remedy}" for remedy in scenario.remedies)
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
