"""The journal: append-only, its owner's alone, whole again after any cut."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.model import Signal
from vmdiag.redeploy.journal import Journal, JournalChangedError, JournalEntry, Step, UnknownVersionError
from vmdiag.redeploy.locks import hold_exclusive_lock
from vmdiag.values import replace

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
VM = VmId(subscription="s", resource_group="prod", name="web-01")
DEED = JournalEntry(
    id="one",
    vm=VM,
    cloud="https://management.azure.com",
    request="0a1b",
    at=AT,
    lost_at=AT - timedelta(hours=1),
    signals=(Signal.TRAFFIC, Signal.HEARTBEAT),
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "redeploys.jsonl")


def whole_story(journal: Journal, deed: JournalEntry = DEED) -> JournalEntry:
    journal.record_intent(deed)
    deed = journal.record_step(deed, Step.ACCEPTED, AT, operation="https://host/operations/1", correlation="c")
    deed = journal.record_step(deed, Step.FINISHED, AT, outcome=Status.SUCCEEDED, says="moved", finished_at=AT)
    return journal.record_step(deed, Step.VERIFIED, AT, reachable_again=True, says="back")


def test_what_was_written_is_read_again_from_a_folder_that_is_its_owners_alone(journal: Journal) -> None:
    assert journal.read_entries(pytest.fail) == ()
    told = whole_story(journal)

    assert journal.read_entries(pytest.fail) == (told,)
    assert (told.step, told.outcome, told.reachable_again) == (Step.VERIFIED, Status.SUCCEEDED, True)
    assert told.signals == DEED.signals
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


def test_only_its_owner_may_read_it(journal: Journal) -> None:
    journal.path.parent.mkdir()
    journal.path.touch(mode=0o644)
    whole_story(journal)
    with journal.path.open("ab") as file:
        file.write(b"torn")
    journal.record_intent(replace(DEED, id="two"))

    kept = [path for path in journal.path.parent.iterdir() if path.is_file()]
    assert {path.name.removeprefix("redeploys.jsonl") for path in kept} == {"", ".lock", ".torn"}
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


@pytest.mark.parametrize(
    ("step", "facts", "is_open", "status"),
    [
        (None, {}, True, Status.UNKNOWN),
        (Step.ACCEPTED, {}, True, Status.STARTED),
        (Step.VOID, {}, False, Status.FAILED),
        (Step.FINISHED, {"outcome": Status.SUCCEEDED, "finished_at": AT}, True, Status.SUCCEEDED),
        (Step.FINISHED, {"outcome": Status.FAILED, "finished_at": AT}, False, Status.FAILED),
        (Step.FINISHED, {"outcome": Status.UNKNOWN, "finished_at": AT}, False, Status.UNKNOWN),
    ],
)
def test_how_a_redeploy_stands(
    journal: Journal,
    step: Step | None,
    facts: dict[str, object],
    is_open: bool,  # noqa: FBT001 - the case's answer
    status: Status,
) -> None:
    journal.record_intent(DEED)
    if step is not None:
        journal.record_step(DEED, step, AT, **facts)
    (deed,) = journal.read_entries(pytest.fail)

    assert (deed.is_open, deed.mitigation.status) == (is_open, status)


def test_cut_off_at_any_byte_it_is_read_and_goes_on_and_nothing_is_thrown_away(journal: Journal) -> None:
    whole_story(journal)
    written = journal.path.read_bytes()
    steps = [json.loads(line)["step"] for line in written.splitlines()]
    aside = Path(f"{journal.path}.torn")
    for length in range(len(written)):
        journal.path.write_bytes(written[:length])
        aside.unlink(missing_ok=True)
        warned: list[str] = []
        # A line is whole once its last brace is there, with or without the line's end.
        whole = (
            written[: length + 1].count(b"}\n")
            if written[length : length + 1] == b"\n"
            else written[:length].count(b"\n")
        )
        before = journal.read_entries(warned.append)
        assert [deed.step for deed in before] == ([Step(steps[whole - 1])] if whole else [])

        other = replace(DEED, id="two")
        journal.record_intent(other)
        assert journal.read_entries(pytest.fail) == (*before, other)
        torn = written[:length].rpartition(b"\n")[2]
        kept = aside.read_bytes() if aside.exists() else b""
        assert kept == (torn + b"\n" if torn and b"}" not in torn else b"")
        assert len(warned) == bool(kept)


def test_lines_of_strangers_are_told_and_passed_over(journal: Journal) -> None:
    journal.record_intent(DEED)
    deeds = journal.read_entries(pytest.fail)
    strange = [
        "\x00\x00",
        "[]",
        "{}",
        '{"step": "x"}',
        '{"step": "accepted", "id": "two", "at": "2026-03-02T12:00:00Z"}',
    ]
    whole = json.loads(journal.path.read_text())
    strange += [json.dumps({**whole, "id": 3})]
    strange += [json.dumps({**whole, "id": "x", name: 3}) for name in ("vm", "cloud", "request", "lost_at", "signals")]
    strange += [json.dumps({**whole, "id": "x", "at": f"{year}-01-01T00:00:00+00:00"}) for year in ("0001", "9999")]
    strange += [
        json.dumps(
            {"step": "finished", "id": DEED.id, "at": AT.isoformat(), "finished_at": AT.isoformat(), name: value}
        )
        for name, value in (("says", 1), ("operation", []), ("correlation", {}), ("reachable_again", "yes"))
    ]
    strange += ['{"step": "intended", "id": "x", "at": "2026-03-02T12:00:00", "vm": "' + str(VM) + '"}']
    with journal.path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in strange)
    told: list[str] = []

    assert journal.read_entries(told.append) == deeds
    assert [f", line {number} is" in text for number, text in enumerate(told, 2)] == [True] * len(strange)


def test_a_strict_reader_takes_no_unknown_line_but_one_that_was_cut_off(journal: Journal) -> None:
    journal.record_intent(DEED)
    with journal.path.open("ab") as file:
        file.write(b'{"v": 1, "step": "inten')
    warned: list[str] = []
    assert journal.read_entries(warned.append, strict=True) == (DEED,)
    assert len(warned) == 1
    with journal.path.open("ab") as file:
        file.write(b"\n")

    with pytest.raises(OSError, match="line 2 is not a record"):
        journal.read_entries(pytest.fail, strict=True)


def test_a_strict_reader_takes_no_other_file_for_a_journal(journal: Journal) -> None:
    journal.path.parent.mkdir(parents=True)
    journal.path.write_text("somebody's notes")

    with pytest.raises(OSError, match="line 1 is not a record"):
        journal.read_entries(pytest.fail, strict=True)


def test_many_writers_do_not_mix(journal: Journal) -> None:
    def write(number: int) -> None:
        own = Journal(journal.path)
        for turn in range(10):
            whole_story(own, replace(DEED, id=f"{number}/{turn}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    deeds = journal.read_entries(pytest.fail)
    assert len(deeds) == 80
    assert {deed.step for deed in deeds} == {Step.VERIFIED}


HOLD = """
import sys, time
from vmdiag.redeploy.locks import hold_exclusive_lock
with hold_exclusive_lock({sys.argv[1]}) as rival:
    print(rival, flush=True)
    time.sleep(600)
