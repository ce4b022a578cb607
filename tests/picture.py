"""Draws `examples/report.svg`, the README's picture, from a real run over an example: `python -m tests.picture`."""

import io
import re
from datetime import UTC, datetime

from rich.console import Console

from tests.examples import EXAMPLES, README_EXAMPLE
from vmdiag.cli.progress import Watch
from vmdiag.diagnosis.model import Header, Report
from vmdiag.pipeline import examine
from vmdiag.renderers import terminal
from vmdiag.sources.archive._archive import Archive
from vmdiag.sources.protocol import Scope

PICTURE = EXAMPLES / "report.svg"
WIDTH = 80
# The first screen is what the picture is for; the rest is text that a reader gets by running it.
LINES = 46


def drawn() -> str:
    """The picture as it would be drawn now."""
    source = Archive(str(EXAMPLES / README_EXAMPLE / "archive"), Watch(quiet=True))
    run = examine(source, Scope())
    header = Header(
        source=f"archive:examples/{README_EXAMPLE}/archive",
        cloud="public",
        window=run.window,
        generated_at=datetime(2026, 3, 2, 10, tzinfo=UTC),
    )
    report = Report(header=header, cases=tuple(run.cases))
    whole = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="standard")
    terminal.draw(report, whole)
    shown = "\n".join(str(whole.file.getvalue()).splitlines()[:LINES])  # type: ignore[attr-defined]  # a StringIO
    shown = shown.replace(f"{EXAMPLES.parent}/", "")
    paper = Console(file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="standard")
    from rich.text import Text

    paper.print(Text.from_ansi(shown))
    svg = paper.export_svg(title="vmdiag check --source examples/live-migration-datapath/archive", unique_id="vmdiag")
    # The fonts that Rich links to lie on somebody else's server.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
