"""`vmdiag query`: print what a source would ask, to be pasted into the portal; nobody signs in."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from vmdiag import plugins
from vmdiag.cli.options import EXCERPT_LENGTH, Debug, complete_plugins
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.cli.streams import open_output
from vmdiag.errors import UsageError
from vmdiag.sources import kusto


def query(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="log-analytics, adx or resource-graph; an address behind it, as --source takes it, changes nothing.",
            autocompletion=complete_plugins(kusto),
        ),
    ],
    scope_options: ScopeOptions,
    *,
    debug: Debug = False,  # noqa: ARG001 - its callback tells the error boundary
) -> int:
    """Print the KQL that a source would run.

    It is ready to be pasted into the portal: one query a table, each to be run by itself. Nobody signs in.
    """
    from vmdiag.pipeline import combine_needs
    from vmdiag.sources.protocol import reading_span

    name = source.partition(":")[0]
    if name not in plugins.list_names(kusto):
        message = f"{source[:EXCERPT_LENGTH]} is no source that is asked in KQL"
        raise UsageError(message, f"Give one of {', '.join(plugins.list_names(kusto))}.")
    now = datetime.now(UTC)
    scope, needs = scope_options.build_scope(now), combine_needs()
    span = reading_span(scope.window(now), needs)
    queries = plugins.load(kusto, name).write_queries(scope, span, needs)
    with open_output() as out:
        out.write("\n\n".join(f"// {table}\n{text}" for table, text in queries.items()) + "\n")
    return 0
