"""A local Azure Resource Manager over TLS, as strict as Azure, for programs that run as they are."""

from tests.arm import stories
from tests.arm.faults import Fault
from tests.arm.proxy import Proxy
from tests.arm.redeploy import Redeploying
from tests.arm.server import Arm, Seen
from tests.arm.silent import Silent
from tests.arm.stranger import Stranger
from tests.arm.world import World

__all__ = ["Arm", "Fault", "Proxy", "Redeploying", "Seen", "Silent", "Stranger", "World", "stories"]
