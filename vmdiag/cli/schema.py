"""`vmdiag schema`: print the report's JSON Schema."""

from vmdiag.cli.options import Debug
from vmdiag.cli.streams import open_output


def schema(*, debug: Debug = False) -> None:  # noqa: ARG001 - its callback tells the error boundary
    """Print the JSON Schema of the report."""
    import json

    from vmdiag.report import make_schema

    with open_output() as out:
        out.write(json.dumps(make_schema(), indent=2) + "\n")
