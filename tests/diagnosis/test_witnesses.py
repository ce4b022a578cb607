"""What tests from elsewhere and a balancer's probes make of a loss: the scenario's signature, and its look-alikes."""

import pytest

from tests import notation
from tests.timeline_builders import diagnose_story, make_case
from vmdiag.diagnosis.model import Action, State, Verdict
from vmdiag.diagnosis.shared_outage import compare_fleet
from vmdiag.model import Gap, Signal, Viewpoint
from vmdiag.values import replace

MOVED = "12:00 live-migration\n"
PAIR = f"{MOVED}12:03 outside-lost\ninside normal\n"
LIFE = "cpu active\n"


@pytest.mark.parametrize(
    ("story", "verdict", "scope"),
    [
        # Outside fails while inside passes, of the same port: strong, and the VM is seen alive.
        (PAIR, "confirmed", "outside"),
        (f"{MOVED}12:03 peered-lost\ninside normal", "confirmed", "peered"),
        # Who was not heard may have said that the inside fails, too.
        (f"{PAIR}gap monitor refused (403)", "suspected", "outside"),
        # What was suspected for want of a second channel is confirmed by a pair.
        (f"{MOVED}12:02 unavailable", "suspected", "unknown"),
        (f"{PAIR}12:02 unavailable", "confirmed", "outside"),
        (f"{MOVED}12:02 traffic-lost\n12:03 outside-lost\ninside normal", "confirmed", "outside"),
        # Nobody looked from inside: one medium channel.
        (f"{MOVED}12:03 outside-lost", "suspected", "unknown"),
        (f"{MOVED}12:03 unknown-lost\n{LIFE}", "suspected", "unknown"),
        # Both fail: guest, host or interface, whatever else shows the loss.
        (f"{MOVED}12:03 outside-lost\n12:03 inside-lost", "suspected", "inside"),
        (f"{MOVED}12:03 traffic-lost\n12:03 outside-lost\n12:03 inside-lost\n{LIFE}", "suspected", "inside"),
        (f"{MOVED}12:03 traffic-lost\n{LIFE}", "confirmed", "unknown"),
        # The balancer's probe alone is medium, its word for Azure's infrastructure strong, but it dates nothing.
        (f"{MOVED}12:03 balancer-lost", "suspected", "unknown"),
        (f"{MOVED}14:00 backend-platform-down\nuntil 14:00", "inconclusive", None),
        (f"{MOVED}12:02 unavailable\n14:00 backend-platform-down\nuntil 14:00", "confirmed", "unknown"),
        (f"{MOVED}12:02 unavailable\n14:00 backend-down\nuntil 14:00", "suspected", "unknown"),
        # Flow logs: the host's stack that is not ready drops packets; what a dead path leaves in them is inferred.
        (f"{MOVED}12:02 stack-lost", "suspected", "unknown"),
        (f"{MOVED}12:02 stack-lost\n12:03 traffic-lost", "confirmed", "unknown"),
        (f"{MOVED}12:02 stack-lost\n12:12 stack-back\ntraffic normal", "clear", None),
        (f"{MOVED}12:02 stack-lost\ntraffic normal", "clear", None),
        (f"{MOVED}12:02 public-lost\nprivate normal", "inconclusive", None),
        (f"{MOVED}12:02 public-lost\nprivate normal\ntraffic normal", "clear", None),
        # An application that is healthy inside says that the VM lives, and never that it is reached.
        (f"{MOVED}12:03 traffic-lost\n13:00 application-healthy", "confirmed", "unknown"),
        (f"{MOVED}12:03 traffic-lost", "suspected", "unknown"),
        # What the guest's driver writes is told and decides nothing, for or against.
        (f"{MOVED}12:03 data-path-failed\ntraffic normal", "clear", None),
        (f"{MOVED}12:03 data-path-failed", "inconclusive", None),
        (
            f"{MOVED}12:02 unavailable\n12:03 data-path-failed\n12:03 accelerated-interface-absent",
            "suspected",
            "unknown",
        ),
        # A failing test is judged like any loss: not before the migration, not for minutes.
        ("11:40 outside-lost\n12:00 live-migration\ninside normal", "clear", "outside"),
        (f"{MOVED}12:03 outside-lost\n12:09 outside-back\ninside normal\ntraffic normal", "clear", None),
    ],
)
def test_who_reaches_the_vm_decides(story: str, verdict: str, scope: str | None) -> None:
    found = diagnose_story(story)

    assert (found.verdict, found.loss and found.loss.scope) == (verdict, scope)


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        # Connections that died in a healthy migration, while new ones are answered.
        (f"{MOVED}12:02 traffic-lost\n{LIFE}outside normal", "inconclusive"),
        # Only peered networks are cut: the outside reaches it.
        (f"{MOVED}12:03 peered-lost\noutside normal\ninside normal\ntraffic normal", "clear"),
        (f"{MOVED}12:03 peered-lost\noutside normal\ninside normal", "inconclusive"),
        # The balancer's probe only, and one source only among many.
        (f"{MOVED}12:03 balancer-lost\ntraffic normal", "clear"),
        (f"{MOVED}12:03 outside-lost\ntraffic normal", "inconclusive"),
        # Egress only: heartbeats end, and the VM is reached from outside.
        (f"{MOVED}12:03 heartbeat-lost\n{LIFE}outside normal", "inconclusive"),
        # A clean migration with witnesses.
        (f"{MOVED}traffic normal\noutside normal\ninside normal\nbalancer normal", "clear"),
    ],
)
def test_a_look_alike_is_not_flagged(story: str, verdict: str) -> None:
    assert diagnose_story(story).verdict == verdict


