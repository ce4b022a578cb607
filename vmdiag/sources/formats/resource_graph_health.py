"""Rows of Resource Graph's `healthresources`: a VM's health as it is now; must not know what an annotation means.

Source: "Azure Resource Graph sample queries for HealthResources". A row has its `properties`, is only those, or has
them as columns (`properties_annotationName` is what a query calls a projected member).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import columns, mapping, text
from vmdiag.sources.decoding.resource_ids import HEALTH, resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Row

SIGNALS = (Signal.HEALTH,)

CURRENT = "only the current row of Resource Graph: an earlier annotation is overwritten"
STATUSES = "microsoft.resourcehealth/availabilitystatuses"
ANNOTATIONS = "microsoft.resourcehealth/resourceannotations"
SPELT = {
    name.lower(): name
    for name in (
        "annotationName",
        "availabilityState",
        "category",
        "context",
        "id",
        "impactType",
        "occurredTime",
        "previousAvailabilityState",
        "reason",
        "summary",
        "targetResourceId",
        "type",
    )
}
TELLING = frozenset({"annotationName", "availabilityState"})


def recognises(row: Row) -> bool:
    """A health record that names its target, which Resource Health's own answers do not, or such a record's words."""
    if "data" in row or "changes" in row:
        return False
    if "properties" in row:
        kind = text(row.get("type")).lower()
        if kind and kind not in (STATUSES, ANNOTATIONS):
            return False
        properties = mapping(row["properties"])
        return kind == ANNOTATIONS or ("targetResourceId" in properties and not TELLING.isdisjoint(properties))
    names = set(_spelt(tuple(row)).values())
    return not TELLING.isdisjoint(names) and ("targetResourceId" in names or names >= {"id", "occurredTime"})


def items(row: Row, ref: str) -> Iterator[Item]:
    """The state and the annotation of now; nothing for what is no VM."""
    said: Mapping[str, object] = mapping(row.get("properties")) or {
        spelt: row[key] for key, spelt in _spelt(tuple(row)).items()
    }
    vm = vm_of_health(resource(said.get("targetResourceId"), _target(row.get("id")), _target(said.get("id"))))
    if vm is None:
        return
    at = first(vm, said.get("occurredTime"))
    yield Covers(signal=Signal.HEALTH, scope=vm.key, partial=CURRENT)
    yield from health_status.heard(vm, at, said, ref)


def _target(identifier: object) -> str:
    """What a health record's id says of its VM."""
    written = text(identifier)
    cut = written.lower().find(HEALTH)
    return written[:cut] if cut >= 0 else written


@lru_cache(maxsize=64)  # the rows of an answer share their columns
def _spelt(keys: tuple[str, ...]) -> Mapping[str, str]:
    """The columns that hold members of `properties`, and how Azure spells those."""
    names = columns(dict.fromkeys(keys))
    found = {key: SPELT.get(name.removeprefix("properties_")) for name, key in names.items()}
    return {key: spelt for key, spelt in found.items() if spelt is not None}
