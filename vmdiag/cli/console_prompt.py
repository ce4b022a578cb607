"""Who shows plans, asks for a yes and tells how a redeploy goes, on standard error."""

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from vmdiag.cli.streams import STOP_SIGNALS, StatusConsole, write_stderr
from vmdiag.identity import VmId
from vmdiag.redeploy.guards import Refusal
from vmdiag.wording.narrative import list_summary_rows, write_headline
from vmdiag.wording.plain_text import escape_controls, format_duration, format_vm_name, shorten_name
from vmdiag.wording.redeploy_texts import format_guard_results, join_first_names

# The same words are told again after so many seconds, with the time that has passed.
REPEAT_AFTER_SECONDS = 60.0
CONSENT_WORD = "yes"
# Of what a report tells of a VM, what whoever says yes must have seen.
PROPOSAL_ROWS = ("Migrated", "Lost", "Now", "Why")
# What people type out of habit; it is no answer to this question.
SHORT_ANSWERS = ("y", "ye", "j", "ok")


class ConsolePrompt:
    """The `Reporter` that writes to standard error and reads the answer from standard input."""

    def __init__(self, watch: StatusConsole) -> None:
        self._watch = watch
        self._last_message: tuple[VmId, str] | None = None
        self._last_shown_at = 0.0

    def show_proposals(self, proposals: Sequence[Refusal]) -> None:
        """Show the plans: why, what the guards say, and what they cost."""
        for line in _format_proposal(proposals):
            self._watch.print_line(line)

    def show_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why: once for all VMs that share the reason."""
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for refusal in refusals:
            alike[refusal.says].append(format_vm_name(refusal.plan.vm))
        for says, vms in alike.items():
            self._watch.print_line(f"not redeployed: {join_first_names(vms)}: {says}")

    def ask_for_consent(self, proposals: Sequence[Refusal]) -> bool:
        """Whether the operator types yes; Ctrl-C is a no, and ends the run."""
        self._watch.remove_bar()
        if self._watch.is_quiet:
            # Nobody can agree to what was not shown.
            for line in _format_proposal(proposals):
                write_stderr(escape_controls(line))
        usual = {each: signal.getsignal(each) for each in STOP_SIGNALS}
        try:
            # Before the question is seen: whoever answers it with Ctrl-C at once must be heard too.
            for each in STOP_SIGNALS:
                signal.signal(each, signal.default_int_handler)
            if self._watch.stop.is_set():
                return False
            question = f"Type {CONSENT_WORD} to go on: "
            while True:
                discard_typed_input()
                write_stderr(question, end="")
                answer = sys.stdin.readline()
                if not answer.endswith("\n"):
                    write_stderr("")
                if answer.strip().lower() not in SHORT_ANSWERS:
                    return answer.strip().lower() == CONSENT_WORD
                question = f"It is a reboot of a machine: type {CONSENT_WORD}, the whole word, to go on: "
        except KeyboardInterrupt:
            write_stderr("")
            self._watch.stop.set()
            return False
        finally:
            for each, handler in usual.items():
                signal.signal(each, handler)

    def report_progress(
        self, vm: VmId, says: str, elapsed: timedelta | None = None, limit: timedelta | None = None
    ) -> None:
        """How it stands with a VM; the same words again only from time to time."""
        # A bar that has reached its end says nothing of what goes on now.
        self._watch.remove_bar()
        now = time.monotonic()
        if self._last_message == (vm, says) and now - self._last_shown_at < REPEAT_AFTER_SECONDS:
            return
        self._last_message, self._last_shown_at = (vm, says), now
        of = "" if limit is None else f" of at most {format_duration(limit)}"
        after = "" if elapsed is None else f" ({format_duration(elapsed)}{of})"
        self._watch.print_line(f"{format_vm_name(vm)}: {says}{after}")

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._watch.warn(text)


def discard_typed_input() -> None:
    """Throw away what was typed before the question was seen, or was pasted behind an earlier line."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _format_proposal(refusals: Sequence[Refusal]) -> Iterator[str]:
    """Who they are, what is wrong since when and why that is thought, what every guard says, and what it costs."""
    noun = "this VM" if len(refusals) == 1 else f"these {len(refusals)} VMs, one after another"
    yield f"Redeploy {noun}:"
    for one in refusals:
        case = one.plan.latest
        yield f"  {format_vm_name(one.plan.vm)}, subscription {shorten_name(one.plan.vm.subscription)}"
        yield f"    {case.diagnosis.verdict}: {write_headline(case)}"
        yield from (f"    {title.lower()}: {says}" for title, says in list_summary_rows(case) if title in PROPOSAL_ROWS)
        yield from (f"    {sign} {guard}: {says}" for sign, guard, says in format_guard_results(one.answers))
    # What is the same for all is told once.
    yield from dict.fromkeys(f"    lost: {line}" for one in refusals for line in one.plan.loses)
    yield from dict.fromkeys(f"    risk: {line}" for one in refusals for line in one.plan.risks)
