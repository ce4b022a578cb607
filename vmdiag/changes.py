"""What changed between two reports, VM by VM: who is newly affected, who recovered, of whom something else is said.

Fields are never renamed or left out; what is absent is null. The docstrings and descriptions here are the schema's.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from vmdiag.case_report import describe_vm, is_still_affected
from vmdiag.diagnosis import model as judging
from vmdiag.diagnosis.model import Action, State, Verdict
from vmdiag.report import Number, Time, Vm
from vmdiag.wording.narrative import describe_diagnosis, describe_state, write_headline

ChangeKind = Literal["affected", "recovered", "changed", "appeared", "disappeared"]
# Records of one moment from two feeds may differ by so much, so an onset that moved by less is the same one.
SAME_ONSET = timedelta(minutes=3)


class Standing(Struct, frozen=True, kw_only=True):
    """How a VM stands in one report."""

    verdict: Verdict
    state: State | None
    explanation: str | None
    migrated_at: Time | None
    failed_at: Time | None
    recovered_at: Time | None
    action: Action
    seen_at: Annotated[Time, Meta(description="The end of the window that was judged.")]


class Change(Struct, frozen=True, kw_only=True):
    """A VM that stands otherwise than before; `-o ndjson` writes one such element a line."""

    schema: Literal["vmdiag.change/1"] = "vmdiag.change/1"
    change: Annotated[
        ChangeKind,
        Meta(
            description="`affected` now and not before; `recovered`: affected before, and seen well or redeployed; "
            "`changed` otherwise; `appeared` and `disappeared`: in one of the reports only."
        ),
    ]
    vm: Vm
    before: Standing | None
    after: Standing | None
    says: str


class ChangeCounts(Struct, frozen=True, kw_only=True):
    """How many VMs there are of each change, and how many stand as they stood."""

    affected: Number
    recovered: Number
    changed: Number
    appeared: Number
    disappeared: Number
    unchanged: Number


class Difference(Struct, frozen=True, kw_only=True):
    """What `vmdiag diff -o json` writes."""

    schema: Literal["vmdiag.difference/1"] = "vmdiag.difference/1"
    old: Annotated[str, Meta(description="The file of the earlier report.")]
    new: str
    summary: ChangeCounts
    changes: tuple[Change, ...]


def compare_reports(
    old: Iterable[judging.Case], new: Iterable[judging.Case]
) -> tuple[ChangeCounts, tuple[Change, ...]]:
    """How many VMs changed how, and each change: in the new report's order, then what is only in the old one."""
    before = {case.vm.id: case for case in old}
    after = {case.vm.id: case for case in new}
    vms = dict.fromkeys((*after, *before))
    changes = tuple(filter(None, (compare_case(before.get(vm), after.get(vm)) for vm in vms)))
    kinds = Counter(change.change for change in changes)
    counts = {kind: kinds[kind] for kind in get_args(ChangeKind)}
    return ChangeCounts(**counts, unchanged=len(vms) - len(changes)), changes


def compare_case(old: judging.Case | None, new: judging.Case | None) -> Change | None:
    """The change of one VM; `None` where it stands as it stood. At least one of them is given."""
    if new is None:
        return describe_change("disappeared", old, new)
    was, now = old is not None and is_still_affected(old), is_still_affected(new)
    if now and not was:
        return describe_change("affected", old, new)
    if old is None:
        return describe_change("appeared", old, new)
    found, former = new.diagnosis, old.diagnosis
    # What cannot be told any more, or is lost for another reason now, has not recovered.
    if (
        was
        and not now
        and found.verdict is not Verdict.INCONCLUSIVE
        and (new.mitigation or found.state is not State.OPEN)
    ):
        return describe_change("recovered", old, new)
    same = (found.verdict, found.state, found.explanation) == (former.verdict, former.state, former.explanation)
    began, before = found.failed_at, former.failed_at
    moved = abs(began - before) > SAME_ONSET if began and before else began != before
    return None if same and not moved and was == now else describe_change("changed", old, new)


def describe_change(kind: ChangeKind, old: judging.Case | None, new: judging.Case | None, *more: str) -> Change:
    """A change of this kind, with what else is to be said of it."""
    seen = new or old
    if seen is None:
        message = "a change is of a VM that stands in one of the reports"
        raise ValueError(message)
    # What is true now, and what was before where that is needed to understand it.
    says = [] if new is None else [write_headline(new)]
    if new is not None and new.diagnosis.failed_at is not None:
        says.append(describe_state(new))
    if old is not None:
        says.append(
            f"before: {describe_diagnosis(old)}" if new else f"not in the new report; before: {write_headline(old)}"
        )
    return Change(
        change=kind,
        vm=describe_vm(seen.vm),
        before=_describe_standing(old) if old else None,
        after=_describe_standing(new) if new else None,
        says="; ".join((*says, *more)),
    )


def _describe_standing(case: judging.Case) -> Standing:
    found = case.diagnosis
    return Standing(
        verdict=found.verdict,
        state=found.state,
        explanation=found.explanation,
        migrated_at=found.migrated_at,
        failed_at=found.failed_at,
        recovered_at=found.recovered_at,
        action=found.recommendation.action,
        seen_at=case.window.end,
    )
