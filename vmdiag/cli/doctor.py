"""`vmdiag doctor`: say what works and what does not, with the fix for each; what is heavy is imported when it runs."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from vmdiag.cli.options import Subscriptions, VerbosityOptions, declare_option
from vmdiag.cli.scope_options import normalize_subscriptions
from vmdiag.cli.source_options import AzureOptions
from vmdiag.cli.streams import StatusConsole, open_output
from vmdiag.errors import Interrupted, SourceError
from vmdiag.wording.plain_text import escape_controls

if TYPE_CHECKING:
    from vmdiag.command_answers import DoctorAnswer, Role
    from vmdiag.sources.azure.connection_checks import AccessCheck

UNREAD_EXIT_CODE = 3  # as in a report: something that would tell could not be read
STATUS_LABELS = {"ok": "ok", "failed": "FAILED", "skipped": "-"}


def doctor(
    azure_options: AzureOptions,
    *,
    subscription: Subscriptions = None,
    output: Annotated[
        Literal["terminal", "json"], declare_option("--output", "-o", text="Form of the answer.")
    ] = "terminal",
    verbosity: VerbosityOptions,
) -> int:
    """Try sign-in, cloud, subscriptions and feeds.

    Ends with 0 where everything works, 3 where something cannot be read, 4 where nothing can. Prints what each feed
    needs, and the smallest roles as JSON for 'az role definition create --role-definition': to read, to prove (what
    --prove sends is looked up in the sign-in's roles, and never tried), and to redeploy.
    """
    with verbosity.open_console() as watch:
        return run_doctor(azure_options, subscription or [], output, watch)


def run_doctor(azure_options: AzureOptions, subscriptions: Sequence[str], form: str, watch: StatusConsole) -> int:
    """Try everything, tell it, and give the exit code."""
    from vmdiag.arm.session import Session
    from vmdiag.report import dump_json
    from vmdiag.sources.azure.connection_checks import CheckStatus, run_checks

    named = normalize_subscriptions(subscriptions, os.environ.get("AZURE_SUBSCRIPTION_ID"))
    access = azure_options.build_access()
    watch.catch_stop_signals()
    session = Session(access, lambda: datetime.now(UTC), watch.stop)
    checks: list[AccessCheck] = []
    with open_output() as out:
        for check in run_checks(session, named, access.workspaces):
            checks.append(check)
            if form == "terminal":
                out.writelines(f"{line}\n" for line in _format_check(check))
                out.flush()
        passed = [check for check in checks if check.status is CheckStatus.OK]
        scopes = sorted({check.subscription for check in passed if check.subscription}) or named
        answer = build_answer(checks, scopes)
        if form == "json":
            out.write(dump_json(answer, 2) + "\n")
        else:
            proving = "What --prove needs besides, never a write:"
            for title, rights in (("What each feed needs:", answer.rights), (proving, answer.proving_rights)):
                out.write(f"\n{title}\n")
                for name, actions in rights.items():
                    out.writelines(f"{'' if number else name:24} {each}\n" for number, each in enumerate(actions))
            for purpose in answer.roles.__struct_fields__:
                out.write(f"\nThe smallest role to {purpose}:\n{dump_json(getattr(answer.roles, purpose), 2)}\n")
    if watch.stop.is_set():
        return Interrupted.exit_code
    if not any(check.subject == "subscription" for check in passed):
        return SourceError.exit_code
    return UNREAD_EXIT_CODE if any(check.status is CheckStatus.FAILED for check in checks) else 0


def build_answer(checks: Iterable["AccessCheck"], scopes: Iterable[str]) -> "DoctorAnswer":
    """What was tried, what each feed needs, and the smallest roles for some subscriptions."""
    from vmdiag.command_answers import DoctorAnswer, DoctorCheck, Roles
    from vmdiag.redeploy.request import PERMISSIONS
    from vmdiag.sources.azure.connection_checks import list_proving_rights, list_rights

    rights, proving = list_rights(), list_proving_rights()
    reading = {each for one in rights.values() for each in one}
    asking = {each for one in proving.values() for each in one} - reading
    return DoctorAnswer(
        checks=tuple(
            DoctorCheck(
                about=check.subject,
                subscription=check.subscription,
                status=check.status.value,
                says=check.message,
                hint=check.hint,
            )
            for check in checks
        ),
        rights=rights,
        proving_rights=proving,
        roles=Roles(
            read=_build_role("vmdiag reader", "Reads what vmdiag diagnoses", reading, scopes),
            prove=_build_role("vmdiag prover", "Sends what --prove asks, besides vmdiag reader", asking, scopes),
            redeploy=_build_role("vmdiag redeployer", "Redeploys VMs, besides vmdiag reader", PERMISSIONS, scopes),
        ),
    )


def _format_check(check: "AccessCheck") -> Iterator[str]:
    """A check on one line, and what to do about it on the next."""
    about = check.subject if check.subscription is None or check.subject == "subscription" else f"  {check.subject}"
    where = f"{check.subscription}: " if check.subject == "subscription" else ""
    first, *more = f"{where}{check.message}".split("\n")
    yield f"{escape_controls(about):24} {STATUS_LABELS[check.status]:6} {escape_controls(first)}"
    if check.hint and STATUS_LABELS[check.status] == "FAILED":
        more.append(check.hint)
    yield from (f"{'':31} {escape_controls(line)}" for line in more)


def _build_role(name: str, description: str, actions: Iterable[str], subscriptions: Iterable[str]) -> "Role":
    from vmdiag.command_answers import Role

    return Role(
        name=name,
        description=description,
        actions=tuple(sorted(actions)),
        assignable_scopes=tuple(f"/subscriptions/{each}" for each in sorted(subscriptions)),
    )
