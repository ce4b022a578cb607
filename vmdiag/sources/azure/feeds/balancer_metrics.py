"""What load balancers' probes found of VMs: `DipAvailability`, one call a balancer for all that are asked for.

Sources: "REST API: Metrics - List" (dimensions, and `top`, which is 10 unless it is given), "Azure Load Balancer
monitoring data reference" (2024-08-21). An older page ("Standard load balancer diagnostics", 2018) gives the metric to
the Standard SKU alone; what the others answer stands on no page. `VipAvailability` is not asked for: the host answers
it, and cannot see that a VM is cut off.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from vmdiag.arm.request import Request, get_members
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import FeedRequest, build_graph_request
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.decoding.fields import find_text, to_list
from vmdiag.sources.formats import balancer_metrics
from vmdiag.sources.items import IncompleteRead, Item, MetricPoints
from vmdiag.values import Struct, replace

PERMISSIONS = ("Microsoft.Insights/metrics/read",)
SIGNALS = (Signal.BALANCER,)
METRIC = "DipAvailability"
BALANCER_ID = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.network/loadbalancers/[^/?#]+"
)
# As many series as an answer may have: ten unless said otherwise, and an answer of just so many may have been cut.
SERIES_LIMIT = 1_000
# More addresses than this are not named, for a request's line has an end; then all backends are asked for.
NAMED_LIMIT = 50
# Points of one port of all that are asked for: a megabyte or so. Coarser grains tell as much of a lasting loss, and no
# page says that this metric lacks them (inferred from those of all other platform metrics).
POINT_LIMIT = 20_000
GRAINS = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30}
NO_READINGS = (
    "it tells of no probe of this VM: no rule with a probe leads to it, it is off, or the SKU has no such metric"
)


class BalancerBackends(Struct, frozen=True):
    """A load balancer or gateway, by its id in lower case, and the VMs behind it that are asked for, by address.

    An address of several is nobody's: a pool lies in one virtual network, so that something is out of date. An empty
    one is not known.
    """

    front: str
    owners: Mapping[str, tuple[VmId, ...]]

    @property
    def vms(self) -> dict[str, VmId]:
        """The VMs by their ids in lower case, in order of these."""
        return dict(sorted((vm.key, vm) for vms in self.owners.values() for vm in vms))


def build_feed_request(backends: BalancerBackends, span: Window) -> FeedRequest:
    """One call for all of them, in the finest grain that is no flood."""
    request = build_request(backends.front, sorted(filter(None, backends.owners)), span)
    lack = IncompleteRead(signal=Signal.BALANCER, scope="", form=METRIC, place=request.description, reason="")
    lack = replace(lack, since=span.start, until=span.end)

    def unpack_rows(page: object) -> Iterator[object]:
        rows = list(unpack_document(page))
        yield from rows
        found = [row for row in rows if _is_asked_metric(row)]
        # Azure names every metric that was asked for, whether it has a value or not.
        reason = "" if found else f"the answer does not hold {METRIC}"
        if any(len(to_list(get_members(row).get("timeseries"))) >= SERIES_LIMIT for row in found):
            reason = f"an answer of {SERIES_LIMIT} series may have been cut"
        yield from (replace(lack, scope=scope, reason=reason) for scope in backends.vms if reason)

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        silent = dict(backends.vms) if _is_asked_metric(row) else {}
        for item in balancer_metrics.decode_row(row, ref):
            vms = backends.owners.get(item.vm.name.lower(), ()) if isinstance(item, MetricPoints) else ()
            if isinstance(item, MetricPoints) and len(vms) == 1 and item.vm.resource_group == backends.front:
                silent.pop(vms[0].key, None)
                yield replace(item, vm=vms[0])
        # Of a VM without a probe nothing can be told: no reason to doubt what others tell.
        yield from (replace(lack, scope=scope, reason=NO_READINGS, lowers_verdict=False) for scope in silent)

    return FeedRequest(
        request=request,
        scope_ids=tuple(backends.vms),
        signals=SIGNALS,
        read_items=read_items,
        unpack_rows=unpack_rows,
        span=span,
    )


def _is_asked_metric(row: object) -> bool:
    return isinstance(row, dict) and find_text(row, "name").lower() == METRIC.lower()


def build_request(balancer: str, addresses: Iterable[str], span: Window) -> Request:
    """The probes of some backends of a balancer, by port; of all where no address is given, or very many."""
    named = list(addresses)
    wanted = named if 0 < len(named) <= NAMED_LIMIT else ["*"]
    backends = " or ".join(f"BackendIPAddress eq '{one}'" for one in wanted)
    grain = choose_grain(span, len(named) or 1)
    start = span.start.replace(second=0, microsecond=0)
    start -= timedelta(minutes=start.minute % GRAINS[grain])
    return Request(
        description=f"probes of the load balancer {balancer.rpartition('/')[2]}",
        service="metrics",
        path=f"{balancer}/providers/Microsoft.Insights/metrics",
        permission=PERMISSIONS[0],
        params={
            "metricnames": METRIC,
            "aggregation": "Average",
            "interval": grain,
            "timespan": f"{start:%Y-%m-%dT%H:%M:%SZ}/{span.end:%Y-%m-%dT%H:%M:%SZ}",
            "$filter": f"{backends} and BackendPort eq '*'",
            "top": str(SERIES_LIMIT),
        },
    )


def build_search(subscription: str) -> Request:
    """A pool of a balancer that some interface is in, to try whether its probes may be read."""
    query = kql.join_lines(
        "resources",
        "where type =~ 'microsoft.network/networkinterfaces'",
        "mv-expand way = properties.ipConfigurations limit 400",
        "mv-expand pool = way.properties.loadBalancerBackendAddressPools limit 400",
        "project id = tostring(pool.id)",
        "where isnotempty(id)",
        "order by id asc",
        "take 1",
    )
    return build_graph_request("load balancers' pools", query, (subscription,))


def choose_grain(span: Window, backends: int) -> str:
    """The finest grain in which so many backends have no more points than an answer should hold."""
    minutes = (span.end - span.start) / timedelta(minutes=1)
    return next((grain for grain, step in GRAINS.items() if backends * minutes / step <= POINT_LIMIT), "PT30M")
