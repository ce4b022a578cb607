"""The same few cases in every format, compared whole; `python -m tests.renderers` writes the files anew."""

import pytest

from tests.renderers.gallery import GOLDEN, generate_golden_files

TEXTS = dict(generate_golden_files())


@pytest.mark.parametrize("name", TEXTS)
def test_the_report_is_the_one_that_was_judged_by_eye(name: str) -> None:
    assert TEXTS[name] == (GOLDEN / name).read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(TEXTS)
