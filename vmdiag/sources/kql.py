"""The Kusto queries of a live reading, as texts, and the parts of which queries are made.

Sources: "Understanding the Azure Resource Graph query language" (tables, `mv-expand` and `join` limits), "Azure
Resource Graph sample queries for HealthResources", "Azure Monitor Logs reference" (Heartbeat,
NWConnectionMonitorTestResult), "Microsoft.Network networkWatchers/connectionMonitors" (templates). Every query that
goes to Resource Graph projects `id` and is ordered by it: without the id it is cut at the first page in silence.
"""

from collections.abc import Iterable

from vmdiag.identity import is_pattern
from vmdiag.model import Window
from vmdiag.sources.protocol import VmFilter

# Which segments of an id have them: /subscriptions/S/resourceGroups/GROUP/providers/P/virtualMachines/NAME.
_NAME, _GROUP = 8, 4
TEST_TABLE = "NWConnectionMonitorTestResult"
# What is told of a test besides its time; tests of one outcome, and there are few, are one row a day.
TEST_COLUMNS = (
    "SourceResourceId", "SourceName", "SourceAddress", "SourceIP", "DestinationResourceId", "DestinationIP",
    "DestinationAddress", "DestinationPort", "Protocol", "TestResult", "ChecksTotal", "ChecksFailed",
    "ChecksFailedPercentThreshold",
)  # fmt: skip
GATHERED_TESTS = (
    f"summarize times = make_list(TimeGenerated) by {', '.join(TEST_COLUMNS)}, day = bin(TimeGenerated, 1d)"
)
# Without it 128 elements of an array become rows, and the rest is lost in silence; no more than 400 are allowed.
MOST = "limit 400"

# An agent beats once a minute, so that some seconds more or less leave none of an hour's slots of this length empty.
BEAT_SLOT, BEAT_SLOTS = "90s", 40


def machines(who: VmFilter) -> str:
    """The VMs with their inventory and power state."""
    return join_lines(
        *_choose_resources("microsoft.compute/virtualmachines", "id", who),
        "project id, name, type, location, resourceGroup, subscriptionId, tags, properties",
        "order by id asc",
    )


def passages(who: VmFilter) -> str:
    """The VMs' network interfaces, a row for each of their addresses, with what lies in the subnet's way.

    Each row holds of its interface only its own address: an interface with 256 of them would fill a page by itself.
    """
    return join_lines(
        *_choose_resources("microsoft.network/networkinterfaces", "tostring(properties.virtualMachine.id)", who),
        f"mv-expand way = properties.ipConfigurations {MOST}",
        "extend subnet = tolower(tostring(way.properties.subnet.id))",
        "extend public = tolower(tostring(way.properties.publicIPAddress.id))",
        "extend own = bag_pack('virtualMachine', properties.virtualMachine,"
        " 'networkSecurityGroup', properties.networkSecurityGroup, 'ipConfigurations', pack_array(way))",
        "project id, type, vm, properties = own, subnet, public",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.network/virtualnetworks'"
        f" | mv-expand inside = properties.subnets {MOST}"
        " | project subnet = tolower(tostring(inside.id)), vnet = tolower(id),"
        " rules = tostring(inside.properties.networkSecurityGroup.id),"
        " routes = tostring(inside.properties.routeTable.id),"
        " gateway = tostring(inside.properties.natGateway.id)"
        ") on subnet",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.network/publicipaddresses'"
        " | project public = tolower(id), address = tostring(properties.ipAddress),"
        " allocation = tostring(properties.publicIPAllocationMethod)"
        ") on public",
        "project id, type, vm, properties, subnet, vnet, rules, routes, gateway, public, address, allocation",
        "order by id asc",
    )


def neighbours(who: VmFilter, most: int) -> str:
    """Some other VMs in the subnets of these: what they share shows whether an outage is the VM's own."""
    return join_lines(
        *_choose_resources("microsoft.network/networkinterfaces", "tostring(properties.virtualMachine.id)", who),
        f"mv-expand way = properties.ipConfigurations {MOST}",
        "extend subnet = tolower(tostring(way.properties.subnet.id))",
        "project asked = vm, subnet",
        "join kind=inner ("
        "resources"
        " | where type =~ 'microsoft.network/networkinterfaces'"
        " | extend vm = tostring(properties.virtualMachine.id)"
        " | where isnotempty(vm)"
        f" | mv-expand way = properties.ipConfigurations {MOST}"
        " | project id, vm, subnet = tolower(tostring(way.properties.subnet.id))"
        ") on subnet",
        "where vm !~ asked",
        "project id, asked, vm, subnet",
        "order by id asc",
        f"take {most}",
    )


