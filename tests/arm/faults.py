"""What can go wrong between a client and Azure, and with which requests.

A fault is `Fault(path=..., kind=..., **settings)`; `tests.arm.fault_behaviours` and `tests.arm.half_answers` list
the kinds and their settings.
"""

import inspect
import re
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.arm import fault_behaviours, half_answers
from tests.arm.exchange import Exchange
from tests.arm.fault_behaviours import FAULT_PARAMETER

BEHAVIOURS = {**fault_behaviours.BEHAVIOURS, **half_answers.HALF_ANSWERS}


class Fault:
    """Something that goes wrong with requests whose path and query match, and whose body does (`asking`).

    The first fault that matches is taken.
    """

    def __init__(  # noqa: PLR0913 - each narrows what is struck
        self,
        *,
        path: str,
        kind: str,
        method: str | None = None,
        times: int | None = None,
        after: int = 0,
        asking: str = "",
        **settings: Any,
    ) -> None:
        _check_settings(kind, settings)
        self._path = re.compile(path, re.IGNORECASE)
        self._method = method
        self._body = re.compile(asking.encode(), re.IGNORECASE)
        self._passes_left = after
        # A token expires once; the next one holds.
        self._times_left = 1 if kind == "expire_token" and times is None else times
        self.kind = kind
        self.settings = MappingProxyType(settings)

    def matches_request(self, method: str, target: str, body: bytes = b"") -> bool:
        """Whether it strikes this request; each time it does, it counts."""
        if self._method not in (None, method) or f"{FAULT_PARAMETER}=passed" in target:
            return False
        if not self._path.search(target) or not self._body.search(body):
            return False
        if self._passes_left > 0:
            self._passes_left -= 1
            return False
        if self._times_left == 0:
            return False
        if self._times_left is not None:
            self._times_left -= 1
        return True

    async def answer_request(self, exchange: Exchange) -> web.StreamResponse:
        """Answer in place of the service, or spoil its answer."""
        return await BEHAVIOURS[self.kind](exchange, **self.settings)


def _check_settings(kind: str, settings: Mapping[str, Any]) -> None:
    if kind not in BEHAVIOURS:
        message = f"No fault is called {kind!r}; there are {', '.join(sorted(BEHAVIOURS))}"
        raise ValueError(message)
    _, *known = inspect.signature(BEHAVIOURS[kind]).parameters.values()
    needs = {each.name for each in known if each.default is each.empty}
    may = {each.name for each in known} - needs
    if not needs <= settings.keys() <= needs | may:
        message = f"{kind} needs {sorted(needs)} and may have {sorted(may)}, not {sorted(settings)}"
        raise ValueError(message)


class ActiveFaults:
    """Those that are in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put one in force, behind the others."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """End all of them."""
        with self._lock:
            self._faults.clear()

    def find_matching(self, method: str, target: str, body: bytes = b"") -> Fault | None:
        """The first that strikes this request."""
        with self._lock:
            return next((fault for fault in self._faults if fault.matches_request(method, target, body)), None)
