"""Which changes of a network are a VM's, which are not, and which cannot be told; and when what nobody dated was."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.story import SUBSCRIPTION
from tests.sources.archive_reader import read_archive
from vmdiag.model import Gap, Record, Signal, Transcript, Window
from vmdiag.pipeline import combine_needs
from vmdiag.sources.transcripts import date_records

Json = dict[str, object]
AT = "2026-03-02T08:14:20.0000000Z"
END = datetime.fromisoformat("2026-03-02T10:00:00Z")


def network(group: str, rest: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/{rest}"


def networks(words: str) -> tuple[str, ...]:
    """Several resources, each as `group:rest`."""
    return tuple(network(*word.split(":")) for word in words.split())


VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01"
NIC = network("prod", "networkInterfaces/web-01-nic")
VNET = network("hub", "virtualNetworks/vnet-hub")
SUBNET = f"{VNET}/subnets/apps"
OWN_RULES = network("prod", "networkSecurityGroups/web-nsg")
OWN_ROUTES = network("hub", "routeTables/apps-routes")
# What `az vm show`, `az network nic show` and `az network vnet show` print.
MACHINE: Json = {
    "id": VM,
    "location": "westeurope",
    "networkProfile": {"networkInterfaces": [{"id": NIC, "primary": True}]},
    "type": "Microsoft.Compute/virtualMachines",
}
INTERFACE: Json = {
    "id": NIC,
    "ipConfigurations": [{"name": "ipconfig1", "subnet": {"id": SUBNET}}],
    "networkSecurityGroup": {"id": OWN_RULES},
    "type": "Microsoft.Network/networkInterfaces",
    "virtualMachine": {"id": VM},
}


def virtual_network(*subnets: str) -> Json:
    inside = [{"id": f"{VNET}/subnets/{name}", "name": name} for name in subnets]
    described = [each | {"routeTable": {"id": OWN_ROUTES} if each["id"] == SUBNET else None} for each in inside]
    return {"id": VNET, "subnets": described, "type": "Microsoft.Network/virtualNetworks", "virtualNetworkPeerings": []}


WHOLE = (MACHINE, INTERFACE, virtual_network("db", "apps"))
HIDDEN_NETWORK = (MACHINE, INTERFACE)
CUT_LIST = (MACHINE, INTERFACE, virtual_network("db"))
HIDDEN_INTERFACE = (MACHINE,)


def changed(resource: str) -> Json:
    kind = resource.partition("/providers/")[2].split("/")
    return {
        "category": {"value": "Administrative"},
        "correlationId": resource,
        "eventDataId": resource,
        "eventTimestamp": AT,
        "operationName": {"value": "/".join([kind[0], *kind[1::2], "write"])},
        "resourceGroupName": resource.split("/")[4],
        "resourceId": resource,
        "status": {"value": "Succeeded"},
        "subscriptionId": SUBSCRIPTION,
    }


def read(folder: Path, *files: Json, changes: tuple[str, ...]) -> Transcript:
    for number, each in enumerate(files):
        (folder / f"{number}.json").write_text(json.dumps(each), encoding="utf-8")
    log = [changed(each) for each in (VM, *changes)]
    (folder / "log.json").write_text(json.dumps(log), encoding="utf-8")
    (one,) = read_archive(folder, combine_needs(), "web-01", since=timedelta(days=1), until=END).transcripts
    return one


def unseen(one: Transcript) -> list[Gap]:
    return [gap for gap in one.gaps if gap.signal is Signal.ACTIVITY and gap.cut]


BEHIND_SUBNET = ("unknown", "the subnet apps of its virtual network vnet-hub is not in the archive")
BEHIND_INTERFACE = ("unknown", "its network interface web-01-nic is not in the archive")
IN_POOL = ("unknown", "no interface tells whether its traffic passes through it")
NO_INVENTORY = ("unknown", "its network interfaces are not in the archive")
TOUCHES = ("touches", "")
OF_SUBNET = networks(
    """hub:routeTables/rt/routes/default prod:routeTables/rt hub:networkSecurityGroups/nsg/securityRules/deny
    prod:networkSecurityGroups/nsg hub:natGateways/nat hub:azureFirewalls/fw
    hub:virtualNetworks/spoke/virtualNetworkPeerings/to-hub"""
)
# Of VMs with a known path, with a subnet or an interface that is only referred to, and without any inventory.
RELATIONS: list[tuple[tuple[Json, ...], tuple[str, str] | None, tuple[str, ...]]] = [
    (
        WHOLE,
        None,
        networks(
            """prod:networkSecurityGroups/others-nsg prod:networkSecurityGroups/others-nsg/securityRules/deny
            prod:routeTables/others prod:natGateways/others prod:networkInterfaces/web-02-nic
            prod:publicIPAddresses/web-02-ip prod:virtualNetworks/other hub:virtualNetworks/vnet-hub/subnets/db
            prod:virtualNetworks/other/virtualNetworkPeerings/to-hub hub:routeTables/db-routes/routes/default
            hub:networkSecurityGroups/db-nsg hub:azureFirewalls/fw"""
        ),
    ),
    (WHOLE, TOUCHES, (NIC, OWN_RULES, f"{OWN_RULES}/securityRules/deny", f"{OWN_ROUTES}/routes/default", SUBNET, VNET)),
    (WHOLE, TOUCHES, (f"{VNET}/virtualNetworkPeerings/to-spoke",)),
    (WHOLE, IN_POOL, networks("prod:loadBalancers/lb")),
    (HIDDEN_NETWORK, BEHIND_SUBNET, OF_SUBNET),
    (CUT_LIST, BEHIND_SUBNET, OF_SUBNET),
    (HIDDEN_NETWORK, None, networks("dev:routeTables/rt prod:networkInterfaces/web-02-nic")),
    (HIDDEN_NETWORK, None, networks("prod:publicIPAddresses/web-02-ip hub:virtualNetworks/spoke/subnets/x")),
    (HIDDEN_NETWORK, TOUCHES, (OWN_RULES, f"{VNET}/virtualNetworkPeerings/to-spoke")),
    (HIDDEN_INTERFACE, BEHIND_INTERFACE, networks("prod:routeTables/rt prod:publicIPAddresses/ip")),
    (HIDDEN_INTERFACE, None, networks("prod:networkInterfaces/web-02-nic hub:routeTables/rt")),
    ((), NO_INVENTORY, networks("prod:networkSecurityGroups/nsg")),
    ((), None, networks("hub:networkSecurityGroups/nsg")),
]


@pytest.mark.parametrize(("files", "known", "changes"), RELATIONS)
def test_a_change_touches_a_vm_or_is_nobodys_or_it_says_what_hides_it(
    tmp_path: Path, files: tuple[Json, ...], known: tuple[str, str] | None, changes: tuple[str, ...]
) -> None:
    one = read(tmp_path, *files, changes=changes)
    facts = {record.facts.get("resource"): record.facts for record in one.records}
    found = [facts.get(change.lower(), {}) for change in changes]

    wanted = (None, "") if known is None else known
    assert [(each.get("relation"), each.get("relation_reason", "")) for each in found] == [wanted] * len(changes)


def test_a_log_of_the_group_that_holds_the_network_is_missed_where_it_is_not_there(tmp_path: Path) -> None:
    (gap,) = unseen(read(tmp_path, *WHOLE, changes=()))

    assert (gap.partial, gap.reason) == (
        True,
        "changes of the VM's network in the resource group hub were not seen: its activity log is not in the archive",
    )
    assert gap.window.end == END


def test_a_log_that_is_there_is_not_missed_nor_one_of_a_network_that_is_not_known(tmp_path: Path) -> None:
    assert unseen(read(tmp_path, *WHOLE, changes=(network("hub", "virtualNetworks/any"),))) == []
    (tmp_path / "1.json").unlink()
    (tmp_path / "2.json").unlink()
    assert unseen(read(tmp_path, *HIDDEN_INTERFACE, changes=())) == []


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(days=1), NOON)


def event(status: str, **facts: str) -> Record:
    known = {"event": "E1", "undated": "true", **facts}
    return Record(at=datetime(2010, 1, 1, tzinfo=UTC), signal=Signal.HEALTH, name="", status=status, facts=known)


def dated(*records: Record) -> dict[str, Record]:
    return {record.status: record for record in date_records(records, WINDOW)}


def test_a_state_without_a_time_is_as_new_as_the_window() -> None:
    state = Record(at=datetime(2010, 1, 1, tzinfo=UTC), signal=Signal.POWER, name="PowerState/running")

    assert [record.at for record in date_records([state], WINDOW)] == [NOON]


def test_an_event_that_began_is_dated_by_its_own_announcement_and_no_finer() -> None:
    started = dated(event("Started"), event("Scheduled", not_before="2026-03-02T08:30:00Z"))["Started"]

    assert started.at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    assert started.at + started.blur == datetime(2026, 3, 2, 8, 40, tzinfo=UTC)
    assert "undated" not in started.facts


@pytest.mark.parametrize(("named", "before"), [("E2", "03-02"), ("E1", "02-02"), ("E1", "03-09")])
def test_an_announcement_of_another_event_or_outside_the_window_dates_nothing(named: str, before: str) -> None:
    announced = event("Scheduled", event=named, not_before=f"2026-{before}T08:30:00Z")
    started = dated(event("Started"), announced)["Started"]

    assert (started.at, started.facts["undated"]) == (NOON, "true")


def test_an_event_that_began_just_now_does_not_reach_beyond_the_window() -> None:
    started = dated(event("Started", not_before="2026-03-02T11:55:00Z"))["Started"]

    assert started.at + started.blur == NOON
