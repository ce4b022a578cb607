"""A case as a report tells it, and a report's case as a value again; the names of the fields stand in `report`."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

import msgspec

from vmdiag import mitigation, model, report
from vmdiag.diagnosis import model as judging
from vmdiag.diagnosis.model import Attribution, OtherVms, Verdict, order_evidence
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.wording.evidence import get_scenario, load_scenario

ASKED = "live-migration-datapath"
Value = TypeVar("Value")


class NotACaseError(Exception):
    """The line is not what a report holds of a VM."""


def _convert_fields(value: object, kind: type[Value]) -> Value:
    """The same fields in the other type."""
    return msgspec.convert(value, kind, from_attributes=True)


def count_verdicts(verdicts: Iterable[Verdict], statuses: Iterable[Status], others: OtherVms) -> report.Summary:
    """How many cases got which verdict, and how their redeploys stand; `others` were seen and are no case."""
    seen, done = Counter(verdicts), Counter(statuses)
    return report.Summary(
        vms=seen.total(),
        **{verdict.value: seen[verdict] for verdict in Verdict},
        others=others.total,
        others_by=report.OtherVms(
            clear=others.clear,
            migrated_or_lost=others.troubled,
            inconclusive=others.unclear,
            not_judged=others.quiet + others.unread,
        ),
        redeploys={status: done[status] for status in Status},
    )


def describe_case(case: judging.Case) -> report.Case:
    """One element of `cases`."""
    found, vm = case.diagnosis, case.vm
    scenario = get_scenario(case) if found.verdict.is_flagged else None
    return report.Case(
        vm=report.Vm(
            id=str(vm.id),
            name=vm.id.name,
            resource_group=vm.id.resource_group,
            subscription_id=vm.id.subscription,
            scale_set=vm.id.scale_set,
            location=vm.location,
            os=vm.os,
            size=vm.size,
            power_state=vm.power_state,
        ),
        verdict=found.verdict,
        scenario=found.finding.scenario if found.verdict.is_flagged else None,
        code=scenario.code if scenario else None,
        state=found.state,
        migrated_at=found.migrated_at,
        failed_at=found.failed_at,
        recovered_at=found.recovered_at,
        explanation=found.explanation,
        silent_since=found.silent_since,
        findings=tuple(_describe_finding(finding) for finding in list_findings(case)),
        losses=tuple(_describe_loss(loss) for loss in found.losses),
        gaps=describe_gaps(case.gaps),
        recommendation=_convert_fields(found.recommendation, report.Recommendation),
        mitigation=None if case.mitigation is None else describe_mitigation(case.mitigation),
        window=_convert_fields(case.window, report.Window),
        events=tuple(_describe_event(event) for event in case.story_events),
        curve=None if case.curve is None else _describe_curve(case.curve),
    )


def describe_mitigation(done: mitigation.Mitigation) -> report.Mitigation:
    """What was done about a VM, or was not, and what every guard said to it."""
    return _convert_fields(done, report.Mitigation)


def describe_gaps(gaps: Iterable[model.Gap]) -> tuple[report.Gap, ...]:
    """What was not heard, of a VM or of the whole run."""
    return tuple(
        report.Gap(
            signal=gap.signal, start=gap.window.start, end=gap.window.end, reason=gap.reason, partial=gap.partial
        )
        for gap in gaps
    )


def list_findings(case: judging.Case) -> tuple[judging.Finding, ...]:
    """The findings that say something, and the one asked about, whatever it says."""
    asked = case.diagnosis.finding
    found = [
        one
        for one in case.diagnosis.findings
        if one == asked or one.verdict is not Verdict.CLEAR or one.evidence or one.cause_at or one.explains
    ]
    return tuple(found) if asked in found else (asked, *found)


def _describe_finding(finding: judging.Finding) -> report.Finding:
    return report.Finding(
        scenario=finding.scenario,
        verdict=finding.verdict,
        explains=None if finding.explains is None else _convert_fields(finding.explains, report.Interval),
        cause_at=finding.cause_at,
        evidence=tuple(_convert_fields(each, report.Evidence) for each in order_evidence(finding.evidence)),
    )


def _describe_loss(loss: judging.Loss) -> report.Loss:
    channels = tuple(
        report.Channel(
            signal=each.signal,
            strength=each.strength,
            start=each.interval.start,
            end=each.interval.end,
            says=each.says,
            ref=each.ref,
        )
        for each in loss.channels
    )
    return report.Loss(
        start=loss.interval.start,
        end=loss.interval.end,
        signals=loss.signals,
        explained_by=loss.explained_by,
        extent=loss.extent,
        channels=channels,
    )


def _describe_event(event: model.Event) -> report.Event:
    return report.Event(
        at=event.at,
        until=event.ended if event.blur else None,
        kind=event.kind,
        signal=event.signal,
        says=event.says,
        ref=event.ref or None,
    )


def _describe_curve(series: model.Series) -> report.Curve:
    points = tuple(zip(series.times, series.values, strict=True))
    return report.Curve(metric=series.name, signal=series.signal, points=points)


def read_case(line: str) -> judging.Case:
    """The case of a line, empty where a report leaves out; raises `NotACaseError` for anything else."""
    try:
        told = msgspec.json.decode(line, type=report.Case)
        return _restore_case(told)
    except (msgspec.DecodeError, LookupError, ValueError, RecursionError) as error:
        raise NotACaseError from error


def _restore_case(told: report.Case) -> judging.Case:
    vm = VmId.parse(told.vm.id)
    if vm is None:
        raise NotACaseError
    findings = tuple(_restore_finding(each) for each in told.findings)
    return judging.Case(
        vm=model.VirtualMachine(
            id=vm,
            location=told.vm.location,
            os=told.vm.os,
            size=told.vm.size,
            power_state=told.vm.power_state,
        ),
        window=_convert_fields(told.window, model.Window),
        diagnosis=judging.Diagnosis(
            verdict=told.verdict,
            finding={each.scenario: each for each in findings}[ASKED],
            findings=findings,
            losses=tuple(_restore_loss(each) for each in told.losses),
            explanation=told.explanation,
            state=told.state,
            migrated_at=told.migrated_at,
            failed_at=told.failed_at,
            recovered_at=told.recovered_at,
            recommendation=_convert_fields(told.recommendation, judging.Recommendation),
            silent_since=told.silent_since,
        ),
        gaps=tuple(
            model.Gap(
                signal=gap.signal, window=model.Window(gap.start, gap.end), reason=gap.reason, partial=gap.partial
            )
            for gap in told.gaps
        ),
        events=tuple(_restore_event(each) for each in told.events),
        curve=None if told.curve is None else _restore_curve(told.curve),
        scenario=load_scenario(ASKED),
        mitigation=None if told.mitigation is None else _convert_fields(told.mitigation, mitigation.Mitigation),
    )


def _restore_finding(told: report.Finding) -> judging.Finding:
    """A report tells of a finding's latest loss alone; its evidence stands beside the finding."""
    blames: tuple[Attribution, ...] = ()
    if told.explains is not None and told.cause_at is not None:
        blames = (
            Attribution(
                loss=_convert_fields(told.explains, model.Interval), verdict=told.verdict, cause_at=told.cause_at
            ),
        )
    return judging.Finding(
        scenario=told.scenario,
        verdict=told.verdict,
        evidence=tuple(_convert_fields(each, judging.Evidence) for each in told.evidence),
        blames=blames,
        cause_at=told.cause_at,
    )


def _restore_loss(told: report.Loss) -> judging.Loss:
    channels = tuple(
        judging.SignalLoss(
            signal=each.signal,
            strength=each.strength,
            interval=model.Interval(each.start, each.end),
            says=each.says,
            ref=each.ref,
        )
        for each in told.channels
    )
    return judging.Loss(
        interval=model.Interval(told.start, told.end),
        channels=channels,
        explained_by=told.explained_by,
        extent=told.extent,
    )


def _restore_event(told: report.Event) -> model.Event:
    blur = timedelta() if told.until is None else told.until - told.at
    return model.Event(at=told.at, kind=told.kind, signal=told.signal, says=told.says, blur=blur, ref=told.ref or "")


def _restore_curve(told: report.Curve) -> model.Series:
    points = [(at, value) for at, value in told.points if value is not None]
    return model.Series(
        name=told.metric,
        signal=told.signal,
        times=tuple(at for at, _ in points),
        values=tuple(value for _, value in points),
    )
