"""What the latest loss says of now: extent, relapse, redeploys in between, the operator's word, and possible rivals."""

import pytest

from tests.timeline_builders import diagnose_story
from vmdiag.diagnosis.model import Action, Extent, State, Verdict

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
