"""A case from the contract's plain data, as `_plain` wrote it; must not know where the data was kept."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vmdiag.diagnosis import (
    Action,
    Blame,
    Case,
    Channel,
    Diagnosis,
    Evidence,
    Extent,
    Finding,
    Loss,
    Recommendation,
    Stance,
    State,
    Strength,
    Verdict,
)
from vmdiag.identity import VmId
from vmdiag.mitigation import Answer, Mitigation, Status
from vmdiag.model import Event, Gap, Interval, Kind, Series, Signal, VirtualMachine, Window
from vmdiag.renderers._lore import known

ASKED = "live-migration-datapath"

Plain = Mapping[str, Any]


class NotACaseError(Exception):
    """The data is not what a report holds of a VM."""


def case_of(plain: object) -> Case:
    """The case; raises `NotACaseError` for anything else. What a report leaves out of a case is empty in it."""
    if not isinstance(plain, dict):
        raise NotACaseError
    try:
        return _case(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotACaseError from error


def _case(plain: Plain) -> Case:
    window = _window(plain["window"])
    return Case(
        vm=_vm(plain["vm"]),
        window=window,
        diagnosis=_diagnosis(plain),
        gaps=tuple(_gap(each) for each in plain["gaps"]),
        events=tuple(_event(each) for each in plain["events"]),
        curve=None if plain["curve"] is None else _curve(plain["curve"]),
        scenario=known(ASKED),
        mitigation=None if plain["mitigation"] is None else _mitigation(plain["mitigation"]),
    )


def _mitigation(plain: Plain) -> Mitigation:
    return Mitigation(
        status=Status(plain["status"]),
        says=plain["says"],
        started_at=_at(plain["started_at"]),
        finished_at=_at(plain["finished_at"]),
        operation=plain["operation"],
        reachable_again=plain["reachable_again"],
        correlation=plain["correlation_id"],
        request=plain["request_id"],
        guards=tuple(Answer(**each) for each in plain["guards"]),
        loses=tuple(plain["loses"]),
        risks=tuple(plain["risks"]),
    )


def _vm(plain: Plain) -> VirtualMachine:
    vm = VmId.parse(plain["id"])
    if vm is None:
        raise NotACaseError
    words = {name: plain[name] for name in ("location", "os", "size", "power_state")}
    return VirtualMachine(id=vm, **words)


def _diagnosis(plain: Plain) -> Diagnosis:
    findings = tuple(_finding(each) for each in plain["findings"])
    advice = plain["recommendation"]
    return Diagnosis(
        verdict=Verdict(plain["verdict"]),
        finding=next(each for each in findings if each.scenario == ASKED),
        findings=findings,
        losses=tuple(_loss(each) for each in plain["losses"]),
        explanation=plain["explanation"],
        state=None if plain["state"] is None else State(plain["state"]),
        migrated_at=_at(plain["migrated_at"]),
        failed_at=_at(plain["failed_at"]),
        recovered_at=_at(plain["recovered_at"]),
        recommendation=Recommendation(
            action=Action(advice["action"]), says=advice["says"], links=tuple(advice["links"])
        ),
        # Reports of earlier versions do not have it.
        silent_since=_at(plain.get("silent_since")),
    )


def _finding(plain: Plain) -> Finding:
    """A report tells of a finding's latest loss alone; its evidence stands beside the finding."""
    cause_at, verdict = _at(plain["cause_at"]), Verdict(plain["verdict"])
    blames: tuple[Blame, ...] = ()
    if plain["explains"] is not None and cause_at is not None:
        blames = (Blame(loss=_interval(plain["explains"]), verdict=verdict, cause_at=cause_at),)
    return Finding(
        scenario=plain["scenario"],
        verdict=verdict,
        evidence=tuple(_evidence(each) for each in plain["evidence"]),
        blames=blames,
        cause_at=cause_at,
    )


def _evidence(plain: Plain) -> Evidence:
    return Evidence(
        stance=Stance(plain["stance"]),
        signal=Signal(plain["signal"]),
        says=plain["says"],
        at=_at(plain["at"]),
        ref=plain["ref"],
    )


def _loss(plain: Plain) -> Loss:
    channels = tuple(
        Channel(
            signal=Signal(each["signal"]),
            strength=Strength(each["strength"]),
            interval=_interval(each),
            says=each["says"],
            ref=each["ref"],
        )
        for each in plain["channels"]
    )
    return Loss(
        interval=_interval(plain),
        channels=channels,
        explained_by=plain["explained_by"],
        extent=Extent(plain.get("extent", Extent.FULL)),
    )


def _event(plain: Plain) -> Event:
    at, until = _instant(plain["at"]), _at(plain["until"])
    return Event(
        at=at,
        kind=Kind(plain["kind"]),
        signal=Signal(plain["signal"]),
        says=plain["says"],
        blur=(until or at) - at,
        ref=plain["ref"] or "",
    )


def _gap(plain: Plain) -> Gap:
    return Gap(
        signal=Signal(plain["signal"]), window=_window(plain), reason=plain["reason"], partial=plain["partial"] is True
    )


def _curve(plain: Plain) -> Series:
    points: Iterable[tuple[str, float | None]] = plain["points"]
    read = [(_instant(at), value) for at, value in points if value is not None]
    return Series(
        name=plain["metric"],
        signal=Signal(plain["signal"]),
        times=tuple(at for at, _ in read),
        values=tuple(float(value) for _, value in read),
    )


def _window(plain: Plain) -> Window:
    return Window(_instant(plain["from"]), _instant(plain["to"]))


def _interval(plain: Plain) -> Interval:
    return Interval(_instant(plain["from"]), _at(plain["to"]))


def _at(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise NotACaseError
    return at
