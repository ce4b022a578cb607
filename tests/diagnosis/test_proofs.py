"""What Network Watcher's answers make of a loss: the pair that proves it, and what takes the migration's place."""

import pytest

from tests.timeline_builders import diagnose_story
from vmdiag.diagnosis.model import Action, State

MOVED = "12:00 live-migration\n"
LIFE = "cpu active\n"
PAIR = "13:58 inside-reached\n13:58 peered-unreached\n13:58 rule-allows\n13:58 straight-hop\n"
LOST = f"{MOVED}12:03 traffic-lost\n"
ILL = f"{MOVED}12:02 unavailable\n"
END = "until 14:00"


@pytest.mark.parametrize(
    ("story", "verdict", "scope"),
    [
        # What was suspected for want of a second channel is confirmed by the pair.
        (ILL, "suspected", "unknown"),
        (f"{ILL}{PAIR}", "confirmed", "peered"),
        (LOST, "suspected", "unknown"),
        (f"{LOST}{PAIR}", "confirmed", "peered"),
        (f"{LOST}13:58 inside-reached\n13:58 outside-unreached\n", "confirmed", "outside"),
        # The inside answers, so the VM is alive; from outside nobody looked.
        (f"{LOST}13:58 inside-reached\n", "confirmed", "unknown"),
        (f"{ILL}13:58 inside-reached\n", "suspected", "unknown"),
        # From outside alone: medium where the port is known to be served, nothing where it is assumed.
        (f"{LOST}13:58 outside-unreached\n", "confirmed", "unknown"),
        (f"{ILL}13:58 outside-unreached\n", "suspected", "unknown"),
        (f"{LOST}13:58 outside-unreached assumed\n", "suspected", "unknown"),
        # An assumed port that the inside reaches is served.
        (f"{ILL}13:58 inside-reached assumed\n13:58 outside-unreached assumed\n", "confirmed", "outside"),
        # Of a look from inside probes were lost, too: it shows life, and no half of a pair.
        (f"{ILL}13:58 inside-degraded\n13:58 peered-unreached\n", "suspected", "peered"),
        # Both fail: guest, host or interface, whatever else shows the loss.
        (f"{LOST}{LIFE}", "confirmed", "unknown"),
        (f"{LOST}{LIFE}13:58 inside-unreached\n13:58 peered-unreached\n", "suspected", "inside"),
        (f"{LOST}{LIFE}13:58 inside-unreached assumed\n13:58 peered-unreached assumed\n", "suspected", "inside"),
        # The answers go through an appliance, which may have failed itself.
        (f"{LOST}{LIFE}13:58 inside-reached\n13:58 peered-unreached\n13:58 appliance\n", "suspected", "peered"),
        # It dates nothing: without a measured loss the pair proves no loss that began with the migration.
        (f"{MOVED}{PAIR}", "inconclusive", None),
        # A loss that has ended is not proved by looks of now; one that began before the migration is not its doing.
        (f"{MOVED}12:03 traffic-lost\n12:40 traffic-back\n{PAIR}", "suspected", "unknown"),
        (f"11:40 traffic-lost\n12:00 live-migration\n{PAIR}", "clear", "peered"),
    ],
)
def test_the_pair_decides_only_with_a_loss_that_was_measured(story: str, verdict: str, scope: str | None) -> None:
    found = diagnose_story(f"{story}{END}")

    assert (found.verdict, found.loss and found.loss.scope) == (verdict, scope)


@pytest.mark.parametrize(
    ("story", "verdict", "explanation"),
    [
        # Without its rule or route the story is the migration's.
        ("", "confirmed", "live-migration-datapath"),
        ("13:58 rule-denies\n", "clear", "network-change"),
        ("13:58 way-denied\n13:58 inside-reached\n", "clear", "network-change"),
        ("13:58 no-hop\n", "clear", "network-change"),
        # Of what is only assumed (that somebody listens, that somebody comes) it is how a VM is kept safe.
        ("13:58 no-hop assumed\n13:58 inside-reached\n", "confirmed", "live-migration-datapath"),
        ("13:58 rule-denies assumed\n", "confirmed", "live-migration-datapath"),
        # Of public addresses rules let some in and keep others out, in health, too: customers may be cut off.
        ("13:58 stranger-denied\n", "suspected", "live-migration-datapath"),
        ("13:58 stranger-kept-out\n13:58 inside-reached\n", "suspected", "live-migration-datapath"),
        # Who is reached from there all the same is not kept out by a rule.
        ("13:58 rule-denies\n13:58 peered-reached\n", "suspected", "live-migration-datapath"),
    ],
)
def test_a_rule_or_a_route_that_denies_explains_the_loss(story: str, verdict: str, explanation: str) -> None:
    found = diagnose_story(f"{LOST}{LIFE}{story}{END}")

    assert (found.verdict, found.explanation, found.state) == (verdict, explanation, State.OPEN)
    if verdict == "clear":
        assert found.recommendation.action is Action.INVESTIGATE


def test_a_rule_for_what_comes_in_does_not_explain_heartbeats_that_end() -> None:
    gone = f"{LOST}12:03 heartbeat-lost\n{LIFE}"
    denied = diagnose_story(f"{gone}13:58 rule-denies\n{END}")

    assert diagnose_story(f"{gone}{END}").verdict == "confirmed"
    assert (denied.verdict, denied.explanation) == ("suspected", "live-migration-datapath")
    assert diagnose_story(f"{gone}13:58 no-hop\n{END}").explanation == "network-change"


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        # Connections that died in a healthy migration: new ones are answered from outside.
        (f"{LOST}{LIFE}13:58 outside-reached\n13:58 inside-reached\n", "inconclusive"),
        # Reached from one network, not from another: a peering.
        (f"{LOST}{LIFE}13:58 outside-reached\n13:58 peered-unreached\n13:58 inside-reached\n", "inconclusive"),
        (f"{LOST}{LIFE}13:58 peered-reached\n13:58 inside-reached\n", "suspected"),
        (f"{MOVED}traffic normal\n{PAIR}", "clear"),
        (f"{MOVED}traffic normal\n13:58 inside-unreached\n13:58 outside-unreached\n13:58 rule-denies\n", "clear"),
    ],
)
def test_a_look_alike_is_not_confirmed_by_being_looked_at(story: str, verdict: str) -> None:
    assert diagnose_story(f"{story}{END}").verdict == verdict


def test_a_look_that_a_rule_keeps_out_is_no_channel() -> None:
    kept_out = "13:58 rule-denies assumed\n13:58 inside-reached assumed\n13:58 peered-unreached assumed\n"

    assert diagnose_story(f"{ILL}{kept_out}{END}").verdict == "suspected"


def test_a_pair_of_looks_at_different_ports_proves_nothing() -> None:
    # Health alone is suspected; the outside fails at 443, and the inside was reached there by nobody.
    assert diagnose_story(f"{ILL}13:58 outside-unreached assumed\n{END}").verdict == "suspected"


def test_the_story_tells_who_reached_it_and_when() -> None:
    found = diagnose_story(f"{ILL}{PAIR}{END}")
    told = " | ".join(one.says for one in found.finding.evidence)

    assert "port 443 is reached from prod/web-02 in its own virtual network, at 13:58Z" in told
    assert "port 443 is not reached from hub/jump in another virtual network, at 13:58Z" in told
