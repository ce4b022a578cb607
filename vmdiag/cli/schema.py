"""`vmdiag schema`: print the report's JSON Schema."""

from vmdiag.cli import options


def schema(*, debug: options.Debug = False) -> None:  # noqa: ARG001 - its callback tells the error boundary
    """Print the JSON Schema of the report."""
    import json

    from vmdiag.cli.output_file import open_output
    from vmdiag.report import make_schema

    with open_output() as out:
        out.write(json.dumps(make_schema(), indent=2) + "\n")
