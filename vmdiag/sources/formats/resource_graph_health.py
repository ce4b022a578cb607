"""Rows of Resource Graph's `healthresources`: a VM's health as it is now; must not know what an annotation means.

Source: "Azure Resource Graph sample queries for HealthResources". A row has its `properties`, is only those, or has
them as columns (`properties_annotationName` is what a query calls a projected member).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import (
    HEALTH_PROVIDER,
    find_resource_id,
    fold_column_names,
    parse_health_vm,
    to_mapping,
    to_text,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import FeedCoverage, Item, Row

SIGNALS = (Signal.HEALTH,)

CURRENT_ONLY = "only the current row of Resource Graph: an earlier annotation is overwritten"
STATUS_TYPE = "microsoft.resourcehealth/availabilitystatuses"
ANNOTATION_TYPE = "microsoft.resourcehealth/resourceannotations"
MEMBER_SPELLINGS = {
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
STATE_MEMBERS = frozenset({"annotationName", "availabilityState"})


def recognises_row(row: Row) -> bool:
    """A health record that names its target, which Resource Health's own answers do not, or such a record's words."""
    if "data" in row or "changes" in row:
        return False
    if "properties" in row:
        kind = to_text(row.get("type")).lower()
        if kind and kind not in (STATUS_TYPE, ANNOTATION_TYPE):
            return False
        properties = to_mapping(row["properties"])
        return kind == ANNOTATION_TYPE or (
            "targetResourceId" in properties and not STATE_MEMBERS.isdisjoint(properties)
        )
    names = set(_map_columns(tuple(row)).values())
    return not STATE_MEMBERS.isdisjoint(names) and ("targetResourceId" in names or names >= {"id", "occurredTime"})


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state and the annotation of now; nothing for what is no VM."""
    said: Mapping[str, object] = to_mapping(row.get("properties")) or {
        spelt: row[key] for key, spelt in _map_columns(tuple(row)).items()
    }
    vm = parse_health_vm(
        find_resource_id(said.get("targetResourceId"), _find_target_id(row.get("id")), _find_target_id(said.get("id")))
    )
    if vm is None:
        return
    at = require_time(vm, said.get("occurredTime"))
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key, partial=CURRENT_ONLY)
    yield from health_status.decode_health(vm, at, said, ref)


def _find_target_id(identifier: object) -> str:
    """What a health record's id says of its VM."""
    written = to_text(identifier)
    cut = written.lower().find(HEALTH_PROVIDER)
    return written[:cut] if cut >= 0 else written


@lru_cache(maxsize=64)  # the rows of an answer share their columns
def _map_columns(keys: tuple[str, ...]) -> Mapping[str, str]:
    """The columns that hold members of `properties`, and how Azure spells those."""
    names = fold_column_names(dict.fromkeys(keys))
    found = {key: MEMBER_SPELLINGS.get(name.removeprefix("properties_")) for name, key in names.items()}
    return {key: spelt for key, spelt in found.items() if spelt is not None}
