"""What is asked of a load balancer for suspects, and what is made of an answer that tells less, or of others."""

from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.identity import VmId
from vmdiag.model import VirtualMachine, Window
from vmdiag.sources.azure._balancer_reading import find_fronts
from vmdiag.sources.azure.feeds import balancer_metrics
from vmdiag.sources.azure.feeds.balancer_metrics import NO_READINGS, SERIES_LIMIT, BalancerBackends
from vmdiag.sources.items import IncompleteRead, InterfaceAddress, MetricPoints, NetworkLink, VmInventory
from vmdiag.sources.store import ItemStore

NETWORK = "/subscriptions/s/resourcegroups/g/providers/microsoft.network"
FRONT = f"{NETWORK}/loadbalancers/front"
WEB, DB = (VmId(subscription="s", resource_group="g", name=name) for name in ("web", "db"))
BEHIND = BalancerBackends(FRONT, {"10.0.0.4": (WEB,), "10.0.0.5": (DB,)})
END = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)


def make_span(hours: float) -> Window:
    return Window(END - timedelta(hours=hours), END)


def make_series(address: str) -> dict[str, object]:
    return {
        "metadatavalues": [{"name": {"value": "BackendIPAddress"}, "value": address}],
        "data": [{"timeStamp": "2026-03-02T08:00:00Z", "average": 100.0}],
    }


def make_answer(*addresses: str, balancer: str = FRONT) -> dict[str, object]:
    identifier = f"{balancer}/providers/Microsoft.Insights/metrics/DipAvailability"
    series = [make_series(address) for address in addresses]
    return {"value": [{"id": identifier, "name": {"value": "DipAvailability"}, "timeseries": series}]}


def read_answer(
    page: object, backends: BalancerBackends = BEHIND
) -> tuple[dict[str, str], dict[str, tuple[str, bool]]]:
    """Of whom the answer tells by which series, and of whom something is missing: why, and whether that counts."""
    asked = balancer_metrics.build_feed_request(backends, make_span(3))
    rows = list(asked.unpack_rows(page))
    items = [item for row in rows if isinstance(row, dict) for item in asked.read_items(row, "ref")]
    lacks = [one for one in (*rows, *items) if isinstance(one, IncompleteRead)]
    told = {item.vm.key: item.name for item in items if isinstance(item, MetricPoints)}
    return told, {lack.scope: (lack.reason, lack.lowers_verdict) for lack in lacks}


@pytest.mark.parametrize(
    ("hours", "backends", "grain"),
    [(3, 1, "PT1M"), (3, 50, "PT1M"), (14 * 24, 1, "PT5M"), (14 * 24, 10, "PT15M"), (89 * 24, 1000, "PT30M")],
)
def test_the_grain_is_as_fine_as_one_answer_can_hold(hours: float, backends: int, grain: str) -> None:
    assert balancer_metrics.choose_grain(make_span(hours), backends) == grain


def test_one_call_names_the_suspects_and_asks_for_all_their_ports() -> None:
    request = balancer_metrics.build_feed_request(BEHIND, make_span(3)).request
    many = balancer_metrics.build_request(FRONT, [f"10.0.1.{number}" for number in range(60)], make_span(3))
    backends = "BackendIPAddress eq '10.0.0.4' or BackendIPAddress eq '10.0.0.5'"

    assert request.params["$filter"] == f"{backends} and BackendPort eq '*'"
    assert (request.params["metricnames"], request.params["top"]) == ("DipAvailability", str(SERIES_LIMIT))
    assert request.params["timespan"] == "2026-03-02T06:00:00Z/2026-03-02T09:00:30Z"
    assert many.params["$filter"] == "BackendIPAddress eq '*' and BackendPort eq '*'"


def test_an_answer_tells_of_the_suspects_and_of_nobody_else() -> None:
    told, missing = read_answer(make_answer("10.0.0.4", "10.0.0.99"))

    # Of a VM without a probe nothing can be told, which is no reason to doubt what others tell.
    assert (told, missing) == ({WEB.key: "probe"}, {DB.key: (NO_READINGS, False)})
    assert read_answer(make_answer("10.0.0.4", balancer=f"{FRONT}-2"))[0] == {}
    twins = BalancerBackends(FRONT, {"10.0.0.4": (WEB, DB)})
    assert read_answer(make_answer("10.0.0.4"), twins)[0] == {}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"value": []}, "the answer does not hold DipAvailability"),
        (make_answer(*["10.0.0.4"] * SERIES_LIMIT), f"an answer of {SERIES_LIMIT} series may have been cut"),
    ],
)
def test_an_answer_that_may_not_be_whole_is_told_of_every_suspect(page: object, reason: str) -> None:
    _, missing = read_answer(page)

    assert missing[WEB.key] == (reason, True)
    assert DB.key in missing


def test_balancers_are_found_by_the_pools_of_suspects_interfaces_and_an_address_is_one() -> None:
    store = ItemStore()
    odd = "10.0.0.9' or BackendIPAddress eq '*"
    for vm, address in ((WEB, "10.0.0.4"), (DB, odd)):
        interface = f"{NETWORK}/networkinterfaces/{vm.name}"
        store.add_item(VmInventory(VirtualMachine(id=vm, network=frozenset({interface}))))
        store.add_item(NetworkLink(resource=interface, through=frozenset({FRONT, f"{FRONT}/../x", f"{NETWORK}/v/v"})))
        store.add_item(InterfaceAddress(interface, frozenset({address, "000d3a000004"})))
    fronts = find_fronts(store, [WEB, DB])

    assert {front: one.owners for front, one in fronts.items()} == {FRONT: {"": (DB,), "10.0.0.4": (WEB,)}}
    assert read_answer(make_answer("10.0.0.4"), fronts[FRONT]) == ({WEB.key: "probe"}, {DB.key: (NO_READINGS, False)})
    assert find_fronts(store, []) == {}
