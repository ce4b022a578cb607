"""How a watch fares: for systemd in a line, for Prometheus as metrics, with the names that `check` has for its run."""

from datetime import UTC, datetime, timedelta
from typing import TextIO

from vmdiag.case_report import is_still_affected
from vmdiag.diagnosis.model import Case, Header, OtherVms, Verdict
from vmdiag.model import Window
from vmdiag.renderers import Report
from vmdiag.renderers.prometheus import write_family, write_metrics
from vmdiag.values import Struct, replace
from vmdiag.watching.memory import FollowedVm, Memory

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Health(Struct, frozen=True, kw_only=True):
    """How the watch itself fares: `failures` are the latest rounds in a row that failed, `error` says why."""

    rounds: int = 0
    failures: int = 0
    error: str = ""
    error_kind: str = ""
    began_at: datetime = NEVER
    succeeded_at: datetime = NEVER
    lasted: timedelta = timedelta()
    changes: int = 0
    cloud: str = ""


def describe_health(health: Health, memory: Memory) -> str:
    """How the watch fares, in a line."""
    affected = sum(is_still_affected(one.told) for one in memory.followed.values())
    blind = sum(one.blind_rounds > 0 for one in memory.followed.values())
    vms = f"{affected} of {len(memory.followed)} VMs affected" + (f", {blind} cannot be judged" if blind else "")
    if not health.failures:
        return f"{vms}; round {health.rounds}"
    return f"{vms}; {health.failures} rounds failed: {health.error}"


def write_health(health: Health, memory: Memory, source: str, every: timedelta, out: TextIO) -> None:
    """What `check -o prometheus` tells of its run, of how the VMs stand, and what only a watch has to tell."""
    until = memory.data_until or NEVER
    header = Header(source=source, cloud=health.cloud, window=Window(until, until), generated_at=health.began_at)
    cases = tuple(map(show_doubt, memory.followed.values()))
    write_metrics(Report(header=header, cases=cases, others=OtherVms()), out, is_whole=not health.failures)
    for name, says, value in (
        ("rounds", "Rounds since the watch began.", health.rounds),
        ("failed_rounds", "The latest rounds in a row that failed.", health.failures),
        ("success_timestamp_seconds", "When a round last read all.", int(health.succeeded_at.timestamp())),
        ("round_seconds", "How long the latest round took.", round(health.lasted.total_seconds())),
        ("interval_seconds", "From one round to the next.", round(every.total_seconds())),
        ("changes", "Changes told since the watch began.", health.changes),
        ("unjudged_vms", "VMs that could not be judged in the latest round.",
         sum(one.blind_rounds > 0 for one in memory.followed.values())),
        ("unsent_messages", "Messages to people that are still to be sent.", sum(map(len, memory.unsent.values()))),
    ):  # fmt: skip
        write_family(out, f"vmdiag_watch_{name}", says, [({}, value)])


def show_doubt(one: FollowedVm) -> Case:
    """A VM as it stands; one that cannot be judged now does not look well, and one that was affected stays so."""
    if not one.blind_rounds or is_still_affected(one.told):
        return one.told
    return replace(one.told, diagnosis=replace(one.told.diagnosis, verdict=Verdict.INCONCLUSIVE))
