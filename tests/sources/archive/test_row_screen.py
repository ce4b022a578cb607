"""Lines that cannot matter are left out, and the report is the same: by one process, by two, and line by line."""

import gzip
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vmdiag.sources.formats as formats_package
from tests.conftest import COMMAND, WITHOUT_FAST
from tests.sources.rows import GROUP, NSG, SUBSCRIPTION, TIME, VM
from vmdiag import plugins
from vmdiag.completeness import MalformedRow
from vmdiag.model import Signal
from vmdiag.sources.archive._range_pool import RangePool
from vmdiag.sources.archive._range_reader import FileRange, RangeReader
from vmdiag.sources.decoding.log_entry import find_silent_parent, find_silent_scope
from vmdiag.sources.decoding.log_structs import ExportedRecord, LoggedEvent
from vmdiag.sources.files.input_files import find_files
from vmdiag.sources.files.memory_rows import ScreenedRecords
from vmdiag.sources.files.row_screen import RowScreen, make_screen
from vmdiag.sources.files.rows import read_rows, read_whole_line

FORMS = formats_package.SCREENED_FORMS
AT = datetime.fromisoformat(TIME)
FIXED = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/logs".upper()
PLAIN: Mapping[str, object] = {
    "time": TIME,
    "resourceId": STORAGE,
    "operationName": "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION",
    "category": "Administrative",
    "resultType": "Success",
    "identity": {"claims": {"aud": "x"}},
    "properties": {"message": "Microsoft.Compute/virtualMachines"},
}
# Each says more than that the log was read, or is no record of this form.
TELLING: Mapping[str, Mapping[str, object]] = {
    "of a VM": {"resourceId": VM.upper()},
    "of a network": {"resourceId": NSG},
    "below a VM": {"resourceId": f"{VM}/extensions/agent"},
    "of service health": {"category": "ServiceHealth", "resourceId": SUBSCRIPTION},
    "of service health by its operation": {"operationName": "Microsoft.ServiceHealth/incident/action"},
    "without a resource": {"resourceId": ""},
    "of no known category": {"category": "AuditEvent"},
    "of a resource without end": {"resourceId": STORAGE + "/x" * 2_000},
    "of a kind without end": {"operationName": "x" * 5_000},
    "of no usable time": {"time": "0001-01-01T00:00:00Z"},
    "of no time": {"time": "yesterday"},
    "with another form's member": {"eventTimestamp": TIME},
    "wrapped": {"record": {"time": TIME}},
    "with properties cut by PowerShell": {"properties": "@{message=x}"},
}
PLAIN_EVENT: Mapping[str, object] = {
    "authorization": {"action": "x"},
    "category": {"value": "Administrative", "localizedValue": "Administrative"},
    "eventTimestamp": TIME,
    "id": f"{STORAGE}/events/1/ticks/638755956000000000",
    "operationName": {"value": "Microsoft.Storage/storageAccounts/listKeys/action"},
    "properties": {"message": "Microsoft.Compute/virtualMachines"},
    "resourceId": STORAGE,
    "status": {"value": "Succeeded"},
}
TELLING_MEMBERS: Mapping[str, Mapping[str, object]] = {
    "of a VM": {"resourceId": VM},
    "of service health": {"category": {"value": "ServiceHealth"}, "resourceId": SUBSCRIPTION},
    "cut by PowerShell": {"authorization": "@{action=x}"},
    "without a category": {"category": None},
    "of no time": {"eventTimestamp": "yesterday"},
    "with a part like a record": {"properties": {"a": [{"authorization": 1}, {"authorization": 2}]}},
}
TELLING_EVENTS: Mapping[str, Mapping[str, object]] = {
    name: {**PLAIN_EVENT, **more} for name, more in TELLING_MEMBERS.items()
}
LINES = st.lists(
    st.one_of(
        st.just(json.dumps(PLAIN)),
        st.builds(lambda more: json.dumps({**PLAIN, **more}), st.sampled_from(list(TELLING.values()))),
        st.sampled_from(
            ["", "   ", "{", "{}", '{"time": ', "null", "[]", json.dumps(PLAIN, indent=1), json.dumps([PLAIN])]
        ),
    ),
    max_size=12,
)


