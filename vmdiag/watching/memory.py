"""What a watch knows of each VM, and which changes it tells: each one once; pure.

- A VM that is affected is told at once. Any other change is told once it has stood for two rounds: that a VM came back,
  that a loss has another explanation, that a VM is there no more.
- A VM that is lost or comes back for the third time within two hours is flapping. It is told as such once, and once
  more when it has stood one way for an hour.
- What cannot be judged says nothing: a VM of which a feed could not be read stands as it stood. One that was told as
  affected has never recovered by that; that it cannot be judged any more is told once.
- What a redeploy of this run came to is told at once, a refusal again only where other guards refuse.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.case_report import is_still_affected
from vmdiag.changes import SAME_ONSET, Change, ChangeKind, compare_case, describe_change
from vmdiag.diagnosis.model import Action, Case, State, Verdict
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.values import Struct, field, replace
from vmdiag.wording.plain_text import format_instant

ROUNDS_TO_STAND = 2
# Below three turns a VM was lost, and came back: that is a story, not a habit.
FLAPPING_TURNS, FLAPPING_SPAN = 3, timedelta(hours=2)
MOST_TURNS = 100  # that are remembered of a VM
TIME_TO_SETTLE = timedelta(hours=1)
# What neither time nor a new record will clear up soon (a VM that was stopped, metrics that are refused) is judged anew
# so often; a fortnight's readings of each such VM with every round would be most of what a watch reads.
JUDGED_AGAIN_AFTER = timedelta(hours=1)


class FollowedVm(Struct, frozen=True, kw_only=True):
    """A VM as it was `told` last and as it was seen the `latest` time, for so many `rounds` and `since` when.

    `turns` are when it was lost or came back, lately; `blind_rounds` how often in a row it could not be judged, and
    `absent_rounds` how often it was not there. `is_doubted` says that it was told that it cannot be judged any more,
    `redeploy` what was told of a redeploy.
    """

    told: Case
    latest: Case
    rounds: int
    since: datetime
    judged_at: datetime
    turns: tuple[datetime, ...] = ()
    is_flapping: bool = False
    blind_rounds: int = 0
    absent_rounds: int = 0
    is_doubted: bool = False
    redeploy: str = ""


class Memory(Struct, frozen=True, kw_only=True):
    """What is known when a round begins.

    `read_until` is when the latest round that was read whole began, by this machine's clock, `None` before the first;
    `data_until` is up to when it told, by the source's. `unsent` are the messages still to be sent, by the digest of
    their address; `tells_old_news` says that a VM seen for the first time is told wherever anything happened to it.
    """

    followed: Mapping[VmId, FollowedVm] = field(default_factory=dict)
    read_until: datetime | None = None
    data_until: datetime | None = None
    unsent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tells_old_news: bool = False


VmUpdate = tuple[FollowedVm, Change | None]


def trim_case(case: Case) -> Case:
    """The case without what only a report shows of it: what a change is told by, so that many can be kept."""
    found = case.diagnosis
    asked = replace(found.finding, evidence=(), blames=found.finding.blames[-1:])
    diagnosis = replace(
        found, finding=asked, findings=(asked,), losses=tuple(replace(one, channels=()) for one in found.losses[-1:])
    )
    done = None if case.mitigation is None else replace(case.mitigation, guards=(), loses=(), risks=())
    return replace(
        case, diagnosis=diagnosis, gaps=(), events=(), curve=None, heartbeats=None, latest={}, mitigation=done
    )


def is_uneventful(case: Case) -> bool:
    """Whether nothing happened to a VM that anybody saw."""
    found = case.diagnosis
    return not (found.verdict.is_flagged or found.migrated_at or found.losses or found.silent_since)


def is_blind(case: Case) -> bool:
    """Whether a case says no more than that something could not be read."""
    return case.diagnosis.verdict is Verdict.INCONCLUSIVE and is_uneventful(case)


def needs_judgement(known: FollowedVm | None, look: Case, now: datetime) -> bool:
    """Whether a look back of some hours does not suffice: something is new, or something is still to come."""
    seen = look.diagnosis
    is_calm = seen.verdict is Verdict.CLEAR and not seen.losses and seen.silent_since is None
    if known is None:
        return not (is_calm and is_uneventful(look))
    told = known.told.diagnosis
    is_known = told.migrated_at and seen.migrated_at and abs(told.migrated_at - seen.migrated_at) <= SAME_ONSET
    was_judged = seen.migrated_at is None or (told.verdict is Verdict.CLEAR and is_known)
    is_urgent = known.told.is_affected or told.recommendation.action is Action.WAIT
    if is_blind(look) and known.blind_rounds and not is_urgent:
        # The feed is still refused, perhaps for ever: to read the rest of it all would tell nothing more.
        return now - known.judged_at >= JUDGED_AGAIN_AFTER
    if not (is_calm and was_judged) or is_urgent or known.is_flapping or known.is_doubted or known.blind_rounds:
        return True
    if not is_uneventful(known.latest) and compare_case(known.told, known.latest):
        return True  # the next round decides whether it stands
    is_unclear = told.verdict is Verdict.INCONCLUSIVE or told.state is State.OPEN
    return is_unclear and now - known.judged_at >= JUDGED_AGAIN_AFTER


class FirstSight(StrEnum):
    """Which VMs are told that were never seen before; one that is affected always is."""

    AFFECTED = "affected"  # a watch begins: what was before it is what `check` tells
    EVENTFUL = "eventful"  # what was told of them was lost
    ALL = "all"  # the watch goes on, and they are new


def update_vm(known: FollowedVm | None, case: Case, now: datetime, first_sight: FirstSight) -> VmUpdate:
    """The VM as it is known after one judgement more, and the change to tell."""
    lean = trim_case(case)
    affected = is_still_affected(case)
    if known is None:
        said, words = describe_redeploy(case)
        blind = int(is_blind(case))
        met = FollowedVm(
            told=lean,
            latest=lean,
            rounds=1,
            since=now,
            judged_at=now,
            turns=(now,) * affected,
            blind_rounds=blind,
            redeploy=said,
        )
        is_told = {
            FirstSight.AFFECTED: affected,
            FirstSight.EVENTFUL: not is_uneventful(case),
            FirstSight.ALL: not blind,
        }[first_sight]
        if is_told or said:
            kind: ChangeKind = "affected" if affected else "appeared"
            return met, describe_change(kind, None, case, *filter(None, [words]))
        return met, None
    if case.diagnosis.verdict is Verdict.INCONCLUSIVE and (is_blind(case) or is_still_affected(known.told)):
        return _update_unjudged_vm(replace(known, judged_at=now, absent_rounds=0), case)
    stands = compare_case(known.latest, case) is None
    turned = affected != is_still_affected(known.latest)
    turns = tuple(at for at in known.turns if now - at < FLAPPING_SPAN) + ((now,) if turned else ())
    seen = replace(
        known,
        latest=lean,
        rounds=known.rounds + 1 if stands else 1,
        since=known.since if stands else now,
        judged_at=now,
        turns=(known.turns + turns[-1:] * turned)[-MOST_TURNS:] if known.is_flapping else turns,
        blind_rounds=0,
        absent_rounds=0,
    )
    return _choose_change(seen, case, now)


def _choose_change(seen: FollowedVm, case: Case, now: datetime) -> VmUpdate:
    """The change to tell of a VM that could be judged: settled, flapping, or whatever else it is now."""
    change, (said, words) = compare_case(seen.told, case), describe_redeploy(case)
    told = replace(seen, told=seen.latest, is_doubted=False, redeploy=said or seen.redeploy)
    if said and said != seen.redeploy:
        pass
    elif seen.is_flapping and now - seen.since >= TIME_TO_SETTLE:
        words = f"it has settled, lost or back {len(seen.turns)} times since {format_instant(seen.turns[0])}"
        told = replace(told, is_flapping=False, turns=())
    elif not seen.is_flapping and len(seen.turns) >= FLAPPING_TURNS:
        words = f"it is flapping, lost or back {len(seen.turns)} times since {format_instant(seen.turns[0])}"
        words += ": it is told again when it has stood for an hour"
        told = replace(told, is_flapping=True)
    elif change is None or seen.is_flapping:
        return seen, None
    elif _is_no_news(seen.told, case):
        return told, None
    else:
        # Whoever is cut off is told at once; that somebody is well again may be a moment's truth.
        stands = change.change == "affected" or seen.rounds >= ROUNDS_TO_STAND
        return (told, change) if stands else (seen, None)
    return told, describe_change(change.change if change else "changed", seen.told, case, words)


def _update_unjudged_vm(known: FollowedVm, case: Case) -> VmUpdate:
    """A VM that could not be judged this time: it stands as it stood, and that this is doubtful is told once."""
    seen = replace(known, blind_rounds=known.blind_rounds + 1)
    if not is_still_affected(known.told) or known.is_doubted or known.is_flapping:
        return seen, None
    if seen.blind_rounds < ROUNDS_TO_STAND:
        return seen, None
    words = "it was affected, and cannot be judged any more: it does not count as recovered"
    return replace(seen, is_doubted=True), describe_change("changed", known.told, case, words)


def update_absent_vm(known: FollowedVm) -> tuple[FollowedVm | None, Change | None]:
    """A VM that was followed and is not there: told, and forgotten, once that has stood."""
    seen = replace(known, absent_rounds=known.absent_rounds + 1)
    if seen.absent_rounds < ROUNDS_TO_STAND:
        return seen, None
    return None, compare_case(known.told, None)


def describe_redeploy(case: Case) -> tuple[str, str]:
    """What was done about a VM in this run, in a form that stays the same as long as it does, and in words."""
    done = case.mitigation
    if done is None:
        return "", ""
    # What a guard found changes with every minute.
    against = " ".join(guard.guard for guard in done.guards if guard.passes is False)
    return f"{done.status} {done.request or against}", f"redeploy {done.status}: {done.says}"


def _is_no_news(told: Case, case: Case) -> bool:
    """Whether nothing became of a VM but that the window went on, or that a feed can be read again."""
    if is_uneventful(told) and is_uneventful(case):
        return True
    if told.mitigation is not None and told.mitigation.status is Status.SUCCEEDED and not is_still_affected(told):
        # That it was redeployed and can be reached was told when it was done.
        return case.diagnosis.state in (State.RECOVERED, State.REDEPLOYED)
    gone = told.diagnosis.recovered_at
    return gone is not None and gone < case.window.start and is_uneventful(case)
