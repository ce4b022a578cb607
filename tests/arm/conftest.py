"""Servers of a world, each with a client that is signed in to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.arm.client import Client, create_client
from tests.arm.server import ArmServer
from tests.arm.world import World

ServerStarter = Callable[..., Client]


@pytest.fixture
def serve() -> Iterator[ServerStarter]:
    """Serve one affected VM, or the world given: `serve(world, page=10)`; gives a client that is signed in."""
    with ExitStack() as running:

        def start_server(world: World | None = None, **settings: Any) -> Client:
            world = World.with_one_vm() if world is None else world
            return create_client(running.enter_context(ArmServer(world, **settings)))

        yield start_server


@pytest.fixture
def arm(request: pytest.FixtureRequest) -> Iterator[ArmServer]:
    """One affected VM, served; a page holds as many items as the module's PAGE says."""
    with ArmServer(World.with_one_vm(), page=getattr(request.module, "PAGE", 200)) as served:
        yield served


@pytest.fixture
def client(arm: ArmServer) -> Client:
    """A client that is signed in to `arm`."""
    return create_client(arm)
