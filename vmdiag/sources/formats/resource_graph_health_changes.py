"""Rows of Resource Graph's `healthresourcechanges`: fourteen days of a VM's health; must not know what a name means.

Source: "Azure Resource Graph sample queries for HealthResources", "Get resource changes". Keys have dots inside:
`changes['properties.annotationName'].newValue`. Two equal annotations in a row change only their time: such a row
does not name itself, and says so in the fact `unnamed`.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import (
    HEALTH_PROVIDER,
    find_resource_id,
    get_path,
    parse_health_vm,
    to_mapping,
    to_text,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import FeedCoverage, Item, Row, VmRecord

SIGNALS = (Signal.HEALTH,)

CHANGE_TYPE = "microsoft.resources/changes"
PREFIX = "properties."
ANNOTATION_TYPE = "microsoft.resourcehealth/resourceannotations"


def recognises_row(row: Row) -> bool:
    """A change of a record of Resource Health's."""
    body = find_change(row)
    return body is not None and concerns_health(row, body)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What the record said after the change; nothing where it was taken away, or is not of a VM."""
    body = find_change(row) or {}
    vm = parse_health_vm(find_resource_id(body.get("targetResourceId")))
    if vm is None:
        return
    changes = _list_changed_members(to_mapping(body.get("changes")))
    said = {name: to_mapping(value).get("newValue") for name, value in changes.items()}
    before = {name: to_mapping(value).get("previousValue") for name, value in changes.items()}
    at = require_time(vm, said.get("occurredTime"), get_path(body, "changeAttributes", "timestamp"))
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key)
    if to_text(body.get("changeType")).lower() == "delete":
        return
    said.setdefault("previousAvailabilityState", before.get("availabilityState"))
    if not to_text(said.get("annotationName")):
        said["annotationName"] = before.get("annotationName")
    if _is_annotation(body) and not to_text(said.get("annotationName")):
        unnamed = "annotation repeated" if changes else "annotation created"
        yield VmRecord(vm, Record(at=at, signal=Signal.HEALTH, name="", facts={"unnamed": unnamed}, ref=ref))
        return
    yield from health_status.decode_health(vm, at, said, ref)


def find_change(row: Row) -> Mapping[str, object] | None:
    """The `properties` of a change row, which may also come alone; `None` when it is none."""
    if "changeAttributes" in row:
        return row
    kind = to_text(row.get("type")).lower()
    if kind and kind != CHANGE_TYPE:
        return None
    body = to_mapping(row.get("properties"))
    return body if kind or "changeAttributes" in body else None


def concerns_health(row: Row, body: Mapping[str, object]) -> bool:
    """Whether what changed is a health record of a resource, not the resource; its id says so, too."""
    kind = to_text(body.get("targetResourceType")).lower()
    # The change's own id begins with its target's, also where its properties cannot be read.
    target = to_text(body.get("targetResourceId")) or to_text(row.get("id"))
    return kind.startswith("microsoft.resourcehealth/") or HEALTH_PROVIDER in target.lower()


def _is_annotation(body: Mapping[str, object]) -> bool:
    target = to_text(body.get("targetResourceId")).lower()
    return to_text(body.get("targetResourceType")).lower() == ANNOTATION_TYPE or "/resourceannotations/" in target


def _list_changed_members(changes: Mapping[str, object]) -> dict[str, object]:
    """The changes by the members' own names; what lies outside `properties` is not health."""
    return {key.removeprefix(PREFIX): value for key, value in changes.items() if key.startswith(PREFIX)}
