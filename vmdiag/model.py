"""The nouns of what was heard of a VM, and what was not; must not know a scenario, a source or a verdict.

All times are aware UTC datetimes, all spans timedeltas, all values frozen.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.identity import VmId
from vmdiag.values import Struct, field


class Signal(StrEnum):
    """A feed of knowledge about a VM; the words are the report's."""

    ACTIVITY = "activity"  # what people and programs asked Resource Manager to do
    HEALTH = "health"  # Resource Health: statuses and annotations, whichever way they came
    SERVICE = "service"  # Service Health: incidents of a region
    TRAFFIC = "traffic"  # platform metrics of the host port
    AVAILABILITY = "availability"  # VmAvailabilityMetric
    CPU = "cpu"
    DISK = "disk"
    HEARTBEAT = "heartbeat"  # the Log Analytics agent's row a minute
    AGENT = "agent"  # the VM agent's status in the instance view
    POWER = "power"  # the power state in the instance view
    OPERATOR = "operator"  # --unreachable-since
    PROBE = "probe"  # a TCP connection tried from here
    PROOF = "proof"  # what Network Watcher finds when it is asked: --prove
    MONITOR = "monitor"  # Connection Monitor: tests towards the VM from other places
    BALANCER = "balancer"  # what a load balancer's probes see of the VM
    FLOWS = "flow-log"  # flow logs of its networks and security groups
    CONSOLE = "serial-log"  # boot diagnostics: the guest's own words on its serial console
    APPLICATION = "application"  # the Application Health extension's own probe inside the VM


class Kind(StrEnum):
    """What an event means, in Azure's and the trade's words."""

    LIVE_MIGRATION = "live-migration"
    LIVE_MIGRATION_FAILED = "live-migration-failed"
    FREEZE = "freeze"  # a memory-preserving update in place: a pause, no move
    PRECURSOR = "degraded-host"  # the host is expected to fail; a migration may follow
    ACCELNET_UNHEALTHY = "accelnet-unhealthy"
    NETWORK_UNHEALTHY = "network-unhealthy"
    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    STOP = "stop"
    DEALLOCATE = "deallocate"
    START = "start"
    RESTART = "restart"
    REDEPLOY = "redeploy"
    RESIZE = "resize"
    REIMAGE = "reimage"
    CONFIGURE = "configure"
    DELETE = "delete"
    GUEST_CRASH = "guest-crash"
    HOST_FAILURE = "host-failure"
    PLANNED_REBOOT = "planned-reboot"
    STORAGE_OFFLINE = "storage-offline"
    EVICTION = "eviction"
    NETWORK_CHANGE = "network-change"
    SERVICE_INCIDENT = "service-incident"
    SERVICE_RESOLVED = "service-incident-resolved"
    POWER_RUNNING = "power-running"
    POWER_STOPPED = "power-stopped"
    POWER_DEALLOCATED = "power-deallocated"
    AGENT_READY = "agent-ready"
    AGENT_NOT_READY = "agent-not-ready"
    UNREACHABLE = "unreachable"
    PROBE_FAILED = "probe-failed"
    PROBE_ANSWERED = "probe-answered"
    PROOF_REACHED = "proof-reached"  # Network Watcher reached the VM from somewhere just now
    PROOF_LOST = "proof-lost"  # it did not
    PROOF_DENIED = "proof-denied"  # a rule or a route keeps others out
    PROOF_ALLOWED = "proof-allowed"  # none does
    PROOF_APPLIANCE = "proof-appliance"  # its answers go through one, which may fail
    BACKEND_UP = "backend-up"
    BACKEND_DOWN = "backend-down"  # the balancer's probe is not answered
    BACKEND_PLATFORM_DOWN = "backend-platform-down"  # the balancer blames Azure's own infrastructure
    APPLICATION_HEALTHY = "application-healthy"
    DATA_PATH_FAILED = "data-path-failed"  # the guest's driver could not switch between its two interfaces
    INTERFACE_ABSENT = "accelerated-interface-absent"  # it went and has not come back: traffic takes the other one
    SCHEDULED_EVENT = (
        "scheduled-event"  # a migration that Scheduled Events tell of without its time: no more than a hint
    )
    UNKNOWN_NOTE = "unknown-note"  # Azure said something of the VM's health in words that no table knows
    OTHER = "other"


class Viewpoint(StrEnum):
    """From where a VM is looked at: its own virtual network, another one, or from elsewhere."""

    OUTSIDE = "outside"
    PEERED = "peered"
    INSIDE = "inside"
    UNKNOWN = "unknown"


class Window(Struct, frozen=True):
    """A span of time that has an end; both ends belong to it."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def overlaps_window(self, other: "Window") -> bool:
        """Whether the two share at least an instant."""
        return self.start <= other.end and other.start <= self.end


def subtract_span(at: datetime, span: timedelta) -> datetime:
    """An instant so much earlier, or the first that there is: a file may hold the year 1."""
    return at - min(span, at - datetime.min.replace(tzinfo=at.tzinfo))


class Interval(Struct, frozen=True):
    """A span of time that may still go on (`end` is `None`)."""

    start: datetime
    end: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether no end has been seen."""
        return self.end is None

    def clip_to(self, limit: datetime) -> Window:
        """The same span, closed at `limit` where it is open."""
        return Window(self.start, max(self.start, self.end or limit))


