"""What Event Grid tells of Resource Manager's operations: the end of each, whoever asked for it."""

from datetime import UTC, datetime

import pytest

from tests.sources.rows import EVENT, EXAMPLES, GROUP, NSG, changed, covered, heard, nearby, read
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Kind, Signal

NAME = "resource-events"


def data(**members: object) -> dict[str, object]:
    known = EXAMPLES[NAME]["data"]
    assert isinstance(known, dict)
    return {key: value for key, value in {**known, **members}.items() if value is not None}


def kind_of(row: dict[str, object]) -> Kind:
    (record,) = heard(read(NAME, row))
    return interpret_record(record.signal, record.name, record.status, record.facts)


def test_a_customers_stop_is_heard() -> None:
    items = read(NAME, EXAMPLES[NAME])
    (record,) = heard(items)

    assert (record.at, record.status) == (datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC), "Succeeded")
    assert kind_of(EXAMPLES[NAME]) is Kind.DEALLOCATE
    assert covered(items) == {
        Signal.ACTIVITY: "Event Grid tells single operations, and only those that its subscription asks for"
    }


@pytest.mark.parametrize("end", ["Failure", "Cancel"])
def test_what_failed_or_was_cancelled_has_not_happened(end: str) -> None:
    assert kind_of(changed(NAME, eventType=f"Microsoft.Resources.ResourceAction{end}")) is Kind.OTHER


def test_the_log_tells_the_same_operation_by_the_same_words() -> None:
    (logged,) = heard(read("activity-log", EVENT))
    (told,) = heard(read(NAME, changed(NAME, data=data(operationName=logged.name))))

    assert (told.name, told.status, told.facts["correlation"], told.facts["resource"]) == (
        logged.name,
        logged.status,
        logged.facts["correlation"],
        logged.facts["resource"],
    )


CLOUD = {"eventType": None, "eventTime": None, "topic": None, "specversion": "1.0"}


@pytest.mark.parametrize(
    "row",
    [
        changed(NAME, **CLOUD, type=EXAMPLES[NAME]["eventType"], time=EXAMPLES[NAME]["eventTime"]),
        changed(NAME, data=data(operationName=None, resourceUri=None)),
        changed(NAME, deadLetterReason="MaxDeliveryAttemptsExceeded", deliveryAttempts=30, publishTime="x"),
    ],
    ids=["cloud event", "authorization and subject", "dead letter"],
)
def test_the_same_operation_may_be_told_otherwise(row: dict[str, object]) -> None:
    assert heard(read(NAME, row)) == heard(read(NAME, EXAMPLES[NAME]))


def test_a_write_of_a_rule_concerns_the_vms_behind_it() -> None:
    rule = f"{NSG}/securityRules/deny"
    operation = "Microsoft.Network/networkSecurityGroups/securityRules/write"
    row = changed(
        NAME,
        subject=rule,
        eventType="Microsoft.Resources.ResourceWriteSuccess",
        data=data(resourceUri=rule, operationName=operation, authorization=None),
    )

    assert [(one.resource, one.record.name) for one in nearby(read(NAME, row))] == [(rule.lower(), operation)]


def test_an_operation_on_something_else_says_nothing_of_a_vm() -> None:
    site = f"{GROUP}/providers/Microsoft.Web/sites/shop"
    assert not heard(read(NAME, changed(NAME, subject=site, data=data(resourceUri=site))))
