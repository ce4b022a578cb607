"""Every folder of `examples/` gives the report that lies beside it, and the picture shows the first of them."""

import json

import pytest

from tests.examples import EXAMPLES, README_EXAMPLE, SCENARIO_STORIES, generate_files, run_example
from tests.picture import PICTURE_PATH, draw_picture
from tests.timeline_builders import SCENARIOS
from vmdiag.report import make_schema

FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/archive"))


def test_every_scenario_has_its_example() -> None:
    assert set(FOLDERS) == set(SCENARIOS) == {README_EXAMPLE, *SCENARIO_STORIES}


def test_the_archives_are_as_they_are_written() -> None:
    for name, text in generate_files():
        assert (EXAMPLES / name).read_text(encoding="utf-8") == text, "run python -m tests.examples"


@pytest.mark.parametrize("name", FOLDERS)
def test_an_example_gives_the_report_beside_it(name: str) -> None:
    import jsonschema

    folder = EXAMPLES / name
    report = run_example(folder)

    assert report == (folder / "expected.json").read_text(encoding="utf-8")
    jsonschema.validate(json.loads(report), make_schema())
    (case,) = json.loads(report)["cases"]
    assert case["explanation"] == name


def test_the_picture_of_the_readme_is_the_report_of_today() -> None:
    assert PICTURE_PATH.read_text(encoding="utf-8") == draw_picture(), "run python -m tests.picture"
