"""Worlds that are ready to be served, by name; must not know how they are served."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType

from tests.arm.world import World
from tests.incidents.corpus import CLASSES
from tests.incidents.scene import Scene
from tests.incidents.staging import incident

Telling = Callable[[], World]


def affected() -> World:
    """One VM, cut off by its live migration two hours ago."""
    return World.one()


def clean() -> World:
    """One VM, live-migrated two hours ago, that took no harm."""
    return World.one(lost_ago=None)


def fleet() -> World:
    """200 VMs, ten of them cut off."""
    return World.fleet()


def told(name: str, seed: int = 1) -> World:
    """An incident of that class of the corpus."""
    scene = Scene(seed, list(CLASSES).index(name), datetime.now(UTC) - timedelta(minutes=1))
    return World.of(incident(name, seed, 0, scene, CLASSES[name](scene)))


STORIES: Mapping[str, Telling] = MappingProxyType(
    {"affected": affected, "clean": clean, "fleet": fleet} | {name: partial(told, name) for name in CLASSES}
)
"""By name, in the order in which they are listed."""
