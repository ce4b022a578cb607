"""A strict evaluator of the Kusto queries that vmdiag sends: what it does not know it refuses with Azure's code."""

from tests.arm.kql.expressions import Kind, Row, Table, to_text
from tests.arm.kql.operators import FindTable, evaluate
from tests.arm.kql.parser import parse
from tests.arm.kql.tokens import KqlError

__all__ = ["FindTable", "Kind", "KqlError", "Row", "Table", "evaluate", "parse", "to_text"]
