"""Metrics of a load balancer: `DipAvailability`, what its probes found of each backend, in percent of a minute.

Sources: "Supported metrics for Microsoft.Network/loadBalancers", "Standard load balancer diagnostics", "REST API:
Metrics - List". Only the dimension `BackendIPAddress` tells which VM. `VipAvailability` is not read: the host of a
healthy backend answers it, so that it cannot see a VM that is cut off, and says of no VM that it can be reached.
"""

from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import ADDRESS_LENGTH, make_address_placeholder
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import cut_at, find_resource_id, find_text, iter_objects, to_number
from vmdiag.sources.decoding.metric_names import is_balancer_metric
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.formats.metrics import METRIC_PROVIDER
from vmdiag.sources.items import Item, MetricPoints

SIGNALS = (Signal.BALANCER,)
BACKEND_METRIC = "dipavailability"
# Averages of what is 0 or 100; a minimum or maximum of a grain tells no share of it.
AGGREGATION = "average"
PORT_LENGTH = 20


SIGNATURES = (Signature(all_of={"name", "timeseries"}, condition=is_balancer_metric),)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The points of each backend that the series name, as shares of one; none of another metric."""
    del ref  # points are too many to cite each
    balancer = find_resource_id(cut_at(find_text(row, "id"), METRIC_PROVIDER)).lower()
    if find_text(row, "name").lower() != BACKEND_METRIC:
        return
    lost = 0
    if not isinstance(row.get("timeseries"), list):
        message = "the answer has no list of series"
        raise MalformedRow(message)
    code = find_text(row, "errorCode")
    if code and code.lower() != "success":
        message = f"Azure could not answer for DipAvailability: {code[:100]}"
        raise MalformedRow(message)
    for series in iter_objects(row.get("timeseries")):
        dimensions = {
            find_text(one, "name").lower(): find_text(one, "value")
            for one in iter_objects(series.get("metadatavalues"))
        }
        address, port = dimensions.get("backendipaddress", ""), dimensions.get("backendport", "")
        points = list(iter_objects(series.get("data")))
        if not address or len(address) > ADDRESS_LENGTH:
            message = "DipAvailability is not split by backend: ask with --dimension BackendIPAddress"
            raise MalformedRow(message)
        measured = [(parse_time(one.get("timeStamp")), to_number(one.get(AGGREGATION))) for one in points]
        kept = [(at, value / 100) for at, value in measured if at is not None and value is not None]
        lost += sum(one.get(AGGREGATION) is not None for one in points) - len(kept)
        yield MetricPoints(
            vm=make_address_placeholder(address, balancer),
            name=f"probe of port {port[:PORT_LENGTH]}" if port else "probe",
            signal=Signal.BALANCER,
            times=tuple(at for at, _ in kept),
            values=tuple(value for _, value in kept),
        )
    if lost:  # what could be read was given out
        message = f"{lost} points of DipAvailability have no usable time or value"
        raise MalformedRow(message)
