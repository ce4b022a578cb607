"""A timeline as a few lines of text, and back: for examples, tests and people; must not judge.

    12:00 live-migration          an event, by its kind
    12:03 traffic-lost            traffic falls to nothing (and heartbeat-lost); traffic-back ends it
    12:03 outside-lost            tests from outside fail; also peered, inside and unknown, and the probe of a balancer
    13:58 outside-unreached       Network Watcher was asked (`--prove`); also inside-reached, rule-denies, no-hop,
                                  appliance; behind it `assumed`, where the port is
    traffic normal                regular traffic, or `idle`; also heartbeat normal, cpu active
    gap traffic metrics refused   what was not heard, and why; `part` instead of `gap` where some of it was
    until 15:00                   the end of the window (without it: two hours after the last event)

Activity log, health history and service health count as heard unless a gap says otherwise, and who looks from elsewhere
need not be there; every other signal that no line tells of is a gap.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from vmdiag.diagnosis.event_words import (
    ANNOTATIONS,
    HOST_STACK,
    OPERATIONS,
    PRIVATE_FLOWS,
    PUBLIC_FLOWS,
    UNTIMED_EVENT,
    VM_TYPES,
)
from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.proof_words import CONNECTIVITY_CHECK, FLOW_CHECK, HOP_CHECK
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.identity import VmId
from vmdiag.model import Gap, Kind, Record, Series, Signal, Timeline, Transcript, VirtualMachine, Window
from vmdiag.sources.coverage import WITNESS_SIGNALS

DAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEAD = timedelta(hours=2)  # of ordinary readings before the first event: an hour of baseline and some more
VM = VirtualMachine(
    id=VmId(subscription="00000000-0000-0000-0000-000000000001", resource_group="prod", name="web-01"),
    location="westeurope",
    os="linux",
)
USUAL = {"traffic": 1e6, "heartbeat": 1.0, "cpu": 20.0}
PLACES = {"inside": "prod/web-02", "peered": "hub/jump", "outside": "office", "unknown": "somewhere"}
USUAL |= dict.fromkeys((*PLACES, "balancer", "stack", "public", "private"), 1.0)
SERIES = {
    "traffic": ("Network In Total", Signal.TRAFFIC),
    "heartbeat": ("Heartbeat", Signal.HEARTBEAT),
    "cpu": ("Percentage CPU", Signal.CPU),
    **{place: (f"tcp/443 from {source} ({place})", Signal.MONITOR) for place, source in PLACES.items()},
    "balancer": ("probe of port 443", Signal.BALANCER),
    "stack": (HOST_STACK, Signal.FLOWS),
    "public": (PUBLIC_FLOWS, Signal.FLOWS),
    "private": (PRIVATE_FLOWS, Signal.FLOWS),
}
TOLD = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE, Signal.PROOF, *WITNESS_SIGNALS)


class NotationError(ValueError):
    """A line that says nothing in this notation."""


def timeline(text: str) -> Timeline:
    """The timeline that the lines draw."""
    drawn = transcript(text)
    return assemble_timeline(drawn, _window(text), LEAD)


def transcript(text: str) -> Transcript:
    """The transcript of the lines, as a source would have heard it."""
    window = _window(text)
    records = tuple(record for line in _lines(text) if (record := _record(line)) is not None)
    series = tuple(_series(text, window))
    gaps = tuple(_gaps(text, window))
    told = {*TOLD, *(one.signal for one in series), *(record.signal for record in records)}
    silent = [signal for signal in Signal if signal not in told and signal not in {gap.signal for gap in gaps}]
    return Transcript(
        vm=VM,
        records=records,
        series=series,
        gaps=(*gaps, *(Gap(signal=signal, window=window, reason="not told") for signal in silent)),
    )


def lines(timeline: Timeline) -> tuple[str, ...]:
    """A timeline in this notation: its events, where connectivity was lost and came back, and its gaps."""
    marks = [(event.at, event.kind.value) for event in timeline.events]
    for loss in search_losses(timeline).losses:
        for signal in loss.signals:
            if signal in (Signal.TRAFFIC, Signal.HEARTBEAT):
                marks.append((loss.interval.start, f"{signal}-lost"))
                marks += [(loss.interval.end, f"{signal}-back")] if loss.interval.end else []
    gaps = [
        f"{'part' if gap.partial else 'gap'} {gap.signal} {gap.reason}"
        for gap in timeline.gaps
        if gap.reason != "not told"
    ]
    return (*(f"{at:%H:%M} {what}" for at, what in sorted(marks)), *gaps, f"until {timeline.window.end:%H:%M}")


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        words = line.split()
        if words:
            yield words


def _at(clock: str) -> datetime:
    try:
        hours, minutes = clock.split(":")
        return DAY + timedelta(hours=int(hours), minutes=int(minutes))
    except ValueError:
        message = f"not a time of day: {clock!r}"
        raise NotationError(message) from None


def _window(text: str) -> Window:
    times = [_at(words[0]) for words in _lines(text) if words[0][:1].isdigit()]
    stated = [_at(words[1]) for words in _lines(text) if words[0] == "until"]
    end = stated[0] if stated else max(times, default=DAY + timedelta(hours=12)) + LEAD
    return Window(min([*times, end]) - LEAD / 2, end)


def _record(words: list[str]) -> Record | None:
    if not words[0][:1].isdigit() or words[1].endswith(("-lost", "-back")):
        return None
    at, kind = _at(words[0]), words[1]
    if kind in LOOKS:
        name, status, facts = LOOKS[kind]
        assumed = {"assumed": "true"} if "assumed" in words else {}
        facts = {"check": name, "port": "443", **facts, **assumed}
        return Record(at=at, signal=Signal.PROOF, name=name, status=status, facts=facts)
    if kind not in WORDS:
        message = f"no such kind of event: {kind!r}"
        raise NotationError(message)
    signal, name, status = WORDS[kind]
    return Record(at=at, signal=signal, name=name, status=status)


def _list_looks() -> Iterator[tuple[str, tuple[str, str, dict[str, str]]]]:
    for place, origin in PLACES.items():
        facts = {"viewpoint": place, "origin": origin}
        yield f"{place}-reached", (CONNECTIVITY_CHECK, "Connected", facts)
        yield f"{place}-unreached", (CONNECTIVITY_CHECK, "Disconnected", facts)
    facts = {"viewpoint": "peered", "origin": PLACES["peered"]}
    yield (
        "inside-degraded",
        (CONNECTIVITY_CHECK, "Degraded", {"viewpoint": "inside", "origin": PLACES["inside"], "partly": "true"}),
    )
    abroad = {"viewpoint": "outside", "origin": PLACES["outside"]}
    yield "stranger-denied", (FLOW_CHECK, "Deny", {**abroad, "rule": "DenyAll"})
    yield "stranger-kept-out", (CONNECTIVITY_CHECK, "Disconnected", {**abroad, "denied": "true"})
    yield "way-denied", (CONNECTIVITY_CHECK, "Disconnected", {**facts, "denied": "true"})
    yield "rule-denies", (FLOW_CHECK, "Deny", {**facts, "rule": "DenyAll"})
    yield "rule-allows", (FLOW_CHECK, "Allow", {**facts, "rule": "AllowVnetInBound"})
    yield "no-hop", (HOP_CHECK, "None", facts)
    yield "appliance", (HOP_CHECK, "VirtualAppliance", {**facts, "hop": "10.9.0.4"})
    yield "straight-hop", (HOP_CHECK, "VnetLocal", facts)


LOOKS = dict(_list_looks())


def _words() -> Iterator[tuple[str, tuple[Signal, str, str]]]:
    """One way to say each kind in the platform's words: the vocabulary, read backwards."""
    for name, kind in reversed(list(OPERATIONS.items())):
        yield kind.value, (Signal.ACTIVITY, VM_TYPES[0] + name, "Succeeded")
    for name, kind in reversed(list(ANNOTATIONS.items())):
        yield kind.value, (Signal.HEALTH, name, "")
    for kind in (Kind.AVAILABLE, Kind.UNAVAILABLE, Kind.DEGRADED, Kind.UNKNOWN):
        yield kind.value, (Signal.HEALTH, "availability", kind.value)
    for state in ("running", "stopped", "deallocated"):
        yield f"power-{state}", (Signal.POWER, f"PowerState/{state}", "")
    yield Kind.NETWORK_CHANGE.value, (Signal.ACTIVITY, "microsoft.network/networkinterfaces/write", "Succeeded")
    yield Kind.SERVICE_INCIDENT.value, (Signal.HEALTH, "SIEOutage", "")
    yield Kind.UNKNOWN_NOTE.value, (Signal.HEALTH, "AnnotationOfNextYear", "")
    yield Kind.AGENT_READY.value, (Signal.AGENT, "ProvisioningState/succeeded", "Ready")
    yield Kind.AGENT_NOT_READY.value, (Signal.AGENT, "ProvisioningState/Unavailable", "Not Ready")
    yield Kind.BACKEND_UP.value, (Signal.BALANCER, "Up_Probe_Success", "Up")
    yield Kind.BACKEND_DOWN.value, (Signal.BALANCER, "Down_Probe_TcpProbeTimeout", "Down")
    yield Kind.BACKEND_PLATFORM_DOWN.value, (Signal.BALANCER, "Down_Platform", "Down")
    yield Kind.APPLICATION_HEALTHY.value, (Signal.APPLICATION, "HealthState/healthy", "")
    yield Kind.SCHEDULED_EVENT.value, (Signal.HEALTH, UNTIMED_EVENT, "Completed")
    for kind in (Kind.DATA_PATH_FAILED, Kind.INTERFACE_ABSENT):
        yield kind.value, (Signal.CONSOLE, kind.value, "")
    yield Kind.UNREACHABLE.value, (Signal.OPERATOR, "unreachable", "")
    yield Kind.PROBE_FAILED.value, (Signal.PROBE, "tcp", "refused")
    yield Kind.PROBE_ANSWERED.value, (Signal.PROBE, "tcp", "answered")


