"""Alerts on the activity log, as webhooks and as the common schema."""

import pytest

from tests.sources import samples
from tests.sources.rows import EVENT, EXAMPLES, HEALTH, SUBSCRIPTION, TIME, VM, covered, heard, read, sampled, vm
from vmdiag.model import Signal

NAME = "alerts"
ESSENTIALS = {"monitoringService": "Resource Health", "alertTargetIDs": [VM.lower()], "firedDateTime": TIME}
CONTEXT = {
    "channels": "Admin, Operation",
    "operationName": "Microsoft.Resourcehealth/healthevent/Activated/action",
    "eventSource": "ResourceHealth",
    "eventTimestamp": TIME,
    "status": "Active",
    "properties": HEALTH,
}


def common(**members: object) -> dict[str, object]:
    data = {"essentials": ESSENTIALS, "alertContext": CONTEXT, **members}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def availability(aggregation: str = "Average", value: object = 0, **members: object) -> dict[str, object]:
    """A metric alert as an action group delivers it in the common schema."""
    criterion = {
        "metricName": "VmAvailabilityMetric",
        "metricNamespace": "Microsoft.Compute/virtualMachines",
        "operator": "LessThan",
        "threshold": "1",
        "timeAggregation": aggregation,
        "dimensions": [],
        "metricValue": value,
        "webTestName": None,
        **members,
    }
    condition = {
        "windowSize": "PT5M",
        "allOf": [criterion],
        "windowStartTime": "2026-03-02T08:10:00.000Z",
        "windowEndTime": "2026-03-02T08:15:00.000Z",
    }
    essentials = {**ESSENTIALS, "monitoringService": "Platform", "signalType": "Metric", "monitorCondition": "Fired"}
    return common(essentials=essentials, alertContext={"properties": None, "condition": condition})


@pytest.mark.parametrize(("aggregation", "value"), [("Average", 0), ("Average", 1), ("Maximum", 0.0), ("Minimum", "1")])
def test_an_alert_on_the_availability_metric_tells_each_minute_of_its_window(aggregation: str, value: object) -> None:
    (series,) = sampled(read(NAME, availability(aggregation, value)))

    assert (series.vm, series.name, series.signal) == (vm(), "VmAvailabilityMetric", Signal.AVAILABILITY)
    assert [at.minute for at in series.times] == [10, 11, 12, 13, 14]
    assert set(series.values) == {float(str(value))}


SITE = {"name": "Microsoft.ResourceId", "value": f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Web/sites/s"}


@pytest.mark.parametrize(
    "row",
    [
        # A figure that no single minute need have had.
        *(availability(*each) for each in (("Average", 0.4), ("Minimum", 0), ("Maximum", 1), ("Total", 0))),
        availability(metricName="Percentage CPU"),
        availability(dimensions=[SITE]),
    ],
)
def test_another_figure_metric_or_resource_tells_no_availability(row: dict[str, object]) -> None:
    assert not read(NAME, row)


def test_a_rule_over_many_vms_names_the_one_among_its_dimensions() -> None:
    named = {"name": "microsoft.resourceId", "value": VM.replace("web-01", "web-02")}
    (series,) = sampled(read(NAME, availability(dimensions=[named])))

    assert series.vm.name == "web-02"


def test_a_webhook_tells_the_entry_within() -> None:
    items = read(NAME, EXAMPLES[NAME])

    assert heard(items) == heard(read("activity-log", EVENT))
    assert covered(items) == {Signal.HEALTH: "an alert tells single events, and only those that its rule looks for"}


def test_the_common_schema_says_in_its_essentials_what_it_is_about() -> None:
    status, annotation = heard(read(NAME, common()))
    assert (status.status, annotation.name) == ("Available", "LiveMigrationSucceeded")


@pytest.mark.parametrize(
    "row",
    [
        common()["data"],  # without its wrapping
        common(alertContext={key: value for key, value in CONTEXT.items() if key != "eventTimestamp"}),
    ],
)
def test_the_wrapping_and_the_time_may_be_missing(row: dict[str, object]) -> None:
    assert heard(read(NAME, row)) == heard(read(NAME, common()))


def test_a_service_alert_concerns_its_subscription() -> None:
    context = {**CONTEXT, "operationName": "Microsoft.ServiceHealth/incident/action", "properties": {}}
    assert not heard(read(NAME, common(essentials={"alertTargetIDs": [SUBSCRIPTION]}, alertContext=context)))


@samples.needs_samples
def test_a_published_webhook_is_read() -> None:
    (row,) = samples.rows("published/activity-log-alert-webhook-resource-health.json")
    assert [record.status for record in heard(read(NAME, row))] == ["Unavailable", ""]
