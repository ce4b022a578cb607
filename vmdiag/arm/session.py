"""One run's talk with Azure: signs in when first asked, paces, retries, follows pages; must not know a feed.

Only questions pass: GET, and POST to query endpoints. A page may name the next one only on its own origin, because the
token goes with it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from vmdiag.arm import _errors, _pages, _wire, clouds
from vmdiag.arm._pace import Pace
from vmdiag.arm._wire import Answer, Client
from vmdiag.arm.access import Access
from vmdiag.arm.clouds import Cloud
from vmdiag.arm.request import VERSIONS, Host, Request
from vmdiag.errors import BadAnswer, Interrupted, NotSignedIn, OutOfTime, SourceError, Throttled, Unreachable

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport

    from vmdiag.arm._credential import Credential

# Two more tries, after these seconds, unless the server names its own.
PAUSES = (0.5, 2.0)
WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504})
# A longer Retry-After is not sat out: Compute asks for up to 1,200 s, and the other feeds can be told at once.
LONGEST_WAIT = 30.0
MOST_PAGES = 1_000
# From here on this machine's clock is not used: the newest minutes would be missed, or looked for in the future.
WRONG_CLOCK = timedelta(minutes=2)
# No clock of anybody's is so far off; what follows from it could not even be counted.
IMPOSSIBLE_CLOCK = timedelta(days=20 * 365)
UNAUTHORIZED = 401  # of HTTP


class Session:
    """The door; safe to use from many threads. `clock` tells this machine's time, `stop` ends all waiting.

    `skew` is how far Azure's clock is ahead of this machine's, once something was answered.
    """

    def __init__(self, access: Access, clock: Callable[[], datetime], stop: threading.Event) -> None:
        self.access = access
        self._clock = clock
        self.stop = stop
        self._ends = 0.0
        self.begin()
        self._pace = Pace()
        self._versions = {**VERSIONS, **access.versions}
        self._transport = _wire.transport(access.jobs)
        self._clients: dict[Host, Client] = {}
        self._cloud: Cloud | SourceError | None = clouds.named(access.cloud)
        self._credential: Credential | None = None
        self._lock = threading.RLock()
        self._clock_read = False
        self.skew = timedelta()

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
    def now(self) -> datetime:
        """Azure's time: this machine's, put right where it is wrong by more than an answer can be late."""
        return self._clock() + (self.skew if self.is_clock_wrong else timedelta())

    @property
    def is_clock_wrong(self) -> bool:
        """Whether this machine's clock is too far off to be used."""
        return abs(self.skew) > WRONG_CLOCK

    def sign_in(self) -> Mapping[str, object]:
        """Get a token, or raise `NotSignedIn`; what the token says of its bearer."""
        # Imported while the cloud answers, in another thread: it takes as long as several round trips.
        from vmdiag.arm._credential import claims

        with _errors.translated("signing in", NotSignedIn):
            return claims(self._signed().get_token(self.cloud.scope, enable_cae=True).token)

    @property
    def signed_in_by(self) -> str:
        """Which of azure-identity's credentials answered."""
        return self._signed().name()

    @property
    def credential(self) -> "Credential":
        """Who signs the requests, for the library that sends the one which changes something."""
        return self._signed()

    @property
    def transport(self) -> "RequestsTransport":
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

    def compare_clocks(self) -> timedelta:
        """How far the endpoint's clock is ahead, by a question that needs no sign-in and opens a connection."""
        cloud = self.cloud
        if not self._clock_read:
            self._announced(cloud.arm)
        return self.skew

    def pages(self, request: Request) -> Iterator[object]:
        """The pages of an answer, decoded, one by one; raises `SourceError`, perhaps after some of them."""
        link, body, seen = "", request.body, set[str]()
        while True:
            page = self._tried(request, link, body)
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
        anonymous = _wire.client(arm, self._transport, None, "")
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
        here, there = urlsplit(self._origin(request)), urlsplit(link)
        if (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
            message = f"{request.what}: the next page lies on another host, and the token is not taken there"
            raise BadAnswer(message, "What was read before it is told; find out who answers for that endpoint.")
        return link

    def _tried(
        self, request: Request, link: str, body: Mapping[str, object] | None, anonymous: Client | None = None
    ) -> object:
        """One page, tried again where something can be done about the refusal."""
        pauses = iter(PAUSES)
        while True:
            self._wait(self._pace.reserve(request.payer, request.provider), request)
            answer = self._once(request, link or self._url(request), body, anonymous)
            value, error = _pages.understood(request, answer)
            if error is None:
                return value
            pause = next(pauses, None)
            if pause is None or not self._is_mended(request, answer, pause):
                raise error

    def _once(
        self, request: Request, url: str, body: Mapping[str, object] | None, anonymous: Client | None
    ) -> Answer | SourceError:
        """The answer, or why there is none."""
        asked_at = self._clock()
        try:
            with _errors.translated(request.what):
                door = anonymous or self._client(request.host)
                answer = _wire.exchanged(door, request.what, url, body, self._left())
        except Unreachable as error:
            return error
        self._read_clock(answer.headers.get("Date", ""), asked_at)
        return answer

    def _is_mended(self, request: Request, answer: Answer | SourceError, pause: float) -> bool:
        """Do what makes another try worthwhile: wait, sign in again, speak an older version. False: nothing does."""
        if isinstance(answer, _errors.Untrusted):
            return False
        if isinstance(answer, SourceError) or answer.status == _pages.OK:
            self._wait(pause, request)
        elif answer.status in WORTH_ANOTHER_TRY:
            after = _errors.retry_after(answer.headers, self.now)
            if after is not None:
                # Who comes next would be refused, too.
                provider = "" if _errors.is_for_all(answer.body) else request.provider
                self._pace.close(request.payer, provider, after)
            self._wait(pause if after is None else after, request)
        elif answer.status == UNAUTHORIZED:
            self._signed().renew(answer.token)
        else:
            older = _errors.spoken(answer.body, self._versions.get(request.service, ""))
            if older is None:
                return False
            self._versions[request.service] = older
        return True

    def _wait(self, seconds: float, request: Request) -> None:
        if seconds > LONGEST_WAIT:
            until = self.now + timedelta(seconds=seconds)
            message = f"{request.what}: throttled until {until:%H:%M:%S}Z"
            raise Throttled(message, "Run again after that; fewer VMs ask for less.")
        if self.stop.wait(min(seconds, self._left())):
            message = f"{request.what}: interrupted"
            raise Interrupted(message, "Run again.")
        if self._left() <= 0:
            message = f"{request.what}: the run's time was over"
            raise OutOfTime(message, "Give a longer --timeout.")

    def _left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _signed(self) -> "Credential":
        from vmdiag.arm._credential import Credential

        cloud = self.cloud
        with self._lock:
            if self._credential is None:
                self._credential = Credential(self.access.credential, cloud)
            return self._credential

    def _client(self, host: Host) -> Client:
        cloud, credential = self.cloud, self._signed()
        with self._lock:
            if host not in self._clients:
                scope = cloud.scope if host is Host.ARM else f"{cloud.logs}/.default"
                self._clients[host] = _wire.client(cloud.arm, self._transport, credential, scope)
            return self._clients[host]

    def _read_clock(self, date: str, asked_at: datetime) -> None:
        """The first answer's clock is taken for Azure's, until a later one cannot agree: a clock is set in mid-run."""
        try:
            told = parsedate_to_datetime(date)
            least, most = told - self._clock(), told - asked_at
        except (TypeError, ValueError):
            return
        if abs(least) > IMPOSSIBLE_CLOCK:
            return
        if not self._clock_read or not least - WRONG_CLOCK <= self.skew <= most + WRONG_CLOCK:
            self.skew = least
        self._clock_read = True
