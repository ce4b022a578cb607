"""The actions of `--prove`: the only POSTs besides queries that a reading may send.

Each looks at a VM from somewhere else and changes nothing; each needs a right that Reader lacks.

Sources: "REST API: Network Watchers - Check Connectivity", "- Verify IP Flow", "- Get Next Hop", "Load Balancer Load
Balancing Rules - Health", "Application Gateways - Backend Health".
"""

import re

from vmdiag.arm.request import Request
from vmdiag.errors import NotAllowed

_NAMED = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.network"
PROOF_PATHS = (
    re.compile(rf"{_NAMED}/networkwatchers/[^/]+/(connectivitycheck|ipflowverify|nexthop)", re.IGNORECASE),
    re.compile(rf"{_NAMED}/loadbalancers/[^/]+/loadbalancingrules/[^/]+/health", re.IGNORECASE),
    re.compile(rf"{_NAMED}/applicationgateways/[^/]+/backendhealth", re.IGNORECASE),
)


def require_proof_action(request: Request, *, proves: bool) -> None:
    """Raise for an action that this run may not send: without `--prove` any, with it what is none of its own."""
    if request.is_action and not (proves and any(path.fullmatch(request.path) for path in PROOF_PATHS)):
        message = f"{request.description}: an action that was not asked for"
        raise NotAllowed(message, "Only --prove sends actions, and only those that look.")
