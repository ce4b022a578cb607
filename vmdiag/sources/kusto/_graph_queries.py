"""What is asked of Resource Graph's tables: fourteen days of health and of changes, and what there is now.

`let` and subqueries after `in` are not among what is documented of its language, so the VMs that are worth a look are
joined. Sources: "Azure Resource Graph sample queries for HealthResources", "Get resource changes", "Scheduled events in
Azure Resource Graph", "Understanding the Azure Resource Graph query language" (no more than three joins a query).
"""

from datetime import timedelta
from functools import partial

from vmdiag.diagnosis.event_kinds import collect_names
from vmdiag.diagnosis.event_words import STATUSES
from vmdiag.identity import NETWORK_TYPES
from vmdiag.model import Kind, Needs, Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.formats.resource_changes import WRITES_ONLY
from vmdiag.sources.kusto._table_query import TableQuery, combine_conditions, match_subscriptions, write_instant
from vmdiag.sources.protocol import Scope, VmFilter
from vmdiag.sources.selection import IGNORED_KINDS, LOSS_KINDS, build_vm_filter
from vmdiag.values import Struct

RETENTION = timedelta(days=14)
# Its answers come in pages, and its quota is a dozen questions in five seconds: few parts, where pages do not help.
PART_LIMIT = 8
HEALTH_FORMS = ("resource-graph-health-changes", "resource-graph-health")
HEALTH_PROVIDER = "/providers/microsoft.resourcehealth/"
ANNOTATIONS = "microsoft.resourcehealth/resourceannotations"
SET_VM, VM = "microsoft.compute/virtualmachinescalesets/virtualmachines", "microsoft.compute/virtualmachines"
SIZE_CHANGE = "properties.hardwareProfile.vmSize"
IN_ORDER = "order by id asc"


def build_graph_queries(scope: Scope, span: Window, needs: Needs) -> tuple[TableQuery, ...]:
    """The queries for a scope and a span, one a table or a kind of resource."""
    tables = _GraphTables(scope, span, needs)
    timed = partial(TableQuery, part_limit=PART_LIMIT)
    present = partial(TableQuery, is_timed=False)
    health = partial(timed, forms=HEALTH_FORMS, signals=(Signal.HEALTH,))
    network = partial(present, forms=("resources",), signals=(Signal.ACTIVITY,), is_network=True, lowers_verdict=False)
    return (
        present(
            table="resources (VMs)",
            forms=("resources", "virtual-machine"),
            signals=(Signal.POWER,),
            write=lambda _: kql.machines(VmFilter()),
        ),
        health(table="healthresourcechanges", write=tables.write_health_changes, coverage="", retention=RETENTION),
        health(table="healthresources", write=tables.write_health_now),
        network(table="resources (interfaces)", write=lambda _: tables.write_interfaces()),
        network(table="resources (networks)", write=lambda _: NETWORKS),
        timed(
            table="resourcechanges",
            forms=("resource-changes",),
            signals=(Signal.ACTIVITY,),
            write=tables.write_changes,
            coverage=WRITES_ONLY,
            retention=RETENTION,
        ),
        present(
            table="maintenanceresources",
            forms=("scheduled-events-resource-graph",),
            signals=(Signal.HEALTH,),
            write=lambda _: SCHEDULED_EVENTS,
            lowers_verdict=False,  # a second witness of what the annotations tell
        ),
    )


NETWORKS = kql.join_lines(
    "resources", "where type =~ 'microsoft.network/virtualnetworks'", "project id, type, properties", IN_ORDER
)
SCHEDULED_EVENTS = kql.join_lines(
    "maintenanceresources",
    "where type =~ 'microsoft.maintenance/scheduledevents'",
    "project id, type, properties",
    IN_ORDER,
)


