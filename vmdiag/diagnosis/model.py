"""The nouns of judging: verdicts, evidence, findings, scenarios, cases; must not know how anything is read or shown."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.mitigation import Mitigation
from vmdiag.model import (
    Event,
    Gap,
    Interval,
    Needs,
    Series,
    Signal,
    Timeline,
    Viewpoint,
    VirtualMachine,
    Window,
    is_unknown_vm,
    subtract_span,
)
from vmdiag.values import Struct, field

UNEXPLAINED = "unexplained"  # how a loss is told that no scenario explains


class Verdict(StrEnum):
    """About one scenario; no percentages: evidence, not false precision."""

    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"
    INCONCLUSIVE = "inconclusive"
    CLEAR = "clear"

    @property
    def is_flagged(self) -> bool:
        """Whether the VM counts as affected."""
        return self in (Verdict.CONFIRMED, Verdict.SUSPECTED)


class Stance(StrEnum):
    """What a piece of evidence does to a finding."""

    FOR = "for"
    AGAINST = "against"
    MISSING = "missing"


class Strength(StrEnum):
    """How far a channel alone can be trusted to show a loss of connectivity."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class State(StrEnum):
    """How the loss stands at the end of the window."""

    OPEN = "open"
    RECOVERED = "recovered"
    REDEPLOYED = "redeployed"


class Extent(StrEnum):
    """How much of the connectivity was gone, and whether all the time."""

    FULL = "full"
    PARTIAL = "partial"  # between 5 % and 50 % of the baseline
    INTERMITTENT = "intermittent"  # pieces that together are down for half of the time or more


class Action(StrEnum):
    """What to do next."""

    REDEPLOY = "redeploy"
    WAIT = "wait"
    INVESTIGATE = "investigate"
    ESCALATE = "escalate"
    NONE = "none"


class Precedence(StrEnum):
    """When a scenario explains a loss better than the one that was asked about."""

    NEARER_OR_LATER = "nearer-or-later"  # its cause lies nearer to the onset, or came with or after the other
    NEARER = "nearer"  # nearness alone counts
    ALWAYS = "always"  # its cause is dated roughly and goes on: the begin says little about nearness


class Evidence(Struct, frozen=True, kw_only=True):
    """One reason, with the signal that gave it, when it happened and where it was read."""

    stance: Stance
    signal: Signal
    says: str
    at: datetime | None = None
    ref: str | None = None


class SignalLoss(Struct, frozen=True, kw_only=True):
    """A loss as one signal shows it; `well_since` is when that was over for good, where the signal measures it.

    `is_brief` marks a fall too short to be called lost by itself, `is_habit` one that comes at its hour on other days;
    `part_back` is since when a part of the traffic was back, too little to end the loss; `observer` is who tests it.
    """

    signal: Signal
    strength: Strength
    interval: Interval
    says: str
    ref: str | None = None
    well_since: datetime | None = None
    is_brief: bool = False
    is_habit: bool = False
    part_back: datetime | None = None
    seen_at: datetime | None = None  # when a look of a moment was taken that shows it
    observer: str = ""


class Loss(Struct, frozen=True, kw_only=True):
    """A time in which the VM could not be reached, from where (`scope`), and all channels that show it together."""

    interval: Interval
    channels: tuple[SignalLoss, ...]
    explained_by: str | None = None
    extent: Extent = Extent.FULL
    scope: Viewpoint = Viewpoint.UNKNOWN

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The channels' signals, strongest first, each once."""
        ranked = sorted(self.channels, key=lambda one: (list(Strength).index(one.strength), one.signal))
        return tuple(dict.fromkeys(channel.signal for channel in ranked))


class Attribution(Struct, frozen=True, kw_only=True):
    """That one loss is explained: how firmly, when the cause happened; `precedence` replaces the scenario's."""

    loss: Interval
    verdict: Verdict
    cause_at: datetime
    evidence: tuple[Evidence, ...] = ()
    precedence: Precedence | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """What one scenario makes of a timeline: a verdict, its reasons, and every loss that it explains, oldest first.

    `cause_at` is when its cause was last seen; `wait` says that a later look can tell; `if_shared` is the verdict where
    most VMs whose agents fell silent with this one's were not migrated.
    """

    scenario: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    blames: tuple[Attribution, ...] = ()
    cause_at: datetime | None = None
    wait: bool = False
    if_shared: Verdict | None = None

    @property
    def explains(self) -> Interval | None:
        """The latest loss that it explains."""
        return self.blames[-1].loss if self.blames else None


