"""Rows of the Log Analytics table `NWConnectionMonitorTestResult`: tests of Connection Monitor towards a VM.

Sources: "Connection Monitor schemas", "Connection monitor overview" (the states), "Azure Monitor Logs reference:
NWConnectionMonitorTestResult". Every row is a test from one source, once an interval. Without a threshold `Fail` means
that all checks failed; with one, or for the time they took, some may have passed: so the checks are counted.
`Indeterminate` and `Not Running` say nothing. `NWConnectionMonitorPathResult` is not read: it is written only when
something changes, so that its silence means neither. Queries that are pushed down, and live readings, gather the times
of a day's tests of one outcome in one row, for a row a test would repeat two ids a thousand times a day.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import make_address_placeholder
from vmdiag.model import Signal, Viewpoint
from vmdiag.sources.decoding.fields import (
    find_text,
    fold_column_names,
    fold_columns,
    parse_vm_id,
    to_list,
    to_number,
)
from vmdiag.sources.decoding.timestamps import parse_time, require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item, MetricPoints
from vmdiag.sources.network_path import name_test

SIGNALS = (Signal.MONITOR,)
TABLE = "nwconnectionmonitortestresult"
OWN_COLUMNS = frozenset({"checkstotal", "checksfailed", "testgroupname", "testconfigurationname"})
RESULTS = {"pass": 1.0, "warning": 1.0, "fail": 0.0}
SILENT_RESULTS = frozenset({"indeterminate", "not running", "notrunning", ""})
NAME_LENGTH = 200
# What virtual networks are made of (RFC 1918, 4193 and 6598; "Azure Virtual Network FAQ"). Where one uses others they
# are taken for public ones: then a test is placed less surely, never wrongly inside.
PRIVATE_NETWORKS = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
# Azure Arc serves machines that are not Azure's ("Azure Arc-enabled servers: prerequisites").
ARC_PROVIDER = "/providers/microsoft.hybridcompute/machines/"


def is_test_result(row: Row) -> bool:
    """Whether a row says its table in `Type`, or has what only such a row has."""
    names = fold_column_names(row)
    if "type" in names:
        return find_text(row, names["type"]).lower() == TABLE
    return not names.keys().isdisjoint(OWN_COLUMNS)


SIGNATURES = (
    Signature(all_of={"timegenerated", "testresult"}, is_folded=True, condition=is_test_result),
    Signature(all_of={"testresult", "checkstotal", "times"}, is_folded=True),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The share of checks that reached the VM, in one test or in all of a row; nothing where none was made of a VM."""
    del ref  # tests are too many to cite each
    cells = fold_columns(row)
    # The VM that is tested: of its id, else of its private address.
    named, address = find_text(cells, "destinationresourceid"), find_text(cells, "destinationip", "destinationaddress")
    tested = parse_vm_id(named) if named else None
    vm = tested or (make_address_placeholder(address) if is_private_address(address) else None)
    source = parse_vm_id(find_text(cells, "sourceresourceid"))
    result = find_text(cells, "testresult").lower()
    # A VM that reaches itself says nothing of its network.
    if vm is None or vm == source or result in SILENT_RESULTS:
        return
    gathered = [parse_time(each) for each in to_list(cells["times"])] if "times" in cells else ()
    times = sorted({at for at in gathered if at is not None}) or [require_time(vm, cells.get("timegenerated"))]
    total, failed = to_number(cells.get("checkstotal")), to_number(cells.get("checksfailed"))
    if total is not None and failed is not None and total > 0 and 0 <= failed <= total:
        share = 1 - failed / total
    elif result not in RESULTS:
        message = f"a test result that is not known: {result[:40]!r}"
        raise MalformedRow(message, vm)
    elif result == "fail" and to_number(cells.get("checksfailedpercentthreshold")) is not None:
        message = "a test failed its threshold, and how many of its checks did is missing"
        raise MalformedRow(message, vm)
    else:
        share = RESULTS[result]
    # The test's name: its protocol and port, from where, and whether that is known to be outside.
    port = find_text(cells, "destinationport")
    what = find_text(cells, "protocol").lower()[:NAME_LENGTH] or "test"
    what = f"{what}/{port[:10]}" if port else what
    identifier = find_text(cells, "sourceresourceid").lower()
    origin = identifier or find_text(cells, "sourcename", "sourceaddress", "sourceip")
    if not origin:
        message = "a test that does not say from where"
        raise MalformedRow(message, vm)
    if address and not is_private_address(address):
        what = f"{what} at its public address"
    place = Viewpoint.OUTSIDE if ARC_PROVIDER in identifier else Viewpoint.UNKNOWN
    name = name_test(what, origin[: 2 * NAME_LENGTH], place)
    values = (share,) * len(times)
    yield MetricPoints(vm=vm, name=name, signal=Signal.MONITOR, times=tuple(times), values=values)
    if None in gathered:
        message = "tests without times that can be read"
        raise MalformedRow(message, vm)


def is_private_address(address: str) -> bool:
    """Whether an address is one that virtual networks are made of; not a name, and not one of the internet."""
    try:
        found = ip_address(address)
    except ValueError:  # a name, or nothing
        return False
    return any(found in each for each in PRIVATE_NETWORKS)
