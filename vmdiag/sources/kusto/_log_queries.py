"""What is asked of the tables of a Log Analytics workspace, or of a database that holds copies of them.

Each query finds for itself the VMs that are worth a look, in all tables together, so that it can be read and run alone:
those of which something telling was written, whose heartbeats paused, whose traffic fell, or whose tests failed. Of
these it gives all that is wanted; of the others that there are such VMs, and of their groups that the log was kept.
Sources: "Azure Monitor Logs reference" (AzureActivity, Heartbeat, AzureMetrics, NWConnectionMonitorTestResult), "union
operator" (`isfuzzy`: a table may be missing).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from functools import partial

from vmdiag.diagnosis.event_kinds import collect_names
from vmdiag.diagnosis.event_words import CHANGING
from vmdiag.identity import NETWORK_TYPES
from vmdiag.model import Needs, Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.decoding.log_entry import FEEDS_BY_CATEGORY
from vmdiag.sources.decoding.metric_names import AVERAGE_FIRST, KNOWN_METRICS, METRIC_SIGNALS, TOTAL_FIRST
from vmdiag.sources.kusto._table_query import (
    TableQuery,
    combine_conditions,
    extract_group,
    extract_vm,
    match_subscriptions,
    write_instant,
    write_span,
)
from vmdiag.sources.protocol import Scope
from vmdiag.sources.selection import IGNORED_KINDS, LOSS_KINDS, build_vm_filter
from vmdiag.values import Struct

LOG, HEARTBEAT, METRICS, TESTS = "AzureActivity", "Heartbeat", "AzureMetrics", kql.TEST_TABLE
MEASURED = (Signal.HEARTBEAT, *METRIC_SIGNALS)
LOG_REACH = f"{LOG}, oldest records"
LOG_SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
# A silence of heartbeats is one from here on (the contract's heartbeat channel). One of ten minutes leaves a slot of
# half of them empty, wherever the slots begin.
SILENCE = timedelta(minutes=10)
SLOT = "5m"
# Where the median falls to half of what it was before, two fifths of the minutes of some slot lie at half or less of
# what three fifths of another slot's did not exceed. A narrower test could miss a loss; VMs whose traffic merely varies
# pass this one, and the rest is the detector's.
FALL, LEVELS = 0.5, "low = percentile(value, 40), high = percentile(value, 60)"
# A test of which nearly all checks failed, as the detector has it; two of them make a fall.
FAILED_TEST = "(TestResult =~ 'fail' or ChecksFailed >= 0.95 * ChecksTotal)"
# The categories in which nothing is said of a VM, and those of health and of service health in both spellings.
SILENT_CATEGORIES = tuple(sorted(name for name, feed in FEEDS_BY_CATEGORY.items() if feed is None))
HEALTH_CATEGORIES, SERVICE_CATEGORIES = ("ResourceHealth", "Resource Health"), ("ServiceHealth", "Service Health")
# Who called, from where and with which claims is left where it is.
LOG_COLUMNS = (
    "TimeGenerated", "EventSubmissionTimestamp", "CategoryValue", "OperationNameValue", "ActivityStatusValue",
    "ActivitySubstatusValue", "CorrelationId", "SubscriptionId", "_ResourceId = target",
    "Properties = iff(tostring(Properties_d) in ('', '{}'), Properties, tostring(Properties_d))",
)  # fmt: skip


def build_log_queries(scope: Scope, span: Window, needs: Needs) -> tuple[TableQuery, ...]:
    """The queries for a scope and a span, one a table, and one for how far back the log reaches."""
    tables = _LogTables(scope, span, needs)
    beats = partial(TableQuery, table=HEARTBEAT, forms=("heartbeat",), signals=(Signal.HEARTBEAT,))
    points = partial(TableQuery, table=METRICS, forms=("azure-metrics",), signals=METRIC_SIGNALS)
    return (
        TableQuery(table=LOG, forms=("azure-activity",), signals=LOG_SIGNALS, write=tables.write_log_query),
        TableQuery(
            table=LOG_REACH,
            forms=(),
            signals=LOG_SIGNALS,
            lowers_verdict=False,
            write=lambda _: kql.join_lines(LOG, "summarize Oldest = min(TimeGenerated) by SubscriptionId"),
            is_timed=False,
        ),
        beats(write=tables.write_heartbeat_query),
        points(write=tables.write_metrics_query),
        TableQuery(
            table=TESTS,
            forms=("connection-monitor",),
            signals=(Signal.MONITOR,),
            write=tables.write_test_query,
            is_optional=True,
        ),
    )


def write_queries(scope: Scope, span: Window, needs: Needs) -> Mapping[str, str]:
    """The queries over a span, by what they read."""
    return {query.table: query.write(span) for query in build_log_queries(scope, span, needs)}


class _LogTables(Struct, frozen=True):
    """The queries over the tables for one scope, one span and what is needed."""

    scope: Scope
    span: Window
    needs: Needs

    def write_log_query(self, part: Window) -> str:
        """The records of the chosen VMs, the changes of networks in their groups, incidents, and what else is there."""
        told = kql.join_lines(
            f"let told = {LOG}",
            f"where {write_span('TimeGenerated', part)}",
            "extend target = iff(isempty(_ResourceId), ResourceId, _ResourceId)",
            f"extend vm = {extract_vm('target')}, scope = {extract_group('target')}",
        )
        kinds = "|".join(sorted(each.partition("/")[2] for each in NETWORK_TYPES))
        changing = f"^microsoft[.]network/({kinds})/(.*/)?({'|'.join(CHANGING)})$"
        is_change = f"tolower(OperationNameValue) matches regex {kql.literal(changing)}"
        is_incident = f"CategoryValue in~ ({kql.list_literals(SERVICE_CATEGORIES)})"
        is_incident += " or OperationNameValue startswith 'microsoft.servicehealth/'"
        branches = (
            f"(told | where vm in (chosen) and CategoryValue !in~ ({kql.list_literals(SILENT_CATEGORIES)}))",
            f"(told | where isempty(vm) and scope in (chosen_groups) and {is_change})",
            f"(told | where {is_incident})",
            # The newest record of each other VM and group: there is such a VM, and its log is kept here.
            "(told | where vm !in (chosen) | summarize arg_max(TimeGenerated, *) by SubscriptionId, scope, vm)",
        )
        return "\n".join(
            (
                *self._write_chosen(),
                f"let chosen_groups = chosen | extend scope = {extract_group('vm')} | distinct scope;",
                f"{told};",
                "union\n    " + ",\n    ".join(branches),
                f"| project {', '.join(LOG_COLUMNS)}",
            )
        )

    def write_heartbeat_query(self, part: Window) -> str:
        """The beats of the chosen VMs, a row a VM and day; of the others that there are such VMs."""
        rows = f"{HEARTBEAT}\n    | where {write_span('TimeGenerated', part)}"
        rows += f"\n    | extend vm = {extract_vm('_ResourceId')}"
        about = "OSType = max(OSType), Computer = max(Computer)"
        beats = f"beats = make_list(TimeGenerated), {about} by _ResourceId, day = bin(TimeGenerated, 1d)"
        return self._write_measured(rows, f"summarize {beats}", f"summarize {about} by _ResourceId")

    def write_metrics_query(self, part: Window) -> str:
        """The points of the chosen VMs' metrics, a row a VM, metric and day; of the others that there are such VMs."""
        rows = f"{METRICS}\n    | where {write_span('TimeGenerated', part)} and {_match_metrics(METRIC_SIGNALS)}"
        rows += f"\n    | extend vm = {extract_vm('_ResourceId')}, value = {_choose_aggregation()}"
        points = "points = make_list(pack_array(TimeGenerated, value)) by _ResourceId, MetricName, TimeGrain"
        return self._write_measured(rows, f"summarize {points}, day = bin(TimeGenerated, 1d)", "distinct _ResourceId")

    def write_test_query(self, part: Window) -> str:
        """What Connection Monitor's tests of the chosen VMs found, the times of one outcome in a row."""
        return "\n".join(
            (
                *self._write_chosen(),
                f"{TESTS}\n| where {write_span('TimeGenerated', part)}",
                f"| where {extract_vm('DestinationResourceId')} in (chosen)",
                f"| {kql.GATHERED_TESTS}",
            )
        )

    def _write_measured(self, rows: str, chosen: str, others: str) -> str:
        return "\n".join(
            (
                *self._write_chosen(),
                "union",
                f"    ({rows}\n    | where vm in (chosen)\n    | {chosen}),",
                f"    ({rows}\n    | where isnotempty(vm) and vm !in (chosen)\n    | {others})",
            )
        )

    def _write_chosen(self) -> Iterator[str]:
        """The VMs that are worth a look, and those that were named."""
        who = build_vm_filter(self.scope)
        named = kql.match_names(who)
        within = combine_conditions("and", kql.match_groups(who), match_subscriptions(self.scope.subscriptions))
        inside = f"\n    | where {within}" if within else ""
        yield "let chosen = materialize(union isfuzzy=true"
        yield ",\n".join(f"    ({each}{inside}\n    | distinct vm)" for each in self._find_suspects(named))
        yield "| distinct vm);"

    def _find_suspects(self, named: str) -> Iterator[str]:
        """The VMs that a table shows to be worth a look, by table."""
        span = write_span("TimeGenerated", self.span)
        kinds = self.needs.triggers - IGNORED_KINDS | LOSS_KINDS
        ended = write_instant(self.span.end - SILENCE)
        is_silent = f"slots < (newest - oldest) / {SLOT} + 1 or newest < {ended}"
        has_fallen = f"low <= {FALL} * high and {_match_metrics((Signal.TRAFFIC,))}"
        operations = sorted(collect_names(kinds)[Signal.ACTIVITY])
        # What Resource Health says is taken whole: the log tells it by sentences, and some of it in no known words.
        is_telling = (
            f"CategoryValue in~ ({kql.list_literals(HEALTH_CATEGORIES)})"
            " or OperationNameValue startswith 'microsoft.resourcehealth/healthevent/'"
            f" or OperationNameValue in~ ({kql.list_literals(operations)})"
        )
        log = (
            LOG,
            f"where {span}",
            f"extend vm = {extract_vm('iff(isempty(_ResourceId), ResourceId, _ResourceId)')}",
            f"where isnotempty(vm) and ({combine_conditions('or', is_telling, named)})",
        )
        beats = (
            HEARTBEAT,
            f"where {span}",
            f"extend vm = {extract_vm('_ResourceId')}",
            f"summarize beats = count() by vm, slot = bin(TimeGenerated, {SLOT})",
            "summarize slots = count(), oldest = min(slot), newest = max(slot) by vm",
            f"where isnotempty(vm) and ({combine_conditions('or', is_silent, named)})",
        )
        points = (
            METRICS,
            f"where {span} and {_match_metrics(METRIC_SIGNALS)}",
            f"extend vm = {extract_vm('_ResourceId')}, value = {_choose_aggregation()}",
            f"summarize {LEVELS} by vm, MetricName, slot = bin(TimeGenerated, {SLOT})",
            "summarize low = min(low), high = max(high) by vm, MetricName",
            f"where isnotempty(vm) and ({combine_conditions('or', has_fallen, named)})",
        )
        tests = (
            TESTS,
            f"where {span}",
            f"extend vm = {extract_vm('DestinationResourceId')}",
            f"where isnotempty(vm) and ({combine_conditions('or', FAILED_TEST, named)})",
            "summarize failed = count() by vm",
            f"where {combine_conditions('or', 'failed > 1', named)}",
        )
        return map("\n    | ".join, (log, beats, points, tests))


def _match_metrics(signals: Collection[Signal]) -> str:
    wanted = (each.name for each in KNOWN_METRICS if each.signal in signals)
    return f"MetricName in~ ({kql.list_literals(wanted)})"


def _choose_aggregation() -> str:
    """The aggregation of a metric that is read, the best that is there; the formats' rule, as an expression."""
    totals = kql.list_literals(each.name for each in KNOWN_METRICS if each.aggregations == TOTAL_FIRST)
    total_first, average_first = (", ".join(map(str.capitalize, names)) for names in (TOTAL_FIRST, AVERAGE_FIRST))
    return f"iff(MetricName in~ ({totals}), coalesce({total_first}), coalesce({average_first}))"