def test_without_its_witness_the_look_alike_would_be_flagged() -> None:
    assert diagnose_story(f"{MOVED}12:02 traffic-lost\n{LIFE}").verdict is Verdict.CONFIRMED
    answered = diagnose_story(f"{MOVED}12:02 traffic-lost\n{LIFE}outside normal")

    assert (answered.state, answered.recommendation.action) == (State.OPEN, Action.INVESTIGATE)
    assert "TCP_USER_TIMEOUT" in answered.recommendation.says


@pytest.mark.parametrize(("story", "is_told"), [(f"{MOVED}until 14:00\n", True), ("until 14:00\n", False)])
def test_who_is_clear_after_a_migration_hears_what_cures_clients_that_hang(story: str, *, is_told: bool) -> None:
    well = diagnose_story(f"{story}traffic normal")

    assert (well.verdict, well.recommendation.action) == (Verdict.CLEAR, Action.NONE)
    assert ("TCP_USER_TIMEOUT" in well.recommendation.says) is is_told


@pytest.mark.parametrize("witness", ["balancer normal\n", "13:59 backend-up\n"])
def test_a_balancer_that_reaches_it_is_a_doubt_unless_a_pair_of_tests_proves_the_loss(witness: str) -> None:
    # It looks from the host's side, as from inside.
    lost = f"{MOVED}12:03 traffic-lost\n{LIFE}{witness}until 14:00"

    assert diagnose_story(lost).verdict is Verdict.SUSPECTED
    assert diagnose_story(f"{lost}\n12:03 outside-lost\ninside normal").verdict is Verdict.CONFIRMED


def test_a_route_table_is_a_doubt_where_tests_alone_show_the_loss() -> None:
    timeline = notation.timeline(PAIR)
    routes = "/subscriptions/s/resourcegroups/prod/providers/microsoft.network/routetables/through-firewall"
    routed = replace(timeline, vm=replace(timeline.vm, network=frozenset({routes})))
    found = diagnose_story(routed)

    assert (found.verdict, any("through-firewall" in one.says for one in found.finding.evidence)) == ("suspected", True)


