"""The state file: read back as it was written, and never taken for whole where it is not."""

import io
import json
from datetime import timedelta

import pytest

from tests.renderers import cases
from tests.watching.test_memory import AFFECTED, BACK, BLIND, CALM, EVERY, look
from vmdiag.errors import UsageError
from vmdiag.values import replace
from vmdiag.watching.memory import Memory
from vmdiag.watching.memory_file import read_memory, write_memory
from vmdiag.watching.rounds import update_memory


def make_memory() -> Memory:
    """Three VMs: one that was told as affected and comes back, one that cannot be judged, one that is well."""
    named = [
        replace(case, vm=cases.make_machine(f"vm-{number}")) for number, case in enumerate((AFFECTED, BLIND, CALM))
    ]
    memory, _ = update_memory(Memory(unsent={"ab": ("a\nb", "\x1b[31m")}), look(named), cases.END)
    return update_memory(memory, look([replace(BACK, vm=named[0].vm)]), cases.END + EVERY)[0]


def write(memory: Memory) -> bytes:
    out = io.StringIO()
    write_memory(memory, out)
    return out.getvalue().encode()


def test_a_state_is_read_back_as_it_was_written() -> None:
    warnings: list[str] = []
    memory = make_memory()
    again = read_memory(write(memory), "state", warnings.append)

    assert warnings == []
    assert (again.read_until, again.unsent, list(again.followed)) == (
        memory.read_until, memory.unsent, list(memory.followed),
    )  # fmt: skip
    assert write(again) == write(memory)


def test_a_restart_between_two_rounds_changes_nothing_of_what_is_told() -> None:
    back = replace(BACK, vm=cases.make_machine("vm-0"))
    memory = make_memory()
    again = read_memory(write(memory), "state", print)

    told = [update_memory(one, look([back]), cases.END + 2 * EVERY)[1] for one in (memory, again)]

    assert [change.change for change in told[0]] == ["recovered"]
    assert [change.change for change in told[1]] == ["recovered"]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.99])
def test_of_a_state_that_was_cut_anywhere_no_vm_is_taken_for_told_that_may_not_be(share: float) -> None:
    warnings: list[str] = []
    content = write(make_memory())
    again = read_memory(content[: int(len(content) * share)], "state", warnings.append)

    assert len(warnings) == 1
    assert again.tells_old_news
    assert again.read_until is None
    # What was lost and came back meanwhile is told of those whose line is gone, and a VM that is well is not.
    seen = [replace(case, vm=cases.make_machine(f"vm-{number}")) for number, case in enumerate((BACK, BACK, CALM))]
    _, changes = update_memory(again, look(seen), cases.END + timedelta(hours=1))
    gone = {f"vm-{number}" for number in range(2)} - {vm.name for vm in again.followed}
    assert {change.vm.name for change in changes if change.before is None} == gone


@pytest.mark.parametrize("spoil", [b"\x00" * 40, b'{"told": 1}', b"[" * 5000, b'{"told": {"vm": {"id": "x"}}}'])
def test_a_line_that_tells_of_no_vm_spoils_no_other(spoil: bytes) -> None:
    warnings: list[str] = []
    lines = write(make_memory()).split(b"\n")
    lines[1] = spoil
    again = read_memory(b"\n".join(lines), "state", warnings.append)

    assert len(again.followed) == 2
    assert "2 VMs are known" in warnings[0]


@pytest.mark.parametrize(
    "spoil", [{"unsent": []}, {"unsent": None}, {"read_until": 1}, {"read_until": "2026"}, {"vms": "x"}]
)
def test_a_head_that_makes_no_sense_is_told_and_leaves_the_vms(spoil: dict[str, object]) -> None:
    warnings: list[str] = []
    head, *lines = write(make_memory()).split(b"\n")
    again = read_memory(b"\n".join((json.dumps(json.loads(head) | spoil).encode(), *lines)), "state", warnings.append)

    assert len(again.followed) == 3
    assert again.tells_old_news
    assert len(warnings) == 1


def test_a_file_of_something_else_is_refused_and_left_alone() -> None:
    with pytest.raises(UsageError, match="not a state file"):
        read_memory(json.dumps({"schema": "vmdiag.report/1"}).encode(), "report.json", print)
