"""Nested fields may hold anything, resource ids have many shapes, and health has five dialects."""

from datetime import UTC, datetime

import pytest

from tests.sources.reading import vm
from tests.sources.rows import ANNOTATION, GROUP, HEALTH, NSG, SUBNET, SUBSCRIPTION, VM
from vmdiag.completeness import MalformedRow
from vmdiag.model import Record
from vmdiag.sources.decoding.fields import (
    FACT_LENGTH,
    collect_facts,
    find_resource_id,
    fold_column_names,
    fold_columns,
    get_path,
    iter_objects,
    parse_health_vm,
    parse_network_id,
    parse_parent_id,
    parse_scope,
    parse_subscription,
    parse_vm_id,
    to_list,
    to_mapping,
    to_number,
    to_text,
)
from vmdiag.sources.decoding.health_status import decode_health


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain ", "plain"),
        ({"value": "Succeeded", "localizedValue": "Erfolgreich"}, "Succeeded"),
        ({"value": None, "localizedValue": "Restart"}, "Restart"),
        ({"value": "", "localizedValue": ""}, ""),
        ({"value": {"value": "deep"}}, ""),
        (429, "429"),
        (True, ""),
        (10**400, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_a_text_is_what_azure_decides_on(written: object, read: str) -> None:
    assert to_text(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1, 1.0),
        ("12.5", 12.5),
        ("", None),
        (True, None),
        ("NaN", None),
        (float("inf"), None),
        (10**400, None),
        ([], None),
    ],
)
def test_a_number_is_finite(written: object, read: float | None) -> None:
    assert to_number(written) == read


def test_an_object_may_be_hidden_in_a_string() -> None:
    assert to_mapping(' {"a": 1}') == {"a": 1}
    assert to_list("[1]") == [1]
    assert get_path({"a": '{"b": {"c": 3}}'}, "a", "b", "c") == 3
    assert list(iter_objects([{"a": 1}, 2, None])) == [{"a": 1}]


@pytest.mark.parametrize("broken", ["{'a': 1}", '{"a": 1', "[" * 100_000, "{" + '"a":{' * 100_000, '{"\ud800": 1}', 7])
def test_what_is_no_object_is_an_empty_one(broken: object) -> None:
    assert to_mapping(broken) == {}
    assert to_list(broken) == []


def test_a_fact_that_was_not_said_is_left_out_and_a_long_one_is_cut() -> None:
    assert collect_facts(title=" Live ", details=None, cause="", summary="x" * 10_000) == {
        "title": "Live",
        "summary": "x" * FACT_LENGTH,
    }


def test_columns_are_known_without_letter_case_units_and_byte_order_mark() -> None:
    row = {"\ufeffTimeGenerated [UTC]": "t", "Operation Name": "o"}

    assert fold_column_names(row)["timegenerated"] == "\ufeffTimeGenerated [UTC]"
    assert fold_columns(row) == {"timegenerated": "t", "operation name": "o"}


NETWORK = f"{GROUP}/providers/Microsoft.Network"


@pytest.mark.parametrize("written", [VM, VM.upper(), VM[1:], f"{VM}/", f" {VM}"])
def test_a_vm_is_known_in_any_spelling(written: str) -> None:
    assert parse_vm_id(find_resource_id(written)) == vm()


@pytest.mark.parametrize(
    "below", ["/extensions/agent", "/providers/Microsoft.Authorization/locks/x", "s", "/runCommands/x"]
)
def test_what_lies_below_a_vm_is_not_the_vm(below: str) -> None:
    assert parse_vm_id(f"{VM}{below}") != vm()


