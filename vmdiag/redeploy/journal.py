"""The journal of redeploys: what was intended, accepted, finished and verified, a line of JSON each; append-only.

An intent is on disk before its request leaves, so whatever kills the program, the next run knows what may have
happened. The file is its owner's alone, or a group's in a folder that is shared on purpose; runs take turns in writing
to it.
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from filelock import Timeout

from vmdiag.identity import VmId
from vmdiag.mitigation import Mitigation, Status
from vmdiag.model import Signal
from vmdiag.redeploy.locks import make_lock
from vmdiag.redeploy.state_folder import (
    OWNER_ONLY,
    make_folder,
    mode_within,
    require_own,
    require_own_file,
    state_folder,
    sync_folder,
)
from vmdiag.values import Struct, replace

VERSION = 1
BEGIN = f'{{"v": {VERSION}, "step": "'.encode()
# Another run holds the file for milliseconds; a longer wait means that something is wrong with it.
LOCK_TIMEOUT = 10.0
# A time near the ends of the calendar cannot be counted with.
FIRST_YEAR, LAST_YEAR = 2010, 9000


class Step(StrEnum):
    """How far a redeploy has come."""

    INTENDED = "intended"  # on disk before the request leaves
    ACCEPTED = "accepted"  # Azure took it
    VOID = "void"  # Azure refused it, or never got it: nothing happened
    FINISHED = "finished"  # Azure's operation ended
    VERIFIED = "verified"  # it was looked whether the VM can be reached


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One redeploy as the journal tells it.

    `request` is the id under which Azure knows the request. `lost_at`, `migrated_at` and `signals`, those that
    measured it, are of the loss that it shall end; `region` is empty where it is not known.
    """

    id: str
    vm: VmId
    cloud: str
    request: str
    at: datetime
    region: str = ""
    step: Step = Step.INTENDED
    lost_at: datetime | None = None
    migrated_at: datetime | None = None
    signals: tuple[Signal, ...] = ()
    operation: str | None = None
    correlation: str | None = None
    outcome: Status | None = None
    finished_at: datetime | None = None
    reachable_again: bool | None = None
    says: str = ""

    @property
    def is_open(self) -> bool:
        """Whether its end is still to be found out."""
        ended = self.step is Step.FINISHED and self.outcome is not Status.SUCCEEDED
        return not ended and self.step not in (Step.VOID, Step.VERIFIED)

    @property
    def mitigation(self) -> Mitigation:
        """The same as a report tells it."""
        early = {Step.INTENDED: Status.UNKNOWN, Step.ACCEPTED: Status.STARTED, Step.VOID: Status.FAILED}
        return Mitigation(
            status=early.get(self.step) or self.outcome or Status.UNKNOWN,
            says=self.says,
            started_at=None if self.step is Step.VOID else self.at,
            finished_at=self.finished_at,
            # Its query may hold a signature, with which anybody could ask.
            operation=self.operation.partition("?")[0] if self.operation is not None else None,
            reachable_again=self.reachable_again,
            correlation=self.correlation,
            request=self.request,
        )


class JournalChangedError(Exception):
    """Somebody else wrote down a redeploy that was not known when this one was decided on."""


class UnknownVersionError(OSError):
    """A line is not of this version: what it means could only be guessed."""


