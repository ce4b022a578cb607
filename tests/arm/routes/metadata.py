"""`/metadata/endpoints`: which clouds there are, and where their parts live; must not know tokens."""

from tests.arm.call import Answer, ApiCall, refuse
from tests.arm.routing import Route
from tests.arm.world import World
from tests.incidents.wire.plain import Json, JsonObject

_ARRAY_VERSIONS = ("2019-05-01",)
_OBJECT_VERSIONS = ("2022-09-01", "2023-11-01", "2023-12-01")


def list_endpoints(world: World, call: ApiCall) -> Answer:
    """An array of clouds in the older version, this one second; this cloud alone in the newer."""
    version = call.query.get("api-version", "")
    if version not in (*_ARRAY_VERSIONS, *_OBJECT_VERSIONS):
        refuse(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    form = world.metadata or ("array" if version in _ARRAY_VERSIONS else "object")
    own = _describe_cloud("LocalCloud", call.origin, world.logs or call.origin.replace("localhost", "127.0.0.1"))
    if world.audience is not None:
        own["authentication"] = {"loginEndpoint": call.origin, "audiences": [world.audience]}
    decoy = _describe_cloud("DecoyCloud", "https://management.decoy.example", "https://logs.decoy.example")
    clouds: Json = [decoy, own]
    return Answer(body=clouds if form == "array" else own)


def _describe_cloud(name: str, arm: str, logs: str) -> JsonObject:
    """The parts as the public cloud lists them; hosts that nobody here serves end in .example."""
    return {
        "name": name,
        "portal": "https://portal.example",
        "authentication": {
            "loginEndpoint": arm,
            "audiences": [f"{arm}/", "https://management.core.localhost/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": f"{arm}/",
        "graph": "https://graph.example/",
        "graphAudience": "https://graph.example/",
        "microsoftGraphResourceId": "https://graph.example/",
        "batch": "https://batch.example/",
        "media": "https://media.example",
        "sqlManagement": "https://sql.example/",
        "gallery": "https://gallery.example/",
        "vmImageAliasDoc": "https://aliases.example",
        "logAnalyticsResourceId": logs,
        "synapseAnalyticsResourceId": "https://synapse.example",
        "attestationResourceId": "https://attest.example",
        "appInsightsResourceId": "https://insights.example",
        "ossrdbmsResourceId": "https://ossrdbms.example",
        "activeDirectoryDataLake": "https://datalake.example/",
        "suffixes": {
            "storage": "storage.example",
            "keyVaultDns": "vault.example",
            "sqlServerHostname": "database.example",
            "acrLoginServer": "registry.example",
            "azureDataLakeStoreFileSystem": "datalakestore.example",
            "azureDataLakeAnalyticsCatalogAndJob": "datalakeanalytics.example",
            "mysqlServerEndpoint": "mysql.example",
            "postgresqlServerEndpoint": "postgres.example",
            "mariadbServerEndpoint": "mariadb.example",
            "mhsmDns": "managedhsm.example",
            "storageSyncEndpointSuffix": "afs.example",
            "synapseAnalytics": "dev.synapse.example",
            "attestationEndpoint": "attest.example",
        },
    }


ROUTES = (Route("/metadata/endpoints", list_endpoints, audience=""),)
