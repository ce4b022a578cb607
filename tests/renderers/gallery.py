"""Every golden file's name and what it should hold now; must not compare anything."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tests.renderers import cases, redeploy_cases
from vmdiag import plugins, renderers
from vmdiag.diagnosis.model import Case, Report
from vmdiag.renderers import Renderer, terminal

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"json": "json", "ndjson": "ndjson", "csv": "csv", "markdown": "md"}
WIDTHS = (80, 120)
_VERSION = re.compile(r'(?<="version": ")[^"]*')


def written(form: str, report: Report) -> str:
    """What a format makes of a report."""
    out = io.StringIO()
    write(plugins.load(renderers, form).open_report(report.header, out), report)
    return out.getvalue()


def write(renderer: Renderer, report: Report) -> None:
    """Give a renderer the whole report."""
    for case in report.cases:
        renderer.add_case(case)
    renderer.finish(report.others)


def drawn(report: Report, width: int) -> str:
    """What the terminal shows at a width, without colour."""
    out = io.StringIO()
    terminal.draw(report, Console(file=out, width=width))
    return out.getvalue()


def scenes() -> Iterator[tuple[str, list[Case]]]:
    """Every single case, all of them together, and none."""
    for name, build in (cases.SINGLE | redeploy_cases.SINGLE).items():
        yield name, [build()]
    yield "fleet", cases.fleet()
    yield "treated", redeploy_cases.fleet()
    yield "none", []


def gallery() -> Iterator[tuple[str, str]]:
    """Name and text of every golden file."""
    for name, found in scenes():
        for width in WIDTHS:
            yield f"{name}-{width}.txt", drawn(cases.report(found, others=412), width)
        for form, suffix in SUFFIXES.items():
            # The version of whatever is installed is no fact of a report's shape.
            yield f"{name}.{suffix}", _VERSION.sub("0.0.0", written(form, cases.report(found, others=412)))