class Journal:
    """The journal at a path, by default in the folder that the system keeps for a user's state."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "redeploys.jsonl"

    def read_entries(self, warn: Callable[[str], None], *, strict: bool = False) -> tuple[JournalEntry, ...]:
        """Every redeploy, oldest first; lines that make no sense are told to `warn`. Raises `OSError`.

        `strict` raises for them, too: such a line may be the intent of a redeploy. A last one that was cut off is not,
        because nothing is sent before its line is whole.
        """
        if not self.path.exists():
            return ()
        if not self.path.is_file():
            # A device could be read for ever.
            message = "not a file"
            raise OSError(None, message)
        if strict:
            require_own(self.path.parent)
            require_own_file(self.path)
        lines = self.path.read_bytes().split(b"\n")
        known: dict[str, JournalEntry] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                _apply_line(known, line, number)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                if number == len(lines):
                    _check_torn(line, number)
                message = f"line {number} is not a record of the journal"
                if strict and (number < len(lines) or not line.startswith(BEGIN[: len(line)])):
                    raise OSError(None, message) from None
                warn(f"{self.path}, {message}; passed over")
        return tuple(known.values())

    def record_intent(self, entry: JournalEntry, known: Iterable[JournalEntry] | None = None) -> None:
        """Write down what is about to be asked of Azure; it is on disk on return. Raises `OSError`.

        Raises `JournalChangedError` and writes nothing where there is a redeploy by now that is not among the `known`
        ones, which the decision was made with: of runs that decide at once one writes first, and the next one knows.
        """
        facts = {name: getattr(entry, name) for name in INTENT} | {"signals": " ".join(entry.signals)}
        self._append_line(
            Step.INTENDED, entry.at, entry.id, facts, None if known is None else {one.id for one in known}
        )

    def record_step(self, entry: JournalEntry, step: Step, at: datetime, **facts: Any) -> JournalEntry:  # noqa: ANN401 - its fields
        """Write down how it went on; the entry as it is now. Raises `OSError`."""
        self._append_line(step, at, entry.id, facts)
        return replace(entry, step=step, **facts)

    def _append_line(
        self, step: Step, at: datetime, key: str, facts: Mapping[str, object], known: Collection[str] | None = None
    ) -> None:
        record = {"v": VERSION, "step": step, "at": at, "id": key, **facts}
        line = json.dumps(
            record, default=lambda held: held.astimezone(UTC).isoformat() if isinstance(held, datetime) else str(held)
        )
        make_folder(self.path.parent)
        is_new = not self.path.exists()
        try:
            with make_lock(Path(f"{self.path}.lock"), LOCK_TIMEOUT), _open_to_append(self.path) as file:
                written = () if known is None else self.read_entries(lambda _: None, strict=True)
                if any(each.id not in (known or ()) for each in written):
                    raise JournalChangedError
                self._set_torn_line_aside(file.fileno())
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
                if is_new:
                    sync_folder(self.path.parent)
        except Timeout as error:
            message = "another program holds its lock"
            raise TimeoutError(None, message) from error

    def _set_torn_line_aside(self, file: int) -> None:
        """Put a last line that was cut off aside, so that the next one begins on its own."""
        written = self.path.read_bytes()
        torn = written[written.rfind(b"\n") + 1 :]
        _check_torn(torn, written.count(b"\n") + 1)
        if _is_whole(torn):
            os.write(file, b"\n")
        elif torn:
            with _open_to_append(Path(f"{self.path}.torn")) as aside:
                aside.write(torn + b"\n")
                os.fsync(aside.fileno())
            os.ftruncate(file, len(written) - len(torn))


TEXTS = ("operation", "correlation", "says")
INTENT = ("vm", "cloud", "request", "region", "lost_at", "migrated_at")


def _open_to_append(path: Path) -> BinaryIO:
    """To append to; a new file is its owner's alone from its first byte on, and then its group's where that shares."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    opened = os.open(path, flags, OWNER_ONLY)
    if os.name == "posix" and os.fstat(opened).st_uid == os.geteuid():
        os.fchmod(opened, mode_within(path.parent))  # which is its owner's right alone
    return os.fdopen(opened, "ab")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _check_torn(line: bytes, number: int) -> None:
    """Raise for a line that was cut off and shows another version: that version may have asked for a redeploy by then.

    Of this one it has not: the whole line is on disk before a request leaves.
    """
    begin = BEGIN[: BEGIN.index(b",") + 1]
    told = line.startswith(begin[:5]) and not _is_whole(line)
    if told and not line.startswith(begin[: len(line)]):
        raise _build_version_error(number, line[5:20].partition(b",")[0].strip().decode(errors="replace"))


def _build_version_error(number: int, version: str) -> UnknownVersionError:
    message = f"line {number} is of version {version}, which this vmdiag does not know: use the one that wrote it"
    return UnknownVersionError(None, message)


def _apply_line(known: dict[str, JournalEntry], line: bytes, number: int) -> None:
    """One line more; a step of a redeploy whose intent is not there is nobody's. Raises for another version's line."""
    record = json.loads(line)
    version = record["v"]
    # `True` and 1.0 are equal to 1, and nothing that this program wrote.
    if type(version) is not int or version != VERSION:
        raise _build_version_error(number, json.dumps(version)[:20])
    step, key = Step(record["step"]), _get_text(record, "id")
    at = _parse_instant(record["at"])
    if step is Step.INTENDED:
        vm = VmId.parse(record["vm"])
        if vm is None or at is None:
            raise ValueError
        known[key] = JournalEntry(
            id=key,
            vm=vm,
            cloud=_get_text(record, "cloud"),
            request=_get_text(record, "request"),
            at=at,
            region=_get_text(record, "region") if "region" in record else "",
            lost_at=_parse_instant(record["lost_at"]),
            migrated_at=_parse_instant(record["migrated_at"]),
            signals=tuple(Signal(word) for word in record["signals"].split()),
        )
        return
    facts: dict[str, Any] = {name: _get_text(record, name) for name in TEXTS if record.get(name) is not None}
    if "reachable_again" in record:
        facts |= {"reachable_again": {True: True, False: False, None: None}[record["reachable_again"]]}
    if "outcome" in record:
        facts |= {"outcome": Status(record["outcome"])}
    if step is Step.FINISHED:
        facts |= {"finished_at": _parse_instant(record["finished_at"])}
    known[key] = replace(known[key], step=step, **facts)


def _get_text(record: Mapping[str, Any], name: str) -> str:
    if isinstance(record[name], str):
        return str(record[name])
    raise TypeError


def _parse_instant(text: str | None) -> datetime | None:
    at = None if text is None else datetime.fromisoformat(text)
    if at is not None and (at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR):
        raise ValueError
    return at
