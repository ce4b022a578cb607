"""Rows of Resource Graph's `healthresourcechanges`: fourteen days of a VM's health.

Source: "Azure Resource Graph sample queries for HealthResources", "Get resource changes". Keys have dots inside:
`changes['properties.annotationName'].newValue`. Two equal annotations in a row change only their time: such a row
does not name itself, and says so in the fact `unnamed`.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import (
    HEALTH_PROVIDER,
    find_resource_id,
    find_text,
    get_path,
    parse_health_vm,
    to_mapping,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import FeedCoverage, Item, VmRecord

SIGNALS = (Signal.HEALTH,)
CHANGE_TYPE = re.compile(r"(?i)(?:microsoft\.resources/changes)?")
PREFIX = "properties."  # what lies outside is not health
ANNOTATION_TYPE = "microsoft.resourcehealth/resourceannotations"


def find_change(row: Row) -> Row | None:
    """The `properties` of a change row, which may also come alone; `None` when it is none."""
    if "changeAttributes" in row:
        return row
    kind = find_text(row, "type")
    if CHANGE_TYPE.fullmatch(kind) is None:
        return None
    body = to_mapping(row.get("properties"))
    return body if kind or "changeAttributes" in body else None


def is_health_change(row: Row) -> bool:
    """Whether what changed is a health record of a resource, not the resource; its id says so, too."""
    body = find_change(row)
    if body is None:
        return False
    # The change's own id begins with its target's, also where its properties cannot be read.
    target = find_text(body, "targetResourceId") or find_text(row, "id")
    kind = find_text(body, "targetResourceType").lower()
    return kind.startswith("microsoft.resourcehealth/") or HEALTH_PROVIDER in target.lower()


def is_resource_change(row: Row) -> bool:
    """Whether what changed is a resource."""
    return find_change(row) is not None and not is_health_change(row)


SIGNATURES = (
    Signature(all_of={"changeAttributes"}, condition=is_health_change),
    Signature(one_of={"type", "properties"}, kind=CHANGE_TYPE, condition=is_health_change),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What the record said after the change; nothing where it was taken away, or is not of a VM."""
    body = find_change(row) or {}
    target = find_resource_id(body.get("targetResourceId"))
    vm = parse_health_vm(target)
    if vm is None:
        return
    changes = {
        key.removeprefix(PREFIX): to_mapping(value)
        for key, value in to_mapping(body.get("changes")).items()
        if key.startswith(PREFIX)
    }
    said = {name: value.get("newValue") for name, value in changes.items()}
    before = {name: value.get("previousValue") for name, value in changes.items()}
    at = require_time(vm, said.get("occurredTime"), get_path(body, "changeAttributes", "timestamp"))
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key)
    if find_text(body, "changeType").lower() == "delete":
        return
    said.setdefault("previousAvailabilityState", before.get("availabilityState"))
    if not find_text(said, "annotationName"):
        said["annotationName"] = before.get("annotationName")
    kind = find_text(body, "targetResourceType").lower()
    is_annotation = kind == ANNOTATION_TYPE or "/resourceannotations/" in target.lower()
    if is_annotation and not find_text(said, "annotationName"):
        unnamed = "annotation repeated" if changes else "annotation created"
        yield VmRecord(vm, Record(at=at, signal=Signal.HEALTH, name="", facts={"unnamed": unnamed}, ref=ref))
        return
    yield from health_status.decode_health(vm, at, said, ref)
