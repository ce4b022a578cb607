"""Who shows plans, asks for a yes and tells how a redeploy goes, on standard error; must not decide or redeploy."""

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from vmdiag.cli.error_output import say
from vmdiag.cli.progress import ENDING, Watch
from vmdiag.identity import VmId
from vmdiag.redeploy.guards import Refusal
from vmdiag.wording.narrative import headline, rows
from vmdiag.wording.redeploy_outcome import answers, few
from vmdiag.wording.sanitize import name, visible
from vmdiag.wording.time_formats import span

# The same words are told again after so many seconds, with the time that has passed.
AGAIN = 60.0
YES = "yes"
# Of what a report tells of a VM, what whoever says yes must have seen.
TOLD = ("Migrated", "Lost", "Now", "Why")
# What people type out of habit; it is no answer to this question.
SHORT = ("y", "ye", "j", "ok")


class Bedside:
    """A `Proposer` on standard error."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._told: tuple[VmId, str] | None = None
        self._at = 0.0

    def propose(self, proposals: Sequence[Refusal]) -> None:
        """Show the plans: why, what the guards say, and what they cost."""
        for line in _proposal(proposals):
            self._watch.say(line)

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why: once for all VMs that share the reason."""
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for refusal in refusals:
            alike[refusal.says].append(_named(refusal.plan.vm))
        for says, vms in alike.items():
            self._watch.say(f"not redeployed: {few(vms)}: {says}")

    def agrees(self, proposals: Sequence[Refusal]) -> bool:
        """Whether the operator types yes; Ctrl-C is a no, and ends the run."""
        self._watch.finish()
        if self._watch.is_quiet:
            # Nobody can agree to what was not shown.
            for line in _proposal(proposals):
                say(visible(line))
        usual = {each: signal.getsignal(each) for each in ENDING}
        try:
            # Before the question is seen: whoever answers it with Ctrl-C at once must be heard too.
            for each in ENDING:
                signal.signal(each, signal.default_int_handler)
            if self._watch.stop.is_set():
                return False
            return self._ask()
        except KeyboardInterrupt:
            say("")
            self._watch.stop.set()
            return False
        finally:
            for each, handler in usual.items():
                signal.signal(each, handler)

    def _ask(self) -> bool:
        """Ask until something else than a short yes is typed."""
        question = f"Type {YES} to go on: "
        while True:
            forget_typed()
            say(question, end="")
            answer = sys.stdin.readline()
            if not answer.endswith("\n"):
                say("")
            if answer.strip().lower() not in SHORT:
                return answer.strip().lower() == YES
            question = f"It is a reboot of a machine: type {YES}, the whole word, to go on: "

    def tell(self, vm: VmId, says: str, elapsed: timedelta | None = None, limit: timedelta | None = None) -> None:
        """How it stands with a VM; the same words again only from time to time."""
        # A bar that has reached its end says nothing of what goes on now.
        self._watch.finish()
        now = time.monotonic()
        if self._told == (vm, says) and now - self._at < AGAIN:
            return
        self._told, self._at = (vm, says), now
        of = "" if limit is None else f" of at most {span(limit)}"
        after = "" if elapsed is None else f" ({span(elapsed)}{of})"
        self._watch.say(f"{_named(vm)}: {says}{after}")

    def warn(self, text: str) -> None:
        """Something that should not be."""
        self._watch.warn(text)


def forget_typed() -> None:
    """Throw away what was typed before the question was seen, or was pasted behind an earlier line."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _proposal(refusals: Sequence[Refusal]) -> Iterator[str]:
    noun = "this VM" if len(refusals) == 1 else f"these {len(refusals)} VMs, one after another"
    yield f"Redeploy {noun}:"
    for one in refusals:
        yield from _grounds(one)
    # What is the same for all is told once.
    yield from dict.fromkeys(f"    lost: {line}" for one in refusals for line in one.plan.loses)
    yield from dict.fromkeys(f"    risk: {line}" for one in refusals for line in one.plan.risks)


def _grounds(one: Refusal) -> Iterator[str]:
    """Who it is, what is wrong since when and why that is thought, and what every guard says."""
    case = one.plan.latest
    yield f"  {_named(one.plan.vm)}, subscription {name(one.plan.vm.subscription)}"
    yield f"    {case.diagnosis.verdict}: {headline(case)}"
    for title, says in rows(case):
        if title in TOLD:
            yield f"    {title.lower()}: {says}"
    for sign, guard, says in answers(one.answers):
        yield f"    {sign} {guard}: {says}"


def _named(vm: VmId) -> str:
    return f"{name(vm.resource_group)}/{name(vm.name)}"
