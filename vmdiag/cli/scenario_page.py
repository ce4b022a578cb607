"""A scenario as a page of plain text, and the list of all; must not know any single scenario."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from vmdiag.diagnosis.model import Scenario
from vmdiag.errors import UsageError

CLOUD_TITLES = {
    "public": "public",
    "usgovernment": "US Government",
    "china": "China",
    "usnat": "USNat",
    "ussec": "USSec",
}
# What a page lists begins with "- ", "A  " or "1. ", and goes on indented.
_LIST_ITEM = re.compile(r"(?:[-*] +|[A-Z]  +|\d+\. +)")
# Longer lines are hard to read, however wide the terminal; in a narrower one it may break lines itself.
_WIDEST, _NARROWEST = 100, 40


def find_scenario(wanted: str, known: Sequence[Scenario]) -> Scenario:
    """The scenario with this id or Azure code, in any letter case; `UsageError` with near names otherwise."""
    by_name = {name.lower(): one for one in known for name in (one.id, one.code) if name}
    found = by_name.get(wanted.strip().lower())
    if found is not None:
        return found
    near = dict.fromkeys(by_name[name].id for name in get_close_matches(wanted.lower(), by_name))
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    message = f"no scenario is called {wanted!r}"
    raise UsageError(message, f"{hint}'vmdiag explain' lists them.")


def format_index(known: Sequence[Scenario]) -> Iterator[str]:
    """One scenario a line: id and title, and below them Azure's code where it has one."""
    width = max((len(one.id) for one in known), default=0)
    for one in known:
        yield f"{one.id:{width}}  {one.title}"
        if one.code is not None:
            yield f"{'':{width}}  {one.code}"


def format_page(scenario: Scenario, width: int) -> Iterator[str]:
    """The lines of the manual page: Azure's name, where it was published, what the scenario is, what helps."""
    yield f"Scenario: {scenario.id}"
    if scenario.code is not None:
        yield f"Azure's code: {scenario.code}"
    if scenario.clouds:
        yield f"Published for: {_format_clouds(scenario.clouds)}"
    remedies = "\n".join(f"- {remedy}" for remedy in scenario.remedies)
    for block in re.split(r"\n\s*\n", f"{scenario.page.strip()}\n\nWhat helps:\n{remedies}"):
        yield ""
        yield from _wrap_block(block, max(_NARROWEST, min(width, _WIDEST)))


def _wrap_block(block: str, width: int) -> Iterator[str]:
    """A paragraph, or a list item by item, filled to the width; words (links) stay whole."""
    items: list[list[str]] = []
    for line in block.splitlines():
        if not items or _LIST_ITEM.match(line):
            items.append([])
        items[-1].append(line)
    for item in items:
        mark = _LIST_ITEM.match(item[0])
        indent = " " * (len(mark[0]) if mark else 0)
        text = " ".join(line.strip() for line in item)
        yield from textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _format_clouds(clouds: Sequence[str]) -> str:
    there = ", ".join(CLOUD_TITLES.get(cloud, cloud) for cloud in clouds)
    absent = ", ".join(name for cloud, name in CLOUD_TITLES.items() if cloud not in clouds)
    return f"{there} (not {absent})" if absent else there
