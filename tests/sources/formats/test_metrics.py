"""What was measured, and what was not: metrics of Azure Monitor, points in tables, guest counters, heartbeats."""

import pytest

from tests.sources import samples
from tests.sources.reading import FORMATS, REF, changed, known, read, sampled, vm
from tests.sources.rows import EXAMPLES, NSG, SUBSCRIPTION, TIME, VM
from vmdiag.completeness import MalformedRow
from vmdiag.identity import is_placeholder, make_computer_placeholder
from vmdiag.model import Signal
from vmdiag.sources.items import IncompleteRead, Item

METRICS = "metrics"


def metric(name: str, *series: list[dict[str, object]]) -> dict[str, object]:
    identifier = f"{VM}/providers/Microsoft.Insights/metrics/{name}"
    return {"id": identifier, "name": {"value": name}, "timeseries": [{"data": points} for points in series]}


def point(minute: int, **values: object) -> dict[str, object]:
    return {"timeStamp": f"2026-03-02T08:{minute:02}:00Z", **values}


def of_subscription(*owners: str) -> dict[str, object]:
    """As "Metrics - List At Subscription Scope" answers when asked for each resource."""
    series = [
        {
            "metadatavalues": [{"name": {"value": "Microsoft.ResourceId", "localizedValue": "x"}, "value": owner}],
            "data": [point(number, total=number)],
        }
        for number, owner in enumerate(owners, start=1)
    ]
    identifier = f"{SUBSCRIPTION[1:]}/providers/Microsoft.Insights/metrics/Network In Total"
    return {"id": identifier, "name": {"value": "Network In Total"}, "timeseries": series, "errorCode": "Success"}


def test_metrics_of_a_subscription_are_of_the_vms_that_their_series_name() -> None:
    other = VM.replace("web-01", "web-02")
    found = sampled(read(METRICS, of_subscription(VM.lower(), other, NSG, VM)))  # another resource's is nobody's
    values = [(str(one.vm).rpartition("/")[2], one.values) for one in found]

    assert values == [("web-01", (1.0,)), ("web-02", (2.0,)), ("web-01", (4.0,))]


def test_points_of_an_hour_are_read_and_say_what_to_export() -> None:
    totals = enumerate((5, None, 7))
    row = metric("Network In Total", [{"timeStamp": f"2026-03-02T0{at}:00:00Z", "total": each} for at, each in totals])

    assert sampled(read(METRICS, row))[0].values == (5.0, 7.0)
    (flaw,) = flaws(row)
    assert "1 h apart" in flaw
    assert "--interval PT1M" in flaw


def test_points_of_a_minute_raise_no_such_flaw_in_whatever_order_they_stand() -> None:
    points = [{"timeStamp": f"2026-03-02T{at // 60:02}:{at % 60:02}:00Z", "total": 5} for at in range(1_440)]
    assert not flaws(metric("Network In Total", [points[at * 611 % 1_440] for at in range(1_440)]))


def test_a_sum_over_a_subscription_is_told_and_not_taken_for_a_vms() -> None:
    row = of_subscription("") | {"timeseries": [{"metadatavalues": [], "data": [point(1, total=5)]}]}

    with pytest.raises(MalformedRow, match="not split by VM"):
        read(METRICS, row)
    assert not read(METRICS, {**row, "name": {"value": "OS Disk Queue Depth"}})


def test_another_dimension_names_no_resource() -> None:
    said = [{"name": {"value": "Microsoft.ResourceGroupName"}, "value": NSG}]
    row = changed(METRICS, timeseries=[{"metadatavalues": said, "data": [point(1, total=5)]}])

    assert [one.vm for one in sampled(read(METRICS, row))] == [vm()]


@pytest.mark.parametrize("points", [[point(1)], [point(1, total=None)], [point(1, count=1)], []])
def test_a_point_that_has_only_its_time_was_not_measured(points: list[dict[str, object]]) -> None:
    (series,) = sampled(read(METRICS, metric("Network In Total", points)))
    assert series.times == series.values == ()


def test_no_series_at_all_is_a_metric_without_a_value() -> None:
    (series,) = sampled(read(METRICS, changed(METRICS, timeseries=[])))
    assert (series.vm, series.times) == (vm(), ())


