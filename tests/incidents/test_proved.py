"""What looks from elsewhere make of the corpus: who wants a second channel gets it, and nobody else is flagged."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.benchmarks.proofs import CLOSED, NOBODY, PAIR, WANTING, count_verdicts, generate_chosen
from tests.incidents.test_corpus import CLEAN, LOOK_ALIKES

SEED = 11
# A rule that closes a port that is known to be served, a way that ends, an appliance that may have failed.
DENIED = ("inside-reached", "peered-unreached", "rule-denies")
NO_WAY = ("inside-reached", "peered-unreached", "no-hop")
APPLIANCE = ("inside-reached", "peered-unreached", "rule-allows", "appliance")


def judge(names: Sequence[str] | frozenset[str], looks: Sequence[str] | None) -> Counter[str]:
    """How often incidents of these classes, each once, got a verdict."""
    found = count_verdicts(generate_chosen(SEED, len(names), names), looks)
    return Counter({verdict: sum(n for (_, one), n in found.items() if one == verdict) for _, verdict in found})


def test_what_was_suspected_for_want_of_a_second_channel_is_confirmed_by_the_pair() -> None:
    assert judge(WANTING, ()) == {"suspected": len(WANTING)}
    assert judge(WANTING, None) == {"confirmed": len(WANTING)}


@pytest.mark.parametrize(
    ("looks", "verdicts"),
    [
        (NOBODY, {"suspected"}),
        (CLOSED, {"suspected"}),
        (APPLIANCE, {"suspected"}),
        # Of an origin that could not look nothing is heard.
        (("inside-reached",), {"suspected", "confirmed"}),
        (NO_WAY, {"clear"}),
    ],
)
def test_what_else_is_found_of_them_confirms_nothing_and_a_way_that_ends_explains_it(
    looks: Sequence[str], verdicts: set[str]
) -> None:
    assert set(judge(("traffic_alone", "health_alone_after_migration"), looks)) <= verdicts


def test_a_rule_explains_traffic_that_ends_and_not_heartbeats() -> None:
    assert judge(("traffic_alone",), DENIED) == {"clear": 1}
    assert judge(("heartbeat_alone",), DENIED) == {"suspected": 1}


@pytest.mark.parametrize(
    ("looks", "spared"),
    [(None, ""), (CLOSED, ""), (PAIR, "port_down_seen_from_outside")],
    ids=["true", "closed", "lied"],
)
def test_no_clean_migration_and_no_look_alike_is_flagged_by_being_looked_at(
    looks: Sequence[str] | None, spared: str
) -> None:
    # Where tests of Connection Monitor fail, too, a pair that lies is believed, and suspected: the traffic is normal.
    names = CLEAN | LOOK_ALIKES - {spared}
    found = judge(names, looks)

    assert set(found) <= {"clear", "inconclusive"}
    assert found.total() == len(names)
