"""Which other VMs show whether an outage around a migration is the VM's own or shared.

Fleet-wide, an outage of a network cuts off VMs that were not migrated, without a word in any log: only their traffic
tells. Of each network and each region with a migration a few VMs that nothing is known of are enough.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.stored_items import StoredItems

# Three other VMs that fail together make a pattern; one more, because one may be off.
COMPARISON_LIMIT = 4
# A baseline of an hour before the onset, and the onset window with what it takes to call it a loss.
SPAN_BEFORE, SPAN_AFTER = timedelta(minutes=100), timedelta(minutes=60)


def choose_comparison_spans(
    store: StoredItems, span: Window, neighbours_by_vm: Mapping[VmId, Iterable[VmId]]
) -> dict[VmId, Window]:
    """The witnesses and over which span each is to be read, for the VMs that were migrated in what was read.

    `neighbours_by_vm` holds the VMs' neighbours, best first.
    """
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    for key, at in store.list_migrations(span):
        times[key].append(at)
    spans: defaultdict[VmId, list[datetime]] = defaultdict(list)
    for vm, neighbours in neighbours_by_vm.items():
        for witness in list(dict.fromkeys(neighbours))[: 2 * COMPARISON_LIMIT] if vm.key in times else ():
            spans[witness] += times[vm.key]
    return {vm: Window(min(known) - SPAN_BEFORE, min(span.end, max(known) + SPAN_AFTER)) for vm, known in spans.items()}


def find_nearby_vms(store: StoredItems, vms: Iterable[VmId], candidates: Collection[VmId]) -> dict[VmId, list[VmId]]:
    """For each of the VMs some of the witnesses in its virtual networks, then in its region, in the order of their ids.

    The same few serve all VMs of a place, so that one more suspect asks for no more of them.
    """
    wanted, calm = {vm.key: vm for vm in vms}, {vm.key: vm for vm in candidates}
    near: defaultdict[VmId, list[VmId]] = defaultdict(list)
    for keys in store.group_by_place():
        some = [calm[key] for key in sorted(keys & calm.keys())[:COMPARISON_LIMIT]]
        for key in keys & wanted.keys():
            near[wanted[key]] += some
    return near
