"""What a verdict means, clause by clause of the contract, look-alikes first."""

import pytest

from tests import notation
from tests.timeline_builders import SCENARIOS, diagnose_story
from vmdiag.diagnosis.model import Stance, Verdict

LOOK_ALIKES = {
    "a healthy migration": ("12:00 live-migration\ntraffic normal", "clear", None, None, "none"),
    "a pause of minutes": (
        "12:00 live-migration\n12:02 traffic-lost\n12:13 traffic-back\nuntil 14:00", "clear", None, None, "none"),
    "a short Unavailable during the migration": (
        "12:00 live-migration\n12:00 unavailable\n12:03 available\ntraffic normal", "clear", None, None, "none"),
    "a silent agent with normal traffic": (
        "12:00 live-migration\n12:20 agent-not-ready\ntraffic normal", "clear", None, None, "none"),
    "an agent that falls silent while traffic is normal": (
        "12:00 heartbeat-lost\ntraffic normal", "clear", None, None, "investigate"),
    "an agent that falls silent long after a migration": (
        "10:00 live-migration\n12:02 heartbeat-lost\ntraffic normal", "clear", None, None, "investigate"),
    "Resource Health alone complains while traffic is normal": (
        "12:00 live-migration\n12:02 unavailable\ntraffic normal", "clear", None, None, "none"),
    "too early, and nothing lost so far": (
        "12:00 live-migration\ntraffic normal\nuntil 12:15", "clear", None, None, "wait"),
    "a loss long before the migration": (
        "11:40 traffic-lost\n12:00 live-migration", "clear", "unexplained", "open", "investigate"),
    "a loss long after the migration": (
        "12:00 live-migration\n12:45 traffic-lost", "clear", "unexplained", "open", "investigate"),
    "a customer's stop right after the migration": (
        "12:00 live-migration\n12:04 deallocate\n12:04 unavailable", "clear", "user-stop", "open", "investigate"),
    "a host that fails right after the migration": (
        "12:00 live-migration\n12:05 host-failure\n12:05 traffic-lost\n12:25 traffic-back\nuntil 14:00",
        "clear", "host-failure", "recovered", "none"),
    "a restart between migration and loss": (
        "12:00 live-migration\n12:05 restart\n12:07 traffic-lost", "clear", "guest-restart", "open", "investigate"),
    "a restart that is over before the loss": (
        "12:00 live-migration\n12:02 restart\n12:25 traffic-lost", "clear", "unexplained", "open", "investigate"),
    "a network change nearer to the onset": (
        "12:00 live-migration\n12:20 network-change\n12:21 traffic-lost",
        "clear", "network-change", "open", "investigate"),
    "an incident of the service": (
        "11:30 service-incident\n12:00 live-migration\n12:02 traffic-lost",
        "clear", "service-incident", "open", "investigate"),
    "an update in place": ("12:00 freeze\ntraffic normal", "clear", None, None, "none"),
    "a host that may fail": ("12:00 degraded-host\n12:00 degraded\ntraffic normal", "clear", None, None, "none"),
    "nothing at all": ("12:00 available\ntraffic normal", "clear", None, None, "none"),
    "a stop and a start": ("12:00 deallocate\n12:40 start", "clear", "user-stop", "redeployed", "none"),
    "a loss without a migration, health history read": (
        "12:00 traffic-lost", "clear", "unexplained", "open", "investigate"),
}  # fmt: skip
CANNOT_TELL = {
    "no channel was read": ("12:00 live-migration\ngap traffic refused", None, None, "investigate"),
    "an idle VM": ("12:00 live-migration\ntraffic idle", None, None, "investigate"),
    "only a silent agent": ("12:00 live-migration\n12:20 agent-not-ready", None, None, "investigate"),
    "only a health state that stays Unknown": ("12:00 live-migration\n12:02 unknown", None, None, "investigate"),
    "too early with a loss": (
        "12:00 live-migration\n12:02 traffic-lost\nuntil 12:14", "live-migration-datapath", "open", "wait"),
    "heartbeats that go on, alone": ("12:00 live-migration\nheartbeat normal", None, None, "investigate"),
    "a loss in an activity log alone": (
        "12:00 unavailable\npart health a log does not show every migration", None, "open", "investigate"),
    "nothing that shows a migration was read": (
        "12:00 power-running\ngap health no\ngap activity no", None, None, "investigate"),
}  # fmt: skip
AFFECTED = {
    "traffic and heartbeat": (
        "12:00 live-migration\n12:03 traffic-lost\n12:03 heartbeat-lost", "confirmed", "open", "redeploy"),
    "traffic while the CPU works": (
        "12:00 live-migration\n12:03 traffic-lost\ncpu active", "confirmed", "open", "redeploy"),
    "traffic while the host says it runs": (
        "12:00 live-migration\n12:03 traffic-lost\n14:00 power-running\nuntil 14:00", "confirmed", "open", "redeploy",
        ),
    "the operator's word and an Unavailable": (
        "12:00 live-migration\n12:05 unavailable\n12:10 unreachable", "confirmed", "open", "redeploy"),
    "Available does not veto": (
        "12:00 live-migration\n12:03 traffic-lost\n12:10 available", "confirmed", "open", "redeploy"),
    "accelerated networking in the onset window supports": (
        "12:00 live-migration\n12:05 accelnet-unhealthy\n12:03 traffic-lost", "confirmed", "open", "redeploy"),
    "traffic alone": ("12:00 live-migration\n12:03 traffic-lost", "suspected", "open", "redeploy"),
    "Resource Health alone": ("12:00 live-migration\n12:03 unavailable", "suspected", "open", "redeploy"),
    "heartbeats that go on contradict": (
        "12:00 live-migration\n12:03 traffic-lost\nheartbeat normal\ncpu active", "suspected", "open", "redeploy"),
    "competing causes not read": (
        "12:00 live-migration\n12:03 traffic-lost\ncpu active\ngap activity refused", "suspected", "open", "redeploy",
        ),
    "a failed migration": (
        "12:00 live-migration-failed\n12:03 traffic-lost\ncpu active", "suspected", "open", "redeploy"),
    "a loss four minutes before": (
        "11:56 traffic-lost\n12:00 live-migration\ncpu active", "suspected", "open", "redeploy"),
    "back by itself": (
        "12:00 live-migration\n12:03 traffic-lost\n13:00 traffic-back\ncpu active", "confirmed", "recovered", "none"),
    "back by a redeploy": (
        "12:00 live-migration\n12:03 traffic-lost\n13:00 redeploy\n13:04 traffic-back\ncpu active",
        "confirmed", "redeployed", "none"),
    "back by deallocating and starting": (
        "12:00 live-migration\n12:03 traffic-lost\n13:00 deallocate\n13:06 start\n13:08 traffic-back\ncpu active",
        "confirmed", "redeployed", "none"),
    "redeployed and still dead": (
        "12:00 live-migration\n12:03 traffic-lost\n13:00 redeploy\ncpu active", "confirmed", "open", "escalate"),
    "a restart that was tried after the onset": (
        "12:00 live-migration\n12:03 traffic-lost\n12:30 restart\ncpu active", "confirmed", "open", "redeploy"),
    "a network change farther from the onset": (
        "11:40 network-change\n12:00 live-migration\n12:03 traffic-lost\ncpu active", "confirmed", "open", "redeploy",
        ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_clear(name: str) -> None:
    story, verdict, explanation, state, action = LOOK_ALIKES[name]
    diagnosis = diagnose_story(story)

    assert (diagnosis.verdict, diagnosis.explanation, diagnosis.state) == (verdict, explanation, state)
    assert diagnosis.recommendation.action == action


@pytest.mark.parametrize("name", CANNOT_TELL)
def test_what_cannot_be_told_is_inconclusive(name: str) -> None:
    story, explanation, state, action = CANNOT_TELL[name]
    diagnosis = diagnose_story(story)

    assert diagnosis.verdict is Verdict.INCONCLUSIVE
    assert (diagnosis.explanation, diagnosis.state) == (explanation, state)
    assert diagnosis.recommendation.action == action
    assert any(piece.stance is Stance.MISSING for piece in diagnosis.finding.evidence)


@pytest.mark.parametrize("name", AFFECTED)
def test_a_broken_datapath_is_flagged(name: str) -> None:
    story, verdict, state, action = AFFECTED[name]
    diagnosis = diagnose_story(story)

    assert (diagnosis.verdict, diagnosis.state, diagnosis.recommendation.action) == (verdict, state, action)
    assert diagnosis.explanation == "live-migration-datapath"
    assert diagnosis.migrated_at is not None
    assert diagnosis.failed_at is not None


def test_of_two_migrations_the_one_that_bit_is_named() -> None:
    diagnosis = diagnose_story("06:00 live-migration\n12:00 live-migration\n12:03 traffic-lost\ncpu active")

    assert diagnosis.verdict is Verdict.CONFIRMED
    assert f"{diagnosis.migrated_at:%H:%M}" == "12:00"
    assert f"{diagnosis.failed_at:%H:%M}" == "12:03"


def test_the_migration_that_is_named_is_the_one_whose_loss_is_left_and_the_latest_loss_says_how_things_stand() -> None:
    diagnosis = diagnose_story(
        "08:00 live-migration\n08:03 traffic-lost\n09:00 traffic-back\n"
        "12:00 live-migration\n12:20 network-change\n12:22 traffic-lost\ncpu active"
    )

    assert (diagnosis.verdict, diagnosis.explanation) == (Verdict.CONFIRMED, "network-change")
    assert f"{diagnosis.migrated_at:%H:%M}" == "08:00"
    assert f"{diagnosis.failed_at:%H:%M}" == "12:22"


def test_a_change_whose_relation_is_unknown_casts_doubt_and_is_cited() -> None:
    timeline = notation.timeline("11:58 network-change\n12:00 live-migration\n12:03 traffic-lost\ncpu active")
    for event in timeline.events:
        if event.kind == "network-change":
            event.facts["relation"] = "same-group"  # type: ignore[index]  # the story's own mapping
    diagnosis = diagnose_story(timeline)

    assert diagnosis.verdict is Verdict.SUSPECTED
    assert any(
        piece.stance is Stance.AGAINST and "network configuration" in piece.says for piece in diagnosis.finding.evidence
    )


def test_a_loss_in_a_log_alone_is_clear_where_another_cause_explains_it() -> None:
    diagnosis = diagnose_story("12:00 deallocate\n12:01 unavailable\npart health a log does not show every migration")

    assert (diagnosis.verdict, diagnosis.explanation) == (Verdict.CLEAR, "user-stop")


def test_the_windows_instructions_are_linked_for_windows() -> None:
    linux = diagnose_story("12:00 live-migration\n12:03 traffic-lost\ncpu active").recommendation

    assert [link for link in linux.links if "linux" in link]
    assert not [link for link in linux.links if "windows/redeploy" in link]


def test_findings_come_in_a_total_order() -> None:
    diagnosis = diagnose_story("12:00 live-migration\n12:03 traffic-lost\ncpu active")
    ranks = [(list(Verdict).index(one.verdict), one.scenario) for one in diagnosis.findings]

    assert ranks == sorted(ranks)
    assert len(ranks) == len(SCENARIOS)
