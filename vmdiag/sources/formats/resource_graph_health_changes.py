"""Rows of Resource Graph's `healthresourcechanges`: fourteen days of a VM's health; must not know what a name means.

Source: "Azure Resource Graph sample queries for HealthResources", "Get resource changes". Keys have dots inside:
`changes['properties.annotationName'].newValue`. Two equal annotations in a row change only their time: such a row
does not name itself, and says so in the fact `unnamed`.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.resource_ids import HEALTH, resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Heard, Item, Row

SIGNALS = (Signal.HEALTH,)

CHANGES = "microsoft.resources/changes"
PREFIX = "properties."
ANNOTATIONS = "microsoft.resourcehealth/resourceannotations"


def recognises(row: Row) -> bool:
    """A change of a record of Resource Health's."""
    body = change(row)
    return body is not None and concerns_health(row, body)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What the record said after the change; nothing where it was taken away, or is not of a VM."""
    body = change(row) or {}
    vm = vm_of_health(resource(body.get("targetResourceId")))
    if vm is None:
        return
    changes = _members(mapping(body.get("changes")))
    said = {name: mapping(value).get("newValue") for name, value in changes.items()}
    before = {name: mapping(value).get("previousValue") for name, value in changes.items()}
    at = first(vm, said.get("occurredTime"), at_path(body, "changeAttributes", "timestamp"))
    yield Covers(signal=Signal.HEALTH, scope=vm.key)
    if text(body.get("changeType")).lower() == "delete":
        return
    said.setdefault("previousAvailabilityState", before.get("availabilityState"))
    if not text(said.get("annotationName")):
        said["annotationName"] = before.get("annotationName")
    if _is_annotation(body) and not text(said.get("annotationName")):
        unnamed = "annotation repeated" if changes else "annotation created"
        yield Heard(vm, Record(at=at, signal=Signal.HEALTH, name="", facts={"unnamed": unnamed}, ref=ref))
        return
    yield from health_status.heard(vm, at, said, ref)


def change(row: Row) -> Mapping[str, object] | None:
    """The `properties` of a change row, which may also come alone; `None` when it is none."""
    if "changeAttributes" in row:
        return row
    kind = text(row.get("type")).lower()
    if kind and kind != CHANGES:
        return None
    body = mapping(row.get("properties"))
    return body if kind or "changeAttributes" in body else None


def concerns_health(row: Row, body: Mapping[str, object]) -> bool:
    """Whether what changed is a health record of a resource, not the resource; its id says so, too."""
    kind = text(body.get("targetResourceType")).lower()
    # The change's own id begins with its target's, also where its properties cannot be read.
    target = text(body.get("targetResourceId")) or text(row.get("id"))
    return kind.startswith("microsoft.resourcehealth/") or HEALTH in target.lower()


def _is_annotation(body: Mapping[str, object]) -> bool:
    target = text(body.get("targetResourceId")).lower()
    return text(body.get("targetResourceType")).lower() == ANNOTATIONS or "/resourceannotations/" in target


def _members(changes: Mapping[str, object]) -> dict[str, object]:
    """The changes by the members' own names; what lies outside `properties` is not health."""
    return {key.removeprefix(PREFIX): value for key, value in changes.items() if key.startswith(PREFIX)}
