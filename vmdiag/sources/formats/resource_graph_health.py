"""Rows of Resource Graph's `healthresources`: a VM's health as it is now.

Source: "Azure Resource Graph sample queries for HealthResources". A row has its `properties`, is only those, or has
them as columns (`properties_annotationName` is what a query calls a projected member).
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import (
    HEALTH_PROVIDER,
    cut_at,
    find_resource_id,
    fold_column_names,
    parse_health_vm,
    to_mapping,
    to_text,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import FeedCoverage, Item

SIGNALS = (Signal.HEALTH,)
CURRENT_ONLY = "only the current row of Resource Graph: an earlier annotation is overwritten"
STATUS_TYPE = re.compile(r"(?i)(?:microsoft\.resourcehealth/availabilitystatuses)?")
ANNOTATION_TYPE = re.compile(r"(?i)microsoft\.resourcehealth/resourceannotations")
MEMBERS = (
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
MEMBER_SPELLINGS = dict(zip(map(str.lower, MEMBERS), MEMBERS, strict=True))
STATE_MEMBERS = frozenset({"annotationName", "availabilityState"})
STATE_COLUMNS = {"annotationname", "availabilitystate", "properties_annotationname", "properties_availabilitystate"}


def names_target_and_state(row: Row) -> bool:
    """Whether the properties name a target, which those of Resource Health's own answers do not, and a state."""
    properties = to_mapping(row.get("properties"))
    return "targetResourceId" in properties and not STATE_MEMBERS.isdisjoint(properties)


def has_columns_of_state(row: Row) -> bool:
    """Whether the columns are such a record's."""
    names = _read_columns(row).keys()
    return not STATE_MEMBERS.isdisjoint(names) and ("targetResourceId" in names or names >= {"id", "occurredTime"})


SIGNATURES = (
    Signature(all_of={"properties"}, none_of={"data", "changes"}, kind=ANNOTATION_TYPE),
    Signature(all_of={"properties"}, none_of={"data", "changes"}, kind=STATUS_TYPE, condition=names_target_and_state),
    Signature(
        one_of=STATE_COLUMNS, none_of={"data", "changes", "properties"}, is_folded=True, condition=has_columns_of_state
    ),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state and the annotation of now; nothing for what is no VM."""
    said = to_mapping(row.get("properties")) or _read_columns(row)
    owners = (cut_at(to_text(each), HEALTH_PROVIDER) for each in (row.get("id"), said.get("id")))
    vm = parse_health_vm(find_resource_id(said.get("targetResourceId"), *owners))
    if vm is None:
        return
    at = require_time(vm, said.get("occurredTime"))
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key, partial=CURRENT_ONLY)
    yield from health_status.decode_health(vm, at, said, ref)


def _read_columns(row: Row) -> Row:
    """The columns that hold members of `properties`, as Azure spells those."""
    return {
        spelt: row[key]
        for name, key in fold_column_names(row).items()
        if (spelt := MEMBER_SPELLINGS.get(name.removeprefix("properties_"))) is not None
    }