WORDS = dict(_words())


def _series(text: str, window: Window) -> Iterator[Series]:
    for word, (name, signal) in SERIES.items():
        marks = [
            (_at(words[0]), words[1] == f"{word}-lost")
            for words in _lines(text)
            if len(words) > 1 and words[1] in (f"{word}-lost", f"{word}-back")
        ]
        stated = [words[1] for words in _lines(text) if words[0] == word]
        if marks or stated:
            level = 0.0 if stated == ["idle"] else USUAL[word]
            yield _drawn(name, signal, sorted(marks), level, window)


def _drawn(name: str, signal: Signal, marks: list[tuple[datetime, bool]], level: float, window: Window) -> Series:
    at, points = window.start - LEAD / 2, []
    while at <= window.end:
        lost = [gone for since, gone in marks if since <= at][-1:] == [True]
        if not (lost and signal is Signal.HEARTBEAT):
            points.append((at, 0.0 if lost else level))
        at += MINUTE
    return Series(name=name, signal=signal, times=tuple(at for at, _ in points), values=tuple(v for _, v in points))


def _gaps(text: str, window: Window) -> Iterator[Gap]:
    for words in _lines(text):
        if words[0] in ("gap", "part"):
            reason = " ".join(words[2:]) or "not read"
            yield Gap(signal=Signal(words[1]), window=window, reason=reason, partial=words[0] == "part")