def test_a_health_record_below_a_vm_is_the_vms() -> None:
    assert parse_health_vm(f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current") == vm()
    assert parse_health_vm(f"{NSG}/providers/Microsoft.ResourceHealth/availabilityStatuses/current") is None


@pytest.mark.parametrize(
    "written", ["", None, 7, "/RESOURCE_ID", "/subscriptions//resourceGroups//x", [], "subscriptions"]
)
def test_what_is_no_id_is_malformed(written: object) -> None:
    with pytest.raises(MalformedRow):
        find_resource_id(written)


def test_an_id_has_a_group_a_subscription_or_neither() -> None:
    assert parse_scope(VM) == GROUP.lower()
    assert parse_scope(SUBSCRIPTION) == parse_subscription(VM) == SUBSCRIPTION
    assert parse_scope("/providers/Microsoft.Management/managementGroups/x") is None


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("networkSecurityGroups/a", True),
        ("networkSecurityGroups/a/securityRules/b", True),
        ("loadBalancers/x", True),
        ("networkWatchers/w", False),
        ("networkSecurityGroups", False),
        ("networkSecurityGroups/a/providers/microsoft.insights/diagnosticSettings/d", False),
    ],
)
def test_traffic_passes_through_network_resources_and_not_what_only_watches(name: str, *, passes: bool) -> None:
    assert parse_network_id(f"{NETWORK}/{name}") == (f"{NETWORK}/{name}".lower() if passes else None)
    assert parse_network_id(VM) is None


def test_a_part_belongs_to_its_top_resource() -> None:
    assert parse_parent_id(SUBNET) == f"{NETWORK}/virtualNetworks/shop-net".lower()


AT = datetime(2026, 3, 2, tzinfo=UTC)


def said(**words: object) -> list[Record]:
    return [each.record for each in decode_health(vm(), AT, words, "ref")]


@pytest.mark.parametrize(
    "word", ["Unknown", "Degraded", "UNAVAILABLE", "Rebooted by user", "This VM is starting.", "EndRequest"]
)
def test_a_word_or_a_sentence_is_no_name(word: str) -> None:
    assert all(record.name in ("", "availability") for record in said(details=word, eventName=word))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({"title": "A sentence.", "details": "LiveMigrationSucceeded"}, "LiveMigrationSucceeded"),
        ({"title": "A sentence.", "details": "LiveMigrationSucceeded//x1"}, "LiveMigrationSucceeded"),
        ({"title": "A sentence.", "details": "livemigrationsucceeded"}, "livemigrationsucceeded"),
        ({"title": "A sentence.", "details": "NO_REASON"}, "NO_REASON"),
        ({"title": "A sentence.", "details": "SIEOutage"}, "SIEOutage"),
        ({"annotationName": "Preempted"}, "Preempted"),  # the member made for the name is taken as it is
        ({"title": "Live Migration", "details": "", "eventName": "LiveMigrationFailure"}, "LiveMigrationFailure"),
        ({"availabilityState": "Available", "title": "Available"}, "availability"),  # told once
    ],
)
def test_an_annotation_is_named_where_its_name_stands(words: dict[str, object], name: str) -> None:
    assert [record.name for record in said(**words)] == [name]


def test_a_state_and_an_annotation_in_one_event_are_two_records() -> None:
    status, annotation = said(**HEALTH)

    assert (status.name, status.status, status.facts["previous"]) == ("availability", "Available", "Unavailable")
    assert (annotation.name, annotation.facts["cause"]) == ("LiveMigrationSucceeded", "PlatformInitiated")
    assert "details" not in annotation.facts


def test_the_older_keys_say_the_same() -> None:
    status, words = said(
        stage="Active",
        title="Virtual Machine health status changed to unavailable",
        healthStatus="Unavailable",
        healthEventCause="PlatformInitiated",
        healthEventCategory="Unplanned",
    )

    assert (status.status, status.facts["cause"]) == ("Unavailable", "PlatformInitiated")
    assert words.facts["category"] == "Unplanned"


def test_nested_words_are_found() -> None:
    assert said(eventCategory="ResourceHealth", eventProperties=HEALTH) == said(**HEALTH)


def test_an_annotation_has_no_state() -> None:
    (record,) = said(**ANNOTATION)

    assert record.name == "LiveMigrationSucceeded"
    assert record.facts["impact"] == "Downtime Freeze"
    assert record.facts["title"] == "Live Migration"


def test_without_state_and_words_nothing_is_said() -> None:
    assert not said(currentHealthStatus=None, previousHealthStatus=None, details=None, cause="Unknown")