def maintenance(who: VmFilter) -> str:
    """What Azure has announced for the VMs: scheduled events, and updates that are to come.

    Events of a set bear the set's id and name its VMs among their resources, so those of all sets are asked for.
    """
    sets = ("/microsoft.compute/availabilitysets/", "/microsoft.compute/virtualmachinescalesets/")
    of_sets = " or ".join(f"vm contains {literal(kind)}" for kind in sets)
    return join_lines(
        "maintenanceresources",
        "where type in~ ('microsoft.maintenance/scheduledevents', 'microsoft.maintenance/updates')",
        "extend vm = tostring(split(tolower(id), '/providers/microsoft.maintenance/')[0])",
        f"where vm in~ ({list_literals(who.ids)}) or {of_sets}",
        "project id, vm, properties",
        "order by id asc",
    )


def finished_events() -> str:
    """The scheduled events of all VMs that tell of a live migration."""
    return join_lines(
        "maintenanceresources",
        "where type =~ 'microsoft.maintenance/scheduledevents'",
        "where tostring(properties.Description) contains 'live migration'",
        "project id, type, properties",
        "order by id asc",
    )


def regions(who: VmFilter) -> str:
    """Where the VMs are."""
    return join_lines(
        *_choose_resources("microsoft.compute/virtualmachines", "id", who), "project id, location", "order by id asc"
    )


def health_changes(who: VmFilter, window: Window) -> str:
    """What changed in the VMs' health: annotations and availability states."""
    return join_lines(
        "healthresourcechanges",
        f"where todatetime(properties.changeAttributes.timestamp) >= {write_instant(window)}",
        "extend target = tolower(tostring(properties.targetResourceId))",
        "extend vm = tostring(split(target, '/providers/microsoft.resourcehealth/')[0])",
        *_about(who),
        "project id, type, subscriptionId, resourceGroup, properties",
        "order by id asc",
    )


def workspaces(who: VmFilter) -> str:
    """Which Log Analytics workspaces the VMs' agents write to, by their data collection rules."""
    return join_lines(
        "insightsresources",
        "where type =~ 'microsoft.insights/datacollectionruleassociations'",
        "extend vm = tostring(split(tolower(id), '/providers/microsoft.insights/')[0])",
        *_about(who),
        "extend rule = tolower(tostring(properties.dataCollectionRuleId))",
        "join kind=inner ("
        "resources"
        " | where type =~ 'microsoft.insights/datacollectionrules'"
        " | mv-expand destination = properties.destinations.logAnalytics"
        " | project rule = tolower(id), workspace = tostring(destination.workspaceId)"
        ") on rule",
        "project id, vm, workspace",
        "order by id asc",
    )


def heartbeats(ids: Iterable[str], window: Window) -> str:
    """The agents' signs of life: a row a VM and day, for a row a beat would repeat an id a thousand times a day."""
    return join_lines(
        "Heartbeat",
        f"where TimeGenerated >= {write_instant(window)} and TimeGenerated <= {write_instant(window, end=True)}",
        f"where _ResourceId in~ ({list_literals(ids)})",
        "summarize beats = make_list(TimeGenerated) by _ResourceId, day = bin(TimeGenerated, 1d)",
    )


def test_results(ids: Iterable[str], window: Window) -> str:
    """What Connection Monitor's tests of some VMs found, the times of one outcome in a row."""
    return join_lines(
        TEST_TABLE,
        f"where TimeGenerated >= {write_instant(window)} and TimeGenerated <= {write_instant(window, end=True)}",
        f"where DestinationResourceId in~ ({list_literals(ids)})",
        GATHERED_TESTS,
    )