@pytest.mark.parametrize(
    ("row", "values"),
    [
        # A minute that is missing is left out.
        (metric("Network In Total", [point(1, total=5), point(2), point(3, total=0)]), {1: 5.0, 3: 0.0}),
        # Another aggregation stands in for all points alike.
        (metric("Network In Total", [point(1, maximum=9, average=3), point(2, maximum=8)]), {1: 3.0}),
        # Dimensions of traffic add up, availability is as good as its worst.
        (metric("Network In Total", [point(1, total=2), point(2, total=3)], [point(2, total=4)]), {1: 2.0, 2: 7.0}),
        (metric("VmAvailabilityMetric", [point(1, average=1)], [point(1, average=0)]), {1: 0.0}),
        # The old API has its points without series.
        ({**metric("Network In Total"), "timeseries": None, "data": [point(1, total=6)]}, {1: 6.0}),
    ],
)
def test_the_points_of_a_metric_are_one_series(row: dict[str, object], values: dict[int, float]) -> None:
    (series,) = sampled(read(METRICS, row))
    assert dict(zip((at.minute for at in series.times), series.values, strict=True)) == values


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_at_the_calendars_end_is_left_out_and_told(end: str) -> None:
    row = metric("Network In Total", [point(1, total=5), {"timeStamp": end, "total": 7}])
    items = FORMATS[METRICS].decode_row(row, REF)
    (series,) = sampled([next(items)])

    assert series.values == (5.0,)
    with pytest.raises(MalformedRow):
        next(items)


@pytest.mark.parametrize(
    ("written", "name", "signal", "value"),
    [
        ("network in total", "Network In Total", Signal.TRAFFIC, 4.0),
        ("Network In", "Network In", Signal.TRAFFIC, 4.0),
        ("Network Out Total", "Network Out Total", Signal.TRAFFIC, 4.0),
        ("INBOUND FLOWS", "Inbound Flows", Signal.TRAFFIC, 3.0),
        ("Outbound Flows", "Outbound Flows", Signal.TRAFFIC, 3.0),
        ("vmavailabilitymetric", "VmAvailabilityMetric", Signal.AVAILABILITY, 3.0),
        ("VM Availability Metric (Preview)", "VmAvailabilityMetric", Signal.AVAILABILITY, 3.0),
        ("Percentage CPU", "Percentage CPU", Signal.CPU, 3.0),
        ("Disk Read Bytes", "Disk Read Bytes", Signal.DISK, 4.0),
    ],
)
def test_each_metric_has_its_signal_and_its_aggregation(written: str, name: str, signal: Signal, value: float) -> None:
    row = metric(written, [point(1, minimum=1, maximum=2, average=3, total=4, count=5)])
    (series,) = sampled(read(METRICS, row))

    assert (series.name, series.signal, series.values) == (name, signal, (value,))


@samples.needs_samples
def test_recorded_answers_without_a_value_are_metrics_without_points() -> None:
    items = [item for row in samples.rows("metrics/*.json") for item in read(METRICS, row)]
    assert [(series.name, series.times) for series in sampled(items)] == [("Percentage CPU", ())] * 2


def flaws(row: dict[str, object]) -> list[str]:
    return [item.reason for item in read(METRICS, row) if isinstance(item, IncompleteRead)]


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-12-31T23:59:59.9999999Z", "2026-12-31T23:59:59.999999+00:00"),  # never another second
        ("/Date(1772439240000)/", "2026-03-02T08:14:00+00:00"),
        ("1772439240000", "2026-03-02T08:14:00+00:00"),
    ],
)
def test_points_are_read_whatever_a_client_made_of_their_times(written: str, at: str) -> None:
    (series,) = sampled(read(METRICS, metric("Network In Total", [{"timeStamp": written, "total": 5}])))
    assert series.times[0].isoformat() == at


@pytest.mark.parametrize("step", [1, 5, 15])
def test_points_of_minutes_raise_no_such_flaw_however_many_are_missing(step: int) -> None:
    points = [point(minute, total=1 if minute == 0 else None) for minute in range(0, 60, step)]
    assert not flaws(metric("Network In Total", points))


def test_points_that_cannot_be_read_among_others_are_counted() -> None:
    row = metric("Network In Total", [point(1, total=5), point(2, total="many"), {"timeStamp": "soon", "total": 7}])

    found: list[Item] = []
    with pytest.raises(MalformedRow, match="2 points of Network In Total"):
        found.extend(FORMATS[METRICS].decode_row(row, REF))

    assert sampled(found)[0].values == (5.0,)


TABLE = "azure-metrics"


@pytest.mark.parametrize(
    ("grain", "coarse"), [("PT1M", 0), ("PT5M", 0), ("PT15M", 0), ("PT1H", 1), ("01:00:00", 1), ("P1D", 1)]
)
def test_points_of_any_grain_are_read_and_those_of_an_hour_say_what_to_export(grain: str, coarse: int) -> None:
    found = read(TABLE, changed(TABLE, TimeGrain=grain))
    flaws = [item for item in found if isinstance(item, IncompleteRead)]

    assert len(sampled(found)) == 1
    assert len(flaws) == coarse
    assert all("--interval PT1M" in flaw.reason for flaw in flaws)


COUNTERS = "guest-counters"


