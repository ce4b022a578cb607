"""A client of a few lines, for tests of the server: it signs in and asks; must not know what the answers mean."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.arm.server import ArmServer

COMPUTE, HEALTH, METRICS, LOG, GRAPH = "2023-03-01", "2022-10-01", "2018-01-01", "2015-04-01", "2021-03-01"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)

    @property
    def error_code(self) -> str:
        """The code of an error, in whichever form it is told."""
        body = self.json
        inner = body.get("error", body) if isinstance(body, dict) else {}
        return str(inner if isinstance(inner, str) else inner.get("code", inner.get("Code", "")))


@dataclass(slots=True)
class Client:
    """Asks one server, or whoever is at `origin`; `headers` go with every request."""

    arm: ArmServer
    headers: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    timeout: float = 10.0
    """Seconds that it waits for an answer."""

    def sign_in(self, audience: str = "", **form: str) -> Reply:
        """Get a token for an audience, Resource Manager's by default, and use it from now on."""
        who = self.arm.world.principal
        asked = {
            "grant_type": "client_credentials",
            "client_id": who.client,
            "client_secret": who.secret,
            "scope": f"{audience or self.arm.url}/.default",
            **form,
        }
        reply = self.send("POST", f"/{who.tenant}/oauth2/v2.0/token", content=urlencode(asked).encode())
        if reply.status == 200:
            self.headers["Authorization"] = f"Bearer {reply.json['access_token']}"
        return reply

    def get(self, path: str, version: str = "", **query: str) -> Reply:
        """GET; in the names of query parameters `_` stands for `$`."""
        named = {name.replace("_", "$"): value for name, value in query.items()}
        return self.send("GET", path, {"api-version": version, **named} if version else named)

    def post(self, path: str, version: str = "", body: Any = None) -> Reply:
        """POST of JSON, or of nothing."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.send("POST", path, {"api-version": version} if version else {}, content=content)

    def query_graph(self, text: str, **options: Any) -> Reply:
        """A query to Resource Graph, with options that have a `$` where the name here has none to show."""
        named = {name if name == "resultFormat" else f"${name}": value for name, value in options.items()}
        body = {"query": text, "options": named}
        return self.post("/providers/Microsoft.ResourceGraph/resources", GRAPH, body)

    def follow_link(self, link: str) -> Reply:
        """What an absolute link leads to."""
        parts = urlsplit(link)
        return self.send("GET", f"{parts.path}?{parts.query}")

    def send(self, method: str, path: str, query: Mapping[str, str] | None = None, *, content: bytes = b"") -> Reply:
        """Any request."""
        target = f"{path}?{urlencode(query)}" if query else path
        context = ssl.create_default_context(cafile=str(self.arm.ca_bundle))
        where = urlsplit(self.origin or self.arm.url).netloc
        connection = http.client.HTTPSConnection(where, context=context, timeout=self.timeout)
        try:
            connection.request(method, target.replace(" ", "%20"), body=content, headers=self.headers)
            found = connection.getresponse()
            headers = {name.lower(): value for name, value in found.getheaders()}
            return Reply(found.status, headers, found.read())
        finally:
            connection.close()


def create_client(arm: ArmServer) -> Client:
    """A client with a token for Resource Manager."""
    client = Client(arm)
    assert client.sign_in().status == 200
    return client
