"""The archive that most tests of the command line read."""

from pathlib import Path

import pytest

from tests.cli import story


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of one affected VM, and of another one."""
    return story.write_log(tmp_path, story.make_affected_log())
