"""The report (`vmdiag.report/1`): what is written, what is read back and the JSON Schema, from one definition.

Fields are never renamed or left out; what is absent is null. The docstrings and descriptions here are the schema's.
"""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from vmdiag import __version__
from vmdiag.diagnosis.model import Action, Extent, Stance, State, Strength, Verdict
from vmdiag.mitigation import Status
from vmdiag.model import Kind, Signal, Viewpoint
from vmdiag.wording.plain_text import format_iso, replace_surrogates

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WHOLE_SECONDS = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"

Time = Annotated[
    datetime, Meta(tz=True, description="UTC, whole seconds.", extra_json_schema={"pattern": WHOLE_SECONDS})
]
Number = Annotated[int, Meta(ge=0)]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=format_iso)
_NOT_ASCII = re.compile("[^\\x00-\\x7f]")


class Window(Struct, frozen=True):
    """A stretch of time."""

    start: Time = field(name="from")
    end: Time = field(name="to")


class Interval(Struct, frozen=True):
    """`to` is null while it goes on."""

    start: Time = field(name="from")
    end: Time | None = field(name="to")


class Vm(Struct, frozen=True, kw_only=True):
    """A VM, and what is known of it."""

    id: str
    name: str
    resource_group: str
    subscription_id: str
    scale_set: str | None
    location: str | None
    os: str | None
    size: str | None
    power_state: str | None


class Evidence(Struct, frozen=True, kw_only=True):
    """One reason of a finding."""

    stance: Stance
    signal: Signal
    at: Time | None
    says: str
    ref: Annotated[str | None, Meta(description="Where it was read.")]


class Finding(Struct, frozen=True, kw_only=True):
    """What one scenario makes of the VM; evidence for first, then against, then missing, each in order of time."""

    scenario: str
    verdict: Verdict
    explains: Interval | None
    cause_at: Time | None
    evidence: tuple[Evidence, ...]


class Channel(Struct, frozen=True, kw_only=True):
    """A loss as one signal shows it."""

    signal: Signal
    strength: Strength
    start: Time = field(name="from")
    end: Time | None = field(name="to")
    says: str
    ref: str | None


class Loss(Struct, frozen=True, kw_only=True):
    """A time in which the VM could not be reached."""

    start: Time = field(name="from")
    end: Time | None = field(name="to")
    signals: tuple[Signal, ...]
    explained_by: Annotated[str | None, Meta(description="A scenario id, `unexplained` or null.")]
    # Reports of earlier versions do not have it.
    extent: Annotated[
        Extent,
        Meta(
            description="How much was gone: all, a part (between 5 % and 50 % of the baseline goes on), or all again "
            "and again."
        ),
    ] = Extent.FULL
    scope: Annotated[
        Viewpoint,
        Meta(description="From where it was cut off: elsewhere while the inside reached it, or `inside`, too."),
    ] = Viewpoint.UNKNOWN
    channels: tuple[Channel, ...]


class Gap(Struct, frozen=True, kw_only=True):
    """What was not heard; `partial` when a part of the feed was heard: it leaves things out, or was cut."""

    signal: Signal
    start: Time = field(name="from")
    end: Time = field(name="to")
    reason: str
    partial: bool


class Recommendation(Struct, frozen=True, kw_only=True):
    """The next step."""

    action: Action
    says: str
    links: tuple[str, ...]


class Guard(Struct, frozen=True, kw_only=True):
    """What a guard answered; `passes` is null where it was not asked, or not yet."""

    guard: str
    passes: bool | None
    limit: str
    found: str


class Mitigation(Struct, frozen=True, kw_only=True):
    """A redeploy that was planned, refused or made."""

    action: Literal["redeploy"] = "redeploy"
    status: Status
    says: Annotated[str, Meta(description="How it went, or why not.")]
    started_at: Time | None
    finished_at: Time | None
    operation: Annotated[str | None, Meta(description="The address at which Azure tells about it.")]
    reachable_again: Annotated[
        bool | None, Meta(description="Null: not measured, or not measurable; `says` tells why.")
    ]
    correlation: Annotated[str | None, Meta(description="For Azure's support.")] = field(name="correlation_id")
    request: Annotated[str | None, Meta(description="The client request id that was sent.")] = field(name="request_id")
    guards: tuple[Guard, ...]
    loses: Annotated[tuple[str, ...], Meta(description="What a redeploy of this VM costs.")]
    risks: Annotated[tuple[str, ...], Meta(description="What may go wrong.")]


class Event(Struct, frozen=True, kw_only=True):
    """It took place between `at` and `until`; at `at` when that is null."""

    at: Time
    until: Time | None
    kind: Kind
    signal: Signal
    says: str
    ref: str | None


