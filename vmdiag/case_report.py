"""A case as a report tells it, and a report's case as a value again; the names of the fields stand in `report`."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from inspect import get_annotations
from math import isfinite
from typing import Literal, TypeVar

import msgspec

from vmdiag import mitigation, model, report
from vmdiag.diagnosis import model as judging
from vmdiag.diagnosis.model import Attribution, OtherVms, Verdict, order_evidence
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.values import replace
from vmdiag.wording.evidence import get_scenario, load_scenario
from vmdiag.wording.plain_text import format_iso

ASKED = "live-migration-datapath"
Value = TypeVar("Value")

_list_fields = cache(get_annotations)


class NotACaseError(Exception):
    """The line is not what a report holds of a VM."""


def _convert_fields(value: object, kind: type[Value]) -> Value:
    """The same fields in the other type, and what they hold in its types."""
    return msgspec.convert(value, kind, from_attributes=True)


def _copy_fields(value: object, kind: Callable[..., Value], **others: object) -> Value:
    """The fields of the same name as they are, and others as given."""
    return kind(**{name: getattr(value, name) for name in _list_fields(kind) if hasattr(value, name)} | others)


def count_verdicts(cases: Sequence[judging.Case], others: OtherVms) -> report.Summary:
    """How many cases got which verdict, and how their redeploys stand; `others` were seen and are no case."""
    seen = Counter(case.diagnosis.verdict for case in cases)
    done = Counter(case.mitigation.status for case in cases if case.mitigation is not None)
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


def summarize_case(case: judging.Case) -> dict[str, str | None]:
    """What a line can hold of a case, in the words of the report's fields."""
    found = case.diagnosis
    instants = {"migrated_at": found.migrated_at, "failed_at": found.failed_at, "recovered_at": found.recovered_at}
    return {
        "verdict": found.verdict.value,
        "state": found.state and found.state.value,
        **{name: format_iso(at) if at else None for name, at in instants.items()},
        "explanation": found.explanation,
        "action": found.recommendation.action.value,
        "mitigation": case.mitigation.status.value if case.mitigation else None,
    }


def describe_case(case: judging.Case) -> report.Case:
    """One element of `cases`."""
    found = case.diagnosis
    scenario = get_scenario(case) if found.verdict.is_flagged else None
    return _copy_fields(
        found,
        report.Case,
        vm=describe_vm(case.vm),
        scenario=found.finding.scenario if found.verdict.is_flagged else None,
        code=scenario.code if scenario else None,
        findings=tuple(
            _convert_fields(replace(one, evidence=tuple(order_evidence(one.evidence))), report.Finding)
            for one in list_findings(case)
        ),
        losses=tuple(
            _copy_fields(
                loss,
                report.Loss,
                start=loss.interval.start,
                end=loss.interval.end,
                channels=tuple(
                    _copy_fields(one, report.Channel, start=one.interval.start, end=one.interval.end)
                    for one in loss.channels
                ),
            )
            for loss in found.losses
        ),
        gaps=describe_gaps(case.gaps),
        recommendation=_convert_fields(found.recommendation, report.Recommendation),
        mitigation=case.mitigation and describe_mitigation(case.mitigation),
        window=_convert_fields(case.window, report.Window),
        events=tuple(
            _copy_fields(event, report.Event, until=event.ended if event.blur else None, ref=event.ref or None)
            for event in case.story_events
        ),
        curve=_describe_curve(case.curve),
        heartbeats=_describe_curve(case.heartbeats),
    )


def _describe_curve(series: model.Series | None) -> report.Curve | None:
    if series is None:
        return None
    values = (value if isfinite(value) else None for value in series.values)
    points = tuple(zip(series.times, values, strict=True))
    return report.Curve(metric=series.name, signal=series.signal, points=points)


def describe_vm(vm: model.VirtualMachine) -> report.Vm:
    """Which VM it is, and what is known of it."""
    return _copy_fields(
        vm,
        report.Vm,
        id=str(vm.id),
        name=vm.id.name,
        resource_group=vm.id.resource_group,
        subscription_id=vm.id.subscription,
        scale_set=vm.id.scale_set,
    )


