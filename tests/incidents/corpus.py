"""The corpus: incidents of all classes in turn, and the batches in which they are judged."""

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from tests.incidents import classes
from tests.incidents.catalogue import REGIONS
from tests.incidents.model import Batch, Incident, Label
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident

StoryFunction = Callable[[Scene], Label]

BLOCK_SIZE = len(REGIONS)
"""So many incidents in a row share one end of the window, and each has a region of its own."""


def _load_classes() -> Mapping[str, StoryFunction]:
    names = sorted(module.name for module in pkgutil.iter_modules(classes.__path__))
    modules = [importlib.import_module(f"{classes.__name__}.{name}") for name in names]
    return MappingProxyType(
        {
            name: told
            for module in modules
            for name, told in vars(module).items()
            if callable(told) and told.__module__ == module.__name__ and not name.startswith("_")
        }
    )


INCIDENT_CLASSES: Mapping[str, StoryFunction] = _load_classes()
"""Name of the class and the function that tells it, as found in the modules."""


def choose_window_end(seed: int, block: int) -> datetime:
    """The end of a block's window: any second from March 2025 on, near midnight as likely as at noon."""
    rng = random.Random(f"until/{seed}/{block}")  # noqa: S311 - a story, no secret
    return datetime(2025, 3, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(500 * 86400))


def generate_incidents(seed: int, count: int) -> Iterator[Incident]:
    """So many incidents, the classes in turn; the same seed gives the same bytes."""
    names = list(INCIDENT_CLASSES)
    for index in range(count):
        name = names[index % len(names)]
        scene = Scene(seed, index, choose_window_end(seed, index // BLOCK_SIZE))
        yield stage_incident(name, seed, index, scene, INCIDENT_CLASSES[name](scene))


def generate_batches(seed: int, count: int, size: int = BLOCK_SIZE) -> Iterator[Batch]:
    """The incidents in folders for one run each: one window, at most `size`, no region twice."""
    waiting: dict[str | None, list[Incident]] = {}
    for each in generate_incidents(seed, count):
        if each.unreachable_since is not None:
            # What the operator states is said of every VM of a run.
            yield Batch(each.until, (each,))
            continue
        block = [same for batch in waiting.values() for same in batch]
        if block and (len(block) == size or block[0].until != each.until):
            yield from _make_batches(waiting)
            waiting = {}
        waiting.setdefault(each.since, []).append(each)
    yield from _make_batches(waiting)


def _make_batches(waiting: Mapping[str | None, list[Incident]]) -> Iterator[Batch]:
    """A batch for each window that was asked for."""
    return (Batch(batch[0].until, tuple(batch)) for batch in waiting.values())
