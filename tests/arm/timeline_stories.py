"""Worlds that are ready to be served, by name."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.arm.world import World
from tests.incidents.corpus import INCIDENT_CLASSES
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident


def create_incident(name: str, seed: int = 1) -> World:
    """An incident of that class of the corpus."""
    scene = Scene(seed, list(INCIDENT_CLASSES).index(name), datetime.now(UTC) - timedelta(minutes=1))
    return World.from_incidents(stage_incident(name, seed, 0, scene, INCIDENT_CLASSES[name](scene)))


# In the order in which they are listed: a VM that its live migration cut off two hours ago, one that took no harm, and
# 200 VMs, ten of them cut off.
WORLDS_BY_NAME: Mapping[str, Callable[[], World]] = {
    "affected": World.with_one_vm,
    "clean": partial(World.with_one_vm, lost_ago=None),
    "fleet": World.with_fleet,
    **{name: partial(create_incident, name) for name in INCIDENT_CLASSES},
}