def read(text: str, screen: RowScreen | None) -> list[tuple[int, object]]:
    cuts = read_rows(iter([text.encode()]), screen)
    return [(cut.line, cut.row.reason if isinstance(cut.row, MalformedRow) else cut.row) for cut in cuts]


@pytest.mark.parametrize("more", TELLING.values(), ids=TELLING)
def test_a_line_that_may_say_more_is_a_row_as_ever(more: Mapping[str, object]) -> None:
    text = "\n".join(json.dumps(each) for each in (PLAIN, {**PLAIN, **more}, PLAIN)) + "\n"
    rows = dict(read(text, None))

    assert (2, rows[2]) in read(text, make_screen(FORMS))


def test_two_records_in_one_line_and_an_empty_one_behind_hide_no_other() -> None:
    plain, telling = json.dumps(PLAIN), json.dumps({**PLAIN, "resourceId": VM.upper()})
    text = "\n".join((plain, plain + plain, telling, plain, "")) + "\n"

    assert list_vm_lines(read(text, make_screen(FORMS))) == list_vm_lines(read(text, None)) == [3]


@FIXED
@given(lines=LINES)
def test_of_lines_only_records_that_say_nothing_are_left_out(lines: list[str]) -> None:
    check_screened("\n".join(lines) + "\n")


