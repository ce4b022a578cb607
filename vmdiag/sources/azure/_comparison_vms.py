"""Which other VMs show whether an outage around a migration is the VM's own or shared.

Fleet-wide, an outage of a network cuts off VMs that were not migrated, without a word in any log: only their traffic
tells. Of each network and each region with a migration a few VMs that nothing is known of are enough.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from vmdiag.identity import VmId
from vmdiag.model import Kind, Window

# Three other VMs that fail together make a pattern; one more, because one may be off.
COMPARISON_LIMIT = 4
# A baseline of an hour before the onset, and the onset window with what it takes to call it a loss.
SPAN_BEFORE, SPAN_AFTER = timedelta(minutes=100), timedelta(minutes=60)

NETWORKS_QUERY = """
select distinct link.through, machine.key from passage
join link on link.resource = passage.resource join machine on machine.num = passage.vm
where link.through like '%/virtualnetworks/%'
"""
_MIGRATION_KINDS = (Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)


def choose_comparison_spans(
    database: sqlite3.Connection, span: Window, neighbours_by_vm: Mapping[VmId, Iterable[VmId]]
) -> dict[VmId, Window]:
    """The witnesses and over which span each is to be read, for the VMs that were migrated in what was read.

    `neighbours_by_vm` holds the VMs' neighbours, best first.
    """
    found = database.execute(
        "select key, at from record join machine on num = vm where kind in (?, ?) and at between ? and ?",
        (*_MIGRATION_KINDS, span.start.timestamp(), span.end.timestamp()),
    )
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    for key, at in found:
        times[key].append(datetime.fromtimestamp(at, UTC))
    spans: defaultdict[VmId, list[datetime]] = defaultdict(list)
    for vm, neighbours in neighbours_by_vm.items():
        for witness in list(dict.fromkeys(neighbours))[: 2 * COMPARISON_LIMIT] if vm.key in times else ():
            spans[witness] += times[vm.key]
    return {vm: Window(min(known) - SPAN_BEFORE, min(span.end, max(known) + SPAN_AFTER)) for vm, known in spans.items()}


def find_nearby_vms(
    database: sqlite3.Connection, vms: Iterable[VmId], candidates: Collection[VmId]
) -> dict[VmId, list[VmId]]:
    """For each of the VMs some of the witnesses in its virtual networks, then in its region, in the order of their ids.

    The same few serve all VMs of a place, so that one more suspect asks for no more of them.
    """
    networks: defaultdict[str, set[str]] = defaultdict(set)
    for network, key in database.execute(NETWORKS_QUERY):
        networks[network.partition("/subnets/")[0]].add(key)
    regions: defaultdict[str, set[str]] = defaultdict(set)
    for region, key in database.execute("select location, key from machine where location is not null"):
        regions[region].add(key)
    wanted, calm = {vm.key: vm for vm in vms}, {vm.key: vm for vm in candidates}
    near: defaultdict[VmId, list[VmId]] = defaultdict(list)
    for keys in (*networks.values(), *regions.values()):
        some = [calm[key] for key in sorted(keys & calm.keys())[:COMPARISON_LIMIT]]
        for key in keys & wanted.keys():
            near[wanted[key]] += some
    return near