@pytest.mark.parametrize("signal", [Signal.MONITOR, Signal.BALANCER, Signal.FLOWS])
def test_tests_that_were_not_read_whole_prove_nothing(signal: Signal) -> None:
    timeline = notation.timeline(PAIR)
    cut = Gap(signal=signal, window=timeline.window, reason="cut", partial=True, cut=True)

    assert diagnose_story(replace(timeline, gaps=(*timeline.gaps, cut))).verdict is Verdict.SUSPECTED


def test_a_pair_of_tests_of_different_ports_proves_nothing() -> None:
    timeline = notation.timeline(PAIR)
    other = "tcp/22 from prod/web-02 (inside)"
    series = {other if "inside" in name else name: one for name, one in timeline.series.items()}
    changed = replace(timeline, series={name: replace(one, name=name) for name, one in series.items()})

    assert diagnose_story(changed).verdict is Verdict.SUSPECTED


def test_a_source_that_lost_vms_that_were_not_migrated_is_suspected_itself() -> None:
    alone = make_case(PAIR, name="web-01")
    other = make_case("12:03 outside-lost\ninside normal\nuntil 14:03", name="web-03")
    measured = make_case(f"{PAIR}12:03 traffic-lost", name="web-04")
    by_name = {case.vm.id.name: case.diagnosis.verdict for case in compare_fleet([alone, other, measured])}

    assert by_name == {"web-01": "inconclusive", "web-03": "clear", "web-04": "suspected"}
    assert [case.diagnosis.verdict for case in compare_fleet([alone])] == ["confirmed"]


def test_scopes_are_the_words_of_the_report() -> None:
    assert [one.value for one in Viewpoint] == ["outside", "peered", "inside", "unknown"]


def test_a_probe_that_fails_alone_is_a_matter_of_its_port_and_no_reason_to_redeploy() -> None:
    found = diagnose_story(f"{MOVED}12:03 balancer-lost\ntraffic normal")
    back = diagnose_story(f"{MOVED}12:03 balancer-lost\n12:20 balancer-back\ntraffic normal")

    assert (found.verdict, found.recommendation.action) == (Verdict.CLEAR, Action.INVESTIGATE)
    assert "AzureLoadBalancer" in found.recommendation.says
    assert (back.verdict, back.recommendation.action) == (Verdict.CLEAR, Action.NONE)


def test_a_failed_switch_of_the_data_path_is_cited_where_it_lies_in_the_onset_window() -> None:
    said = {
        story: [one.says for one in make_case(story).diagnosis.findings[0].evidence if one.signal is Signal.CONSOLE]
        for story in (
            f"{MOVED}12:02 unavailable\n12:03 data-path-failed",
            f"{MOVED}12:02 unavailable\n13:30 data-path-failed",
        )
    }
    near, far = said.values()

    assert len(near) == 1
    assert "failed to switch its data path" in near[0]
    assert far == []


@pytest.mark.parametrize(
    "story",
    [
        # A loss without a migration that anybody dates stays what it is.
        f"12:10 traffic-lost\n{LIFE}until 14:00",
        "traffic normal\nuntil 14:00",
        f"{MOVED}traffic normal\nuntil 14:00",
        f"{MOVED}12:02 unavailable\nuntil 14:00",
        f"{MOVED}12:03 traffic-lost\n{LIFE}until 14:00",
    ],
)
def test_a_migration_without_a_time_in_scheduled_events_changes_no_verdict_and_is_told_beside_a_loss(
    story: str,
) -> None:
    plain, hinted = make_case(story).diagnosis, make_case(f"{story}\n14:00 scheduled-event").diagnosis
    said = [one.says for one in hinted.finding.evidence if "not when it was" in one.says]

    assert (hinted.verdict, hinted.explanation, hinted.state) == (plain.verdict, plain.explanation, plain.state)
    assert len(said) == bool(plain.losses)
