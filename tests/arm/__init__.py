"""A local Azure Resource Manager over TLS, as strict as Azure, for programs that run as they are."""

from tests.arm import timeline_stories
from tests.arm.faults import Fault
from tests.arm.foreign_server import Stranger
from tests.arm.proxy import Proxy
from tests.arm.redeploy import Redeploying
from tests.arm.server import Arm, Seen
from tests.arm.silent import Silent
from tests.arm.world import World

__all__ = ["Arm", "Fault", "Proxy", "Redeploying", "Seen", "Silent", "Stranger", "World", "timeline_stories"]
