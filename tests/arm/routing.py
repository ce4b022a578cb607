"""Which route a request takes, and what it must bring: version, token, right; must not know what is answered."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.world import World

Handler: TypeAlias = Callable[[World, ApiCall], Answer]

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{{name}}"
INSTANCE = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/{{set}}/virtualMachines/{{name}}"


@dataclass(frozen=True)
class Route:
    """One operation of the API. In the path `{name}` is one part, `{scope}` any number of them."""

    path: str
    handler: Handler
    action: str = ""
    """The right that it needs; none where it is empty."""
    versions: Sequence[str] = ()
    """Those that are known; none is asked for where there are none."""
    method: str = "GET"
    audience: str = "arm"
    """For what its token must be: `arm`, `logs`, or nothing."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like, in any letter case."""
        parts = re.split(r"\{(\w+)\}", self.path)
        named = [f"(?P<{part}>{'.+' if part == 'scope' else '[^/]+'})" for part in parts[1::2]]
        pieces = [re.escape(part) for part in parts[::2]]
        pattern = pieces[0] + "".join(name + piece for name, piece in zip(named, pieces[1:], strict=True))
        return re.compile(f"{pattern}/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route, and what its names stand for in a path."""

    route: Route
    path_names: dict[str, str]


def find_route(routes: Sequence[Route], method: str, path: str) -> RouteMatch:
    """The first route that fits."""
    known = False
    for route in routes:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return RouteMatch(route, match.groupdict())
        known = known or match is not None
    if known:
        refuse(405, "HttpMethodNotAllowed", f"The http method '{method}' is not allowed on this resource.")
    return refuse(404, "InvalidResourceType", f"The resource type could not be found for '{path}'.")


def check_version(taken: RouteMatch, query_version: str | None, ceiling: str | None) -> None:
    """Refuse a version that is missing or unknown, in the words of whoever would."""
    versions = taken.route.versions
    if not versions:
        return
    if not query_version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        refuse(400, "MissingApiVersionParameter", message)
    is_compute = "/Microsoft.Compute/" in taken.route.path and taken.route.action.startswith("Microsoft.Compute/")
    known = [each for each in versions if not (is_compute and ceiling and each > ceiling)]
    if query_version in known:
        return
    supported = ", ".join(sorted(known, reverse=True))
    if is_compute:
        message = (
            f"No registered resource provider found for location 'westeurope' and API version '{query_version}' for"
            f" type 'virtualMachines'. The supported api-versions are '{supported}'. The supported locations are"
            " 'westeurope, northeurope'."
        )
        refuse(400, "NoRegisteredProviderFound", message)
    message = f"The api-version '{query_version}' is invalid. The supported versions are '{supported}'."
    refuse(400, "InvalidApiVersionParameter", message)


def check_right(world: World, action: str, scope: str) -> None:
    """Refuse what the principal may not do."""
    if action and not world.allows_action(action, scope):
        who = world.principal
        message = (
            f"The client '{who.client}' with object id '{who.object_id}' does not have authorization to perform action"
            f" '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh"
            " your credentials."
        )
        refuse(403, "AuthorizationFailed", message)


def check_subscription(world: World, names: dict[str, str]) -> None:
    """Refuse a subscription that does not exist."""
    subscription = names.get("subscription")
    if subscription is None or subscription.lower() in {each.lower() for each in world.subscriptions}:
        return
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", subscription.lower()):
        message = f"The provided subscription identifier '{subscription}' is malformed or invalid."
        refuse(400, "InvalidSubscriptionId", message)
    refuse(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