class Needs(Struct, frozen=True, kw_only=True):
    """What a scenario reads: the kinds without which it cannot be, and how far beyond the window.

    `least_read` is how far back is read at least; `None` is the usual fortnight.
    """

    triggers: frozenset[Kind]
    margin: timedelta
    least_read: timedelta | None = None

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(triggers=self.triggers | other.triggers, margin=max(self.margin, other.margin))


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """What the inventory says of a VM; `None` and empty where nothing was read.

    `network` holds the ids, in lower case, of what its traffic passes through: NICs, their security groups, subnets,
    networks, route tables, addresses, balancers.
    """

    id: VmId
    location: str | None = None
    os: str | None = None
    size: str | None = None
    power_state: str | None = None
    network: frozenset[str] = frozenset()


class Record(Struct, frozen=True, kw_only=True):
    """One thing that the platform said, in its own words, flattened from whatever form it came in.

    `name` is the operation, annotation or status kind as written; `blur` says by how much the true time may lie
    after `at`; `ref` says where it was read (file and line, or request).
    """

    at: datetime
    signal: Signal
    name: str
    status: str = ""
    blur: timedelta = timedelta()
    facts: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""


class Series(Struct, frozen=True, kw_only=True):
    """Readings of one metric in order of time, without repeats; a minute that was not reported is simply absent.

    Kept apart from records because a fortnight of minutes is 20,000 of them.
    """

    name: str
    signal: Signal
    times: tuple[datetime, ...]
    values: tuple[float, ...]


class Gap(Struct, frozen=True, kw_only=True):
    """What was not heard. `partial` means that the feed was heard but is known to leave things out.

    `cut` means that an answer or file shows that it is not whole: what it holds may be used, but over the window it
    counts as not read, and the end of what came is not the end of what there is.
    """

    signal: Signal
    window: Window
    reason: str
    partial: bool = False
    cut: bool = False

    @property
    def counts_as_unread(self) -> bool:
        """Whether nothing may be concluded from silence over the window."""
        return self.cut or not self.partial


class Transcript(Struct, frozen=True, kw_only=True):
    """All that a source heard about one VM, unjudged, in any order, repeats included."""

    vm: VirtualMachine
    records: tuple[Record, ...] = ()
    series: tuple[Series, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened, told once; it took place between `at` and `at + blur`."""

    at: datetime
    kind: Kind
    signal: Signal
    says: str
    blur: timedelta = timedelta()
    facts: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""

    @property
    def ended(self) -> datetime:
        """The latest instant at which it can have taken effect."""
        return self.at + self.blur


class Coverage(StrEnum):
    """How much of a feed was heard over a span."""

    NONE = "none"
    PART = "part"
    ALL = "all"


class Timeline(Struct, frozen=True, kw_only=True, eq=False):
    """A VM's story in order of time: events, metric series by name, and what was not heard.

    `window` is the one asked for; events and series may begin before it (the margin that baselines need). It is too
    large to be compared: each is itself alone, so that what was found in it can be remembered.
    """

    vm: VirtualMachine
    window: Window
    events: tuple[Event, ...] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()

    def list_events(self, *kinds: Kind) -> tuple[Event, ...]:
        """The events of these kinds, in order of time."""
        return tuple(event for event in self.events if event.kind in kinds)

    def is_unread(self, signal: Signal, span: Window) -> bool:
        """Whether any part of a feed counts as not read over a span: silence there says nothing."""
        gaps = (gap for gap in self.gaps if gap.signal is signal and gap.counts_as_unread)
        return any(gap.window.overlaps_window(span) for gap in gaps)

    def measure_coverage(self, signal: Signal, span: Window) -> Coverage:
        """How much of a feed was heard over a span."""
        gaps = [gap for gap in self.gaps if gap.signal is signal and gap.window.overlaps_window(span)]
        if not gaps:
            return Coverage.ALL
        reached, unread = span.start, [gap for gap in gaps if gap.counts_as_unread]
        for gap in sorted(unread, key=lambda gap: gap.window.start):
            if gap.window.start > reached:
                return Coverage.PART
            reached = max(reached, gap.window.end)
        return Coverage.NONE if unread and reached >= span.end else Coverage.PART


NO_SUCH_VM = "no such VM"  # how the reason of a gap begins where there is no VM to read of
# Why a VM may be unread that a later run can read.
INTERRUPTED_REASONS = ("interrupted before", "not read when the run's time was over")
UNKNOWN_VM = (NO_SUCH_VM, f"Azure knows {NO_SUCH_VM}")


def is_unknown_vm(gaps: Iterable[Gap]) -> bool:
    """Whether what was not heard was not heard because there is no such VM."""
    return any(gap.reason.startswith(UNKNOWN_VM) for gap in gaps)