class Scenario(Struct, frozen=True, kw_only=True):
    """One insight: what it needs, how it judges a timeline alone, what helps, and examples of both answers.

    `page` is the module's docstring, `examples` are timelines in notation with the verdicts that they must get,
    `vm_action` is what of `az vm` helps, `code` is Azure's own name where it has one, `clouds` where it was published.
    """

    id: str
    title: str
    page: str
    needs: Needs
    detect: Callable[[Timeline], Finding]
    remedies: tuple[str, ...]
    vm_action: str | None = None
    examples: tuple[tuple[Verdict, str], ...]
    precedence: Precedence = Precedence.NEARER_OR_LATER
    code: str | None = None
    clouds: tuple[str, ...] = ()


class Recommendation(Struct, frozen=True, kw_only=True):
    """The next step: what, why, and where it is explained."""

    action: Action
    says: str
    links: tuple[str, ...] = ()


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The answer for one VM: the verdict on the scenario asked for, and what explains its latest loss best."""

    verdict: Verdict
    finding: Finding
    findings: tuple[Finding, ...]
    recommendation: Recommendation
    losses: tuple[Loss, ...] = ()
    explanation: str | None = None
    state: State | None = None
    migrated_at: datetime | None = None
    failed_at: datetime | None = None
    recovered_at: datetime | None = None
    silent_since: datetime | None = None  # its heartbeats ended, its traffic stayed normal: a silent agent, no loss

    @property
    def loss(self) -> Loss | None:
        """The latest loss, which says how things stand now."""
        return self.losses[-1] if self.losses else None


class Case(Struct, frozen=True, kw_only=True):
    """A diagnosis with what a report needs to tell it: the VM, the events of its story, and a curve to draw.

    `curve` is a sketch of the traffic around the incident, resampled, so that ten thousand cases fit in memory, and
    `heartbeats` one of those beside it; `latest` is when each metric was last heard.
    """

    vm: VirtualMachine
    window: Window
    diagnosis: Diagnosis
    gaps: tuple[Gap, ...] = ()
    events: tuple[Event, ...] = ()
    curve: Series | None = None
    heartbeats: Series | None = None
    scenario: Scenario | None = None
    latest: Mapping[Signal, datetime] = field(default_factory=dict)
    mitigation: Mitigation | None = None
    is_named: bool = False  # the VM was asked for by itself

    @property
    def is_affected(self) -> bool:
        """Whether the VM is affected now: flagged, and its loss goes on."""
        return self.diagnosis.verdict.is_flagged and self.diagnosis.state is State.OPEN

    @property
    def story_events(self) -> tuple[Event, ...]:
        """The events of its story: of the window, and of the hour before the first loss that reaches into it."""
        lost = (subtract_span(loss.interval.start, timedelta(hours=1)) for loss in self.diagnosis.losses)
        since = min([self.window.start, *lost, *filter(None, [self.diagnosis.migrated_at])])
        return tuple(event for event in self.events if event.at >= since)

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such VM: the gaps say why."""
        return is_unknown_vm(self.gaps)


class Header(Struct, frozen=True, kw_only=True):
    """A run before its first case: where and when it looks, and what was not heard and concerns no single VM."""

    source: str
    cloud: str
    window: Window
    generated_at: datetime
    names_scope: bool = False  # VMs were asked for, one by one or by what they have in common
    tells_all: bool = False  # no case is only counted
    gaps: tuple[Gap, ...] = ()


class OtherVms(Struct, frozen=True, kw_only=True):
    """How many VMs were seen that are no case.

    Judged were the `clear` (no migration, no loss), the `troubled` (either, and not asked for) and the `unclear`, who
    may also be those of whom too little was read. Of the `quiet` no record shows either, so they were not judged; the
    `unread` lie outside of what was asked for.
    """

    clear: int = 0
    troubled: int = 0
    unclear: int = 0
    quiet: int = 0
    unread: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.clear + self.troubled + self.unclear + self.quiet + self.unread


def order_evidence(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """Evidence for first, then against, then missing; each in order of time."""
    stances = list(Stance)
    yield from sorted(evidence, key=lambda e: (stances.index(e.stance), e.at is None, e.at.timestamp() if e.at else 0))
