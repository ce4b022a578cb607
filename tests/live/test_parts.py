"""Pace, crew, credential, queries: the parts that need no server."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.conftest import Clock
from vmdiag.arm._credential import decode_claims
from vmdiag.arm.rate_limits import DEFAULT_ALLOWANCE, RateLimiter
from vmdiag.errors import Unreachable, redact_secrets
from vmdiag.model import Window
from vmdiag.sources import kql
from vmdiag.sources.azure.worker_pool import JobEnd, JobResult, WorkerPool
from vmdiag.sources.protocol import VmFilter

WINDOW = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def test_a_burst_is_free_and_then_it_goes_by_the_rate() -> None:
    burst, rate = DEFAULT_ALLOWANCE
    pace = RateLimiter(Clock())
    waits = [pace.reserve_request("s", "p") for _ in range(int(burst) + 2)]

    assert waits[: int(burst)] == [0.0] * int(burst)
    assert waits[-2:] == pytest.approx([1 / rate, 2 / rate])


def test_payers_do_not_share_and_time_fills_the_bucket() -> None:
    clock = Clock()
    pace = RateLimiter(clock)
    for _ in range(300):
        pace.reserve_request("s", "p")

    assert pace.reserve_request("other", "p") == 0
    clock.time = 1000.0
    assert pace.reserve_request("s", "p") == 0


def test_who_said_to_wait_is_left_alone_and_the_others_are_not() -> None:
    clock = Clock()
    pace = RateLimiter(clock)
    pace.block_requests("s", "microsoft.compute", 1200)

    assert pace.reserve_request("s", "microsoft.compute") == 1200
    assert pace.reserve_request("s", "microsoft.insights") == 0
    pace.block_requests("s", "", 5)
    assert pace.reserve_request("s", "microsoft.insights") == 5
    clock.time += 1200.0
    assert pace.reserve_request("s", "microsoft.compute") == 0


def test_jobs_run_at_once_and_end_each_for_itself() -> None:
    def works(count: int) -> Iterator[int]:
        time.sleep(0.05)
        yield from range(count)

    def fails() -> Iterator[int]:
        yield 7
        raise gone

    gone = Unreachable("it is gone", "Wait.")
    crew: WorkerPool[str, int] = WorkerPool(8)
    began = time.monotonic()
    for number in range(6):
        crew.submit_job(f"works {number}", lambda: works(2))
    crew.submit_job("fails", fails)
    results = list(crew.iterate_results(lambda: False))

    assert time.monotonic() - began < 6 * 0.05
    assert sorted(each.value for each in results if isinstance(each, JobResult)) == [0] * 6 + [1] * 6 + [7]
    errors = {each.key: type(each.error) for each in results if isinstance(each, JobEnd)}
    assert errors.pop("fails") is Unreachable
    assert set(errors.values()) == {type(None)}


def test_nobody_waits_for_a_job_that_hangs_once_stop_is_said() -> None:
    crew: WorkerPool[str, int] = WorkerPool(1)
    stop, never = threading.Event(), threading.Event()

    def hangs() -> Iterator[int]:
        never.wait()
        yield 1

    crew.submit_job("hangs", hangs)
    threading.Timer(0.05, stop.set).start()

    assert list(crew.iterate_results(stop.is_set)) == []
    never.set()


def test_a_tokens_claims_are_read_and_anything_else_is_empty() -> None:
    assert decode_claims("eyJhbGciOiJub25lIn0.eyJ0aWQiOiAidCJ9.") == {"tid": "t"}
    assert [decode_claims(odd) for odd in ("", "a", "a.b.c", "a.%%%.c", "a.W10.c")] == [{}] * 5


@pytest.mark.parametrize("text", ["it's", "back\\slash", "two\nlines", "' or 1 == 1 //", 'a"b'])
def test_a_name_cannot_leave_its_literal(text: str) -> None:
    literal = kql.literal(text)
    inside = literal[1:-1].replace("\\\\", "").replace("\\'", "")

    assert (literal[0], literal[-1]) == ("'", "'")
    assert "'" not in inside
    assert "\n" not in literal


def test_what_a_query_is_about_narrows_it() -> None:
    everybody = kql.machines(VmFilter())
    some = kql.machines(VmFilter(ids=("/a",), names=("web-01",), groups=("prod",)))

    assert "vm in~" not in everybody
    assert "where vm in~ ('/a') or tostring(split(vm, '/')[8]) in~ ('web-01')" in some
    assert "tostring(split(vm, '/')[4]) in~ ('prod')" in some


@pytest.mark.parametrize(
    "query",
    [kql.machines(VmFilter()), kql.passages(VmFilter()), kql.workspaces(VmFilter()),
     kql.health_changes(VmFilter(), WINDOW)],
)  # fmt: skip
def test_every_query_to_resource_graph_can_be_paged(query: str) -> None:
    *_, last_project, order = [line for line in query.splitlines() if line.startswith(("| project", "| order"))]

    assert "project id," in last_project
    assert order == "| order by id asc"


def test_secrets_are_told_by_their_form() -> None:
    for secret in (
        "eyJhbGciOiJub25lIn0.eyJ0aWQiOiAidCJ9.c2ln",
        "Authorization: Bearer abcdefgh12345678",
        "https://x/?sv=1&sig=abc%2Fdef",
        "AccountKey=abc==;",
        "grant_type=x&client_secret=hunter22&y=1",
    ):
        assert "[secret]" in redact_secrets(secret)
    assert redact_secrets("a bearer of news") == "a bearer of news"


def test_a_crew_that_has_nothing_to_do_goes_home() -> None:
    crew: WorkerPool[int, int] = WorkerPool(4)
    for turn in range(3):
        for number in range(20):
            crew.submit_job(number, lambda: iter((turn,)))  # noqa: B023 - each is run before the next turn
        done = list(crew.iterate_results(lambda: False))
        assert len(done) == 40
    deadline = time.monotonic() + 10
    while crew.active_threads and time.monotonic() < deadline:
        time.sleep(0.01)

    assert crew.active_threads == 0
