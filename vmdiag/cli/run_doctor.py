"""One run of `vmdiag doctor`: what was tried, and the roles that would be enough; must not know a feed."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from vmdiag.arm.session import Session
from vmdiag.cli.azure_options import Azure
from vmdiag.cli.output_file import destination
from vmdiag.cli.progress import Watch
from vmdiag.cli.scope_options import subscriptions_of
from vmdiag.errors import Interrupted, SourceError
from vmdiag.redeploy.request import PERMISSIONS
from vmdiag.sources.azure.connection_checks import Check, Status, checkup, permissions
from vmdiag.wording.sanitize import visible

SCHEMA = "vmdiag.doctor/1"
UNREAD = 3  # as in a report: something that would tell could not be read
MARKS = {Status.OK: "ok", Status.FAILED: "FAILED", Status.SKIPPED: "-"}


def run(azure: Azure, subscriptions: Sequence[str], form: str, watch: Watch) -> int:
    """Try everything, tell it, and give the exit code."""
    named = subscriptions_of(subscriptions, os.environ.get("AZURE_SUBSCRIPTION_ID"))
    access = azure.access(os.environ)
    watch.listen()
    session = Session(access, lambda: datetime.now(UTC), watch.stop)
    checks: list[Check] = []
    with destination() as out:
        for check in checkup(session, named, access.workspaces):
            checks.append(check)
            if form == "terminal":
                out.writelines(f"{line}\n" for line in _lines(check))
                out.flush()
        seen = sorted({check.subscription for check in checks if check.subscription and check.status is Status.OK})
        roles = {
            "read": _role("vmdiag reader", "Reads what vmdiag diagnoses", permissions(), seen or named),
            "redeploy": _role("vmdiag redeployer", "Redeploys VMs, besides vmdiag reader", PERMISSIONS, seen or named),
        }
        if form == "json":
            told = {"schema": SCHEMA, "checks": [_plain(check) for check in checks], "roles": roles}
            out.write(json.dumps(told, indent=2) + "\n")
        else:
            out.writelines(f"{line}\n" for line in _told(roles))
    if watch.stop.is_set():
        return Interrupted.exit_code
    return _code(checks)


def _code(checks: Sequence[Check]) -> int:
    failed = [check for check in checks if check.status is Status.FAILED]
    is_read = any(check.status is Status.OK and check.about == "subscription" for check in checks)
    if not is_read:
        return SourceError.exit_code
    return UNREAD if failed else 0


def _lines(check: Check) -> Iterator[str]:
    """A check on one line, and what to do about it on the next."""
    about = check.about if check.subscription is None or check.about == "subscription" else f"  {check.about}"
    where = f"{check.subscription}: " if check.about == "subscription" else ""
    first, *more = f"{where}{check.says}".split("\n")
    yield f"{visible(about):24} {MARKS[check.status]:6} {visible(first)}"
    yield from (f"{'':31} {visible(line)}" for line in more)
    if check.hint and check.status is Status.FAILED:
        yield f"{'':31} {visible(check.hint)}"


def _plain(check: Check) -> dict[str, str | None]:
    return {
        "about": check.about,
        "subscription": check.subscription,
        "status": check.status.value,
        "says": check.says,
        "hint": check.hint,
    }


def _role(name: str, description: str, actions: Iterable[str], subscriptions: Iterable[str]) -> dict[str, object]:
    """A custom role in the form that `az role definition create` takes."""
    return {
        "Name": name,
        "IsCustom": True,
        "Description": description,
        "Actions": sorted(actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{each}" for each in sorted(subscriptions)],
    }


def _told(roles: dict[str, dict[str, object]]) -> Iterator[str]:
    for purpose, role in roles.items():
        yield ""
        yield f"The smallest role to {purpose}:"
        yield json.dumps(role, indent=2)
