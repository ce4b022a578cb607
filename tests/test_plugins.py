"""The folder listing as a registry."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vmdiag import plugins


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with two plug-ins and a helper, one of the plug-ins broken."""
    folder = tmp_path / "shelf_of_plugins"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "two_words.py").write_text("ANSWER = 42\n")
    (folder / "broken.py").write_text("raise RuntimeError\n")
    (folder / "_helper.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module("shelf_of_plugins")
    monkeypatch.delitem(sys.modules, "shelf_of_plugins")
    return package


def test_a_files_name_is_the_plugins_name_by_which_it_is_loaded_and_listing_imports_nothing(
    package: ModuleType,
) -> None:
    assert plugins.list_names(package) == ("broken", "two-words")
    assert not [name for name in sys.modules if name.startswith("shelf_of_plugins.")]
    assert plugins.load(package, "two-words").ANSWER == 42


@pytest.mark.parametrize("name", ["two_words", "_helper", "helper", "", "..two-words", "none"])
def test_what_is_not_listed_is_not_loaded(package: ModuleType, name: str) -> None:
    with pytest.raises(LookupError, match="no plug-in"):
        plugins.load(package, name)
