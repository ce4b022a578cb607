"""A cluster of Azure Data Explorer: its query endpoint in version 2, whose answers are frames; must not know ARM.

Source: "Azure Data Explorer: Query V2 HTTP response", and the frames that azure-kusto-data reads.
"""

import json
from urllib.request import Request, urlopen

from tests.arm.call import Answer, ApiCall, Refusal
from tests.arm.kusto_tables import QueryError, QueryResult
from tests.arm.routing import Route
from tests.arm.world import World
from tests.incidents.wire.plain import Json, JsonObject

DATABASE = "monitoring"
ROW_LIMIT = "Query result set has exceeded the internal record count limit"


def query_database(world: World, call: ApiCall) -> Answer:
    """The frames of what the query gives; what lies beyond the cap is cut, and the last frame says so."""
    body = call.decode_body()
    if world.tables is not None and world.tables.rest_url:
        return _relay_query(f"{world.tables.rest_url}/v2/rest/query", body)
    if world.tables is None or body.get("db") != DATABASE:
        raise Refusal(_build_refusal("BadRequest_EntityNotFound", f"Entity ID '{body.get('db')}' was not found."))
    try:
        found = world.tables.run_query(str(body.get("csl") or ""))
    except QueryError as error:
        raise Refusal(_build_refusal("BadRequest_SemanticError", f"Semantic error: {error}")) from error
    rows = found.rows[: world.row_cap]
    frames: list[Json] = [
        {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"},
        _build_table(0, "@ExtendedProperties", "QueryProperties", QueryResult({"TableId": "long"}, [[1]])),
        _build_table(1, "PrimaryResult", "PrimaryResult", QueryResult(found.columns, rows)),
        _build_table(2, "QueryCompletionInformation", "QueryCompletionInformation", _COMPLETED),
        _build_end(len(rows) < len(found.rows)),
    ]
    return Answer(body=frames)


def _relay_query(url: str, body: JsonObject) -> Answer:
    """What another server answers to the same question, unchanged."""
    asked = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own
    with urlopen(asked) as answer:  # noqa: S310
        return Answer(body=json.loads(answer.read()))


def describe_sign_in(world: World, call: ApiCall) -> Answer:
    """Where clients of the cluster sign in, which the official client asks before anything else."""
    directory: JsonObject = {
        "LoginEndpoint": call.origin,
        "LoginMfaRequired": False,
        "KustoClientAppId": world.principal.client,
        "KustoClientRedirectUri": "http://localhost",
        "KustoServiceResourceId": call.origin.replace("localhost", "127.0.0.1"),
        "FirstPartyAuthorityUrl": call.origin,
    }
    return Answer(body={"AzureAD": directory})


_COMPLETED = QueryResult({"Level": "long", "StatusDescription": "string"}, [[4, "Query completed successfully"]])


def _build_table(number: int, name: str, kind: str, held: QueryResult) -> JsonObject:
    columns: list[Json] = [{"ColumnName": column, "ColumnType": each} for column, each in held.columns.items()]
    return {
        "FrameType": "DataTable",
        "TableId": number,
        "TableKind": kind,
        "TableName": name,
        "Columns": columns,
        "Rows": list(held.rows),
    }


def _build_end(is_cut: bool) -> JsonObject:  # noqa: FBT001 - what it is about
    end: JsonObject = {"FrameType": "DataSetCompletion", "HasErrors": is_cut, "Cancelled": False}
    if is_cut:
        told: JsonObject = {
            "code": "LimitsExceeded",
            "message": "Request is invalid and cannot be executed.",
            "@type": "Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException",
            "@message": f"{ROW_LIMIT} (E_QUERY_RESULT_SET_TOO_LARGE).",
            "@permanent": False,
        }
        end["OneApiErrors"] = [{"error": told}]
    return end


def _build_refusal(code: str, message: str) -> Answer:
    said = "Request is invalid and cannot be executed."
    return Answer(status=400, body={"error": {"code": code, "message": said, "@message": message, "@permanent": True}})


ROUTES = (
    Route("/v2/rest/query", query_database, method="POST", audience="cluster"),
    Route("/v1/rest/auth/metadata", describe_sign_in, audience=""),
)
