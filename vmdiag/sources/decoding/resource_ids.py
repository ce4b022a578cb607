"""What a resource id says of itself: its VM, its group, whether traffic passes through it; must not know a format.

Ids are compared in lower case, as Azure does. Shapes: "Azure Resource Manager: resource ids", and the recorded oddities
(no leading slash, `resourcegroups`, all upper case).
"""

import re
from functools import lru_cache

from vmdiag.diagnosis.event_kinds import NETWORK_TYPES
from vmdiag.identity import VM_ID, VmId
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.items import MalformedRow

SUBSCRIPTION_ID = re.compile(r"/subscriptions/[^/]+", re.IGNORECASE)
GROUP_ID = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+", re.IGNORECASE)
NETWORK_ID = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.network/([^/]+)/[^/]+(?:/(?!providers/)[^/]+/[^/]+)*"
)
HEALTH_PROVIDER = "/providers/microsoft.resourcehealth/"


def find_resource_id(*values: object) -> str:
    """The first resource id among several fields, with its leading slash; raises `MalformedRow` when there is none."""
    for value in values:
        written = to_text(value).strip("/")
        if not written:
            continue
        if "//" in written:
            message = "the resource id has empty parts"
            raise MalformedRow(message)
        if written[:14].lower().startswith(("subscriptions/", "providers/")):
            return f"/{written}"
        message = "the resource id is no path of a subscription"
        raise MalformedRow(message)
    message = "no resource id"
    raise MalformedRow(message)


@lru_cache(maxsize=4096)  # thousands of rows in turn concern one VM
def parse_vm_id(identifier: str) -> VmId | None:
    """The VM that an id names; `None` for anything else, and for what lies below a VM."""
    found = VM_ID.match(identifier)
    below = identifier[found.end() :].strip("/") if found else ""
    return None if below else VmId.parse(identifier)


def parse_health_vm(identifier: str) -> VmId | None:
    """The VM whose health an id names: the VM's own id, or that of a health record below it."""
    cut = identifier.lower().find(HEALTH_PROVIDER)
    return parse_vm_id(identifier if cut < 0 else identifier[:cut])


def parse_scope(identifier: str) -> str | None:
    """The resource group of an id, else its subscription, in lower case; `None` for what belongs to a tenant."""
    found = GROUP_ID.match(identifier) or SUBSCRIPTION_ID.match(identifier)
    return found.group().lower() if found else None


def parse_subscription(identifier: str) -> str | None:
    """The subscription of an id, as a scope, in lower case."""
    found = SUBSCRIPTION_ID.match(identifier)
    return found.group().lower() if found else None


def parse_network_id(identifier: str) -> str | None:
    """The id, in lower case, of a network resource (or a part of one) that traffic passes through; else `None`."""
    lower = identifier.lower()
    found = NETWORK_ID.fullmatch(lower)
    return lower if found and f"microsoft.network/{found[1]}" in NETWORK_TYPES else None


def parse_parent_id(identifier: str) -> str:
    """The id of the top resource that a part of it (a subnet, a pool, an address configuration) belongs to."""
    head, marker, tail = identifier.lower().rpartition("/providers/")
    return f"{head}{marker}{'/'.join(tail.split('/')[:3])}"
