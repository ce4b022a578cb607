"""A request as routes see it, their answer, and their refusal; must not know sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from tests.incidents.wire.plain import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request whose route was found; the names of headers and path parts are in lower case."""

    method: str
    path: str
    origin: str
    """The server's own address, as discovery tells it."""
    path_names: Mapping[str, str]
    """What stands in the path where the route has a name."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    page_size: int
    """So many items a page of a list holds."""
    request_id: str
    correlation_id: str
    client_request_id: str

    def decode_body(self) -> JsonObject:
        """The body, which must be a JSON object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            refuse(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back; no body where it is None."""

    status: int = 200
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - it is an answer, and no error of ours
    """An answer that ends the work on a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refuse(status: int, code: str, message: str, **headers: str) -> NoReturn:
    """Azure Resource Manager's form: `error` around `code` and `message`. Header names have _ for -."""
    body: JsonObject = {"error": {"code": code, "message": message}}
    raise Refusal(Answer(status=status, body=body, headers=_convert_names(headers)))


def refuse_flat(status: int, code: str, message: str) -> NoReturn:
    """The form of metrics: no `error` around it."""
    raise Refusal(Answer(status=status, body={"code": code, "message": message}))


def refuse_in_capitals(status: int, code: str, message: str) -> NoReturn:
    """The form of the activity log: capital keys, no `error` around them."""
    raise Refusal(Answer(status=status, body={"Code": code, "Message": message}))


def _convert_names(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


def get_action_scope(path: str) -> str:
    """The scope over which an action is asked: the resource, or what the last type in the path lies in."""
    before, _, last = path.rpartition("/providers/")
    parts = (last or path.strip("/")).split("/")
    # Behind the provider's name come pairs of type and name; a type alone is a list, or an action.
    is_whole = len(parts) % 2 == (1 if last else 0)
    kept = "/".join(parts if is_whole else parts[:-1])
    return f"{before}/providers/{kept}" if last else f"/{kept}"
