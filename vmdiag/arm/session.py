"""One run's talk with Azure: signs in when first asked, paces, retries, follows pages; must not know a feed.

Only questions pass: GET, and POST to query endpoints. A page may name the next one only on its own origin, because the
token goes with it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from vmdiag.arm import _deadline, _errors, _exchange, _pages, clouds
from vmdiag.arm._clock import AzureClock
from vmdiag.arm._exchange import Answer, Client
from vmdiag.arm._rate_limiter import Pace
from vmdiag.arm._retry_schedule import Patience
from vmdiag.arm._transport import WHOLE, Transport
from vmdiag.arm.access import Access
from vmdiag.arm.clouds import Cloud
from vmdiag.arm.request import VERSIONS, Host, Request
from vmdiag.errors import BadAnswer, Interrupted, NotSignedIn, OutOfTime, SourceError, Throttled, Unreachable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from vmdiag.arm._credential import Credential

Result = TypeVar("Result")
WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504})
# A longer Retry-After is not sat out: Compute asks for up to 1,200 s, and the other feeds can be told at once.
LONGEST_WAIT = 30.0
MOST_PAGES = 1_000
UNAUTHORIZED = 401  # of HTTP


class Session:
    """The door; safe to use from many threads. `clock` tells this machine's time, `stop` ends all waiting."""

    def __init__(self, access: Access, clock: Callable[[], datetime], stop: threading.Event) -> None:
        self.access = access
        self._clock = AzureClock(clock)
        self.stop = stop
        self._ends = 0.0
        self.begin()
        self._pace = Pace()
        self._versions = {**VERSIONS, **access.versions}
        self._transport = Transport(access.jobs, access.trusted)
        self._clients: dict[Host, Client] = {}
        self._cloud: Cloud | SourceError | None = clouds.named(access.cloud)
        self._credential: Credential | None = None
        self._lock = threading.RLock()

    @property
    def cloud(self) -> Cloud:
        """The cloud, discovered at its endpoint where it is not a built-in one."""
        with self._lock:
            if self._cloud is None:
                self._cloud = self._discovered()
            if isinstance(self._cloud, SourceError):
                raise self._cloud
            return self._cloud

    def _discovered(self) -> Cloud | SourceError:
        """The cloud of the endpoint, or why it is not known: whoever asks next need not find out anew."""
        arm = clouds.endpoint(self.access.cloud)
        try:
            return clouds.discovered(self._announced(arm), arm, self.access.authority)
        except SourceError as error:
            return error

    @property
    def skew(self) -> timedelta | None:
        """How far Azure's clock is ahead of this machine's; `None` where no answer told a time."""
        return self._clock.skew if self._clock.is_read else None

    @property
    def now(self) -> datetime:
        """Azure's time: this machine's, put right where it is wrong by more than an answer can be late."""
        return self._clock.now

    @property
    def is_clock_wrong(self) -> bool:
        """Whether this machine's clock is too far off to be used."""
        return self._clock.is_wrong

    def sign_in(self) -> Mapping[str, object]:
        """Get a token, or raise `NotSignedIn`; what the token says of its bearer."""
        # Imported while the cloud answers, in another thread: it takes as long as several round trips.
        from vmdiag.arm._credential import claims

        scope = self.cloud.scope
        with _errors.translated("signing in", NotSignedIn):
            return claims(self.get_token(scope, enable_cae=True).token)

    def get_token(self, *scopes: str, enable_cae: bool = False) -> "AccessToken":
        """A token for these scopes, within the run's time."""
        return self._limited("signing in", lambda: self._signed().get_token(*scopes, enable_cae=enable_cae))

    @property
    def signed_in_by(self) -> str:
        """Which of azure-identity's credentials answered."""
        return self._signed().name()

    @property
    def credential(self) -> "Session":
        """Who signs the requests, for the library that sends the one which changes something."""
        return self

    @property
    def transport(self) -> Transport:
        """The connections, for that library, too."""
        return self._transport

    def version(self, service: str) -> str:
        """The api-version in which a service is spoken to, as it turned out to be understood."""
        return self._versions[service]

    def begin(self) -> None:
        """From here on the run's time counts anew: another reading begins."""
        self._ends = time.monotonic() + self.access.timeout.total_seconds()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be waited for: the run was stopped, or its time is over."""
        return self.stop.is_set() or self._left() <= 0

    def compare_clocks(self) -> timedelta | None:
        """How far the endpoint's clock is ahead, by a question that needs no sign-in and opens a connection."""
        cloud = self.cloud
        if not self._clock.is_read:
            self._announced(cloud.arm)
        return self.skew

    def pages(self, request: Request) -> Iterator[object]:
        """The pages of an answer, decoded, one by one; raises `SourceError`, perhaps after some of them."""
        link, body, seen, rows = "", request.body, set[str](), 0
        while True:
            try:
                page = self._tried(request, link, body)
            except _errors.TooLarge as error:
                body = _pages.narrowed(body, rows, error)
                continue
            rows += _pages.count(page)
            yield page
            following = _pages.onwards(page)
            if not following:
                return
            if following in seen:
                message = f"{request.what}: page {len(seen) + 1} names a page that was read before as the next"
                raise BadAnswer(message, _errors.LATER)
            seen.add(following)
            if len(seen) >= MOST_PAGES:
                message = f"{request.what}: only the first {MOST_PAGES} pages were read"
                raise BadAnswer(message, "Ask for less: a shorter --since, or fewer VMs.")
            if body is None:
                link = self._next(request, following)
            else:
                body = _pages.continued(body, following)

    def _announced(self, arm: str) -> object:
        request = Request(what=arm, service="metadata", path="/metadata/endpoints", permission="")
        anonymous = _exchange.client(arm, self._transport, None, "")
        return self._tried(request, f"{arm}{self._below(request)}", None, anonymous)

    def _url(self, request: Request) -> str:
        return f"{self._origin(request)}{self._below(request)}"

    def _below(self, request: Request) -> str:
        """The request's path and query."""
        params = dict(request.params)
        if request.service in self._versions:
            params["api-version"] = self._versions[request.service]
        query = "&".join(f"{name}={quote(value, safe=':,/')}" for name, value in params.items())
        return f"{quote(request.path, safe='/')}{'?' if query else ''}{query}"

    def _origin(self, request: Request) -> str:
        origin = self.cloud.arm if request.host is Host.ARM else self.cloud.logs
        if origin is None:
            message = f"{request.what}: no Log Analytics endpoint is known for the cloud {self.cloud.name}"
            raise BadAnswer(message, "Give the cloud by its address: --cloud https://MANAGEMENT-ENDPOINT.")
        return origin

    def _next(self, request: Request, link: str) -> str:
        here = self._origin(request)
        below = clouds.below(here, link)
        if below is None:
            message = f"{request.what}: the next page lies on another host, and the token is not taken there"
            raise BadAnswer(message, "What was read before it is told; find out who answers for that endpoint.")
        return f"{here}{below}"

    def _tried(
        self, request: Request, link: str, body: Mapping[str, object] | None, anonymous: Client | None = None
    ) -> object:
        """One page, tried again where something can be done about the refusal."""
        patience = Patience()
        while True:
            self._wait(self._pace.reserve(request.payer, request.provider), request)
            answer = self._once(request, link or self._url(request), body, anonymous)
            value, error = _pages.understood(request, answer)
            if error is None:
                return value
            if not patience.lasts or not self._is_mended(request, answer, patience, anonymous):
                raise error

    def _once(
        self, request: Request, url: str, body: Mapping[str, object] | None, anonymous: Client | None
    ) -> Answer | SourceError:
        """The answer, or why there is none."""
        asked_at = self._clock.own()
        what = request.what
        try:
            with _errors.translated(what):
                answer = self._limited(
                    what, lambda: _exchange.exchanged(anonymous or self._client(request.host), what, url, body), WHOLE
                )
        except Unreachable as error:
            return error
        self._clock.read(answer.headers.get("Date", ""), asked_at)
        self._pace.close(request.payer, request.provider, _errors.quota_reset(answer.headers) or 0.0)
        return answer

    def _limited(self, what: str, act: Callable[[], Result], longest: float | None = None) -> Result:
        """Do something that waits for others, as long as there is time, and no longer than it may take."""
        left = self._left()
        try:
            return _deadline.run(act, left if longest is None else min(longest, left), self.stop)
        except InterruptedError as error:
            raise _interrupted(what) from error
        except TimeoutError as error:
            if self._left() <= 0:
                raise _out_of_time(what) from error
            message = f"{what}: no whole answer in {longest:.0f} s"
            raise Unreachable(message, "Check the network and the proxy.") from error

    def _is_mended(
        self, request: Request, answer: Answer | SourceError, patience: Patience, anonymous: Client | None
    ) -> bool:
        """Do what makes another try worthwhile: wait, sign in again, speak an older version. False: nothing does."""
        if isinstance(answer, _errors.Untrusted):
            return False
        if isinstance(answer, SourceError) or answer.status == _pages.OK:
            self._wait(patience.pause(), request)
        elif answer.status in WORTH_ANOTHER_TRY:
            after = _errors.retry_after(answer.headers, self.now)
            pause = patience.pause(after)
            if after is not None:
                # Who comes next would be refused, too.
                provider = "" if _errors.is_for_all(answer.body) else request.provider
                self._pace.close(request.payer, provider, pause)
            self._wait(pause, request)
        elif answer.status == UNAUTHORIZED and anonymous is None:
            patience.pause()
            self._signed().renew(answer.token)
        else:
            older = _errors.spoken(answer.body, self._versions.get(request.service, ""))
            if older is None:
                return False
            patience.pause()
            self._versions[request.service] = older
        return True

    def _wait(self, seconds: float, request: Request) -> None:
        if seconds > LONGEST_WAIT:
            until = self.now + timedelta(seconds=seconds)
            message = f"{request.what}: throttled until {until:%H:%M:%S}Z"
            raise Throttled(message, "Run again after that; fewer VMs ask for less.")
        if self.stop.wait(min(seconds, self._left())):
            raise _interrupted(request.what)
        if self._left() <= 0:
            raise _out_of_time(request.what)

    def _left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _signed(self) -> "Credential":
        from vmdiag.arm._credential import Credential

        cloud = self.cloud
        with self._lock:
            if self._credential is None:
                self._credential = Credential(self.access, cloud, self._transport)
            return self._credential

    def _client(self, host: Host) -> Client:
        cloud, credential = self.cloud, self._signed()
        with self._lock:
            if host not in self._clients:
                scope = cloud.scope if host is Host.ARM else f"{cloud.logs}/.default"
                self._clients[host] = _exchange.client(cloud.arm, self._transport, credential, scope)
            return self._clients[host]


def _interrupted(what: str) -> Interrupted:
    return Interrupted(f"{what}: interrupted", "Run again.")


def _out_of_time(what: str) -> OutOfTime:
    return OutOfTime(f"{what}: the run's time was over", "Give a longer --timeout.")
