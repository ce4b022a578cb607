"""Records of the activity log as structs, with the members that their schemas name and no others.

Only what tells time and subject is read; what has any other member is no such struct. They are for records that come by
the million, of which most say nothing.
"""

from datetime import datetime
from typing import Annotated

import msgspec


class _Object(msgspec.Struct, gc=False):
    """An object of which nothing is read."""


class _Localized(msgspec.Struct, gc=False):
    value: str


class ExportedRecord(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A record with the members that the schema names and no others, of which only time and subject are read."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    resourceId: str  # noqa: N815 - the schema's own names, here and below
    operationName: str  # noqa: N815
    category: str
    resultType: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resultSignature: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resultDescription: msgspec.Raw = msgspec.Raw()  # noqa: N815
    durationMs: msgspec.Raw = msgspec.Raw()  # noqa: N815
    callerIpAddress: msgspec.Raw = msgspec.Raw()  # noqa: N815
    correlationId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    identity: _Object | None = None
    level: msgspec.Raw = msgspec.Raw()
    location: msgspec.Raw = msgspec.Raw()
    properties: _Object | None = None
    tenantId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    RoleLocation: msgspec.Raw = msgspec.Raw()
    ReleaseVersion: msgspec.Raw = msgspec.Raw()


class LoggedEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event with the members that the schema names and no others, of which only time and subject are read."""

    time: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="eventTimestamp")
    resourceId: str  # noqa: N815 - the schema's own names, here and below
    operationName: _Localized  # noqa: N815
    category: _Localized
    authorization: _Object | None = None
    caller: msgspec.Raw = msgspec.Raw()
    channels: msgspec.Raw = msgspec.Raw()
    claims: _Object | None = None
    correlationId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    description: msgspec.Raw = msgspec.Raw()
    eventDataId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    eventName: _Object | None = None  # noqa: N815
    httpRequest: _Object | None = None  # noqa: N815
    id: msgspec.Raw = msgspec.Raw()
    level: msgspec.Raw = msgspec.Raw()
    operationId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    properties: _Object | None = None
    resourceGroup: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resourceGroupName: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resourceProviderName: _Object | None = None  # noqa: N815
    resourceType: _Object | None = None  # noqa: N815
    status: _Object | None = None
    subStatus: _Object | None = None  # noqa: N815
    submissionTimestamp: msgspec.Raw = msgspec.Raw()  # noqa: N815
    subscriptionId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    tenantId: msgspec.Raw = msgspec.Raw()  # noqa: N815