@FIXED
@given(
    told=st.lists(st.sampled_from([PLAIN_EVENT, PLAIN_EVENT, *TELLING_EVENTS.values()]), max_size=12), cut=st.booleans()
)
@pytest.mark.parametrize("indent", [2, None])
def test_of_lists_only_records_that_say_nothing_are_left_out(
    told: list[Mapping[str, object]], indent: int | None, *, cut: bool
) -> None:
    text = json.dumps({"value": told}, indent=indent)
    check_screened(text[: len(text) // 2] if cut else text)


@FIXED
@given(lines=LINES)
def test_a_whole_line_is_what_the_text_says_or_left_to_it(lines: list[str]) -> None:
    for line in "\n".join(lines).split("\n"):
        rows = read_whole_line(1, line.encode())

        assert rows is None or [(row.line, row.row) for row in rows] == read(line, None)


# Laid out as the list that it lies in, and broken.
NESTED = json.dumps({"properties": {"a": "@"}, "resourceId": VM}).replace(
    '"@"', '[\n  {\n"x": 1\n  },\n  {\n"x": 2\n  }\n  ]'
)
OBJECTS = [json.dumps(each, indent=2) for each in (PLAIN_EVENT, *TELLING_EVENTS.values())]


@settings(FIXED, max_examples=100)
@given(
    lines=st.lists(st.sampled_from([json.dumps(PLAIN), json.dumps({**PLAIN, "resourceId": VM}), "", "{}", " ", "{"])),
    size=st.integers(1, 2_000),
    has_end=st.booleans(),
)
def test_lines_cut_anywhere_are_what_they_are_in_one(
    lines: list[str], size: int, tmp_path: Path, *, has_end: bool
) -> None:
    check_ranges("\n".join(["{}", *lines]) + "\n" * has_end, size, tmp_path)


@settings(FIXED, max_examples=150)
@given(
    objects=st.lists(
        st.sampled_from([*OBJECTS, OBJECTS[0], OBJECTS[1], NESTED, "{}", '{"value": [1]}', "{", "}", "3"])
    ),
    size=st.integers(1, 3_000),
    newline=st.sampled_from(["\n", "\r\n"]),
    end=st.sampled_from(["\n]\n", "\n]", "", "]]", ",\n]"]),
)
def test_lists_cut_anywhere_are_what_they_are_in_one(
    objects: list[str], size: int, newline: str, end: str, tmp_path: Path
) -> None:
    indented = ["\n".join(f"  {line}" for line in each.split("\n")) for each in (OBJECTS[0], *objects)]
    check_ranges(("[\n" + ",\n".join(indented) + end).replace("\n", newline), size, tmp_path)


def check_ranges(text: str, size: int, folder: Path) -> None:
    """What is left out is counted, and all else is as in one reading, in its order and line."""
    path = folder / "export.json"
    path.write_bytes(text.encode())
    (file,) = find_files(str(path))
    with RangePool([file], FORMS, 1, size) as pool:
        ranged = pool.open_file(file, lambda _: None)
        rows = None if ranged is None else [(row.line, row.row, row.listing) for row in ranged]
    whole = [(row.line, row.row, row.listing) for row in read_rows(iter([text.encode()]))]

    assert rows is None or [show(row) for row in rows if is_kept(row[1])] == [
        show(row) for row in whole if is_kept(row[1])
    ]
    assert rows is None or count_records(row for _, row, _ in rows) == count_records(row for _, row, _ in whole)


def show(row: tuple[int, object, int]) -> object:
    return (row[0], row[1].reason, row[2]) if isinstance(row[1], MalformedRow) else row


def is_kept(row: object) -> bool:
    return row is not None and not isinstance(row, ScreenedRecords) and not is_plain(row)


@pytest.mark.parametrize("lists", [1, 2])
def test_of_packed_lists_each_keeps_its_length_and_the_newest_time_is_told(lists: int, tmp_path: Path) -> None:
    raw = json.dumps([{**PLAIN_EVENT, "description": "x" * 6_000}] * 100, indent=2).encode() * lists
    path = tmp_path / "log.json.gz"
    path.write_bytes(gzip.compress(raw, 1))
    (file,) = find_files(str(path))
    part = FileRange(str(path), 0, file.size or 0)
    (found,) = RangeReader(FORMS, part.size, reads_packed=True).read_ranges([part])
    assert found is not None
    told = [(row.listing, row.row) for row in found.rows if isinstance(row.row, ScreenedRecords)]

    # The first and the last of a list are told row by row.
    assert [(listing, row.count) for listing, row in told if row.count] == [(at + 1, 98) for at in range(lists)]
    assert [row.newest for _, row in told if row.newest] == [AT]


def test_the_newest_of_what_is_left_out_is_known_to_the_digit() -> None:
    times = ["2026-03-02T09:59:59.1234567Z", "2026-03-02T09:59:59.9999999Z", "2026-03-02T09:59:58Z"]
    told = read("\n".join(json.dumps({**PLAIN, "time": each}) for each in times) + "\n", make_screen(FORMS))

    assert [row.newest for _, row in told if isinstance(row, ScreenedRecords) and row.newest] == [
        datetime(2026, 3, 2, 9, 59, 59, 999_999, UTC)
    ]


def test_the_screen_knows_a_vm_and_a_network_as_the_whole_reading_does() -> None:
    told = [VM, VM.upper(), f"{VM}/extensions/x", NSG, NSG.upper(), f"{VM}/providers/microsoft.resourcehealth/x/y"]
    silent = [
        STORAGE,
        STORAGE.lower(),
        f"{STORAGE}/",
        f" {STORAGE}",
        STORAGE[1:],
        GROUP,
        f"{STORAGE}/a/virtualMachines",
    ]
    odd = ["", "/", "//", f"{GROUP}//x", "/providers/Microsoft.Storage", "x"]

    assert list(map(find_silent_scope, [*told, *odd])) == [None] * (len(told) + len(odd))
    assert set(map(find_silent_scope, silent)) == {GROUP.lower()}
    parents = {one: find_silent_parent(one.rpartition("/")[0]) for one in (*told, *silent, *odd)}
    assert all(of in {None, GROUP.lower()} for of in parents.values())
    assert all(find_silent_scope(f"{one.rpartition('/')[0]}/b-2") == of for one, of in parents.items() if of)
    assert find_silent_scope(SUBSCRIPTION) == SUBSCRIPTION.lower()


def is_plain(row: object) -> bool:
    return row in (PLAIN, PLAIN_EVENT, TELLING_EVENTS["with a part like a record"])


def check_screened(text: str) -> None:
    """Whatever is left out is plain, all else stays in its place, and what was left out is counted and covered."""
    whole, screened = read(text, None), read(text, make_screen(FORMS))
    told = [row for _, row in screened if isinstance(row, ScreenedRecords)]
    kept = iter([row for row in screened if not isinstance(row[1], ScreenedRecords)])
    left_out, next_kept = [], next(kept, None)
    for row in whole:
        if row == next_kept:
            next_kept = next(kept, None)
        else:
            left_out.append(row[1])
    coverage = (covers for row in told for scope in row.scopes for covers in row.list_coverage(scope))
    scopes = {covers.scope for covers in coverage if covers.signal is Signal.ACTIVITY}

    assert next_kept is None
    assert all(map(is_plain, left_out))
    assert sum(row.count for row in told) == len(left_out)
    assert (scopes == {GROUP.lower()}) == bool(left_out)
    assert [row.newest for row in told if row.newest] == [AT] * bool(left_out)


def test_a_record_that_can_be_left_out_is_of_no_other_form() -> None:
    known = {name: plugins.load(formats_package, name) for name in plugins.list_names(formats_package)}
    row = {name: PLAIN.get(name, "x") for name in ExportedRecord.__struct_encode_fields__}
    event = dict.fromkeys(LoggedEvent.__struct_encode_fields__, "x")

    assert tuple(name for name, form in known.items() if hasattr(form, "build_screen")) == FORMS
    assert [name for name, form in known.items() if formats_package.recognises_row(form, row)] == ["exported-records"]
    assert [name for name, form in known.items() if formats_package.recognises_row(form, event)] == ["activity-log"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Sixty megabytes of which one file is broken in the middle, and one has its first line without an end."""
    told = [json.dumps({**PLAIN, **more}) for more in TELLING.values()]
    filler = json.dumps({**PLAIN, "properties": {"message": "x" * 3_000}})
    block = "\n".join([*told, *[filler] * 3_000]) + "\n"
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.json").write_text(block * 3)
    (folder / "b.json").write_text(block + '{"time": "cut here\n' + json.dumps(PLAIN, indent=2) + "\n" + block)
    (folder / "c.json").write_text((block * 2).rstrip("\n"))
    events = [*TELLING_EVENTS.values(), *[{**PLAIN_EVENT, "description": "x" * 3_000}] * 1_500] * 2
    listed = json.dumps(events, indent=2)
    (folder / "d.json").write_text(listed)
    place = listed.index('"status"', len(listed) * 3 // 4)
    (folder / "e.json").write_text(listed[:place] + "{" + listed[place:])
    for number, raw in enumerate((block.encode(), listed.encode(), b'{"time": "cut', b"a,b\n1,2\n")):
        packed = gzip.compress(raw, 1)
        (folder / f"f{number}.json.gz").write_bytes(packed)
        (folder / f"g{number}.json.gz").write_bytes(packed[:-9])
    return folder


def test_two_processes_one_without_fast_libraries_and_no_screen_give_the_same_report(export: Path) -> None:
    check = ["check", "--source", str(export), "--all", "-o", "ndjson"]
    without = [sys.executable, "-c", WITHOUT_FAST, *check, "--processes", "1"]
    ways = [without, [str(COMMAND), *check, "--processes", "2"], [str(COMMAND), *check, "--exact-scan"]]
    ran = [subprocess.run(each, capture_output=True, check=False) for each in ways]

    assert ran[0].returncode in {0, 1, 3}
    first = ran[0]
    assert [(each.returncode, each.stdout, each.stderr) for each in ran] == [
        (first.returncode, first.stdout, first.stderr)
    ] * len(ways)


def test_what_processes_that_died_had_not_begun_is_read_all_the_same(export: Path) -> None:
    files = list(find_files(str(export / "a.json")))
    alone = read((export / "a.json").read_text(), make_screen(FORMS))
    told: list[int] = []
    with RangePool(files, FORMS, 1) as pool:
        ranged = pool.open_file(files[0], told.append)
        assert ranged is not None
        time.sleep(1)  # what was handed out is done; the next range is not yet handed out
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        rows = list(ranged)

    assert list_vm_lines((row.line, row.row) for row in rows) == list_vm_lines(alone)
    assert count_records(row.row for row in rows) == count_records(row for _, row in alone)


def test_progress_is_told_of_as_much_as_there_is(export: Path) -> None:
    files = list(find_files(str(export)))
    told: list[int] = []
    read = []
    with RangePool(files, FORMS, 2) as pool:
        for file in files:
            if (ranged := pool.open_file(file, told.append)) is not None:
                assert list(ranged)
                read.append(file)

    assert " ".join(Path(file.path).name.partition(".")[0] for file in read) == "a b c d e f0 f1 f2"
    assert sum(told) == pytest.approx(sum(file.size or 0 for file in read), rel=0.01)


def list_vm_lines(rows: Iterable[tuple[int, object]]) -> list[int]:
    return [line for line, row in rows if isinstance(row, dict) and row["resourceId"] == VM.upper()]


def count_records(rows: Iterable[object]) -> int:
    return sum(row.count if isinstance(row, ScreenedRecords) else isinstance(row, dict) for row in rows)
