"""What `doctor` and `mitigations` write as JSON, and the JSON Schema of everything that is written, by name.

Fields are never renamed or left out; what is absent is null. The docstrings and descriptions here are the schemas'.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from vmdiag.case_report import describe_mitigation
from vmdiag.changes import Change, Difference
from vmdiag.redeploy.journal import JournalEntry
from vmdiag.report import Case, Mitigation, Report, Time


class DoctorCheck(Struct, frozen=True, kw_only=True):
    """One thing that was tried."""

    about: str
    subscription: str | None
    status: Literal["ok", "failed", "skipped"]
    says: str
    hint: Annotated[str | None, Meta(description="What to do where it failed.")]


class Role(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A custom role in the form that `az role definition create` takes."""

    name: str
    is_custom: bool = True
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    assignable_scopes: tuple[str, ...]


class Roles(Struct, frozen=True, kw_only=True):
    """The smallest roles that are enough."""

    read: Role
    prove: Role  # besides reading
    redeploy: Role  # likewise


class DoctorAnswer(Struct, frozen=True, kw_only=True):
    """What `vmdiag doctor -o json` writes."""

    schema: Literal["vmdiag.doctor/1"] = "vmdiag.doctor/1"
    checks: tuple[DoctorCheck, ...]
    rights: dict[str, tuple[str, ...]]  # of each feed, what a role must allow for it
    proving_rights: dict[str, tuple[str, ...]]  # likewise of what --prove asks, besides
    roles: Roles


class JournalledMitigation(Mitigation, frozen=True, kw_only=True):
    """A redeploy as the journal has it."""

    id: str
    vm: str
    cloud: str
    finished: Annotated[bool, Meta(description="Whether its end, and whether it helped, is known.")]
    failed_at: Time | None
    migrated_at: Time | None


class MitigationsAnswer(Struct, frozen=True, kw_only=True):
    """What `vmdiag mitigations -o json` writes."""

    schema: Literal["vmdiag.mitigations/1"] = "vmdiag.mitigations/1"
    journal: Annotated[str, Meta(description="The path of the file.")]
    mitigations: tuple[JournalledMitigation, ...]


def describe_journal_entry(entry: JournalEntry) -> JournalledMitigation:
    """One element of `mitigations`."""
    return JournalledMitigation(
        **structs.asdict(describe_mitigation(entry.mitigation)),
        id=entry.id,
        vm=str(entry.vm),
        cloud=entry.cloud,
        finished=not entry.is_open,
        failed_at=entry.lost_at,
        migrated_at=entry.migrated_at,
    )


# What `vmdiag schema NAME` prints, by name.
STRUCTS: dict[str, type[Struct]] = {
    "report": Report,
    "case": Case,
    "doctor": DoctorAnswer,
    "mitigations": MitigationsAnswer,
    "change": Change,
    "difference": Difference,
}
