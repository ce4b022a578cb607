"""One row a case, for spreadsheets and `cut`; no cell becomes a formula.

What a case has many of (evidence, gaps, losses) is joined in one cell. What concerns the run and no case is left to the
formats that have a place for it.
"""

import csv
from datetime import datetime
from typing import TextIO

import msgspec

from vmdiag.case_report import ASKED, describe_case
from vmdiag.diagnosis import model as judging
from vmdiag.diagnosis.model import Header, OtherVms, Stance
from vmdiag.report import Case, Recommendation, Vm
from vmdiag.wording.plain_text import escape_controls, format_iso

# What makes a spreadsheet take a cell for a formula, with the full-width twins that some of them fold.
_FORMULA = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001
_SEPARATOR = " | "
# A case's own fields come first, from its machine to what explains its loss.
_OWN = Case.__struct_fields__[1:9]
_OF_MITIGATION = ("says", "started_at", "finished_at", "operation")
COLUMNS = (
    *Vm.__struct_fields__,
    *_OWN,
    *Recommendation.__struct_fields__,
    *("signals", "losses", "evidence_for", "evidence_against", "evidence_missing", "findings", "gaps", "events"),
    *("mitigation", "window_from", "window_to"),
    *(f"mitigation_{name}" for name in _OF_MITIGATION),
    "reachable_again",
)


def open_report(header: Header, out: TextIO) -> "Table":
    """A table, its header line already written."""
    del header
    return Table(out)


class Table:
    """A `Renderer` that flushes row by row."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._writer = csv.writer(out, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add_case(self, case: judging.Case) -> None:
        """Write the row."""
        told = describe_case(case)
        answer = next(each for each in told.findings if each.scenario == ASKED)
        evidence: dict[Stance, list[str]] = {stance: [] for stance in Stance}
        for one in answer.evidence:
            evidence[one.stance].append(f"{format_iso(one.at) + ' ' if one.at else ''}{one.signal}: {one.says}")
        losses = [
            f"{format_iso(loss.start)} to {format_iso(loss.end) if loss.end else 'still open'}"
            f"{f' ({loss.explained_by})' if loss.explained_by else ''}"
            for loss in told.losses
        ]
        gaps = [
            f"{gap.signal} {format_iso(gap.start)} to {format_iso(gap.end)}{' in part' * gap.partial}: {gap.reason}"
            for gap in told.gaps
        ]
        done = told.mitigation
        row = {
            **msgspec.structs.asdict(told.vm),
            **{name: getattr(told, name) for name in _OWN},
            **msgspec.structs.asdict(told.recommendation),
            "signals": dict.fromkeys(signal for loss in told.losses for signal in loss.signals),
            "losses": losses,
            "evidence_for": evidence[Stance.FOR],
            "evidence_against": evidence[Stance.AGAINST],
            "evidence_missing": evidence[Stance.MISSING],
            "findings": [f"{finding.scenario}: {finding.verdict}" for finding in told.findings],
            "gaps": gaps,
            "events": [f"{format_iso(event.at)} {event.kind}: {event.says}" for event in told.events],
            "window_from": told.window.start,
            "window_to": told.window.end,
            "mitigation": done and done.status,
            **{f"mitigation_{name}": getattr(done, name, None) for name in _OF_MITIGATION},
            "reachable_again": done and done.reachable_again,
        }
        self._writer.writerow([_format_cell(row[column]) for column in COLUMNS])
        self._out.flush()

    def finish(self, others: OtherVms) -> None:
        """No row tells of the whole run."""


def _format_cell(value: object) -> str:
    match value:
        case None:
            plain = ""
        case datetime():
            plain = format_iso(value)
        case bool():
            plain = str(value).lower()
        case list() | tuple() | dict():
            plain = _SEPARATOR.join(value)
        case _:
            plain = str(value)
    text = escape_controls(plain)
    # A blank before the sign does not stop a spreadsheet.
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or plain.startswith(_FORMULA) else text