"""


def test_one_run_a_scope_and_a_killed_one_gives_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", HOLD, "cloud S"], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "None\n"
        with hold_exclusive_lock({"cloud s"}) as rival, hold_exclusive_lock({"cloud t"}) as other:
            assert rival == "another run of vmdiag redeploys in cloud s"
            assert other is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with hold_exclusive_lock({"cloud s"}) as rival:
            assert rival is None


def test_of_two_that_decide_at_once_the_second_learns_of_the_first(journal: Journal) -> None:
    known = journal.read_entries(pytest.fail)
    journal.record_intent(DEED, known)

    with pytest.raises(JournalChangedError):
        journal.record_intent(replace(DEED, id="two"), known)
    assert journal.read_entries(pytest.fail) == (DEED,)
    journal.record_intent(replace(DEED, id="two"), (DEED,))


def test_a_line_of_a_newer_version_is_refused_and_not_guessed(journal: Journal) -> None:
    journal.record_intent(DEED)
    with journal.path.open("a", encoding="utf-8") as file:
        file.write('{"v": 2, "step": "perhaps", "id": "two"}\n')
        file.write('{"v": 1, "step": "void", "id": "one", "at": "2026-03-02T12:00:00Z"}\n')

    for strict in (True, False):
        with pytest.raises(OSError, match="line 2 is of version 2, which this vmdiag does not know"):
            journal.read_entries(pytest.fail, strict=strict)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702, 0o720])
def test_a_folder_that_others_can_write_is_refused(journal: Journal, mode: int) -> None:
    journal.record_intent(DEED)
    journal.path.parent.chmod(mode)

    with pytest.raises(OSError, match="others can write into"):
        journal.read_entries(pytest.fail, strict=True)
    with pytest.raises(OSError, match="others can write into"):
        journal.record_intent(replace(DEED, id="two"))
    journal.path.parent.chmod(0o2770)  # shared on purpose
    journal.record_intent(replace(DEED, id="two"))


def test_where_a_vm_lies_is_kept_and_older_lines_do_without(journal: Journal) -> None:
    journal.record_intent(replace(DEED, region="westeurope"))
    whole = json.loads(journal.path.read_text())
    del whole["region"]
    with journal.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**whole, "id": "two"}) + "\n")

    assert [deed.region for deed in journal.read_entries(pytest.fail)] == ["westeurope", ""]


@pytest.mark.parametrize("version", ["2", '"2"', '"1"', "2.0", "1.0", "null", "true", "0", "[1]"])
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_not_exactly_this_version_is_not_interpreted(journal: Journal, version: str, *, strict: bool) -> None:
    journal.record_intent(DEED)
    line = journal.path.read_text().replace('{"v": 1,', f'{{"v": {version},')
    journal.path.write_text(line)

    with pytest.raises(UnknownVersionError, match="line 1 is of version"):
        journal.read_entries(pytest.fail, strict=strict)


@pytest.mark.parametrize("strict", [True, False])
def test_a_newer_line_that_was_cut_off_is_neither_passed_over_nor_put_aside(journal: Journal, *, strict: bool) -> None:
    journal.record_intent(DEED)
    with journal.path.open("ab") as file:
        file.write(b'{"v": 2,')
    written = journal.path.read_bytes()

    with pytest.raises(UnknownVersionError, match="line 2 is of version 2"):
        journal.read_entries(pytest.fail, strict=strict)
    with pytest.raises(UnknownVersionError, match="line 2 is of version 2"):
        journal.record_step(DEED, Step.VOID, AT)
    assert journal.path.read_bytes() == written
