"""The connections to Azure and to whoever signs in, shared by all that is sent.

What the environment says counts where it names a proxy (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) or the authorities to trust
(REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE), and nowhere else: a login in `~/.netrc` would take the token's
place.
"""

import threading
from collections.abc import MutableMapping
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from vmdiag.arm import _deadline

# Seconds for the whole of one exchange.
EXCHANGE_TIMEOUT = 120.0
BLOCK_SIZE = 1 << 18


class Transport(RequestsTransport):  # type: ignore[misc]  # its module makes it known when it is asked for
    """No retries, no cookies, no redirects below the session's own rules, and an end to every exchange."""

    def __init__(self, connections: int, trusted: str | None = None) -> None:
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # With a login of its own, even one that does nothing, the library looks for no other.
        session.auth = lambda request: request
        for scheme in ("https://", "http://"):
            session.mount(scheme, _DeadlineAdapter(pool_connections=4, pool_maxsize=connections))
        super().__init__(session=session, connection_data_block_size=BLOCK_SIZE, connection_verify=trusted or True)

    def send(self, request: Any, *, proxies: MutableMapping[str, str] | None = None, **options: Any) -> Any:
        """Send a request; one that nobody else limits has `EXCHANGE_TIMEOUT` seconds for itself and its answer."""
        send = partial(super().send, request, proxies=proxies, **options)
        if _deadline.has_deadline():
            return send()
        try:
            return _deadline.run_with_deadline(partial(send, stream=False), EXCHANGE_TIMEOUT)
        except TimeoutError as error:
            message = f"no whole answer in {EXCHANGE_TIMEOUT:.0f} s: timed out"
            raise ServiceResponseTimeoutError(message, error=error) from error


class _HttpConnection(HTTPConnection):
    """A connection that is shut when the time of who uses it is over."""

    def connect(self) -> None:
        _deadline.attach_connection(self)
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        _deadline.attach_connection(self)
        super().request(*args, **options)


class _HttpsConnection(_HttpConnection, HTTPSConnection):
    """The same over TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOL_CLASSES = {"http": _HttpPool, "https": _HttpsPool}


class _DeadlineAdapter(HTTPAdapter):
    """Opens connections of these classes, through a proxy, too; they share what is trusted."""

    def __init__(self, **sizes: Any) -> None:
        self._tls = create_urllib3_context()
        self._loading = threading.Lock()
        self._trusted: set[tuple[str | None, str | None]] = set()
        super().__init__(**sizes)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        # One for SOCKS has its own classes, and speaks no TLS.
        if proxy.lower().startswith("socks"):
            return super().proxy_manager_for(proxy, ssl_context=self._tls, **options)
        own = {"ssl_context": self._tls, "proxy_ssl_context": self._tls}
        manager = super().proxy_manager_for(proxy, **own, **options)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager

    def cert_verify(self, conn: Any, *args: Any, **options: Any) -> None:
        """Trust the authorities of a file or folder; else each connection would load them, for longer than it opens."""
        with self._loading:
            super().cert_verify(conn, *args, **options)  # type: ignore[no-untyped-call]
            place = conn.ca_certs, conn.ca_cert_dir
            if any(place):
                if place not in self._trusted:
                    self._tls.load_verify_locations(*place)
                    self._trusted.add(place)
                conn.ca_certs = conn.ca_cert_dir = None