def perf(**members: object) -> dict[str, object]:
    whole = {
        "TimeGenerated": TIME,
        "Computer": "web-01",
        "ObjectName": "Network Adapter",
        "CounterName": "Bytes Received/sec",
        "InstanceName": "Microsoft Hyper-V Network Adapter",
        "CounterValue": "512.5",
        "_ResourceId": VM.lower(),
    }
    return {**whole, **members}


@pytest.mark.parametrize("row", [EXAMPLES[COUNTERS], perf()])
def test_a_network_counter_has_a_name_of_its_own_and_says_that_it_is_no_traffic(row: dict[str, object]) -> None:
    items = read(COUNTERS, row)
    (series,) = sampled(items)
    (said,) = [item for item in items if isinstance(item, IncompleteRead)]

    assert (series.vm, series.name, series.values) == (vm(), "Guest Bytes Received/sec", (512.5,))
    assert series.signal is Signal.AGENT
    assert "Network In Total" in said.reason
    assert not said.lowers_verdict


@pytest.mark.parametrize(
    "row",
    [
        changed(COUNTERS, Namespace="Processor", Name="UtilizationPercentage"),
        changed(COUNTERS, Namespace="LogicalDisk", Name="ReadBytesPerSecond"),
        perf(ObjectName="Memory", CounterName="Available MBytes"),
        perf(CounterName="Packets/sec"),
        perf(CounterValue="n/a"),
    ],
)
def test_another_counter_says_only_that_there_is_such_a_vm(row: dict[str, object]) -> None:
    items = read(COUNTERS, row)

    assert [item.vm.id for item in known(items)] == [vm()]
    assert len(items) == 1


HEARTBEAT = "heartbeat"


TOTAL = ("Network In Total", Signal.TRAFFIC, vm(), (1200.0,))
BEAT = ("Heartbeat", Signal.HEARTBEAT, vm(), (1.0,))
EXPORTED = {"count": 1, "total": 7, "average": 7, "timeGrain": "PT1M", "metricName": "Inbound Flows"}
OF_VM = {"time": "2026-03-02T08:14:00Z", "resourceId": VM.upper()}
CALLED_SO = make_computer_placeholder("web-01")
PARTS = {"SubscriptionId": VM.split("/")[2], "ResourceGroup": VM.split("/")[4], "Resource": "WEB-01"}


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        (TABLE, EXAMPLES[TABLE], TOTAL),
        # A gauge is read by its mean; a number may be a text; what was not measured is no zero.
        (TABLE, changed(TABLE, MetricName="Percentage CPU"), ("Percentage CPU", Signal.CPU, vm(), (600.0,))),
        (TABLE, changed(TABLE, Total="1200.5"), (*TOTAL[:3], (1200.5,))),
        *((TABLE, changed(TABLE, Total=cell, Average=cell), (*TOTAL[:3], ())) for cell in ("", "NaN", "null", None)),
        # A record of an export is read in either letter case.
        (TABLE, {**OF_VM, **EXPORTED}, ("Inbound Flows", Signal.TRAFFIC, vm(), (7.0,))),
        (
            *(TABLE, {**OF_VM, **{key[0].upper() + key[1:]: value for key, value in EXPORTED.items()}}),
            ("Inbound Flows", Signal.TRAFFIC, vm(), (7.0,)),
        ),
        (HEARTBEAT, EXAMPLES[HEARTBEAT], BEAT),
        # The table may say its name.
        (HEARTBEAT, changed(HEARTBEAT, Type="Heartbeat", Category="Other", OSType=None), BEAT),
        # The parts of an id need no name; without an id it is of the VM whose computer is called so.
        (HEARTBEAT, changed(HEARTBEAT, _ResourceId="", OSType=None, Computer="inside", **PARTS), BEAT),
        (HEARTBEAT, changed(HEARTBEAT, _ResourceId=None, OSType=None), (*BEAT[:2], CALLED_SO, (1.0,))),
        (COUNTERS, perf(_ResourceId=""), ("Guest Bytes Received/sec", Signal.AGENT, CALLED_SO, (512.5,))),
    ],
)
def test_a_row_is_a_point_of_a_vm(name: str, row: dict[str, object], told: tuple[object, ...]) -> None:
    (point,) = sampled(read(name, row))

    assert (point.name, point.signal, point.vm, point.values) == told
    assert len(point.times) == len(point.values)


def test_a_beat_knows_the_system() -> None:
    assert [item.vm.os for item in known(read(HEARTBEAT, EXAMPLES[HEARTBEAT]))] == ["linux"]


def test_the_parts_of_another_resources_id_name_no_vm() -> None:
    parts = {"SubscriptionId": "s", "ResourceGroup": "g", "Resource": "m", "ResourceType": "machines"}
    (beat,) = sampled(read(HEARTBEAT, changed(HEARTBEAT, _ResourceId="", OSType=None, **parts)))

    assert is_placeholder(beat.vm)