class _GraphTables(Struct, frozen=True):
    """The queries over the tables for one scope, one span and what is needed."""

    scope: Scope
    span: Window
    needs: Needs

    def write_health_changes(self, part: Window) -> str:
        """All changes of the health of those VMs of which one change tells something."""
        return kql.join_lines(
            *_list_health_changes(part),
            f"join kind=inner ({self._find_suspects()}) on vm",
            "project id, type, subscriptionId, resourceGroup, properties",
            IN_ORDER,
        )

    def write_health_now(self, part: Window) -> str:
        """The annotation and the state of now, where they are of the span."""
        return kql.join_lines(
            "healthresources",
            f"where {_write_since('properties.occurredTime', part)}",
            "where tolower(tostring(properties.targetResourceId)) contains '/microsoft.compute/virtualmachine'",
            "project id, type, subscriptionId, resourceGroup, properties",
            IN_ORDER,
        )

    def write_interfaces(self) -> str:
        """The network interfaces of the VMs of whose health something is told."""
        return kql.join_lines(
            "resources",
            "where type =~ 'microsoft.network/networkinterfaces'",
            "extend vm = tolower(tostring(properties.virtualMachine.id))",
            f"join kind=inner ({self._find_suspects()}) on vm",
            "project id, type, properties",
            IN_ORDER,
        )

    def write_changes(self, part: Window) -> str:
        """What was written: networks; of VMs what touches those, and what restarts or ends any."""
        types = ", ".join(map(kql.literal, sorted(NETWORK_TYPES)))
        telling = f"isnotnull(properties.changes['{SIZE_CHANGE}']) or tostring(properties.changeType) =~ 'delete'"
        return kql.join_lines(
            "resourcechanges",
            f"where {_write_since('properties.changeAttributes.timestamp', part)}",
            "extend vm = tolower(tostring(properties.targetResourceId)),"
            " about = tolower(tostring(properties.targetResourceType))",
            f"where about in~ ({types}, '{VM}', '{SET_VM}') or about startswith 'microsoft.network/'",
            f"join kind=leftouter ({self._find_suspects()} | extend chosen = vm) on vm",
            f"where about startswith 'microsoft.network/' or isnotempty(chosen) or {telling}",
            "project id, type, subscriptionId, resourceGroup, properties",
            IN_ORDER,
        )

    def _find_suspects(self) -> str:
        """The VMs of whose health a change tells something, and those that were named."""
        who = build_vm_filter(self.scope)
        kinds = frozenset(self.needs.triggers - IGNORED_KINDS | LOSS_KINDS)
        note = "tolower(tostring(properties.changes['properties.annotationName']['newValue']))"
        state = "tostring(properties.changes['properties.availabilityState']['newValue'])"
        told = collect_names(kinds)[Signal.HEALTH]
        states = kql.list_literals(sorted(told & STATUSES.keys()))
        quiet = collect_names(frozenset(Kind) - kinds)[Signal.HEALTH] - STATUSES.keys()
        # An annotation may be told by a name of which another is the beginning, by none, or by one that nobody knows.
        silent = sorted(name for name in quiet if not any(other.startswith(name) for other in told))
        is_note = "tostring(properties.targetResourceType) =~ " + kql.literal(ANNOTATIONS)
        pattern = kql.literal(f"^({'|'.join(silent)})")
        telling = f"({is_note} and not({note} matches regex {pattern})) or {state} in~ ({states})"
        within = combine_conditions("and", kql.match_groups(who), match_subscriptions(self.scope.subscriptions))
        lines = (
            *_list_health_changes(self.span),
            f"where {combine_conditions('or', telling, kql.match_names(who))}",
            *((f"where {within}",) if within else ()),
            "distinct vm",
        )
        return " | ".join(lines)


def _list_health_changes(part: Window) -> tuple[str, ...]:
    return (
        "healthresourcechanges",
        f"where {_write_since('properties.changeAttributes.timestamp', part)}",
        f"extend vm = tostring(split(tolower(tostring(properties.targetResourceId)), '{HEALTH_PROVIDER}')[0])",
        "where vm contains '/microsoft.compute/virtualmachine'",
    )


def _write_since(member: str, part: Window) -> str:
    """The condition that a member's time lies in a part of the span."""
    return f"todatetime({member}) >= {write_instant(part.start)} and todatetime({member}) <= {write_instant(part.end)}"
