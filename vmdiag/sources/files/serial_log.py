"""The log of a Linux VM's serial console, as rows: how the guest's own network driver fared on the host.

It is plain text, every line with the seconds since the guest began. Sources: "How Accelerated Networking works in Linux
and FreeBSD VMs" (the lines of `hv_netvsc`; at boot the path flips two or three times), the kernel's `netvsc_drv.c`
("Data path failed to switch"), its `rtc/class.c` ("setting system clock to ... UTC", by which a boot has a date), and
what systemd and getty write (the guest's name). What a live migration itself looks like there stands on no page.
"""

import re
from collections.abc import Iterator

from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.files.text_cursor import BrokenText, TextCursor

STAMP = re.compile(rb"(?m)^\r?\[ {0,6}(\d{1,10}\.\d{6})\] ")
# What boots is not yet what runs.
SETTLED_AFTER = 60.0
WORDS = (b"hv_netvsc", b"setting system clock to", b"Linux version", b"ostname", b" login:")
SWITCH = re.compile(
    rb"hv_netvsc \S{1,60} (?P<port>[\w.-]{1,32}): (?:(?P<failed>Data path failed to switch (?:to|from) VF: [\w.-]{1,32}"
    rb"(?:, err: -?\d{1,9})?)|(?P<back>Data path switched to VF)|"
    rb"(?P<gone>Data path switched from VF|VF slot \d+ removed))"
)
CLOCK = re.compile(rb"setting system clock to [\d:T -]{19} UTC \((\d{9,11})\)")
HOST_NAME = re.compile(rb"(?:[Hh]ostname set to|[Ss]et hostname to) <([\w.-]{1,64})>|^([\w.-]{1,64}) login:")
LINE_END = re.compile(rb"\n")
FAILED, ABSENT = "data-path-failed", "accelerated-interface-absent"
MOST = 1_000  # of one log are told


def read_serial_log(text: TextCursor) -> Iterator[RowResult]:
    """A row for each failed switch, and for an interface that went and has not come back; at least one, saying nothing.

    Whose log it is may be told by its last line, so all come at the end.
    """
    found: list[tuple[int, str, float, float | None, str]] = []
    absent: dict[bytes, tuple[int, str, float, float | None, str]] = {}
    began: float | None = None
    latest, host = 0.0, ""
    for number, line in _iterate_lines(text):
        stamp = STAMP.match(line)
        uptime = float(stamp[1]) if stamp else latest
        if uptime < latest or b"Linux version" in line:  # another boot
            began, absent = None, {}
        latest = uptime
        if (clock := CLOCK.search(line)) is not None:
            began = int(clock[1]) - uptime
        elif (named := HOST_NAME.search(line)) is not None:
            said = (named[1] or named[2]).decode()
            host = host if said == "localhost" else said
        elif (switch := SWITCH.search(line)) is not None and uptime >= SETTLED_AFTER:
            port = switch["port"]
            if switch["failed"]:
                found.append((number, FAILED, uptime, began, switch["failed"].decode()))
            elif switch["back"]:
                absent.pop(port, None)
            else:
                absent.setdefault(port, (number, ABSENT, uptime, began, f"{port.decode()} has lost its VF"))
    for number, event, uptime, start, says in [*found[:MOST], *absent.values()] or [(1, "", latest, began, "")]:
        at = None if start is None else start + uptime
        row = {"serialEvent": event, "serialUptime": uptime, "serialAt": at, "computer": host, "says": says}
        yield RowResult(number, row)


def _iterate_lines(text: TextCursor) -> Iterator[tuple[int, bytes]]:
    """The lines that may tell something, with their numbers."""
    number = 0
    while True:
        try:
            while (end := text.data.find(b"\n", text.pos)) < 0 and text.read_more():
                pass
        except BrokenText:  # no kernel's line is as long as that
            text.seek_match(LINE_END)
            continue
        raw = text.take_bytes((end + 1 if end >= 0 else len(text.data)) - text.pos)
        if not raw:
            return
        number += 1
        if any(word in raw for word in WORDS):
            yield number, raw.strip()
