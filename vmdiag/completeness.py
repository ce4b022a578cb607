"""Whether an answer or an export is whole, by what it says of itself, and what is said of a row that cannot be used.

The one place that decides it, for live answers and for files of every form. Sources: "Log Analytics API: Response
format" (`error` beside `tables`), "Azure Resource Graph: Work with large data sets" (`resultTruncated`, `$skipToken`,
`totalRecords` above `count`), "OData JSON: nextLink", "Kusto REST API: response" (`Exceptions`, `HasErrors`).
"""

from collections.abc import Mapping

from vmdiag.identity import VmId
from vmdiag.values import Struct

Row = Mapping[str, object]
LONGEST = 400  # characters of what Azure says; the reason of a gap is a sentence, not a page


class MalformedRow(Exception):  # noqa: N818 - it is a row that is malformed, not an error of ours
    """A row that cannot be used; `vm` when it can be told whom it concerned, `part` what could be read of it.

    What is not `is_record` only stands between records, such as a tool's words of warning.
    """

    def __init__(self, reason: str, vm: VmId | None = None, part: Row | None = None, *, is_record: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.vm = vm
        self.part = part
        self.is_record = is_record


class Missing(Struct, frozen=True, kw_only=True):
    """Why something is not whole.

    `is_continued` says that nothing but later pages is missing, `rows` and `total` how many there are and should be:
    who holds the pages that follow holds the whole. `link` is where they are, `member` the list that is missing.
    """

    reason: str
    is_continued: bool = False
    rows: int = 0
    total: int = 0
    link: str = ""
    member: str = ""


# Members, in lower case and without `$`, `@odata.` and `_`: REST, the CLI, PowerShell and OData spell them differently.
LINKS = ("nextlink", "skiptoken", "continuationtoken")
TOTALS = ("totalrecords", "totalcount", "count")
ERRORS = ("error", "exceptions", "oneapierrors")
TRUNCATED = "resulttruncated"
FLAGS = {
    TRUNCATED: "it says that its result was truncated (resultTruncated)",
    "haserrors": "it says that the query failed on the way (HasErrors)",
    "cancelled": "it says that the query was cancelled on the way (Cancelled)",
}
SIGNS = frozenset({*LINKS, *TOTALS, *ERRORS, *FLAGS})
# What stands beside a list and is no record of its own: an object of nothing else is an answer that lacks its list.
BESIDE = SIGNS | {"value", "data", "tables", "records", "values", "facets", "timespan", "cost", "interval"}


class Limit(Struct, frozen=True):
    """So many rows, and what stops there by itself."""

    rows: int
    tool: str
    way_out: str


AZ_LOG = Limit(50, "`az monitor activity-log list`", "export it again with a larger --max-events")
PS_LOG = Limit(1_000, "`Get-AzActivityLog`", "export it again with a larger -MaxRecord, or a shorter span at a time")
GRAPH = tuple(
    Limit(rows, "`az graph query`", "export it again page by page (--skip-token), or ask for fewer VMs at a time")
    for rows in (100, 1_000)
)
GRAPH_CSV = Limit(55_000, "Resource Graph Explorer's CSV", "export it again in parts")
LOG_ANALYTICS = (
    Limit(30_000, "the portal's Log Analytics", "export it again, a shorter span at a time"),
    Limit(500_000, "a Log Analytics query", "export it again, a shorter span at a time"),
)
# By format. Sources: `az monitor activity-log list --help`, "Get-AzActivityLog", "Azure Resource Graph: Work with large
# data sets" (100 by default, 1,000 at most, 55,000 as CSV), "Azure Monitor service limits: log queries".
TOOL_LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "activity-log": (AZ_LOG, PS_LOG),
    "azure-activity": LOG_ANALYTICS,
    "azure-metrics": LOG_ANALYTICS,
    "heartbeat": LOG_ANALYTICS,
    "powershell-activity-log": (PS_LOG,),
    "resource-changes": (*GRAPH, GRAPH_CSV),
    "resource-graph-health": (*GRAPH, GRAPH_CSV),
    "resource-graph-health-changes": (*GRAPH, GRAPH_CSV),
    "resources": (*GRAPH, GRAPH_CSV),
}


