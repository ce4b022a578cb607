"""Worlds that are ready to be served, by name; must not know how they are served."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType

from tests.arm.world import World
from tests.incidents.corpus import INCIDENT_CLASSES
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident

WorldFactory = Callable[[], World]


def create_affected() -> World:
    """One VM, cut off by its live migration two hours ago."""
    return World.with_one_vm()


def create_clean() -> World:
    """One VM, live-migrated two hours ago, that took no harm."""
    return World.with_one_vm(lost_ago=None)


def create_fleet() -> World:
    """200 VMs, ten of them cut off."""
    return World.with_fleet()


def create_incident(name: str, seed: int = 1) -> World:
    """An incident of that class of the corpus."""
    scene = Scene(seed, list(INCIDENT_CLASSES).index(name), datetime.now(UTC) - timedelta(minutes=1))
    return World.from_incidents(stage_incident(name, seed, 0, scene, INCIDENT_CLASSES[name](scene)))


WORLDS_BY_NAME: Mapping[str, WorldFactory] = MappingProxyType(
    {"affected": create_affected, "clean": create_clean, "fleet": create_fleet}
    | {name: partial(create_incident, name) for name in INCIDENT_CLASSES}
)
"""By name, in the order in which they are listed."""
