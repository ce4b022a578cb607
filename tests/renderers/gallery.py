"""Every golden file's name and what it should hold now; must not compare anything."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tests.renderers import cases, redeploy_cases
from vmdiag import plugins, renderers
from vmdiag.diagnosis.model import Case
from vmdiag.renderers import Renderer, Report, terminal

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"json": "json", "ndjson": "ndjson", "csv": "csv", "markdown": "md", "junit": "xml", "prometheus": "prom"}
WIDTHS = (80, 120)
# A page is long, and most of it is the same in each.
PAGES = ("confirmed", "treated")
_VERSION = re.compile(r'(?<="version": ")[^"]*')


def render_report(form: str, report: Report) -> str:
    """What a format makes of a report."""
    out = io.StringIO()
    write(renderers.begin_report(plugins.load(renderers, form), report.header, out), report)
    return out.getvalue()


def write(renderer: Renderer, report: Report) -> None:
    """Give a renderer the whole report."""
    for case in report.cases:
        renderer.add_case(case)
    renderer.finish(report.others)


def draw_on_terminal(report: Report, width: int) -> str:
    """What the terminal shows at a width, without colour."""
    out = io.StringIO()
    terminal.draw_report(report, Console(file=out, width=width))
    return out.getvalue()


def list_scenes() -> Iterator[tuple[str, list[Case]]]:
    """Every single case, all of them together, and none."""
    for name, build in (cases.CASE_BUILDERS | redeploy_cases.CASE_BUILDERS).items():
        yield name, [build()]
    yield "fleet", cases.make_fleet()
    yield "treated", redeploy_cases.make_redeployed_fleet()
    yield "none", []


def generate_golden_files() -> Iterator[tuple[str, str]]:
    """Name and text of every golden file."""
    for name, found in list_scenes():
        for width in WIDTHS:
            yield f"{name}-{width}.txt", draw_on_terminal(cases.make_report(found, others=412), width)
        for form, suffix in SUFFIXES.items():
            # The version of whatever is installed is no fact of a report's shape.
            yield f"{name}.{suffix}", _VERSION.sub("0.0.0", render_report(form, cases.make_report(found, others=412)))
        if name in PAGES:
            yield f"{name}.html", render_report("html", cases.make_report(found, others=412))