def find_missing_part(answer: Mapping[str, object], rows: int, *, is_followed: bool = False) -> Missing | None:
    """Why an answer with so many rows says that it is not whole; `is_followed` where its next page was asked for."""
    told, link = _fold_keys(answer), find_continuation(answer)
    faults = [f"Azure answered in part{_describe_error(error)}" for error in map(told.get, ERRORS) if error]
    # Where a next page is named it is that which is missing.
    flags = [name for name in FLAGS if not (link and name == TRUNCATED)]
    faults += [FLAGS[name] for name in flags if str(told.get(name)).lower() == "true"]
    if any(told.get(name) and not isinstance(told[name], str) for name in LINKS):
        faults.append("it names a next page, and not in a form that can be followed")
    if faults:
        # No later page can mend it.
        return Missing(reason=faults[0], rows=rows)
    total = max(map(_parse_count, map(told.get, TOTALS)))
    if is_followed or (not link and total <= rows):
        return None
    reason = "it names a next page that is not in it" if link else f"it holds {rows} of {total} records"
    return Missing(reason=reason, is_continued=True, rows=rows, total=total, link=link)


def find_missing_list(answer: object, member: str) -> Missing | None:
    """Why an answer that should hold a list under `member` holds none: null, another thing, or no such member."""
    if not isinstance(answer, Mapping):
        return Missing(reason=f"the answer is {_name_kind(answer)}, not an object with {member!r}")
    held = answer.get(member)
    if isinstance(held, list) or (isinstance(held, Mapping) and isinstance(held.get("rows"), list)):
        return None
    lack = f"{member!r} is {_name_kind(held)}, not a list" if member in answer else f"it has no {member!r}"
    return Missing(reason=f"the answer holds no list: {lack}")


def lacks_its_list(document: Mapping[str, object]) -> Missing | None:
    """Why a document is an answer of which everything is there but the list; `None` where it is anything else."""
    names = _fold_keys(document)
    member = next((name for name in ("value", "data", "tables", "records") if name in names), "")
    if not member or isinstance(names[member], list | Mapping) or not names.keys() <= BESIDE:
        return None
    reason = f"the answer holds no list: {member!r} is {_name_kind(names[member])}"
    return Missing(reason=reason, link=find_continuation(document), member=member)


def holds_its_total(answer: Mapping[str, object], rows: int) -> bool:
    """Whether an answer says how many records there are beyond its page, and they are all in it."""
    totals = map(_fold_keys(answer).get, TOTALS[:2])
    return any(isinstance(total, int | str) and _parse_count(total) <= rows for total in totals)


def list_missing_parts(part: Mapping[str, object], rows: int) -> tuple[Missing, ...]:
    """Why an answer, or a part of one, with so many rows is not whole; nothing where it is."""
    lack = find_missing_part(part, rows)
    return () if lack is None else (lack,)


def is_sign(name: str) -> bool:
    """Whether a member of an answer may say something of its completeness."""
    return _fold_key(name) in SIGNS


def find_continuation(answer: object) -> str:
    """Where the next page is: a link, or a token; empty on the last page."""
    if not isinstance(answer, Mapping):
        return ""
    found = map(_fold_keys(answer).get, LINKS)
    return next((value for value in found if isinstance(value, str) and value), "")


def find_reached_limit(form: str, rows: int) -> Missing | None:
    """Why an export of exactly its tool's limit was probably cut."""
    for limit in TOOL_LIMITS.get(form, ()):
        if rows == limit.rows:
            stops = f"it holds exactly {rows:,} records, where {limit.tool} stops"
            return Missing(reason=f"{stops}: it was probably cut; {limit.way_out}", rows=rows)
    return None


def _fold_keys(answer: Mapping[str, object]) -> dict[str, object]:
    return dict(zip(map(_fold_key, answer), answer.values(), strict=True))


def _fold_key(name: str) -> str:
    return name.lower().replace("_", "").lstrip("$@").removeprefix("odata.")


def _parse_count(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:  # noqa: PLR2004 - no count
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _describe_error(inner: object) -> str:
    """What an error says, in brackets; empty where it says nothing."""
    words: list[str] = []
    # The innermost says what happened ("exceed the set limit"), the outermost only that something did.
    for _ in range(5):
        if isinstance(inner, list):
            inner = inner[0] if inner else None
        if not isinstance(inner, Mapping):
            words += [inner] if isinstance(inner, str) else []
            break
        words += [word for key in ("code", "message") if isinstance(word := inner.get(key), str) and word]
        inner = inner.get("innererror") or inner.get("innerError") or inner.get("details") or inner.get("error")
    said = ": ".join(dict.fromkeys(words))[:LONGEST]
    return f" ({said})" if said else ""


def _name_kind(value: object) -> str:
    return {type(None): "null", list: "a bare list", str: "a text"}.get(type(value), "no list")
