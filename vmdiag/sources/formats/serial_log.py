"""What the log of a VM's serial console (boot diagnostics) says of the guest's data path; rows of `files.serial_log`.

Whose log it is is told by its file's name as Azure gives it ("Virtual Machines - Retrieve Boot Diagnostics Data":
`vm.serialconsole.log`, in storage accounts with the VM's own id between), else by the guest's name in it; a log that
tells neither is nobody's. Its stamps are seconds since the guest began, so that a line has a time only where the same
boot said what the clock was; else it is of an unknown time, and dates nothing. A silent log says nothing. It is read
from files alone: to have Azure hand it over is an action that Reader lacks, and one that the activity log tells.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import make_computer_placeholder, make_name_placeholder
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import find_text, to_number
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import UNDATED, Item, VmRecord

SIGNALS = (Signal.CONSOLE,)
SIGNATURES = (Signature(all_of={"serialEvent", "serialUptime"}),)
FILE_NAME = re.compile(
    r"(?:.*[/\\:])?([\w.-]{1,64}?)(?:\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\.serialconsole\.log\b",
    re.IGNORECASE,
)
# A guest's stamps are those of a clock that nobody sets right; that it is no worse than this is inferred.
DRIFT = 1e-4
NOBODY = "the serial log does not say whose it is: call the file NAME.serialconsole.log, after the VM"


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The event of the VM; nothing of a log in which none is told."""
    named, computer = FILE_NAME.match(ref.rpartition(":")[0]), find_text(row, "computer")
    if named is None and not computer:
        raise MalformedRow(NOBODY)
    vm = make_computer_placeholder(computer) if named is None else make_name_placeholder(named[1])
    event, uptime, at = (
        find_text(row, "serialEvent"),
        to_number(row.get("serialUptime")) or 0.0,
        to_number(row.get("serialAt")),
    )
    if not event:
        return
    facts = {"line": find_text(row, "says"), "uptime": f"{uptime:.0f}"}
    if at is None:
        facts["undated"] = "true"
        yield VmRecord(vm, Record(at=UNDATED, signal=Signal.CONSOLE, name=event, facts=facts, ref=ref), is_dated=False)
        return
    drift = timedelta(seconds=1 + uptime * DRIFT)
    begun = datetime.fromtimestamp(at, UTC) - drift
    yield VmRecord(vm, Record(at=begun, signal=Signal.CONSOLE, name=event, blur=2 * drift, facts=facts, ref=ref))
