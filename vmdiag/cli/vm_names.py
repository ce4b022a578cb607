"""The VMs of the last run, for a shell to complete; only names are kept, for their owner alone."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vmdiag.identity import VmId

FILE_NAME = "vm-names.txt"
MAX_NAMES = 5000  # a shell offers no more, and a fleet's list need not be kept whole


def remember_vms(vms: "Iterable[VmId]") -> None:
    """Keep the names as `group/name`, a line each; where that cannot be done there is nothing to complete."""
    from vmdiag.redeploy.state_folder import OWNER_ONLY, make_folder, state_folder

    names = sorted(dict.fromkeys(f"{vm.resource_group}/{vm.name}" for vm in vms))[:MAX_NAMES]
    # A name that would be two lines, or move a cursor, is no name that Azure gives.
    lines = [f"{name}\n" for name in names if name.isprintable()]
    if not lines:
        return
    with suppress(OSError):
        make_folder(state_folder())
        part = state_folder() / f".{FILE_NAME}.{os.getpid()}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as out:
            out.writelines(lines)
        part.replace(state_folder() / FILE_NAME)


def complete_vms(incomplete: str) -> list[str]:
    """The names that begin so, bare or with their group."""
    from vmdiag.redeploy.state_folder import state_folder

    try:
        names = (state_folder() / FILE_NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    begin = incomplete.lower()
    bare = [] if "/" in incomplete else [name.rpartition("/")[2] for name in names]
    return [name for name in dict.fromkeys((*bare, *names)) if name.lower().startswith(begin)]
