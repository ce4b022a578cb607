"""A case and a report as the contract's plain data, the one place that knows its keys; must not know a format.

Keys are never renamed or left out; what is absent is `None`. Text is kept whole.
"""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from vmdiag import __version__
from vmdiag.diagnosis import Case, Evidence, Finding, Loss, Report, Verdict, ordered
from vmdiag.mitigation import Mitigation, Status
from vmdiag.model import Event, Gap, Interval, Series, VirtualMachine
from vmdiag.reading import Others
from vmdiag.renderers._lore import scenario_of
from vmdiag.renderers._safe import whole
from vmdiag.renderers._times import iso, iso_or_none

SCHEMA = "vmdiag.report/1"


def head(report: Report) -> dict[str, object]:
    """What comes before the summary and the cases: where and when was looked, and by what."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "vmdiag", "version": __version__},
        "generated_at": iso(report.generated_at),
        "source": whole(report.source),
        "cloud": whole(report.cloud),
        "window": _span(report.window.start, report.window.end),
    }


def summary(verdicts: Iterable[Verdict], statuses: Iterable[Status], others: Others) -> dict[str, object]:
    """How many cases got which verdict, and how their redeploys stand; `others` were seen and are no case."""
    seen, done = Counter(verdicts), Counter(statuses)
    counts = {verdict.value: seen[verdict] for verdict in Verdict}
    redeploys = {status.value: done[status] for status in Status}
    told = {
        "clear": others.clear,
        "migrated_or_lost": others.troubled,
        "inconclusive": others.unclear,
        "not_judged": others.quiet + others.unread,
    }
    return {"vms": seen.total(), **counts, "others": others.total, "others_by": told, "redeploys": redeploys}


def of(case: Case) -> dict[str, object]:
    """One element of `cases`."""
    diagnosis = case.diagnosis
    flagged = diagnosis.verdict.is_flagged
    scenario = scenario_of(case)
    recommendation = diagnosis.recommendation
    return {
        "vm": _vm(case.vm),
        "verdict": diagnosis.verdict.value,
        "scenario": diagnosis.finding.scenario if flagged else None,
        "code": scenario.code if flagged and scenario else None,
        "state": diagnosis.state.value if diagnosis.state else None,
        "migrated_at": iso_or_none(diagnosis.migrated_at),
        "failed_at": iso_or_none(diagnosis.failed_at),
        "recovered_at": iso_or_none(diagnosis.recovered_at),
        "explanation": diagnosis.explanation,
        "silent_since": iso_or_none(diagnosis.silent_since),
        "findings": [_finding(finding) for finding in findings(case)],
        "losses": [_loss(loss) for loss in diagnosis.losses],
        "gaps": gaps(case.gaps),
        "recommendation": {
            "action": recommendation.action.value,
            "says": whole(recommendation.says),
            "links": [whole(link) for link in recommendation.links],
        },
        "mitigation": None if case.mitigation is None else mitigation(case.mitigation),
        "window": _span(case.window.start, case.window.end),
        "events": [_event(event) for event in case.events_told],
        "curve": None if case.curve is None else _curve(case.curve),
    }


def mitigation(done: Mitigation) -> dict[str, object]:
    """What was done about a VM, or was not, and what every guard said to it."""
    return {
        "action": "redeploy",
        "status": done.status.value,
        "says": whole(done.says),
        "started_at": iso_or_none(done.started_at),
        "finished_at": iso_or_none(done.finished_at),
        "operation": _text(done.operation),
        "reachable_again": done.reachable_again,
        "correlation_id": _text(done.correlation),
        "request_id": _text(done.request),
        "guards": [
            {
                "guard": answer.guard,
                "passes": answer.passes,
                "limit": whole(answer.limit),
                "found": whole(answer.found),
            }
            for answer in done.guards
        ],
        "loses": [whole(one) for one in done.loses],
        "risks": [whole(one) for one in done.risks],
    }


def findings(case: Case) -> tuple[Finding, ...]:
    """Every scenario's finding; the one asked about is always among them."""
    diagnosis = case.diagnosis
    return diagnosis.findings if diagnosis.finding in diagnosis.findings else (diagnosis.finding, *diagnosis.findings)


def gaps(missed: Iterable[Gap]) -> list[dict[str, object]]:
    """What was not heard, of a VM or of the whole run."""
    return [
        {
            "signal": gap.signal.value,
            **_span(gap.window.start, gap.window.end),
            "reason": whole(gap.reason),
            "partial": gap.partial,
        }
        for gap in missed
    ]


def _vm(vm: VirtualMachine) -> dict[str, object]:
    return {
        "id": whole(str(vm.id)),
        "name": whole(vm.id.name),
        "resource_group": whole(vm.id.resource_group),
        "subscription_id": whole(vm.id.subscription),
        "scale_set": _text(vm.id.scale_set),
        "location": _text(vm.location),
        "os": _text(vm.os),
        "size": _text(vm.size),
        "power_state": _text(vm.power_state),
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "scenario": finding.scenario,
        "verdict": finding.verdict.value,
        "explains": None if finding.explains is None else _interval(finding.explains),
        "cause_at": iso_or_none(finding.cause_at),
        "evidence": [_evidence(evidence) for evidence in ordered(finding.evidence)],
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "stance": evidence.stance.value,
        "signal": evidence.signal.value,
        "at": iso_or_none(evidence.at),
        "says": whole(evidence.says),
        "ref": _text(evidence.ref),
    }


def _loss(loss: Loss) -> dict[str, object]:
    return {
        **_interval(loss.interval),
        "signals": [signal.value for signal in loss.signals],
        "explained_by": loss.explained_by,
        "extent": loss.extent.value,
        "channels": [
            {
                "signal": channel.signal.value,
                "strength": channel.strength.value,
                **_interval(channel.interval),
                "says": whole(channel.says),
                "ref": _text(channel.ref),
            }
            for channel in loss.channels
        ],
    }


def _event(event: Event) -> dict[str, object]:
    return {
        "at": iso(event.at),
        "until": iso(event.ended) if event.blur else None,
        "kind": event.kind.value,
        "signal": event.signal.value,
        "says": whole(event.says),
        "ref": _text(event.ref or None),
    }


def _curve(series: Series) -> dict[str, object]:
    # JSON has no word for NaN and infinity.
    points = zip(series.times, series.values, strict=True)
    return {
        "metric": whole(series.name),
        "signal": series.signal.value,
        "points": [[iso(at), value if math.isfinite(value) else None] for at, value in points],
    }


def _interval(interval: Interval) -> dict[str, object]:
    return _span(interval.start, interval.end)


def _span(start: datetime, end: datetime | None) -> dict[str, object]:
    return {"from": iso(start), "to": iso_or_none(end)}


def _text(text: str | None) -> str | None:
    return None if text is None else whole(text)
