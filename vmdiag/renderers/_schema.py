"""The JSON Schema of the report, for `vmdiag schema` and for the tests; must not know how a report is made."""

import json
from importlib import resources


def schema() -> dict[str, object]:
    """The schema (draft 2020-12) of `vmdiag.report/1`."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return {str(key): value for key, value in found.items()}
