"""A TLS server in a thread of its own, under an authority that lives as long as the tests; must not know answers."""

import asyncio
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import trustme
from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_LINE_LIMIT = 1 << 16
AUTHORITY = trustme.CA()
PUBLIC_HOSTS = (
    "management.azure.com",
    "login.microsoftonline.com",
    "api.loganalytics.io",
    "*.metrics.monitor.azure.com",
)
"""As which it is taken by whoever comes through a proxy."""


class TlsServer:
    """Serves from `start` to `stop`, on the loopback interface and a port that was free."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self._handler = handler
        self._wanted_port = port
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run_loop, name="arm", daemon=True)
        self._folder = tempfile.TemporaryDirectory(prefix="arm-")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self.port = 0
        self.ca = Path(self._folder.name, "ca.pem")

    def start(self) -> None:
        """Return when it is served. Raises OSError where the port is taken."""
        AUTHORITY.cert_pem.write_to_path(str(self.ca))
        self._thread.start()
        self._ready.wait()
        if self._failure:
            self._folder.cleanup()
            raise self._failure

    def stop(self) -> None:
        """End everything under way, and return when it has ended."""
        if self._loop and self._stopping:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._folder.cleanup()

    def _run_loop(self) -> None:
        asyncio.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._handler, max_line_size=_LINE_LIMIT, max_field_size=_LINE_LIMIT)
        # What hangs on purpose is not waited for.
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._wanted_port, ssl_context=_create_tls_context())
            await site.start()
        except OSError as failure:
            self._failure = failure
            await runner.cleanup()
            self._ready.set()
            return
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopping.wait()
        # A client that keeps its connection would be waited for, until it says goodbye in TLS.
        for connection in server.connections:
            if connection.transport:
                connection.transport.abort()
        await runner.cleanup()


def _create_tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost", "127.0.0.1", *PUBLIC_HOSTS).configure_cert(context)
    return context
