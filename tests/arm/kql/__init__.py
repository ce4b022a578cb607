"""A small, strict evaluator of Kusto queries: what it does not know it refuses; must not know Azure's tables."""

from tests.arm.kql.errors import KqlError
from tests.arm.kql.operators import evaluate
from tests.arm.kql.parser import parse
from tests.arm.kql.table import Database, Kind, Row, Table

__all__ = ["Database", "Kind", "KqlError", "Row", "Table", "evaluate", "parse", "run_query"]


def run_query(query: str, database: Database) -> Table:
    """The table that the query gives. Raises KqlError for what is wrong or unknown, before a row is read."""
    return evaluate(parse(query), database)
