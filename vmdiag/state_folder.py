"""Where a user's state is kept, and the locks there that keep runs apart; must not know what is written into it.

Locks are given back when a run is killed. Whoever could write into the folder could forge the journal or take a lock
away, so a folder that others can write is not used; one with the set-group-ID bit is shared on purpose.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

OWNER_ONLY, OWNER_ONLY_FOLDER = 0o600, 0o700


def state_folder() -> Path:
    """The folder that the system keeps for a user's state."""
    return user_state_path("vmdiag", appauthor=False)


def make_folder(folder: Path) -> None:
    """Make it, its owner's alone, where it is not there; raises `OSError`, also where others can write into it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    require_own(folder)


def require_own(folder: Path) -> None:
    """Raise `OSError` where others can write into a folder."""
    mode = folder.stat().st_mode
    by_group = mode & stat.S_IWGRP and not mode & stat.S_ISGID
    if os.name == "posix" and (mode & stat.S_IWOTH or by_group):
        message = f"others can write into {folder}: make it your own (chmod go-w), or give another place"
        raise OSError(None, message)


@contextmanager
def alone(scopes: Iterable[str]) -> Iterator[str | None]:
    """Keep other runs on this machine out of some scopes; says who is there already, `None` where nobody is.

    Wherever the journal lies, the locks are in one place. Raises `OSError`.
    """
    folder = state_folder() / "locks"
    make_folder(folder.parent)
    make_folder(folder)
    with ExitStack() as held:
        rival = None
        for scope in sorted(scopes):
            # An id may be anything; its digest is a name that every file system takes.
            name = sha256(scope.lower().encode()).hexdigest()[:32]
            try:
                held.enter_context(FileLock(folder / f"{name}.lock", timeout=0, mode=OWNER_ONLY))
            except Timeout:
                rival = f"another run of vmdiag redeploys in {scope}"
                break
        yield rival
