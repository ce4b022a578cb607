"""What Azure has announced to do to a VM or has done, and whether it publishes such announcements at all.

Sources: "Scheduled Events in Azure Resource Graph" (events of a scale set bear the set's id and name the VMs in
`Resources`; for availability sets that is inferred; to publish takes a feature flag, and a policy on the VM or on the
set that it is in; a row is overwritten at each status and has no time), "REST API: Features - Get". How long a row is
kept, and which right shows it besides reading the VM, stands on no page.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from vmdiag.arm.request import Request
from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_words import HAPPENING, MIGRATION, UNTIMED_EVENT
from vmdiag.identity import VmId, is_placeholder
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import FeedRequest, build_graph_request
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_list, to_mapping, to_text
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import scheduled_events_resource_graph
from vmdiag.sources.items import Item, VmRecord
from vmdiag.values import replace

# Announced events that stop a VM; a freeze does not, and what has ended is no announcement.
STOPPING_EVENTS, ENDED_STATUSES = ("redeploy", "reboot", "restart", "preempt", "terminate"), ("completed", "canceled")
PUBLISHING_FEATURE = "SendScheduledEventsPolicy"


def build_history_request(subscriptions: Iterable[str]) -> FeedRequest:
    """The live migrations that scheduled events tell of: hints without a time, which decide nothing."""

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        with suppress(MalformedRow):  # it names its VM by an alias, or none
            for item in scheduled_events_resource_graph.decode_row(row, ref):
                if not isinstance(item, VmRecord) or is_placeholder(item.vm):
                    continue
                said = item.record.facts.get("summary", "").lower()
                if item.record.status.lower() in HAPPENING and MIGRATION in said:
                    yield replace(item, record=replace(item.record, name=UNTIMED_EVENT))

    request = build_graph_request("scheduled events", kql.finished_events(), subscriptions)
    return FeedRequest(request=request, read_items=read_items, list_member="data")


def list_set_ids(machine: Row) -> list[str]:
    """The ids of the sets that a VM is in."""
    ids = (
        to_text(get_path(machine, "properties", word, "id")) for word in ("availabilitySet", "virtualMachineScaleSet")
    )
    return list(filter(None, ids))


def build_policy_request(set_id: str) -> Request:
    """A set, for its policy: a VM of a set cannot carry its own."""
    kind = set_id.lower().rpartition("/providers/microsoft.compute/")[2]
    name = "virtualMachineScaleSets" if kind.startswith("virtualmachinescalesets/") else "availabilitySets"
    return Request(
        description=f"the set {set_id.rpartition('/')[2]}",
        service="virtual-machine",
        path=set_id,
        permission=f"Microsoft.Compute/{name}/read",
    )


def build_feature_request(subscription: str) -> Request:
    """Whether a subscription, given by its id, has opted into publishing scheduled events."""
    return Request(
        description=f"the feature {PUBLISHING_FEATURE}",
        service="features",
        path=f"{subscription}/providers/Microsoft.Features/providers/Microsoft.Compute/features/{PUBLISHING_FEATURE}",
        permission="Microsoft.Features/providers/features/read",
    )


def is_feature_registered(feature: Row) -> bool:
    """Whether a feature flag is on."""
    return to_text(get_path(feature, "properties", "state")).lower() == "registered"


def has_publishing_policy(members: Row) -> bool:
    """Whether the policy of a VM or set lets its scheduled events be published."""
    targets = get_path(members, "scheduledEventsPolicy", "scheduledEventsAdditionalPublishingTargets")
    return get_path(targets, "eventGridAndResourceGraph", "enable") is True


def has_automatic_approval(members: Row) -> bool:
    """Whether a redeploy by a user starts at once, whatever listens inside the guest."""
    return get_path(members, "scheduledEventsPolicy", "userInitiatedRedeploy", "automaticallyApprove") is True


def describe_scheduled_events(vm: VmId, sets: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """What is announced for the VM, by its own events and by those of its sets that name it, or nobody."""
    set_ids = {each.lower() for each in sets}
    for row in rows:
        about, properties = to_text(row.get("vm")).lower(), to_mapping(row.get("properties"))
        # A scheduled event stands alone, updates in a list.
        events = iter_objects(properties.get("value")) if "value" in properties else iter((properties,))
        for event in ({str(name).lower(): value for name, value in each.items()} for each in events):
            kind = (to_text(event.get("eventtype")) or to_text(event.get("impacttype"))).lower()
            status = (to_text(event.get("eventstatus")) or to_text(event.get("status"))).lower()
            if kind not in STOPPING_EVENTS or status in ENDED_STATUSES:
                continue
            when = parse_time(to_text(event.get("notbefore")))
            said = f"Azure has announced a {kind}" + (f" for {when:%Y-%m-%d %H:%M}Z or later" if when else "")
            if VmId.parse(about) == vm:
                yield said
            elif about in set_ids:
                names = {to_text(name).lower().rpartition("/")[2] for name in to_list(event.get("resources"))}
                target = VmId.parse(to_text(event.get("targetresourceid")))
                names |= {target.name.lower()} if target is not None else set()
                whole = about.rpartition("/")[2]
                if vm.name.lower() in names:
                    yield said
                elif not names - {"", whole}:
                    # Which of its VMs are meant is not told: each may be.
                    yield f"{said}, in its set {whole} and without a word of which VMs are meant"


def describe_maintenance_window(members: Row, now: datetime) -> Iterator[str]:
    """Planned maintenance as the instance view tells it."""
    status = to_mapping(get_path(members, "instanceView", "maintenanceRedeployStatus"))
    start, end = (parse_time(status.get(f"maintenanceWindow{bound}Time")) for bound in ("Start", "End"))
    if start is not None and end is not None and end > now:
        yield f"planned maintenance from {start:%Y-%m-%d %H:%M}Z to {end:%Y-%m-%d %H:%M}Z"
