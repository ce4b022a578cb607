"""Whom a watch tells besides standard output: people, by the library apprise, and systemd, by its own protocol."""

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from vmdiag.errors import UsageError
from vmdiag.wording.plain_text import escape_controls

if TYPE_CHECKING:
    from apprise import Apprise

# What people read of one round; the rest is counted, and standard output has all of it.
MOST_LINES = 20
# So many messages wait for an address that cannot be reached; then the oldest are dropped.
MOST_UNSENT = 100
TITLE = "vmdiag watch"
# Seconds; systemd reads at once, and a watch waits for nobody.
SEND_TIMEOUT = 1.0


class Recipients:
    """Addresses to send messages to, in apprise's form; `UsageError` for one that it does not know."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._senders: dict[str, Apprise] = {}
        if not addresses:
            return
        try:
            import apprise
        except ImportError as error:
            message = "the library that sends messages is not installed"
            raise UsageError(message, "Install the extra: pip install 'vmdiag[notify]'.") from error
        import logging

        # Its own log would be on standard error, addresses and all.
        logging.getLogger("apprise").addHandler(logging.NullHandler())
        logging.getLogger("apprise").propagate = False
        for number, address in enumerate(addresses, 1):
            # Nothing of what is sent, and of whom it is sent to, is kept on disk.
            sender = apprise.Apprise(asset=apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY))
            if not sender.add(address):
                # The address itself may hold a password.
                kind = address.partition(":")[0] if "://" in address else "no scheme"
                message = f"--notify number {number} ({kind[:20]}) is no address that apprise knows"
                raise UsageError(message, "Its wiki lists the forms: mailto://..., slack://..., json://HOST/PATH.")
            self._senders[sha256(address.encode()).hexdigest()[:16]] = sender

    def send_lines(
        self, unsent: Mapping[str, Sequence[str]], lines: Sequence[str]
    ) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """Send them as one message, behind those that wait; what waits now, and what went wrong.

        What waits for an address that is not given any more is forgotten.
        """
        waiting: dict[str, tuple[str, ...]] = {}
        errors = []
        text = "\n".join(map(escape_controls, lines[:MOST_LINES]))
        if len(lines) > MOST_LINES:
            text += f"\nand {len(lines) - MOST_LINES} more"
        for number, (key, sender) in enumerate(self._senders.items(), 1):
            from apprise import NotifyFormat  # it is there, where somebody is

            left = [*unsent.get(key, ()), *([text] if text else [])]
            while left:
                try:
                    # As plain text, so that what a VM is called is no markup anywhere.
                    is_sent = bool(sender.notify(body=left[0], title=TITLE, body_format=NotifyFormat.TEXT))
                except (OSError, TypeError, ValueError):
                    is_sent = False
                if not is_sent:
                    break
                left.pop(0)
            if left:
                errors.append(f"--notify number {number} took no message; it is tried again with every round")
                waiting[key] = tuple(left[-MOST_UNSENT:])
        return waiting, errors


class ServiceManager:
    """systemd, where it started this program and wants to hear from it; "sd_notify(3)" has the protocol."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        word = environment.get("WATCHDOG_USEC", "") if mine else ""
        # "sd_watchdog_enabled(3)": a sign of life every half of the time that is allowed.
        self.interval = int(word) / 2_000_000 if word.isascii() and word.isdigit() and int(word) else None

    def send_state(self, *states: str) -> None:
        """Tell it, if it can be told; a path that begins with `@` is an abstract one."""
        if not self._address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        text = "\n".join(each.replace("\n", " ") for each in states)
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(SEND_TIMEOUT)
            out.sendto(text.encode("utf-8", "replace"), address)
