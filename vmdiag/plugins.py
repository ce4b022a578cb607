"""The registry of plug-ins is the folder listing: a file's name is its public name; must not know what a plug-in is.

`live_migration_datapath.py` is the plug-in `live-migration-datapath`. Files that begin with an underscore are helpers
of their folder, not plug-ins. Listing imports nothing.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType


@cache
def list_names(package: ModuleType) -> tuple[str, ...]:
    """The plug-ins of a package, sorted; nothing is imported."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def load(package: ModuleType, name: str) -> ModuleType:
    """Import one plug-in by its public name; `LookupError` when the folder holds no such file."""
    if name not in list_names(package):
        message = f"no plug-in {name!r} in {package.__name__}"
        raise LookupError(message)
    return importlib.import_module(f"{package.__name__}.{name.replace('-', '_')}")


@cache
def load_all(package: ModuleType) -> Mapping[str, ModuleType]:
    """All plug-ins of a package by their public names, in their order."""
    return {name: load(package, name) for name in list_names(package)}
