"""Who may share a state folder, and that nobody else can have written there; locks exist or the run is refused."""

import os
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vmdiag.identity import VmId
from vmdiag.redeploy.journal import Journal, JournalEntry
from vmdiag.redeploy.state_folder import make_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEED = JournalEntry(
    id="1", vm=VmId(subscription="s", resource_group="g", name="n"), cloud="https://c", request="r", at=AT
)
ANOTHER, GROUP = 65533, 64242
needs_root = pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives a file away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run(state: Path, code: str, *arguments: str, **variables: str) -> str:
    """What a program says that keeps its state below that folder."""
    environment = {**os.environ, "XDG_STATE_HOME": str(state), **variables}
    command = [sys.executable, "-c", code, *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, umask=0o077)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@needs_root
@pytest.mark.parametrize("given", ["folder", "parent", "file"])
def test_what_belongs_to_another_user_is_refused(tmp_path: Path, given: str) -> None:
    journal = Journal(tmp_path / "state" / "vmdiag" / "redeploys.jsonl")
    journal.record_intent(DEED)
    path = {"folder": journal.path.parent, "parent": journal.path.parent.parent, "file": journal.path}[given]
    os.chown(path, ANOTHER, -1)

    with pytest.raises(OSError, match=f"{path} belongs to another user \\(uid {ANOTHER}\\)"):
        journal.read_entries(pytest.fail, strict=True)


@pytest.mark.parametrize(("above", "refused"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_a_parent_in_which_anybody_may_put_another_folder_is_refused(
    tmp_path: Path, above: int, *, refused: bool
) -> None:
    folder = tmp_path / "open" / "between" / "vmdiag"
    folder.parent.mkdir(parents=True)
    (tmp_path / "open").chmod(above)
    if not refused:
        make_folder(folder)
        return
    with pytest.raises(OSError, match=r"others can write into .*open, and so replace"):
        make_folder(folder)


def test_a_journal_that_anybody_can_write_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "redeploys.jsonl")
    journal.record_intent(DEED)
    journal.path.chmod(0o666)

    with pytest.raises(OSError, match="others can write to"):
        journal.read_entries(pytest.fail, strict=True)


WRITE = """
import os, sys
from vmdiag.values import replace
from pathlib import Path
from tests.redeploy.test_state_folder import DEED
from vmdiag.redeploy.journal import Journal
from vmdiag.redeploy.locks import hold_exclusive_lock
journal = Journal()
with hold_exclusive_lock({"scope"}) as rival:
    assert rival is None, rival
    known = journal.read_entries(sys.exit, strict=True)
    journal.record_intent(replace(DEED, id=sys.argv[1]), known)
print(len(known))
"""


def test_what_is_made_in_a_shared_folder_is_the_groups(tmp_path: Path) -> None:
    shared = tmp_path / "ops"
    shared.mkdir()
    shared.chmod(0o2770)

    assert run(shared, WRITE, "one") == "0\n"
    folder = shared / "vmdiag"
    assert [mode(folder), mode(folder / "locks")] == [0o2770, 0o2770]
    assert mode(folder / "redeploys.jsonl") == 0o660
    assert {mode(lock) for lock in (folder / "locks").iterdir()} <= {0o660}


LOCKLESS = """
import errno, fcntl, sys
def flock(*_):
    raise OSError(errno.{code}, "no locks")
fcntl.flock = flock
from vmdiag.redeploy.locks import hold_exclusive_lock
try:
    with hold_exclusive_lock({{"scope"}}) as rival:
        print("held" if rival is None else "rival")
except OSError as error:
    print("refused")
"""


@pytest.mark.parametrize("code", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_where_the_file_system_has_no_locks_nothing_is_held(tmp_path: Path, code: str) -> None:
    assert run(tmp_path, LOCKLESS.format(code=code)) == "refused\n"


# The interpreter may lie where only root can read: what is needed is loaded before.
BECOME = f"""
import os, sys, tempfile
from pathlib import Path
from tests.redeploy.test_state_folder import DEED
from vmdiag.redeploy.journal import Journal
from vmdiag.redeploy.locks import hold_exclusive_lock
shared = os.environ["XDG_STATE_HOME"]
with tempfile.TemporaryDirectory() as warm:
    os.environ["XDG_STATE_HOME"] = warm
    with hold_exclusive_lock({{"scope"}}):
        Journal().record_intent(DEED, ())
os.environ["XDG_STATE_HOME"] = shared
os.setgroups([{GROUP}])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
"""


@needs_root
def test_two_users_of_a_shared_folder_know_of_each_others_redeploys() -> None:
    # Not below pytest's own folder, which is closed to every other user.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        shared = Path(place, "ops")
        shared.mkdir()
        os.chown(shared, 0, GROUP)
        shared.chmod(0o2770)
        for turn, user in enumerate((ANOTHER, ANOTHER - 1, ANOTHER)):
            told = run(shared, BECOME + WRITE, f"redeploy {turn}", str(user), PYTHONDONTWRITEBYTECODE="1")
            assert told == f"{turn}\n"
