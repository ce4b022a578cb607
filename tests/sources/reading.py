"""How a format reads a row, and what tests of formats ask of what was read."""

from types import ModuleType

import vmdiag.sources.formats as formats_package
from tests.sources.rows import EXAMPLES, VM
from vmdiag import plugins
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import FeedCoverage, Item, MetricPoints, NetworkChange, ServiceIncident, VmInventory, VmRecord

REF = "file.json:7"
FORMATS: dict[str, ModuleType] = {
    name: plugins.load(formats_package, name) for name in plugins.list_names(formats_package) if name in EXAMPLES
}


def vm() -> VmId:
    """The VM of the examples."""
    found = VmId.parse(VM)
    assert found is not None
    return found


def read(name: str, row: Row) -> list[Item]:
    """What a format says of a row, after recognising it."""
    assert recognises_row(FORMATS[name], row)
    return list(FORMATS[name].decode_row(row, REF))


def changed(name: str, /, **members: object) -> dict[str, object]:
    """The example of a format with some members changed; `None` takes one away."""
    return {key: value for key, value in {**EXAMPLES[name], **members}.items() if value is not None}


def within(name: str, /, **members: object) -> dict[str, object]:
    """The example of a format with some of its properties changed."""
    properties = EXAMPLES[name]["properties"]
    assert isinstance(properties, dict)
    return changed(name, properties={**properties, **members})


def heard(items: list[Item]) -> list[Record]:
    return [item.record for item in items if isinstance(item, VmRecord) and item.is_dated]


def nearby(items: list[Item]) -> list[NetworkChange]:
    return [item for item in items if isinstance(item, NetworkChange)]


def regional(items: list[Item]) -> list[ServiceIncident]:
    return [item for item in items if isinstance(item, ServiceIncident)]


def sampled(items: list[Item]) -> list[MetricPoints]:
    return [item for item in items if isinstance(item, MetricPoints)]


def snapshots(items: list[Item]) -> list[Record]:
    return [item.record for item in items if isinstance(item, VmRecord) and not item.is_dated]


def known(items: list[Item]) -> list[VmInventory]:
    return [item for item in items if isinstance(item, VmInventory)]


def covered(items: list[Item]) -> dict[Signal, str | None]:
    """Which signals were covered, and why only in part."""
    return {item.signal: item.partial for item in items if isinstance(item, FeedCoverage)}
