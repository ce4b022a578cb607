"""Where a user's state is kept, and what is kept there besides the journal: secrets, and names to complete.

Whoever could write into the folder, or put another in its place, could forge the journal or take a lock away, so such a
folder is not used. One that a group can write and that has the set-group-ID bit is shared on purpose: what is made in
it is that group's too, so that its members see each other's redeploys.
"""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from vmdiag.identity import VmId

OWNER_ONLY, OWNER_ONLY_FOLDER = 0o600, 0o700
SHARED, SHARED_FOLDER = 0o660, 0o2770
VM_NAMES_FILE = "vm-names.txt"
MAX_VM_NAMES = 5000  # a shell offers no more, and a fleet's list need not be kept whole
_REMEDY = "or give another place: XDG_STATE_HOME, or --journal PATH"


def state_folder() -> Path:
    """The folder that the system keeps for a user's state."""
    return user_state_path("vmdiag", appauthor=False)


def load_secret(name: str) -> bytes:
    """The 32 random bytes that are kept under a name, made where there are none; raises `OSError`."""
    folder = state_folder()
    make_folder(folder)
    path = folder / name
    with (
        suppress(FileExistsError),
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as out,
    ):
        out.write(secrets.token_bytes(32))
    require_own_file(path)
    return path.read_bytes()


def keep_vm_names(vms: Iterable[VmId]) -> None:
    """Keep the names of a run as `group/name`, a line each, for a shell to complete; else there is nothing to complete.

    Only names are kept, for their owner alone.
    """
    names = sorted(dict.fromkeys(f"{vm.resource_group}/{vm.name}" for vm in vms))[:MAX_VM_NAMES]
    # A name that would be two lines, or move a cursor, is no name that Azure gives.
    lines = [f"{name}\n" for name in names if name.isprintable()]
    if not lines:
        return
    with suppress(OSError):
        make_folder(state_folder())
        part = state_folder() / f".{VM_NAMES_FILE}.{os.getpid()}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as out:
            out.writelines(lines)
        part.replace(state_folder() / VM_NAMES_FILE)


def make_folder(folder: Path) -> None:
    """Make it where it is not there, its owner's alone or shared as its parent is.

    Raises `OSError` where that fails, and where others can write into it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    shared = is_shared(folder.parent)
    try:
        folder.mkdir(mode=OWNER_ONLY_FOLDER)
    except FileExistsError:
        pass
    else:
        if shared:
            # Not by the mode of `mkdir`: the umask would take the group's rights away.
            folder.chmod(SHARED_FOLDER)
    require_own(folder)


def is_shared(folder: Path) -> bool:
    """Whether a folder is a group's on purpose."""
    mode = folder.stat().st_mode
    return os.name == "posix" and bool(mode & stat.S_ISGID and mode & stat.S_IWGRP) and not mode & stat.S_IWOTH


def mode_within(folder: Path) -> int:
    """The mode of a file that is made in a folder."""
    return SHARED if is_shared(folder) else OWNER_ONLY


def require_own(folder: Path) -> None:
    """Raise `OSError` where somebody else can write into a folder, or put another one in its place."""
    if os.name != "posix":
        return
    found = folder.stat()
    by_group = found.st_mode & stat.S_IWGRP and not found.st_mode & stat.S_ISGID
    if found.st_mode & stat.S_IWOTH or by_group:
        message = f"others can write into {folder}: make it your own (chmod go-w), {_REMEDY}"
        raise OSError(None, message)
    # By its real path and by the one that was given: a link lies somewhere, too.
    real, given = folder.resolve(), folder.absolute()
    if not is_shared(folder):
        for one in dict.fromkeys((real, real.parent, given.parent)):
            _require_owner(one)
    for above in dict.fromkeys((*real.parents, *given.parents)):
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            message = f"others can write into {above}, and so replace {folder}: close it (chmod o-w), {_REMEDY}"
            raise OSError(None, message)


def require_own_file(path: Path) -> None:
    """Raise `OSError` where somebody who should not can have written a file in a folder that is one's own."""
    if os.name != "posix":
        return
    if path.stat().st_mode & stat.S_IWOTH:
        message = f"others can write to {path}: look at what it holds and make it your own (chmod go-w)"
        raise OSError(None, message)
    if not is_shared(path.parent):
        _require_owner(path)


def _require_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if os.name == "posix" and owner not in (0, os.geteuid()):
        message = (
            f"{path} belongs to another user (uid {owner}), who could change what lies there: run as that user, "
            f"share it with a group (chmod 2770), {_REMEDY}"
        )
        raise OSError(None, message)


def sync_folder(folder: Path) -> None:
    """Put a new file's name on disk, too, where a folder can be opened."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
