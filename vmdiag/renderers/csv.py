"""One row a case, for spreadsheets and `cut`; must not collect the cases nor let a cell become a formula.

What a case has many of (evidence, gaps, losses) is joined in one cell. What concerns the run and no case is left to the
formats that have a place for it.
"""

import csv
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from vmdiag.diagnosis import Case, Report, Stance, ordered
from vmdiag.mitigation import Mitigation
from vmdiag.model import Gap
from vmdiag.renderers import _plain
from vmdiag.renderers._lore import scenario_of
from vmdiag.renderers._safe import visible
from vmdiag.renderers._times import iso, iso_or_none

# What makes a spreadsheet take a cell for a formula, with the full-width twins that some of them fold.
_FORMULA = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001
_SEPARATOR = " | "
COLUMNS = (
    *("id", "name", "resource_group", "subscription_id", "scale_set", "location", "os", "size", "power_state"),
    *("verdict", "scenario", "code", "state", "migrated_at", "failed_at", "recovered_at", "explanation"),
    *("action", "says", "links"),
    *("signals", "losses", "evidence_for", "evidence_against", "evidence_missing", "findings", "gaps", "events"),
    *("mitigation", "window_from", "window_to"),
    *("mitigation_says", "mitigation_started_at", "mitigation_finished_at", "mitigation_operation", "reachable_again"),
)


def render(report: Report, out: TextIO) -> None:
    """Write the header and then a row a case, flushed one by one."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case in report.cases:
        row = {**_machine(case), **_answer(case), **_grounds(case), **_mitigation(case.mitigation)}
        writer.writerow([_cell(row[column]) for column in COLUMNS])
        out.flush()


def _machine(case: Case) -> dict[str, str | None]:
    vm = case.vm
    return {
        "id": str(vm.id),
        "name": vm.id.name,
        "resource_group": vm.id.resource_group,
        "subscription_id": vm.id.subscription,
        "scale_set": vm.id.scale_set,
        "location": vm.location,
        "os": vm.os,
        "size": vm.size,
        "power_state": vm.power_state,
    }


def _answer(case: Case) -> dict[str, str | None]:
    diagnosis = case.diagnosis
    flagged = diagnosis.verdict.is_flagged
    scenario = scenario_of(case)
    return {
        "verdict": diagnosis.verdict,
        "scenario": diagnosis.finding.scenario if flagged else None,
        "code": scenario.code if flagged and scenario else None,
        "state": diagnosis.state,
        "migrated_at": iso_or_none(diagnosis.migrated_at),
        "failed_at": iso_or_none(diagnosis.failed_at),
        "recovered_at": iso_or_none(diagnosis.recovered_at),
        "explanation": diagnosis.explanation,
        "action": diagnosis.recommendation.action,
        "says": diagnosis.recommendation.says,
        "links": _joined(diagnosis.recommendation.links),
    }


def _grounds(case: Case) -> dict[str, str | None]:
    losses = case.diagnosis.losses
    return {
        "signals": _joined(dict.fromkeys(signal for loss in losses for signal in loss.signals)),
        "losses": _joined(_span(loss.interval.start, loss.interval.end, loss.explained_by) for loss in losses),
        "evidence_for": _evidence(case, Stance.FOR),
        "evidence_against": _evidence(case, Stance.AGAINST),
        "evidence_missing": _evidence(case, Stance.MISSING),
        "findings": _joined(f"{finding.scenario}: {finding.verdict}" for finding in _plain.findings(case)),
        "gaps": _joined(_gap(gap) for gap in case.gaps),
        "events": _joined(f"{iso(event.at)} {event.kind}: {event.says}" for event in case.events_told),
        "window_from": iso(case.window.start),
        "window_to": iso(case.window.end),
    }


def _mitigation(done: Mitigation | None) -> dict[str, str | None]:
    reachable = None if done is None else done.reachable_again
    return {
        "mitigation": done.status if done else None,
        "mitigation_says": done.says if done else None,
        "mitigation_started_at": iso_or_none(done.started_at if done else None),
        "mitigation_finished_at": iso_or_none(done.finished_at if done else None),
        "mitigation_operation": done.operation if done else None,
        "reachable_again": None if reachable is None else str(reachable).lower(),
    }


def _cell(value: str | None) -> str:
    # A blank before the sign does not stop a spreadsheet.
    text = visible(value or "")
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or (value or "").startswith(_FORMULA) else text


def _joined(parts: Iterable[str]) -> str:
    return _SEPARATOR.join(parts)


def _evidence(case: Case, stance: Stance) -> str:
    found = (evidence for evidence in ordered(case.diagnosis.finding.evidence) if evidence.stance is stance)
    return _joined(f"{iso(e.at) + ' ' if e.at else ''}{e.signal}: {e.says}" for e in found)


def _span(start: datetime, end: datetime | None, because: str | None) -> str:
    return f"{iso(start)} to {iso(end) if end else 'still open'}" + (f" ({because})" if because else "")


def _gap(gap: Gap) -> str:
    return f"{gap.signal} {iso(gap.window.start)} to {iso(gap.window.end)}{' in part' * gap.partial}: {gap.reason}"
