"""The file that holds what a watch knows, so that a restart repeats nothing and misses nothing.

A line of JSON says up to when all was read, what people were not told yet, and how many VMs follow, a line each. What a
file that was cut or spoilt does not hold is not known: such VMs are seen as if for the first time, and told wherever
anything happened to them, because twice told is better than never.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TextIO

from vmdiag.case_report import NotACaseError, describe_case, read_case
from vmdiag.errors import UsageError
from vmdiag.identity import VmId
from vmdiag.report import dump_json
from vmdiag.values import replace
from vmdiag.watching.memory import FollowedVm, Memory

SCHEMA = "vmdiag.watch/1"
_COUNTS = ("rounds", "blind_rounds", "absent_rounds", "is_flapping", "is_doubted")


def write_memory(memory: Memory, out: TextIO) -> None:
    """Write all of it; raises `OSError`."""
    head = {
        "schema": SCHEMA,
        "read_until": memory.read_until and memory.read_until.isoformat(),
        "data_until": memory.data_until and memory.data_until.isoformat(),
        "unsent": dict(memory.unsent),
        "vms": len(memory.followed),
    }
    out.write(dump_json(head) + "\n")
    for one in memory.followed.values():
        line = {
            "told": describe_case(one.told),
            # Most VMs stand as they stood.
            "latest": None if one.latest == one.told else describe_case(one.latest),
            "since": one.since.isoformat(),
            "judged_at": one.judged_at.isoformat(),
            "turns": [at.isoformat() for at in one.turns],
            "redeploy": one.redeploy,
            "counts": {name: int(getattr(one, name)) for name in _COUNTS},
        }
        out.write(dump_json(line) + "\n")


def read_memory(content: bytes, name: str, warn: Callable[[str], None]) -> Memory:
    """What a file holds; what is wrong with it is told to `warn`. `UsageError` for a file of something else."""
    lines = content.decode("utf-8", "replace").split("\n")
    head = _decode_object(lines[0])
    if not content.strip():
        warn(f"the state file {name} is empty: every VM with an event is told anew")
        return Memory(tells_old_news=True)
    if head is not None and head.get("schema") != SCHEMA:
        message = f"{name} is not a state file of this version of vmdiag watch"
        raise UsageError(message, "Give another file with --state; this one is left as it is.")
    found, spoilt = _read_lines(lines[1:])
    head = head or {}
    try:
        read, data = (head[name] and _parse_instant(head[name]) for name in ("read_until", "data_until"))
        unsent = {str(key): tuple(map(str, texts)) for key, texts in head["unsent"].items()}
        memory = Memory(read_until=read, data_until=data, unsent=unsent)
    except (KeyError, TypeError, ValueError, AttributeError):
        memory, spoilt = Memory(), spoilt + 1
    if spoilt or len(found) != head.get("vms"):
        warn(
            f"the state file {name} was cut or spoilt: {len(found)} VMs are known, and any other with an event is told "
            "anew"
        )
        # What lay between the last round and now is not known either, of those whose line is gone.
        return replace(memory, followed=found, read_until=None, tells_old_news=True)
    return replace(memory, followed=found)


def _read_lines(lines: Iterable[str]) -> tuple[dict[VmId, FollowedVm], int]:
    """The VMs, and how many lines tell of none."""
    found: dict[VmId, FollowedVm] = {}
    spoilt = 0
    for line in filter(str.strip, lines):
        try:
            row = _decode_object(line) or {}
            counts = {name: int(row["counts"][name]) for name in _COUNTS}
            told = read_case(json.dumps(row["told"]))
            found[told.vm.id] = FollowedVm(
                told=told,
                latest=told if row["latest"] is None else read_case(json.dumps(row["latest"])),
                since=_parse_instant(row["since"]),
                judged_at=_parse_instant(row["judged_at"]),
                turns=tuple(map(_parse_instant, row["turns"])),
                redeploy=str(row["redeploy"]),
                rounds=counts["rounds"],
                blind_rounds=counts["blind_rounds"],
                absent_rounds=counts["absent_rounds"],
                is_flapping=counts["is_flapping"] > 0,
                is_doubted=counts["is_doubted"] > 0,
            )
        except (KeyError, TypeError, ValueError, AttributeError, NotACaseError):
            spoilt += 1
    return found, spoilt


def _parse_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at


def _decode_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
