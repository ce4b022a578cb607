"""No redeploy on half-read inputs: what was not given, measured or named whole is never taken for all there is."""

from datetime import timedelta

import pytest

from tests.arm import Fault, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.arm.world import AnnouncedEvent
from tests.live.conftest import AzureStarter, build_world, log_operation

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
GRAPH, NETWORKS = "Microsoft.ResourceGraph", "publicipaddresses"
METRICS, HISTORY = r"Microsoft\.Insights/metrics", "availabilityStatuses"
CHANGES = "healthresourcechanges"
HOUR = timedelta(hours=1)


def rival() -> World:
    """The VM's own network lies in another group, and was written 100 s before the VM was cut off."""
    one, network = build_world(network_group="hub"), "Microsoft.Network/virtualNetworks"
    ago = timedelta(minutes=118, seconds=100)
    log_operation(one, f"{GROUPS}/hub/providers/{network}/vnet", f"{network}/write", ago)
    return one


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Fault(path=GRAPH, asking=NETWORKS, kind="status", status=403)],
        [Fault(path=GRAPH, asking=NETWORKS, kind="unlisted", form="null data")],
        [Fault(path=GRAPH, asking=NETWORKS, kind="truncated")],
        [Fault(path=GRAPH, asking=NETWORKS, kind="short_page", keep=0, says="truncated")],
        [Fault(path=GRAPH, asking=NETWORKS, kind="short_page", keep=0)],
    ],
    ids=["whole", "403", "null", "broken off", "truncated", "0 of 1"],
)
def test_a_write_on_the_vms_own_network_makes_it_suspected_and_no_list_read_in_part_hides_it(
    azure: AzureStarter, faults: list[Fault]
) -> None:
    there = azure(rival(), *faults)
    ran, (case,) = there.redeploy_vms()

    assert (there.redeploy_count, ran.code, case["verdict"]) == (0, 5, "suspected"), ran.err
    if faults:
        assert any("changes of networks in other groups are not seen" in gap["reason"] for gap in case["gaps"])
        told = "whether it has a dynamic public IP address, which may change, is not known"
        # Where the verdict refuses already, nobody asks for what would be lost.
        risks, loses = case["mitigation"]["risks"], case["mitigation"]["loses"]
        assert any(told in risk for risk in risks) or "a dynamic public IP address may change" in loses


def test_a_cloud_that_cannot_tell_of_networks_is_told_of_and_not_mistrusted(azure: AzureStarter) -> None:
    _, (case,) = azure(build_world(graph=False)).check_vms("prod/web-01")

    assert case["verdict"] == "confirmed"
    assert any("changes of networks in other groups are not seen" in gap["reason"] for gap in case["gaps"])


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([Fault(path=METRICS, kind="short_page", keep=1)], "does not hold"),
        ([Fault(path=METRICS, kind="short_page", keep=2)], "does not hold Percentage CPU"),
        ([Fault(path=METRICS, kind="short_page", keep=9, says="truncated")], "truncated"),
        ([Fault(path=METRICS, kind="foreign_next", url="https://metrics.example/next")], "next page"),
        ([Fault(path=METRICS, kind="page_loop")], "next"),
        ([Fault(path=METRICS, kind="shorter_span", since=1440, until=60)], " only"),
        ([Fault(path=METRICS, kind="shorter_span", since=119, until=0)], " only"),
        # Of a fall that was seen an hour ago nothing tells whether it goes on.
        ([Fault(path=METRICS, kind="unmeasured", since=60, until=0)], "no readings after"),
        ([Fault(path=METRICS, kind="unmeasured", since=60, until=0, names="Network|Flows")], "no readings after"),
        # Without the hour before, nothing tells what is little.
        ([Fault(path=METRICS, kind="unmeasured", since=1440, until=118)], "hardly a point was reported"),
        # Both readings of the health, each in part.
        ([Fault(path=HISTORY, kind="page_loop"), Fault(path=GRAPH, asking=CHANGES, kind="error_beside")], ""),
    ],
)
def test_measurements_or_health_that_are_not_all_that_was_asked_for_redeploy_nothing(
    azure: AzureStarter, faults: list[Fault], says: str
) -> None:
    case = azure(build_world(), *faults).refuse_redeploy()

    assert says in case["mitigation"]["says"] or any(says in gap["reason"] for gap in case["gaps"])


@pytest.mark.parametrize(
    ("absent", "faults"),
    [
        # Two minutes late, as metrics come, and an hour that lies before the hour by which the loss is measured.
        (set(), [Fault(path=METRICS, kind="unmeasured", since=3, until=0)]),
        (set(), [Fault(path=METRICS, kind="unmeasured", since=1440, until=200)]),
        (set(), [Fault(path=METRICS, kind="shorter_span", since=1440, until=4)]),
        # What this cloud does not know is no half of an answer.
        ({"Inbound Flows"}, []),
        ({"VmAvailabilityMetric"}, []),
    ],
)
def test_measurements_that_lack_nothing_that_decides_are_acted_on(
    azure: AzureStarter, absent: set[str], faults: list[Fault]
) -> None:
    there = azure(build_world(metrics_absent=absent), *faults)
    ran, _ = there.redeploy_vms("--no-wait")

    assert (there.redeploy_count, ran.code) == (1, 1), ran.err


def test_an_azure_that_tells_no_time_is_not_said_to_agree(azure: AzureStarter) -> None:
    there = azure(build_world(), Fault(path=".", kind="dated", date=""))
    case = there.refuse_redeploy()

    assert "clock: Azure's answers tell no time" in case["mitigation"]["says"]
    doctor = there.run_command("doctor")
    assert "Azure's answers tell no time" in doctor.out + doctor.err


@pytest.mark.parametrize(("names", "posts"), [((), 0), (("",), 0), (("web-01",), 0), (("web-02",), 1)])
def test_an_event_of_a_set_that_names_no_vm_may_mean_each(
    azure: AzureStarter, names: tuple[str, ...], posts: int
) -> None:
    one = build_world(availability_set="front")
    whose = f"{GROUPS}/prod/providers/Microsoft.Compute/availabilitySets/front"
    one.maintenance.append(AnnouncedEvent(vm=whose, kind="Reboot", not_before=one.now() + HOUR, names=names))
    there = azure(one)
    ran, (case,) = there.redeploy_vms()

    assert (there.redeploy_count, ran.code) == (posts, 0 if posts else 5), ran.err
    assert posts or "service event: Azure has announced a reboot" in case["mitigation"]["says"]


def test_an_address_that_could_not_be_looked_up_is_a_risk_that_is_told(azure: AzureStarter) -> None:
    there = azure(build_world(), Fault(path=GRAPH, asking=NETWORKS, kind="status", status=403, after=1))
    _, (case,) = there.redeploy_vms("--dry-run")
    told = "whether it has a dynamic public IP address, which may change, is not known"

    assert any(risk.startswith(told) for risk in case["mitigation"]["risks"])
