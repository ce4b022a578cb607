"""A local Azure Resource Manager over TLS, as strict as Azure, for programs that run as they are."""

from tests.arm import timeline_stories
from tests.arm.faults import Fault
from tests.arm.foreign_server import ForeignServer
from tests.arm.listeners import Proxy, SilentServer
from tests.arm.redeploy import RedeployBehaviour
from tests.arm.server import ArmServer, RecordedRequest
from tests.arm.world import World

__all__ = [
    "ArmServer",
    "Fault",
    "ForeignServer",
    "Proxy",
    "RecordedRequest",
    "RedeployBehaviour",
    "SilentServer",
    "World",
    "timeline_stories",
]
