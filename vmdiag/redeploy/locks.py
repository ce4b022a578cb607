"""The locks that keep runs apart, in the folder of a user's state; they are given back when a run is killed."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from vmdiag.redeploy.state_folder import OWNER_ONLY, make_folder, mode_within, state_folder


@contextmanager
def hold_exclusive_lock(scopes: Iterable[str]) -> Iterator[str | None]:
    """Keep other runs on this machine out of some scopes; yields who is there already, `None` where nobody is.

    Wherever the journal lies, the locks are in one place. Raises `OSError`, also where the file system has no locks.
    """
    folder = state_folder() / "locks"
    make_folder(folder.parent)
    make_folder(folder)
    with ExitStack() as held:
        holder = None
        for scope in sorted(scopes):
            # An id may be anything; its digest is a name that every file system takes.
            name = sha256(scope.lower().encode()).hexdigest()[:32]
            try:
                held.enter_context(make_lock(folder / f"{name}.lock", timeout=0))
            except Timeout:
                holder = f"another run of vmdiag redeploys in {scope}"
                break
        yield holder


def make_lock(path: Path, timeout: float) -> FileLock:
    """A lock that the system gives back, or none: a mere file would tell nothing of a run on another host."""
    mode = mode_within(path.parent) if path.parent.exists() else OWNER_ONLY
    return FileLock(path, timeout=timeout, mode=mode, fallback_to_soft=False)


@contextmanager
def hold_file_lock(path: Path) -> Iterator[bool]:
    """Keep others who ask for it, too, from a file; false where somebody has it already. Raises `OSError`."""
    with ExitStack() as held:
        try:
            held.enter_context(make_lock(path.with_name(f"{path.name}.lock"), timeout=0))
        except Timeout:
            yield False
            return
        yield True
