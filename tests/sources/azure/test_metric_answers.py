"""Answers of metrics whose points are decoded when their turn comes: what is odd in one costs only itself."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from vmdiag.completeness import MalformedRow
from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.azure.feeds.metrics import MetricBatch, build_minute_requests
from vmdiag.sources.formats.metrics import BatchAnswer, MetricsAnswer, decode_hourly_row
from vmdiag.sources.items import IncompleteRead, PackedMetricPoints

VM = VmId(subscription="s", resource_group="g", name="vm")
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = ("Network In Total", "Percentage CPU")
USUAL = b'[{"data":[{"timeStamp":"2026-03-02T08:00:00Z","average":7.5},{"timeStamp":"2026-03-02T08:01:00Z"}]}]'


def unpack_answer(odd: bytes, *, is_batched: bool) -> list[object]:
    """What is read of an answer with one metric that is odd and one that is as usual."""
    series = zip(NAMES, (odd, USUAL), strict=True)
    metrics = b",".join(
        b'{"id":"%s/providers/Microsoft.Insights/metrics/x","name":{"value":"%s"},"timeseries":%s}'
        % (str(VM).encode(), name.encode(), points)
        for name, points in series
    )
    (request,) = build_minute_requests(
        MetricBatch((VM,), "westeurope" if is_batched else ""), [Window(AT, AT + timedelta(hours=1))], NAMES
    )
    if is_batched:
        body = b'{"values":[{"resourceid":"%s","value":[%s]}]}' % (str(VM).encode(), metrics)
        return list(request.unpack_rows(msgspec.json.decode(body, type=BatchAnswer)))
    return list(request.unpack_rows(msgspec.json.decode(b'{"value":[%s]}' % metrics, type=MetricsAnswer)))


@pytest.mark.parametrize("is_batched", [False, True])
@pytest.mark.parametrize(
    "odd",
    [
        b'[{"data":[{"timeStamp":8}]}]',
        b'[{"data":[{"timeStamp":"2026-03-02T08:00:00Z","total":"many"}]}]',
        b'[{"data":[{"timeStamp":"2026-03-02T08:00:00Z","total":1e999}]}]',
        b'[{"data":[{"timeStamp":"\xff","total":1}]}]',
        b'[{"data":[{"timeStamp":"2026-03-02T08:01:00Z","total":1},{"timeStamp":"2026-03-02T08:00:00Z","total":2}]}]',
        b'[{"data":[{"timeStamp":"never","total":1}]}]',
        b'[{"data":[]},{"data":[]}]',
        b'{"data":[]}',
        b"null",
    ],
)
def test_a_metric_whose_points_are_odd_takes_no_other_with_it(odd: bytes, *, is_batched: bool) -> None:
    rows = unpack_answer(odd, is_batched=is_batched)
    (usual,) = [row for row in rows if isinstance(row, PackedMetricPoints)]
    strange = [row for row in rows if isinstance(row, dict | MalformedRow)]

    assert (usual.name, list(usual.times), list(usual.values)) == ("Percentage CPU", [AT.timestamp()], [7.5])
    assert len(strange) == 1
    assert not [row for row in rows if isinstance(row, IncompleteRead)]


def test_points_without_a_value_are_none_and_the_best_aggregation_that_any_has_is_read_of_all() -> None:
    points = b'[{"data":[{"timeStamp":"2026-03-02T08:00:00Z","average":1},{"timeStamp":"2026-03-02T08:01:00Z","total":2,"average":1},{"timeStamp":"2026-03-02T08:02:00Z"},{"timeStamp":"2026-03-02T08:03:00.5Z","total":0}]}]'  # noqa: E501 - an answer
    traffic = next(row for row in unpack_answer(points, is_batched=True) if isinstance(row, PackedMetricPoints))
    measured = [AT + timedelta(minutes=1), AT + timedelta(minutes=3, seconds=0.5)]

    assert list(zip(traffic.times, traffic.values, strict=True)) == [
        (measured[0].timestamp(), 2.0),
        (measured[1].timestamp(), 0.0),
    ]


@pytest.mark.parametrize("second", ["2026-03-02T07:00:00Z", "2026-03-02T08:00:00Z", "never"])
def test_hours_that_do_not_follow_one_another_are_a_fault_of_their_metric(second: str) -> None:
    hours = [{"timeStamp": at, "average": 1.0} for at in ("2026-03-02T08:00:00Z", second)]
    row = {
        "id": f"{VM}/providers/Microsoft.Insights/metrics/x",
        "name": {"value": NAMES[1]},
        "timeseries": [{"data": hours}],
    }

    with pytest.raises(MalformedRow, match="its hours cannot be read"):
        list(decode_hourly_row(row))
