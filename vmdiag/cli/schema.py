"""`vmdiag schema`: print the JSON Schema of what a command writes."""

from typing import Annotated, Literal

import typer

from vmdiag.cli.options import Debug
from vmdiag.cli.streams import open_output


def schema(
    name: Annotated[
        Literal["report", "case", "doctor", "mitigations", "change", "difference"],
        typer.Argument(
            metavar="[NAME]",
            help="report ('check -o json'), case (a line of ndjson), doctor, mitigations, change (a line of 'watch' "
            "and of 'diff -o ndjson'), difference ('diff -o json').",
        ),
    ] = "report",
    *,
    debug: Debug = False,  # noqa: ARG001 - its callback tells the error boundary
) -> None:
    """Print a JSON Schema, of the report by default."""
    import json

    from vmdiag.command_answers import STRUCTS
    from vmdiag.report import make_schema

    with open_output() as out:
        out.write(json.dumps(make_schema(STRUCTS[name], name), indent=2) + "\n")
