"""One run's talk with Azure: signs in when first asked, paces, retries, follows pages.

Only questions pass: GET, POST to query endpoints, and with `--prove` its actions (`PROOF_PATHS`). A page may name the
next one only on its own origin, because the token goes with it.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from vmdiag.arm import _deadline, _exchange, clouds, error_translation
from vmdiag.arm._clock import AzureClock
from vmdiag.arm._exchange import Answer, Client
from vmdiag.arm._transport import EXCHANGE_TIMEOUT, Transport
from vmdiag.arm.clouds import Cloud
from vmdiag.arm.rate_limits import RateLimiter, RetryBudget, parse_quota_reset, parse_retry_after
from vmdiag.arm.request import API_VERSIONS, AzureSettings, Endpoint, Request, get_members, require_proof_action
from vmdiag.completeness import find_continuation
from vmdiag.errors import BadAnswer, Interrupted, NotSignedIn, OutOfTime, SourceError, Throttled, Unreachable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from vmdiag.arm._credential import CachedCredential

Result = TypeVar("Result")
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# A longer Retry-After is not sat out: Compute asks for up to 1,200 s, and the other feeds can be told at once.
WAIT_LIMIT = 30.0
PAGE_LIMIT = 1_000
HTTP_UNAUTHORIZED, HTTP_TOO_MANY_REQUESTS = 401, 429  # of HTTP
_REGION = re.compile(r"[a-z][a-z0-9]{2,40}", re.ASCII)


class Session:
    """The door; safe to use from many threads. `clock` tells this machine's time, `stop` ends all waiting.

    `ticks` counts the seconds in which Azure's allowances fill up.
    """

    def __init__(
        self,
        access: AzureSettings,
        clock: Callable[[], datetime],
        stop: threading.Event,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = access
        self.clock = AzureClock(clock)
        self.stop = stop
        self.restart_deadline()
        self._rate_limiter = RateLimiter(ticks)
        # In which each service is spoken to, as it turned out to be understood.
        self.api_versions = {**API_VERSIONS, **access.api_versions}
        self.transport = Transport(access.jobs, access.ca_bundle)
        self._clients: dict[Endpoint, Client] = {}
        self._cloud: Cloud | SourceError | None = clouds.find_builtin_cloud(access.cloud)
        self._credential: CachedCredential | None = None
        self._lock = threading.RLock()

    @property
    def cloud(self) -> Cloud:
        """The cloud, discovered at its endpoint where it is not a built-in one."""
        with self._lock:
            if self._cloud is None:
                arm = clouds.parse_endpoint(self.settings.cloud)
                try:
                    metadata = self._read_cloud_metadata(arm)
                    self._cloud = clouds.parse_cloud_metadata(metadata, arm, self.settings.authority)
                except SourceError as error:
                    # Whoever asks next need not find out anew.
                    self._cloud = error
            if isinstance(self._cloud, SourceError):
                raise self._cloud
            return self._cloud

    @property
    def now(self) -> datetime:
        """Azure's time."""
        return self.clock.now

    @staticmethod
    def import_credentials() -> None:
        """Import the libraries that sign in, which takes as long as a round trip."""
        import vmdiag.arm._credential  # noqa: F401

    def sign_in(self, host: Endpoint = Endpoint.ARM) -> Mapping[str, object]:
        """Get the token for a host, or raise `NotSignedIn`; what the token says of its bearer."""
        from vmdiag.arm._credential import decode_claims

        with error_translation.translate_errors("signing in", NotSignedIn):
            return decode_claims(self.get_token(self._find_token_scope(host), enable_cae=True).token)

    def get_token(self, *scopes: str, enable_cae: bool = False) -> "AccessToken":
        """A token for these scopes, within the run's time."""
        return self._run_limited("signing in", lambda: self._get_credential().get_token(*scopes, enable_cae=enable_cae))

    @property
    def credential_name(self) -> str:
        """Which of azure-identity's credentials answered."""
        return self._get_credential().get_credential_name()

    def restart_deadline(self) -> None:
        """From here on the run's time counts anew: another reading begins."""
        self._deadline = time.monotonic() + self.settings.timeout.total_seconds()

    @property
    def should_stop(self) -> bool:
        """Whether nothing more is to be waited for: the run was stopped, or its time is over."""
        return self.stop.is_set() or self._get_seconds_left() <= 0

    def measure_clock_skew(self) -> timedelta | None:
        """How far the endpoint's clock is ahead, by a question that needs no sign-in and opens a connection."""
        arm = self.cloud.arm
        if self.clock.skew is None:
            self._read_cloud_metadata(arm)
        return self.clock.skew

    def read_pages(self, request: Request) -> Iterator[object]:
        """The pages of an answer, decoded, one by one; raises `SourceError`, perhaps after some of them."""
        link, body, seen, rows = "", request.body, set[str](), 0
        while True:
            try:
                page = self.read_page(request, link, body)
            except error_translation.AnswerTooLarge as error:
                body = _exchange.build_smaller_query(body, rows, error)
                continue
            rows += _exchange.count_rows(page)
            following = find_continuation(get_members(page))
            # Whoever reads it may let it go before asking for the next one.
            pages = [page]
            del page
            yield pages.pop()
            if not following:
                return
            if following in seen:
                message = f"{request.description}: page {len(seen) + 1} names a page that was read before as the next"
                raise BadAnswer(message, error_translation.RETRY_HINT)
            seen.add(following)
            if len(seen) >= PAGE_LIMIT:
                message = f"{request.description}: only the first {PAGE_LIMIT} pages were read"
                raise BadAnswer(message, "Ask for less: a shorter --since, or fewer VMs.")
            if body is not None:
                body = _exchange.build_next_query(body, following)
                continue
            origin = self._get_origin(request)
            below = clouds.strip_origin(origin, following)
            if below is None:
                message = f"{request.description}: the next page lies on another host, and the token is not taken there"
                raise BadAnswer(message, "What was read before it is told; find out who answers for that endpoint.")
            link = f"{origin}{below}"

    def _read_cloud_metadata(self, arm: str) -> object:
        path, endpoint = "/metadata/endpoints", Endpoint.METADATA
        request = Request(description=arm, service="metadata", path=path, permission="", endpoint=endpoint)
        return self.read_page(request, f"{arm}{request.build_path(self.api_versions)}", None)

    def _get_origin(self, request: Request) -> str:
        if request.endpoint is Endpoint.CLUSTER:
            return clouds.require_own_cluster(self.settings.cluster or "", self.cloud)
        if request.endpoint is Endpoint.METRICS and self.cloud.metrics is not None:
            # A region's name comes from an answer, and the token goes there.
            if _REGION.fullmatch(request.region):
                return self.cloud.metrics.replace("https://", f"https://{request.region}.")
            message = f"{request.description}: {request.region[:60]!r} is no region's name"
            raise BadAnswer(message, "Its VMs are asked one by one.")
        origin = self.cloud.arm if request.endpoint is Endpoint.ARM else self.cloud.logs
        if origin is None:
            message = f"{request.description}: no Log Analytics endpoint is known for the cloud {self.cloud.name}"
            raise BadAnswer(message, "Give the cloud by its address: --cloud https://MANAGEMENT-ENDPOINT.")
        return origin

    def read_page(self, request: Request, link: str, body: Mapping[str, object] | None) -> object:
        """One page, tried again where something can be done about the refusal."""
        budget = RetryBudget()
        while True:
            payer = request.throttle_scope, request.provider
            self.wait_seconds(self._rate_limiter.reserve_request(*payer), request)
            # Who waited for a turn may have been refused it meanwhile, by an answer to somebody else.
            while (pause := self._rate_limiter.measure_block(*payer)) > 0:
                self.wait_seconds(pause, request)
            url = link or f"{self._get_origin(request)}{request.build_path(self.api_versions)}"
            answer = self._send_once(request, url, body)
            value, error = _exchange.decode_answer(request, answer)
            if error is None:
                return value
            is_final = isinstance(error, error_translation.AnswerTooLarge) or not budget.has_retries_left
            if is_final or not self._prepare_retry(request, answer, budget):
                raise error

    def _send_once(self, request: Request, url: str, body: Mapping[str, object] | None) -> Answer | SourceError:
        """The answer, or why there is none."""
        require_proof_action(request, proves=self.settings.proves)
        asked_at = self.clock.local_now()
        what = request.description

        def ask() -> Answer:
            return _exchange.exchange_request(self._get_client(request.endpoint), request, url, body)

        try:
            with error_translation.translate_errors(what):
                answer = self._run_limited(what, ask, EXCHANGE_TIMEOUT + (request.patience or 0.0))
        except Unreachable as error:
            return error
        self.clock.observe_date_header(answer.headers.get("Date", ""), asked_at)
        closed = parse_quota_reset(answer.headers) or 0.0
        self._rate_limiter.block_requests(request.throttle_scope, request.provider, closed)
        return answer

    def _run_limited(self, what: str, act: Callable[[], Result], longest: float | None = None) -> Result:
        """Do something that waits for others, as long as there is time, and no longer than it may take."""
        left = self._get_seconds_left()
        try:
            return _deadline.run_with_deadline(act, left if longest is None else min(longest, left), self.stop)
        except (InterruptedError, TimeoutError) as error:
            self._require_time(what, is_stopped=isinstance(error, InterruptedError))
            message = f"{what}: no whole answer in {longest:.0f} s"
            raise Unreachable(message, "Check the network and the proxy.") from error

    def _prepare_retry(self, request: Request, answer: Answer | SourceError, budget: RetryBudget) -> bool:
        """Do what makes another try worthwhile: wait, sign in again, speak an older version. False: nothing does."""
        if isinstance(answer, error_translation.UntrustedCertificate):
            return False
        if isinstance(answer, SourceError) or answer.status == _exchange.HTTP_OK:
            self.wait_seconds(budget.take_next_delay(), request)
        elif answer.status in RETRYABLE_STATUSES:
            server_delay = parse_retry_after(answer.headers, self.now)
            if answer.status == HTTP_TOO_MANY_REQUESTS:  # who asks for slowness without a number does answer
                server_delay = server_delay or 0.0
            pause = budget.take_next_delay(server_delay)
            if server_delay is not None:
                # Who comes next would be refused, too.
                provider = "" if error_translation.is_throttled_by_arm(answer.body) else request.provider
                self._rate_limiter.block_requests(request.throttle_scope, provider, pause)
            self.wait_seconds(pause, request)
        elif answer.status == HTTP_UNAUTHORIZED and request.endpoint is not Endpoint.METADATA:
            budget.take_next_delay()
            self._get_credential().invalidate_token(answer.token)
        else:
            older = error_translation.find_supported_version(answer.body, self.api_versions.get(request.service, ""))
            if older is None:
                return False
            budget.take_next_delay()
            self.api_versions[request.service] = older
        return True

    def wait_seconds(self, seconds: float, request: Request) -> None:
        """Wait, where that is not too long, and as long as nobody ends the run; else raise why not."""
        if seconds > WAIT_LIMIT:
            until = self.now + timedelta(seconds=seconds)
            message = f"{request.description}: throttled until {until:%H:%M:%S}Z"
            raise Throttled(message, "Run again after that; fewer VMs ask for less.")
        is_stopped = self.stop.wait(min(seconds, self._get_seconds_left()))
        self._require_time(request.description, is_stopped=is_stopped)

    def _require_time(self, what: str, *, is_stopped: bool) -> None:
        """Raise where the person or the run's own limit has ended it."""
        if is_stopped:
            message = f"{what}: interrupted"
            raise Interrupted(message, "Run again.")
        if self._get_seconds_left() <= 0:
            message = f"{what}: the run's time was over"
            raise OutOfTime(message, "Give a longer --timeout.")

    def _get_seconds_left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _get_credential(self) -> "CachedCredential":
        from vmdiag.arm._credential import CachedCredential, create_credential

        cloud = self.cloud
        with self._lock:
            if self._credential is None:
                create = partial(create_credential, self.settings, cloud, self.transport)
                self._credential = CachedCredential(create, self.settings.tenant)
            return self._credential

    def _get_client(self, host: Endpoint) -> Client:
        if host is Endpoint.METADATA:
            # Whoever reads it holds the lock until the cloud is known.
            return _exchange.create_client("", self.transport, None, "")
        cloud, credential = self.cloud, self._get_credential()
        with self._lock:
            if host not in self._clients:
                scope = self._find_token_scope(host)
                self._clients[host] = _exchange.create_client(cloud.arm, self.transport, credential, scope)
            return self._clients[host]

    def _find_token_scope(self, host: Endpoint) -> str:
        """What a token for a host is asked for."""
        cloud = self.cloud
        own = {Endpoint.LOGS: cloud.logs, Endpoint.CLUSTER: self.settings.cluster, Endpoint.METRICS: cloud.metrics}
        return cloud.token_scope if host is Endpoint.ARM else f"{own[host]}/.default"
