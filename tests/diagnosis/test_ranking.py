"""What a verdict means, clause by clause of the contract, look-alikes first; and what the latest loss says of now."""

import pytest

from tests import notation
from tests.timeline_builders import SCENARIOS, diagnose_story
from vmdiag.diagnosis.model import Action, Extent, Stance, State, Verdict

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
    "a loss that the operator dates before the migration, all feeds read": (
        "11:46 unreachable\n12:00 live-migration\ntraffic idle\npart heartbeat whole as far as it goes",
        "clear", "unexplained", "open", "investigate"),
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
    "the operator dates it before the migration, and what measures it was not read": (
        "11:46 unreachable\n12:00 live-migration\ntraffic idle", None, "open", "investigate"),
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
    "incidents of the region not read": (
        "12:00 live-migration\n12:03 traffic-lost\ncpu active\ngap service refused", "suspected", "open", "redeploy",
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


FALLS = ("12:05", "12:40", "13:20")
FLAPPING = "".join(f"12:{n:02} traffic-lost\n12:{n + 10:02} traffic-back\n" for n in (2, 16, 30))
STORIES = {
    "down ten minutes of fourteen since the migration": (
        f"12:00 live-migration\n{FLAPPING}12:44 traffic-lost\ncpu active\nuntil 13:30",
        ("confirmed", "live-migration-datapath", "open", "redeploy", "intermittent", "12:02")),
    "healed, and lost again for no known reason": (
        "12:00 live-migration\n12:02 traffic-lost\n12:40 traffic-back\n13:20 traffic-lost\ncpu active\nuntil 14:00",
        ("confirmed", "unexplained", "open", "investigate", "full", "13:20")),
    "a redeploy helped for half an hour": (
        "12:00 live-migration\n12:02 traffic-lost\n12:40 redeploy\n12:42 traffic-back\n13:20 traffic-lost\ncpu active",
        ("confirmed", "unexplained", "open", "escalate", "full", "13:20")),
    "a redeploy of five minutes ago": (
        "12:00 live-migration\n12:02 traffic-lost\n12:40 redeploy\ncpu active\nuntil 12:45",
        ("confirmed", "live-migration-datapath", "open", "wait", "full", "12:02")),
    "too soon for the activity log to be whole": (
        "12:00 live-migration\n12:02 traffic-lost\ncpu active\nuntil 12:20",
        ("suspected", "live-migration-datapath", "open", "wait", "full", "12:02")),
    "a restart after which the VM was well": (
        "11:54 restart\n12:00 live-migration\n12:02 traffic-lost\ncpu active",
        ("confirmed", "live-migration-datapath", "open", "redeploy", "full", "12:02")),
    "a note in unknown words before a measured loss": (
        "11:50 unknown-note\n12:00 live-migration\n12:02 traffic-lost\ncpu active",
        ("suspected", "live-migration-datapath", "open", "redeploy", "full", "12:02")),
    "such a note before what Resource Health alone says": (
        "11:50 unknown-note\n12:00 live-migration\n12:02 unavailable",
        ("inconclusive", "live-migration-datapath", "open", "investigate", "full", "12:02")),
    "the operator rounds": (
        "11:50 unreachable\n12:00 live-migration\n12:03 traffic-lost",
        ("confirmed", "live-migration-datapath", "open", "redeploy", "full", "12:03")),
    "a fall of traffic while the VM is switched off, and is off still": (
        "12:00 live-migration\n12:03 traffic-lost\n13:30 stop\ncpu active\nuntil 16:00",
        ("confirmed", "user-stop", "open", "investigate", "full", "13:30")),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_the_latest_loss_says_how_things_stand(name: str) -> None:
    story, wanted = STORIES[name]
    found = diagnose_story(story)

    assert found.loss is not None
    assert (
        found.verdict,
        found.explanation,
        found.state,
        found.recommendation.action,
        found.loss.extent,
        f"{found.failed_at:%H:%M}",
    ) == wanted


def test_the_operator_s_word_that_normal_traffic_denies_is_no_loss_and_is_told() -> None:
    found = diagnose_story("12:00 live-migration\n12:05 unreachable\ntraffic normal")

    assert (found.verdict, found.losses, found.state) == (Verdict.INCONCLUSIVE, (), None)
    assert any("nothing that was measured shows a loss" in piece.says for piece in found.finding.evidence)


def test_three_falls_of_minutes_after_a_migration_are_no_healthy_one_and_two_are_pauses() -> None:
    falls = [f"{hour} traffic-lost\n{hour[:3]}{int(hour[3:]) + 5:02} traffic-back\n" for hour in FALLS]
    three, two = (diagnose_story(f"12:00 live-migration\n{''.join(falls[:n])}until 15:00") for n in (3, 2))

    assert (three.verdict, three.state, three.recommendation.action) == (Verdict.INCONCLUSIVE, None, Action.INVESTIGATE)
    assert two.verdict is Verdict.CLEAR


def test_an_intermittent_loss_has_ended_when_it_was_well_for_a_quarter_of_an_hour() -> None:
    ended = diagnose_story(f"12:00 live-migration\n{FLAPPING}cpu active\nuntil 12:56")
    going_on = diagnose_story(f"12:00 live-migration\n{FLAPPING}cpu active\nuntil 12:54")

    assert ended.loss is not None
    assert (ended.loss.extent, ended.state, f"{ended.recovered_at:%H:%M}") == (
        Extent.INTERMITTENT,
        State.RECOVERED,
        "12:40",
    )
    assert going_on.state is State.OPEN


def test_of_two_migrations_minutes_apart_the_nearer_one_is_blamed() -> None:
    found = diagnose_story("11:46 live-migration\n11:51 restart\n12:00 live-migration\n12:02 traffic-lost\ncpu active")

    assert (found.verdict, found.state, f"{found.migrated_at:%H:%M}") == (Verdict.CONFIRMED, State.OPEN, "12:00")