class Curve(Struct, frozen=True, kw_only=True):
    """A sketch of a metric around the incident, resampled; null where a value is no number."""

    metric: str
    signal: Signal
    points: tuple[tuple[Time, float | None], ...]


class Case(Struct, frozen=True, kw_only=True):
    """One VM; `-o ndjson` writes one such element a line."""

    vm: Vm
    verdict: Annotated[Verdict, Meta(description="On `live-migration-datapath`.")]
    scenario: Annotated[str | None, Meta(description="Set when the verdict is confirmed or suspected.")]
    code: Annotated[str | None, Meta(description="Azure's own name of the scenario.")]
    state: State | None
    migrated_at: Time | None
    failed_at: Time | None
    recovered_at: Time | None
    explanation: Annotated[
        str | None, Meta(description="What best explains the latest loss: a scenario id, `unexplained`, or null.")
    ]
    # Reports of earlier versions do not have it.
    silent_since: Annotated[
        Time | None, Meta(description="When its heartbeats ended while its traffic stayed normal: no loss.")
    ] = None
    findings: Annotated[
        tuple[Finding, ...], Meta(description="Of the scenario asked about, and of the others that found something.")
    ]
    losses: tuple[Loss, ...]
    gaps: tuple[Gap, ...]
    recommendation: Recommendation
    mitigation: Mitigation | None
    window: Window
    events: tuple[Event, ...]
    curve: Curve | None
    # Reports of earlier versions do not have it.
    heartbeats: Annotated[
        Curve | None, Meta(description="Heartbeats a minute, beside the curve; what was not read is left out.")
    ] = None


class Tool(Struct, frozen=True):
    """What wrote the report."""

    name: Literal["vmdiag"] = "vmdiag"
    version: str = __version__


class OtherVms(Struct, frozen=True, kw_only=True):
    """VMs that are no case, by what is known of them: only of the first was it judged that nothing happened."""

    clear: Number
    migrated_or_lost: Number
    inconclusive: Number
    not_judged: Number


class Summary(Struct, frozen=True, kw_only=True):
    """How many VMs there are of each verdict."""

    vms: Number
    confirmed: Number
    suspected: Number
    inconclusive: Number
    clear: Number
    others: Annotated[int, Meta(ge=0, description="VMs that were seen and are no case.")]
    others_by: OtherVms
    redeploys: Annotated[
        dict[Status, Number], Meta(description="How many VMs' redeploys stand how; planned ones were not begun.")
    ]


class Report(Struct, frozen=True, kw_only=True):
    """What `vmdiag check -o json` writes. Fields may be added, none is renamed or left out; what is absent is null."""

    schema: Literal["vmdiag.report/1"] = "vmdiag.report/1"
    tool: Tool = Tool()
    generated_at: Time
    source: str
    cloud: str
    window: Window
    summary: Summary
    gaps: Annotated[tuple[Gap, ...], Meta(description="What was not heard and concerns no single VM.")]
    notes: Annotated[tuple[str, ...], Meta(description="What a reader should know of the run, in sentences.")]
    cases: tuple[Case, ...] = ()


def make_schema(kind: type[Struct] = Report, name: str = "report") -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of what is written: no field is left out, so all are required."""
    (top,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    for part in parts.values():
        if "properties" in part:
            part["required"] = list(part["properties"])
            # What is assumed where a field is missing concerns reading alone.
            for each in part["properties"].values():
                each.pop("default", None)
    definitions = {key.lower(): part for key, part in parts.items()}
    whole = _rename_references({"$defs": definitions, **definitions.pop(str(top["$ref"]).rpartition("/")[2].lower())})
    return {"$schema": DIALECT, "$id": f"urn:vmdiag:{name}:1", **whole, "title": f"vmdiag.{name}/1"}


def _rename_references(part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(part, dict):
        return {key: value.lower() if key == "$ref" else _rename_references(value) for key, value in part.items()}
    return [_rename_references(each) for each in part] if isinstance(part, list) else part


def dump_json(value: object, indent: int | None = None) -> str:
    """Structs as JSON in ASCII, times in whole seconds; what is no text for every encoder is replaced.

    Whatever a terminal might obey, and whatever an encoding might lack, is written as an escape.
    """
    # One pass each in C: of ten thousand VMs these are millions of values.
    text = _ENCODER.encode(msgspec.to_builtins(value, builtin_types=(datetime,)))
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], replace_surrogates(text))
    # DEL is ASCII; it can only stand inside a string.
    text = text.replace("\x7f", "\\u007f")
    # The standard library indents in Python, msgspec what is written; both write the same.
    return text if indent is None else msgspec.json.format(text, indent=indent)
