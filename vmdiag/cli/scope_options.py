"""Which VMs and when, as options and lists that people write, and the `Scope` that they mean."""

import json
import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vmdiag.cli.options import (
    EXCERPT_LENGTH,
    Subscriptions,
    declare_option,
    declare_repeatable,
    parse_time,
    require_match,
    resolve_time,
)
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.identity import Selector
    from vmdiag.sources.protocol import Scope

STANDARD_INPUT = "-"
_EXPORT_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".gz", ".zst", ".tar", ".tgz", ".zip", ".txt")
_GROUP = re.compile(r"[^/]+")
# A subscription's name may hold almost anything; a path is never one.
_SUBSCRIPTION_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,128}")
# Tags parted by blanks; a word without `=` belongs to the value before it: `owner=Ops Team env=prod` are two.
_BETWEEN_TAGS = re.compile(r"\s+(?=[^\s=]+=)")
_SHORT_FORM_PARTS = 2  # group/name
_LIST_FORMAT_HINT = "Write one VM a line, or a JSON array: az vm list --query '[].id' -o json."
# What an answer of Azure's, or of its command line, says of itself where more is to come.
_NEXT_PAGE_KEYS = ("nextlink", "odata.nextlink", "skip_token", "skiptoken", "$skiptoken")


def complete_vms(incomplete: str) -> list[str]:
    """The names of the last run's VMs that begin so, bare or with their group."""
    from vmdiag.redeploy.state_folder import VM_NAMES_FILE, state_folder

    try:
        names = (state_folder() / VM_NAMES_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    begin = incomplete.lower()
    bare = [] if "/" in incomplete else [name.rpartition("/")[2] for name in names]
    return [name for name in dict.fromkeys((*bare, *names)) if name.lower().startswith(begin)]


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """The options that say who and when, as written."""

    HELP_HEADING = "Which VMs"

    vms: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VM]...",
            autocompletion=complete_vms,
            help="Name, group/name or resource id; * and ? stand for any; '-' reads them from standard input.",
        ),
    ] = None
    vms_from: Annotated[
        str | None,
        declare_option(
            "--vms-from",
            metavar="FILE",
            text="Read VMs from a file: one a line, '#' begins a comment, or a JSON array of ids or of objects with "
            "'id'.",
        ),
    ] = None
    subscription: Subscriptions = None
    resource_group: Annotated[
        list[str] | None,
        declare_repeatable(
            "--resource-group", "-g", metavar="NAME", text="Only this resource group, * and ? allowed; repeatable."
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        declare_repeatable(
            "--tag",
            metavar="KEY=VALUE",
            split=lambda written: _BETWEEN_TAGS.split(written.strip()),
            text="Only VMs with this tag; repeatable, all must fit.",
        ),
    ] = None
    everything: Annotated[bool, declare_option("--all", text="Every VM in scope.")] = False
    allow_empty: Annotated[
        bool, declare_option("--allow-empty", text="A scope without VMs is no error: end with 0 where there is none.")
    ] = False
    since: Annotated[
        str,
        declare_option(
            "--since",
            metavar="WHEN",
            rich_help_panel="When",
            text="Look from here on: 90m, 24h, 14d or 1w back from --until, 08:16 (the latest before it), or an "
            "ISO 8601 time (no offset: UTC).",
        ),
    ] = "14d"
    until: Annotated[
        str | None,
        declare_option(
            "--until",
            metavar="WHEN",
            rich_help_panel="When",
            text="Look up to here, as --since. Default: now, or an archive's last record.",
        ),
    ] = None

    def build_scope(self, now: datetime, subscription: str | None = None) -> "Scope":
        """The scope these words mean; `UsageError` where they contradict one another.

        `subscription` is the one to look in where none is named.
        """
        from vmdiag.sources.protocol import Scope

        vms = read_selectors(self.vms or (), self.vms_from, allow_empty=self.allow_empty)
        is_listed = bool(self.vms or self.vms_from)
        if is_listed and self.everything:
            message = "--all and a list of VMs contradict each other"
            raise UsageError(message, "Give one of them.")
        if is_listed and self.tag:
            message = "names and --tag contradict each other: either says which VMs are meant"
            raise UsageError(message, "Give one of them.")
        since, until = self._parse_window(now)
        tags = []
        for word in self.tag or ():
            name, separator, value = word.partition("=")
            if not separator or not name.strip():
                message = f"--tag {word[:EXCERPT_LENGTH]!r} is not KEY=VALUE"
                raise UsageError(message, "Write --tag app=shop; the value may be empty: --tag app=.")
            tags.append((name.strip(), value))
        hint = "Give its name alone; * and ? stand for other characters."
        return Scope(
            vms=vms,
            subscriptions=frozenset(normalize_subscriptions(self.subscription or (), subscription)),
            groups=frozenset(
                require_match(word, _GROUP, f"--resource-group {word[:EXCERPT_LENGTH]!r} names no resource group", hint)
                for word in self.resource_group or ()
            ),
            tags=tuple(tags),
            everything=self.everything,
            allow_empty=self.allow_empty,
            lists_none=is_listed and not vms,
            since=since,
            until=until,
        )

    def _parse_window(self, now: datetime) -> tuple[timedelta | datetime | time, datetime | time | None]:
        """Both ends. Two spans both count back from now; a span beside a time, or alone, counts back from the end.

        Times of day are made out when the end is known: an archive's is that of its last record.
        """
        start = parse_time(self.since, "--since")
        stop = None if self.until is None else parse_time(self.until, "--until")
        end = resolve_time(self.until or "", "--until", now) if isinstance(stop, timedelta) else stop
        if isinstance(start, timedelta):
            start -= stop if isinstance(stop, timedelta) else timedelta()
            is_empty = start <= timedelta()
        else:
            is_empty = isinstance(start, datetime) and isinstance(end, datetime) and start >= end
        if is_empty:
            message = f"--since {self.since} does not lie before --until {self.until or 'now'}"
            raise UsageError(message, "Give an earlier --since or a later --until.")
        return start, end

    def reads_standard_input(self) -> bool:
        """Whether the list of VMs comes from there."""
        return STANDARD_INPUT in (*(self.vms or ()), self.vms_from)


def resolve_unreachable_since(
    unreachable_since: str | None, scope: "Scope", now: datetime, *, is_live: bool
) -> datetime | time | None:
    """Since when the operator states that the VMs cannot be reached.

    A time of day is the latest before the window's end, which an archive knows only when it was read.
    """
    from vmdiag.sources.protocol import find_latest_time

    if unreachable_since is None:
        return None
    if not scope.vms:
        message = "--unreachable-since says something about a VM, and none is named"
        raise UsageError(message, "Name it: vmdiag check prod/web-01 --unreachable-since 08:16 and so on.")
    until = find_latest_time(scope.until, now) if isinstance(scope.until, time) else scope.until
    clock = parse_time(unreachable_since, "--unreachable-since")
    if isinstance(clock, time):
        return find_latest_time(clock, until or now) if is_live else clock
    at = resolve_time(unreachable_since, "--unreachable-since", now)
    if at >= (until or now):
        message = f"--unreachable-since {unreachable_since} lies after the window that is looked at"
        raise UsageError(message, "Give a time before now and before --until.")
    return at


def normalize_subscriptions(names: Sequence[str], default: str | None) -> list[str]:
    """The subscriptions that are named, in lower case; the other one where none is."""
    hint = "Give the GUID or the name; 'vmdiag doctor' lists both."
    return [
        require_match(
            word, _SUBSCRIPTION_NAME, f"{word[:EXCERPT_LENGTH]!r} is no subscription's id or name", hint
        ).lower()
        for word in names or ([default] if default else [])
    ]


def read_selectors(words: Sequence[str], vms_from: str | None, *, allow_empty: bool = False) -> "tuple[Selector, ...]":
    """The VMs in the order given, each once; `UsageError` when a list was given and it is empty."""
    from vmdiag.identity import Selector, VmId

    named: dict[Selector, None] = {}
    given = (_read_list(word) if word == STANDARD_INPUT else [word] for word in words)
    for text in chain(chain.from_iterable(given), () if vms_from is None else _read_list(vms_from)):
        # A name may be anything: too long for a path, or none that the system takes.
        if text.endswith(_EXPORT_SUFFIXES) and os.path.isfile(text):  # noqa: PTH113
            # A shell makes many words of a pattern, and only the first of them belongs to --source.
            message = f"{text[:EXCERPT_LENGTH]!r} is a file, and stands where a VM is named"
            raise UsageError(message, "Quote a pattern, or give the folder: --source FOLDER. A list: --vms-from FILE.")
        parts = text.strip().split("/")
        is_short = len(parts) <= _SHORT_FORM_PARTS and all(part.strip() for part in parts)
        if not is_short and VmId.parse(text.strip()) is None:
            message = f"{text[:EXCERPT_LENGTH]!r} does not name a VM"
            raise UsageError(message, "Name it web-01, prod/web-01, or /subscriptions/.../virtualMachines/web-01.")
        named[Selector(text.strip())] = None
    if not named and (words or vms_from) and not allow_empty:
        # Else an empty list, perhaps the output of a query that failed, would mean every VM.
        message = "the list of VMs is empty"
        raise UsageError(message, "List at least one VM, or say that there may be none: --allow-empty.")
    return tuple(named)


def _read_list(path: str) -> Iterator[str]:
    """The words of a list in UTF-8, or in UTF-16 with its mark, as PowerShell redirects it; `#` begins a comment."""
    where = "standard input" if path == STANDARD_INPUT else path
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except OSError as error:
        message = f"the list of VMs in {where} cannot be read: {error.strerror}"
        raise UsageError(message, "Give a text file with one VM a line.") from error
    except UnicodeDecodeError as error:
        message = f"the list of VMs in {where} is neither UTF-8 text nor UTF-16 with its byte order mark"
        raise UsageError(message, _LIST_FORMAT_HINT) from error
    if "\0" in text:
        message = (
            f"the list of VMs in {where} is no text: it holds zero bytes (UTF-16 must begin with its byte order mark)"
        )
        raise UsageError(message, _LIST_FORMAT_HINT)
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines and lines[0][0] in "[{":
        yield from _parse_json_ids("\n".join(lines), where)
    else:
        yield from (word for line in lines if (word := line.partition("#")[0].strip()))


def _parse_json_ids(text: str, where: str) -> Iterator[str]:
    """The ids in a JSON array of them or of objects that have one, bare or inside an answer of Azure's."""
    try:
        rows = json.loads(text, object_pairs_hook=lambda pairs: {key.lower(): value for key, value in pairs})
    except (ValueError, RecursionError) as error:
        message = f"the list of VMs in {where} begins like JSON and is none"
        raise UsageError(message, _LIST_FORMAT_HINT) from error
    answer = rows if isinstance(rows, dict) else {}
    lists = [held for key in ("value", "data") if isinstance(held := answer.get(key), list)]
    if lists:
        rows = lists[0]
        total = answer.get("totalrecords", answer.get("total_records", len(rows)))
        if any(answer.get(key) for key in _NEXT_PAGE_KEYS) or (isinstance(total, int) and total > len(rows)):
            message = f"the list of VMs in {where} says that it is not whole: more was to follow"
            raise UsageError(message, "Fetch the rest; a VM that is left out in silence would not be looked at.")
    # A single object with an id is a list of one.
    for number, row in enumerate([answer] if answer and not lists else rows, 1):
        vm = row.get("id") if isinstance(row, dict) else row
        if not isinstance(vm, str):
            message = f"element {number} of the list of VMs in {where} is no id and has none"
            raise UsageError(message, _LIST_FORMAT_HINT)
        yield vm
