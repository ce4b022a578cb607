"""Metrics: what must be asked for, what has no value yet, and what is wrong."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.arm import World
from tests.arm.client import METRICS, Client, Reply
from tests.arm.conftest import ServerStarter
from tests.arm.metric_catalogue import METRIC_DEFINITIONS

FORM = "%Y-%m-%dT%H:%M:%SZ"


def _format_span(start: datetime, end: datetime) -> str:
    return f"{start.strftime(FORM)}/{end.strftime(FORM)}"


def _query_metrics(client: Client, days: int = 0, **query: str) -> Reply:
    """By default three hours of traffic by the minute."""
    (vm,) = client.arm.world
    now = client.arm.world.now()
    usual = {
        "metricnames": "Network In Total",
        "timespan": _format_span(now - (timedelta(days=days) or timedelta(hours=3)), now),
        "interval": "PT1M",
        "aggregation": "Total",
    }
    asked = {name: value for name, value in {**usual, **query}.items() if value}
    return client.get(f"{vm.id}/providers/Microsoft.Insights/metrics", METRICS, **asked)


def _format_future_span(client: Client) -> str:
    """The minute that has not ended, and those to come."""
    now = client.arm.world.now()
    return _format_span(now, now + timedelta(minutes=5))


def _get_points(reply: Reply) -> list[dict[str, Any]]:
    (metric, *_) = reply.json["value"]
    (series,) = metric["timeseries"]
    return list(series["data"])


def test_a_point_a_minute_and_none_with_a_value_before_the_minute_is_over(client: Client) -> None:
    points = _get_points(_query_metrics(client))

    reported = (client.arm.world.now() - timedelta(seconds=91)).strftime(FORM)

    assert len(points) == 180
    assert all("total" in point for point in points if point["timeStamp"] <= reported)
    assert all(
        set(point) == {"timeStamp"}
        for point in _get_points(_query_metrics(client, timespan=_format_future_span(client)))
    )


def test_traffic_falls_where_it_was_lost_and_the_rest_goes_on(client: Client) -> None:
    lost = (client.arm.world.now() - timedelta(minutes=117)).strftime(FORM)
    traffic, cpu = (
        _get_points(_query_metrics(client, metricnames=name)) for name in ("Network In Total", "Percentage CPU")
    )
    before = [point["total"] for point in traffic if point["timeStamp"] < lost][:-1]
    after = [point["total"] for point in traffic if point["timeStamp"] >= lost and "total" in point]

    assert len(before) > 55
    assert len(after) > 110
    assert max(after) < 0.05 * min(before)
    assert all(point["total"] > 1 for point in cpu if "total" in point)


def test_several_metrics_in_one_call_with_commas_between(client: Client) -> None:
    reply = _query_metrics(
        client, metricnames="network in total,Inbound Flows,VmAvailabilityMetric", aggregation="total,Average"
    )

    assert [each["name"]["value"] for each in reply.json["value"]] == [
        "Network In Total",
        "Inbound Flows",
        "VmAvailabilityMetric",
    ]
    assert {"timeStamp", "total", "average"} == set(_get_points(reply)[0])


def test_a_metric_that_nobody_reports_has_points_without_values(client: Client) -> None:
    assert all(
        set(point) == {"timeStamp"}
        for point in _get_points(_query_metrics(client, metricnames="CPU Credits Remaining"))
    )


@pytest.mark.parametrize(("interval", "minutes"), [("PT5M", 5), ("PT1H", 60)])
def test_a_coarser_grain_adds_up(client: Client, interval: str, minutes: int) -> None:
    now = client.arm.world.now().replace(minute=0, second=0)
    span = _format_span(now - timedelta(hours=30), now - timedelta(hours=28))
    fine = _get_points(_query_metrics(client, timespan=span))
    coarse = _get_points(
        _query_metrics(client, timespan=span, interval=interval, aggregation="Total,Average,Minimum,Maximum,Count")
    )
    values = [point["total"] for point in fine[:minutes]]

    assert len(coarse) == 120 // minutes
    assert coarse[0]["total"] == sum(values)
    assert coarse[0]["average"] == pytest.approx(sum(values) / minutes)
    assert (coarse[0]["minimum"], coarse[0]["maximum"], coarse[0]["count"]) == (min(values), max(values), minutes)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"metricnames": ""}, "metricnames"),
        ({"metricnames": "Network"}, "metric: Network, Valid metrics: Percentage CPU,Network In,"),
        ({"metricnames": ",".join(["Percentage CPU"] * 21)}, "21 bigger than allowed max: 20"),
        ({"interval": "PT2M"}, "PT2M"),
        ({"aggregation": "Median"}, "median"),
        ({"timespan": ""}, "timespan"),
        ({"timespan": "PT1H"}, "timespan"),
        ({"timespan": "2026-03-02T10:00:00Z/2026-03-02T09:00:00Z"}, "timespan"),
    ],
)
def test_what_is_wrong_is_refused_in_the_flat_form(client: Client, query: dict[str, str], says: str) -> None:
    reply = _query_metrics(client, 0, **query)

    assert (reply.status, reply.json["code"]) == (400, "BadRequest")
    assert says in reply.json["message"]


def test_a_month_by_the_minute_is_too_much(client: Client) -> None:
    assert _query_metrics(client, 31).status == 400
    assert _query_metrics(client, 31, interval="PT1H").status == 200
    assert _query_metrics(client, 94, interval="P1D").status == 400


def test_a_cloud_may_not_know_a_metric(serve: ServerStarter) -> None:
    world = World.with_one_vm(metrics_absent={"VmAvailabilityMetric"})
    reply = _query_metrics(serve(world), metricnames="Network In Total,VmAvailabilityMetric")

    assert reply.status == 400
    assert reply.json["message"].rpartition("Valid metrics: ")[2].split(",") == list(METRIC_DEFINITIONS)[:-1]


def test_an_encoded_timespan_is_decoded_as_azure_cli_needs_it(client: Client) -> None:
    now = client.arm.world.now()
    span = _format_span(now - timedelta(hours=1), now).replace(":", "%3A").replace("/", "%2F")

    assert _query_metrics(client, timespan=span).status == 200