def is_still_affected(case: judging.Case) -> bool:
    """Whether the VM is affected after all that the run did: no redeploy of it succeeded, or one was in vain."""
    done = case.mitigation
    return case.is_affected and (done is None or done.status != "succeeded" or done.reachable_again is False)


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
        if one.scenario == asked.scenario
        or one.verdict is not Verdict.CLEAR
        or one.evidence
        or one.cause_at
        or one.explains
    ]
    return tuple(found) if asked in found else (asked, *found)


class _ReportParts(msgspec.Struct):
    """A report of which no case was read yet."""

    schema: Literal["vmdiag.report/1"]
    cases: tuple[msgspec.Raw, ...]


def read_report(content: bytes) -> tuple[list[judging.Case], list[str]]:
    """The cases of a report, of `json` or `ndjson`, and the numbers of those that cannot be read.

    Raises `NotACaseError` where it is none: all that a run wrote may be half a line. Windows' shells write UTF-16.
    """
    text = content.decode("utf-16" if content.startswith((BOM_UTF16_BE, BOM_UTF16_LE)) else "utf-8-sig", "replace")
    try:
        lines = [bytes(case).decode() for case in msgspec.json.decode(text, type=_ReportParts).cases]
    except (msgspec.DecodeError, RecursionError):
        lines = [line for line in text.split("\n") if line.strip()]
    cases, unread = list[judging.Case](), list[str]()
    for number, line in enumerate(lines, 1):
        try:
            cases.append(read_case(line))
        except NotACaseError:
            unread.append(str(number))
    if unread and not cases and (len(unread) > 1 or not lines[0].startswith('{"vm"')):
        raise NotACaseError
    return cases, unread


def read_case(line: str) -> judging.Case:
    """The case of a line, empty where a report leaves out; raises `NotACaseError` for anything else."""
    try:
        return _restore_case(msgspec.json.decode(line, type=report.Case))
    except (msgspec.DecodeError, LookupError, ValueError, RecursionError) as error:
        raise NotACaseError from error


def _restore_case(case: report.Case) -> judging.Case:
    vm = VmId.parse(case.vm.id)
    if vm is None:
        raise NotACaseError
    findings = tuple(map(_restore_finding, case.findings))
    losses = tuple(
        _copy_fields(
            loss,
            judging.Loss,
            interval=model.Interval(loss.start, loss.end),
            channels=tuple(
                _copy_fields(one, judging.SignalLoss, interval=model.Interval(one.start, one.end))
                for one in loss.channels
            ),
        )
        for loss in case.losses
    )
    return judging.Case(
        vm=_copy_fields(case.vm, model.VirtualMachine, id=vm),
        window=_convert_fields(case.window, model.Window),
        diagnosis=_copy_fields(
            case,
            judging.Diagnosis,
            finding={one.scenario: one for one in findings}[ASKED],
            findings=findings,
            losses=losses,
            recommendation=_convert_fields(case.recommendation, judging.Recommendation),
        ),
        gaps=tuple(_copy_fields(gap, model.Gap, window=model.Window(gap.start, gap.end)) for gap in case.gaps),
        events=tuple(
            _copy_fields(event, model.Event, blur=(event.until or event.at) - event.at, ref=event.ref or "")
            for event in case.events
        ),
        curve=_restore_curve(case.curve),
        heartbeats=_restore_curve(case.heartbeats),
        scenario=load_scenario(ASKED),
        mitigation=None if case.mitigation is None else _convert_fields(case.mitigation, mitigation.Mitigation),
    )


def _restore_curve(curve: report.Curve | None) -> model.Series | None:
    if curve is None:
        return None
    points = [(at, value) for at, value in curve.points if value is not None]
    times, values = tuple(at for at, _ in points), tuple(value for _, value in points)
    return model.Series(name=curve.metric, signal=curve.signal, times=times, values=values)


def _restore_finding(finding: report.Finding) -> judging.Finding:
    """A report tells of a finding's latest loss alone; its evidence stands beside the finding."""
    blames: tuple[Attribution, ...] = ()
    if finding.explains is not None and finding.cause_at is not None:
        explained = _convert_fields(finding.explains, model.Interval)
        blames = (Attribution(loss=explained, verdict=finding.verdict, cause_at=finding.cause_at),)
    evidence = tuple(_convert_fields(one, judging.Evidence) for one in finding.evidence)
    return _copy_fields(finding, judging.Finding, evidence=evidence, blames=blames)
