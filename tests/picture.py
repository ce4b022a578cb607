"""Draws `examples/report.svg`, the README's picture, from a real run over an example: `python -m tests.picture`."""

import io
import re
from datetime import UTC, datetime

from rich.console import Console

from tests.examples import EXAMPLES, README_EXAMPLE
from vmdiag.cli.streams import StatusConsole
from vmdiag.diagnosis.model import Header
from vmdiag.pipeline import examine_vms
from vmdiag.renderers import Report, terminal
from vmdiag.sources.archive._archive import ArchiveSource
from vmdiag.sources.protocol import Scope

PICTURE_PATH = EXAMPLES / "report.svg"
WIDTH = 80
# The first screen is what the picture is for; the rest is text that a reader gets by running it.
MAX_LINES = 46


def draw_picture() -> str:
    """The picture as it would be drawn now."""
    source = ArchiveSource(str(EXAMPLES / README_EXAMPLE / "archive"), StatusConsole(quiet=True))
    run = examine_vms(source, Scope())
    header = Header(
        source=f"archive:examples/{README_EXAMPLE}/archive",
        cloud="public",
        window=run.window,
        generated_at=datetime(2026, 3, 2, 10, tzinfo=UTC),
    )
    report = Report(header=header, cases=tuple(run.cases), others=run.other_vms)
    whole = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="standard")
    terminal.draw_report(report, whole)
    shown = "\n".join(str(whole.file.getvalue()).splitlines()[:MAX_LINES])  # type: ignore[attr-defined]  # a StringIO
    shown = shown.replace(f"{EXAMPLES.parent}/", "")
    paper = Console(file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="standard")
    from rich.text import Text

    paper.print(Text.from_ansi(shown))
    svg = paper.export_svg(title="vmdiag check --source examples/live-migration-datapath/archive", unique_id="vmdiag")
    # The fonts that Rich links to lie on somebody else's server.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE_PATH.write_text(draw_picture(), encoding="utf-8")
