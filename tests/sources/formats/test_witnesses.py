"""What others see of a VM: tests of Connection Monitor, metrics and health of load balancers, the application's own."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sources.archive_reader import read_archive
from tests.sources.reading import changed, heard, read, sampled, snapshots, vm, within
from tests.sources.rows import BALANCER, EXAMPLES, GROUP, NIC, SUBNET, VM
from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.diagnosis.event_words import HOST_STACK, PRIVATE_FLOWS, PUBLIC_FLOWS
from vmdiag.model import Kind, Needs, Signal, Transcript
from vmdiag.sources.items import IncompleteRead, VmRecord

MONITOR, METRICS, HEALTH = "connection-monitor", "balancer-metrics", "balancer-health"
GATEWAY = "gateway-health"
HUB = f"{GROUP}-hub/providers/Microsoft.Network/virtualNetworks/hub-net/subnets/jump"


def shares(row: Row) -> list[tuple[float, ...]]:
    return [one.values for one in sampled(read(MONITOR, row))]


@pytest.mark.parametrize(
    ("members", "share"),
    [
        ({}, 0.0),
        ({"TestResult": "Pass", "ChecksFailed": 0}, 1.0),
        # Counted, whatever a threshold or the time it took made of them.
        ({"TestResult": "Fail", "ChecksFailed": 2}, 0.8),
        ({"TestResult": "Fail", "ChecksFailed": 0}, 1.0),
        ({"TestResult": "Warning", "ChecksTotal": None, "ChecksFailed": None}, 1.0),
        ({"TestResult": "fail", "ChecksTotal": "", "ChecksFailed": ""}, 0.0),
        ({"TestResult": "Fail", "ChecksTotal": "10", "ChecksFailed": "10"}, 0.0),
    ],
)
def test_a_test_is_the_share_of_its_checks_that_came_through(members: dict[str, object], share: float) -> None:
    assert shares(changed(MONITOR, **members)) == [(share,)]


@pytest.mark.parametrize("result", ["Indeterminate", "Not Running", ""])
def test_a_test_that_was_not_made_says_nothing(result: str) -> None:
    assert shares({**EXAMPLES[MONITOR], "TestResult": result}) == []


def test_a_vm_that_tests_itself_and_a_test_of_something_else_say_nothing() -> None:
    assert shares(changed(MONITOR, SourceResourceId=VM.upper())) == []
    assert shares(changed(MONITOR, DestinationResourceId=None, DestinationIP="203.0.113.7")) == []


@pytest.mark.parametrize(
    "members",
    [
        {"TestResult": "Perhaps", "ChecksTotal": None},
        {"ChecksTotal": None, "ChecksFailedPercentThreshold": 20},
        {"SourceResourceId": None, "SourceName": None},
        {"TimeGenerated": "soon"},
    ],
)
def test_half_a_test_is_told_as_such(members: dict[str, object]) -> None:
    with pytest.raises(MalformedRow) as fault:
        read(MONITOR, changed(MONITOR, **members))
    assert fault.value.vm == vm()


def test_points_of_a_balancer_are_shares_of_its_probes_by_backend_and_port() -> None:
    (found,) = sampled(read(METRICS, EXAMPLES[METRICS]))

    assert (found.vm.name, found.vm.resource_group) == ("10.4.1.6", BALANCER.lower())
    assert (found.name, found.signal, found.values) == ("probe of port 443", Signal.BALANCER, (1.0,))


def test_the_answer_of_a_frontend_says_of_no_vm_that_it_is_reached() -> None:
    identifier = str(EXAMPLES[METRICS]["id"]).replace("Dip", "Vip")

    assert read(METRICS, changed(METRICS, id=identifier, name={"value": "VipAvailability"})) == []


@pytest.mark.parametrize(
    "members",
    [
        {"timeseries": None, "errorCode": "Success", "name": {"value": "DipAvailability"}},
        {"timeseries": [{"metadatavalues": [], "data": []}]},
        {"errorCode": "Throttled"},
    ],
)
def test_metrics_of_a_balancer_that_are_not_whole_are_told(members: dict[str, object]) -> None:
    row = {**EXAMPLES[METRICS], **members}
    with pytest.raises(MalformedRow):
        read(METRICS, row)


def test_health_of_a_rule_has_no_time_and_a_backend_that_is_off_says_nothing() -> None:
    assert [(one.name, one.status) for one in snapshots(read(HEALTH, EXAMPLES[HEALTH]))] == [
        ("Down_Platform", "Down"),
        ("Up_Probe_Success", "Up"),
    ]
    empty = {"ipAddress": "", "networkInterfaceIPConfigurationId": "", "state": "", "reason": ""}
    items = read(HEALTH, changed(HEALTH, loadBalancerBackendAddresses=[empty], up=2))

    assert snapshots(items) == []
    assert [one.reason for one in items if isinstance(one, IncompleteRead)] == [
        "3 backends are counted, and 1 are named"
    ]


@pytest.mark.parametrize("backends", ["all", [None]])
def test_a_list_of_backends_that_is_none_is_told(backends: object) -> None:
    with pytest.raises(MalformedRow):
        read(HEALTH, changed(HEALTH, loadBalancerBackendAddresses=backends))


@pytest.mark.parametrize(
    ("health", "met", "kinds"),
    [
        ("Up", "Success. Received 200 status code", [Kind.BACKEND_UP]),
        ("Down", "Application Gateway could not connect to the backend.", [Kind.BACKEND_DOWN]),
        ("Unhealthy", "", [Kind.BACKEND_DOWN]),
        # The connection had been made: the network lives.
        ("Down", "Status code of the backend's HTTP response did not match the probe setting.", [Kind.BACKEND_UP]),
        ("Down", "The Common Name (CN) of the backend certificate doesn't match.", [Kind.BACKEND_UP]),
        ("Partial", "", []),
        ("Draining", "", []),
        ("Unknown", "", []),
    ],
)
def test_a_gateway_says_that_a_server_is_up_or_down_and_a_wrong_answer_is_one(
    health: str, met: str, kinds: list[Kind]
) -> None:
    server = {"ipConfiguration": {"id": f"{NIC}/ipConfigurations/ip1"}, "health": health, "healthProbeLog": met}
    pool = {"backendHttpSettingsCollection": [{"servers": [server]}]}
    items = read(GATEWAY, changed(GATEWAY, backendAddressPools=[pool]))

    assert [interpret_record(one.signal, one.name, one.status, one.facts) for one in snapshots(items)] == kinds
    assert {item.vm.name for item in items if isinstance(item, VmRecord)} <= {NIC.lower()}


def test_a_gateway_without_a_list_of_pools_is_told() -> None:
    with pytest.raises(MalformedRow):
        read(GATEWAY, changed(GATEWAY, backendAddressPools="all"))


def test_a_healthy_application_is_told_at_its_own_time() -> None:
    health = {"status": {"code": "HealthState/healthy", "time": "2026-03-02T08:30:00Z"}}
    items = read("virtual-machine", within("virtual-machine", instanceView={"vmHealth": health}))
    found = [one for one in heard(items) if one.signal is Signal.APPLICATION]

    assert [(one.name, f"{one.at:%H:%M}") for one in found] == [("HealthState/healthy", "08:30")]


def _interface(name: str, subnet: str, address: str, owner: str) -> Row:
    pool = [{"id": f"{BALANCER}/backendAddressPools/web"}]
    ways = {"subnet": {"id": subnet}, "privateIPAddress": address, "loadBalancerBackendAddressPools": pool}
    properties = {"virtualMachine": {"id": owner}, "ipConfigurations": [{"properties": ways}]}
    return {"id": name, "type": "Microsoft.Network/networkInterfaces", "properties": properties}


def _read_web(folder: Path, *rows: Row) -> Transcript:
    (folder / "all.json").write_text(json.dumps(rows))
    needs = Needs(triggers=frozenset(), margin=timedelta(hours=2))
    (found,) = read_archive(folder, needs, VM).transcripts
    return found


def _tests(told: Transcript) -> list[str]:
    return [one.name for one in told.series if one.signal is Signal.MONITOR]


OWN = _interface(NIC, SUBNET, "10.4.1.6", VM)
PEER = _interface(f"{NIC}-peer", SUBNET, "10.4.1.7", f"{VM}-peer")


@pytest.mark.parametrize(
    ("rows", "members", "place"),
    [
        ((OWN, PEER), {}, "inside"),
        # From inside to the public address goes neither way.
        ((OWN, PEER), {"DestinationIP": "203.0.113.7"}, "unknown"),
        ((OWN, _interface(f"{NIC}-peer", HUB, "10.9.0.4", f"{VM}-peer")), {}, "peered"),
        ((OWN, _interface(f"{NIC}-peer", HUB, "10.9.0.4", f"{VM}-peer")), {"DestinationIP": "203.0.113.7"}, "outside"),
        ((OWN,), {"SourceResourceId": SUBNET}, "inside"),
        ((OWN,), {"SourceResourceId": HUB}, "peered"),
        # What is not known stays unknown: a source that is not in the archive, or whose network is not.
        ((OWN,), {}, "unknown"),
        ((PEER,), {}, "unknown"),
        ((OWN, PEER), {"SourceResourceId": None, "SourceAddress": "198.51.100.4"}, "unknown"),
        ((OWN,), {"SourceResourceId": f"{GROUP}/providers/Microsoft.HybridCompute/machines/office"}, "outside"),
    ],
)
def test_from_where_a_test_looks_is_told_by_its_network(
    tmp_path: Path, rows: tuple[Row, ...], members: dict[str, object], place: str
) -> None:
    (name,) = _tests(_read_web(tmp_path, *rows, changed(MONITOR, **members)))

    assert name.endswith(f" ({place})")


def test_a_test_of_an_address_is_the_vms_that_has_it(tmp_path: Path) -> None:
    test = changed(MONITOR, DestinationResourceId=None)

    assert len(_tests(_read_web(tmp_path, OWN, PEER, test))) == 1
    # Of two networks with the same addresses nobody can say which is meant.
    other = _interface(f"{NIC}-peer", HUB, "10.4.1.6", f"{VM}-peer")
    told = _read_web(tmp_path, OWN, other, test)
    assert _tests(told) == []
    assert any(gap.signal is Signal.MONITOR for gap in told.gaps)


def _alone(row: Row) -> tuple[Row, ...]:
    return (row,)


@pytest.mark.parametrize("name", [METRICS, HEALTH])
@pytest.mark.parametrize("also", [_alone, lambda row: (row, row)])
def test_what_a_balancer_says_of_a_backend_is_the_vms(
    tmp_path: Path, name: str, also: Callable[[Row], tuple[Row, ...]]
) -> None:
    told = _read_web(tmp_path, OWN, {**EXAMPLES["heartbeat"]}, *also(EXAMPLES[name]))

    assert Signal.BALANCER in {*(one.signal for one in told.series), *(one.signal for one in told.records)}


def test_a_backend_of_a_pool_that_the_vm_is_not_in_is_not_the_vms(tmp_path: Path) -> None:
    row = json.loads(json.dumps(EXAMPLES[METRICS]).replace("loadBalancers/front", "loadBalancers/back"))
    told = _read_web(tmp_path, OWN, {**EXAMPLES["heartbeat"]}, row)

    assert [one for one in told.series if one.signal is Signal.BALANCER] == []


FLOWS = "flow-logs"
GROUP_TUPLES = {
    1: ["1772439245,203.0.113.9,10.4.1.6,50100,443,T,I,A"],
    2: [
        "1772439245,203.0.113.9,10.4.1.6,50100,443,T,I,A,B,,,,",
        "1772439246,10.4.1.9,10.4.1.6,1,443,T,I,A,E,3,30,3,30",
    ],
}


def test_flows_of_a_network_are_counted_by_the_minute_and_where_they_came_from() -> None:
    found = sampled(read(FLOWS, EXAMPLES[FLOWS]))

    assert {one.name: one.values for one in found} == {
        HOST_STACK: (0.5, 0.0),
        PUBLIC_FLOWS: (1.0, 0.0),
        PRIVATE_FLOWS: (1.0, 0.0),
    }
    assert [f"{at:%H:%M}" for at in found[0].times] == ["08:14", "08:15"]
    assert {one.vm.name for one in found} == {"00224871c205"}


@pytest.mark.parametrize(("version", "private"), [(1, 0.0), (2, 1.0)])
def test_flows_of_a_security_group_are_in_seconds_and_say_nothing_of_the_host(version: int, private: float) -> None:
    flows = [{"rule": "allow", "flows": [{"mac": "00224871C205", "flowTuples": GROUP_TUPLES[version]}]}]
    row = {
        "time": "2026-03-02T08:15:00Z",
        "systemId": "s",
        "macAddress": "00224871C205",
        "category": "NetworkSecurityGroupFlowEvent",
        "resourceId": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/web-nsg".upper(),
        "operationName": "NetworkSecurityGroupFlowEvents",
        "properties": {"Version": version, "flows": flows},
    }
    found = {one.name: (f"{one.times[0]:%H:%M}", one.values) for one in sampled(read(FLOWS, row))}

    assert found == {PUBLIC_FLOWS: ("08:14", (0.0,)), PRIVATE_FLOWS: ("08:14", (private,))}


BROKEN = {"flows": [{"flowGroups": [{"flowTuples": ["x", 1]}]}]}


@pytest.mark.parametrize("records", [None, {}, {"flows": None}, BROKEN])
def test_a_record_of_flows_that_cannot_be_read_whole_is_told(records: object) -> None:
    with pytest.raises(MalformedRow):
        read(FLOWS, {**EXAMPLES[FLOWS], "flowRecords": records})


def test_flows_are_the_vms_whose_interface_has_the_address_on_the_link(tmp_path: Path) -> None:
    properties = {**OWN["properties"], "macAddress": "00-22-48-71-C2-05"}  # type: ignore[dict-item]
    blob = tmp_path / "macAddress=00224871C205" / "PT1H.json"
    blob.parent.mkdir()
    blob.write_text(json.dumps({"records": [EXAMPLES[FLOWS]]}))
    told = _read_web(tmp_path, {**OWN, "properties": properties})

    assert {one.name for one in told.series} == {HOST_STACK, PUBLIC_FLOWS, PRIVATE_FLOWS}
    # Microsoft's own sample has a second list in a record of the first.
    blob.write_text(json.dumps({"records": [{"records": [EXAMPLES[FLOWS]]}]}))
    assert len(_read_web(tmp_path, {**OWN, "properties": properties}).series) == 3