def connection_monitors() -> str:
    """What the connection monitors look at, and the workspaces, by their own ids, that they write to."""
    return join_lines(
        "resources",
        "where type =~ 'microsoft.network/networkwatchers/connectionmonitors'",
        f"mv-expand output = properties.outputs {MOST}",
        "extend target = tolower(tostring(output.workspaceSettings.workspaceResourceId))",
        "project id, endpoints = properties.endpoints, groups = properties.testGroups, target",
        "join kind=inner ("
        "resources"
        " | where type =~ 'microsoft.operationalinsights/workspaces'"
        " | project target = tolower(id), workspace = tostring(properties.customerId)"
        ") on target",
        "project id, endpoints, groups, workspace",
        "order by id asc",
    )


def heartbeats_by_hour(ids: Iterable[str], window: Window) -> str:
    """The same in brief: how many came in each hour, and each of an hour in which some may be missing.

    Of an hour that has a beat in every slot the first and the last are enough: none of its gaps is as long as two
    slots, and those at its ends show in them.
    """
    return join_lines(
        "Heartbeat",
        f"where TimeGenerated >= {write_instant(window)} and TimeGenerated <= {write_instant(window, end=True)}",
        f"where _ResourceId in~ ({list_literals(ids)})",
        "summarize told = count(), beats = make_list(TimeGenerated), oldest = min(TimeGenerated),"
        f" newest = max(TimeGenerated), slots = make_set(bin(TimeGenerated, {BEAT_SLOT}))"
        " by _ResourceId, hour = bin(TimeGenerated, 1h)",
        f"extend beats = iff(array_length(slots) >= {BEAT_SLOTS}, pack_array(oldest, newest), beats)",
        "summarize hours = make_list(pack_array(told, beats)) by _ResourceId, day = bin(hour, 1d)",
    )


def literal(text: str) -> str:
    """A text as a string literal, whatever it holds."""
    safe = "".join(each if each.isprintable() else " " for each in text)
    return "'" + safe.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _choose_resources(kind: str, vm: str, who: VmFilter) -> tuple[str, ...]:
    """The resources of a kind that belong to the VMs; `vm` is where they name theirs."""
    return "resources", f"where type =~ '{kind}'", f"extend vm = {vm}", *_about(who)


def _about(who: VmFilter) -> Iterable[str]:
    """The conditions on the column `vm`, which holds a VM's id."""
    return (f"where {condition}" for condition in (match_names(who), match_groups(who)) if condition)


def match_names(who: VmFilter) -> str:
    """The condition that the column `vm` holds one of the VMs that are named; empty where none is."""
    named = [f"tostring(split(vm, '/')[{_NAME}]) in~ ({list_literals(who.names)})"] if who.names else []
    known = [f"vm in~ ({list_literals(who.ids)})"] if who.ids else []
    return " or ".join((*known, *named, *(_fits(group or "*", name) for group, name in who.patterns)))


def match_groups(who: VmFilter) -> str:
    """The condition that the VM of the column `vm` lies in one of the groups; empty where any will do."""
    plain = tuple(group for group in who.groups if not is_pattern(group))
    inside = [f"tostring(split(vm, '/')[{_GROUP}]) in~ ({list_literals(plain)})"] if plain else []
    return " or ".join((*inside, *(_fits(group, "*") for group in who.groups if is_pattern(group))))


def _fits(group: str, name: str) -> str:
    """The condition that a VM's group and name are what patterns mean.

    Sources: "Azure Resource Graph: advanced query samples" (virtual machines matched by regex), "RE2 syntax" (Kusto
    Query Language).
    """
    above = f"^/subscriptions/[^/]+/resourcegroups/{_regex(group)}/providers/microsoft[.]compute/"
    return f"tolower(vm) matches regex {literal(f'{above}([^/]+/[^/]+/)?virtualmachines/{_regex(name)}$')}"


def _regex(pattern: str) -> str:
    wild = {"*": "[^/]*", "?": "[^/]"}
    # Whatever a name or a group cannot hold fits no VM.
    plain = (each if each.isalnum() or each in "*?._-()" else "/" for each in pattern.lower())
    return "".join(wild.get(each) or (each if each.isalnum() else f"[{each}]") for each in plain)


def list_literals(texts: Iterable[str]) -> str:
    """Texts as literals, with commas between."""
    return ", ".join(map(literal, texts))


def write_instant(window: Window, *, end: bool = False) -> str:
    """The beginning of a window, or its end, as a literal."""
    return f"datetime({(window.end if end else window.start):%Y-%m-%dT%H:%M:%SZ})"


def join_lines(*parts: str) -> str:
    """Operators, one a line."""
    return "\n| ".join(parts)
