"""One run of `vmdiag doctor`: what was tried, and the roles that would be enough; must not know a feed."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from vmdiag.arm.session import Session
from vmdiag.cli.azure_options import AzureOptions
from vmdiag.cli.output_file import open_output
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.scope_options import normalize_subscriptions
from vmdiag.errors import Interrupted, SourceError
from vmdiag.redeploy.request import PERMISSIONS
from vmdiag.sources.azure.connection_checks import AccessCheck, CheckStatus, list_permissions, run_checks
from vmdiag.wording.sanitize import escape_controls

SCHEMA_ID = "vmdiag.doctor/1"
UNREAD_EXIT_CODE = 3  # as in a report: something that would tell could not be read
STATUS_LABELS = {CheckStatus.OK: "ok", CheckStatus.FAILED: "FAILED", CheckStatus.SKIPPED: "-"}


def run_doctor(azure_options: AzureOptions, subscriptions: Sequence[str], form: str, watch: StatusConsole) -> int:
    """Try everything, tell it, and give the exit code."""
    named = normalize_subscriptions(subscriptions, os.environ.get("AZURE_SUBSCRIPTION_ID"))
    access = azure_options.build_access(os.environ)
    watch.catch_stop_signals()
    session = Session(access, lambda: datetime.now(UTC), watch.stop)
    checks: list[AccessCheck] = []
    with open_output() as out:
        for check in run_checks(session, named, access.workspaces):
            checks.append(check)
            if form == "terminal":
                out.writelines(f"{line}\n" for line in _format_check(check))
                out.flush()
        seen = sorted({check.subscription for check in checks if check.subscription and check.status is CheckStatus.OK})
        roles = {
            "read": _build_role("vmdiag reader", "Reads what vmdiag diagnoses", list_permissions(), seen or named),
            "redeploy": _build_role(
                "vmdiag redeployer", "Redeploys VMs, besides vmdiag reader", PERMISSIONS, seen or named
            ),
        }
        if form == "json":
            document = {"schema": SCHEMA_ID, "checks": [_serialize_check(check) for check in checks], "roles": roles}
            out.write(json.dumps(document, indent=2) + "\n")
        else:
            out.writelines(f"{line}\n" for line in _format_roles(roles))
    if watch.stop.is_set():
        return Interrupted.exit_code
    return _choose_exit_code(checks)


def _choose_exit_code(checks: Sequence[AccessCheck]) -> int:
    failed = [check for check in checks if check.status is CheckStatus.FAILED]
    is_read = any(check.status is CheckStatus.OK and check.subject == "subscription" for check in checks)
    if not is_read:
        return SourceError.exit_code
    return UNREAD_EXIT_CODE if failed else 0


def _format_check(check: AccessCheck) -> Iterator[str]:
    """A check on one line, and what to do about it on the next."""
    about = check.subject if check.subscription is None or check.subject == "subscription" else f"  {check.subject}"
    where = f"{check.subscription}: " if check.subject == "subscription" else ""
    first, *more = f"{where}{check.message}".split("\n")
    yield f"{escape_controls(about):24} {STATUS_LABELS[check.status]:6} {escape_controls(first)}"
    yield from (f"{'':31} {escape_controls(line)}" for line in more)
    if check.hint and check.status is CheckStatus.FAILED:
        yield f"{'':31} {escape_controls(check.hint)}"


def _serialize_check(check: AccessCheck) -> dict[str, str | None]:
    return {
        "about": check.subject,
        "subscription": check.subscription,
        "status": check.status.value,
        "says": check.message,
        "hint": check.hint,
    }


def _build_role(name: str, description: str, actions: Iterable[str], subscriptions: Iterable[str]) -> dict[str, object]:
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


def _format_roles(roles: dict[str, dict[str, object]]) -> Iterator[str]:
    for purpose, role in roles.items():
        yield ""
        yield f"The smallest role to {purpose}:"
        yield json.dumps(role, indent=2)
