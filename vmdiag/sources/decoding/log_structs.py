"""Records of the activity log as structs, with the members that their schemas name and no others.

Only what tells time and subject is read; what has any other member is no such struct. They are for records that come by
the million, of which most say nothing.
"""

from datetime import datetime
from typing import Annotated

import msgspec

# A member of which nothing is read either; as `msgspec.Raw` it would cost more.
_Scalar = str | float | int | None


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
    resultType: _Scalar = None  # noqa: N815
    resultSignature: _Scalar = None  # noqa: N815
    resultDescription: _Scalar = None  # noqa: N815
    durationMs: _Scalar = None  # noqa: N815
    callerIpAddress: _Scalar = None  # noqa: N815
    correlationId: _Scalar = None  # noqa: N815
    identity: _Object | None = None
    level: _Scalar = None
    location: _Scalar = None
    properties: _Object | None = None
    tenantId: _Scalar = None  # noqa: N815
    RoleLocation: _Scalar = None
    ReleaseVersion: _Scalar = None


class LoggedEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event with the members that the schema names and no others, of which only time and subject are read."""

    time: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="eventTimestamp")
    resourceId: str  # noqa: N815 - the schema's own names, here and below
    operationName: _Localized  # noqa: N815
    category: _Localized
    authorization: _Object | None = None
    caller: _Scalar = None
    channels: _Scalar = None
    claims: _Object | None = None
    correlationId: _Scalar = None  # noqa: N815
    description: _Scalar = None
    eventDataId: _Scalar = None  # noqa: N815
    eventName: _Object | None = None  # noqa: N815
    httpRequest: _Object | None = None  # noqa: N815
    id: _Scalar = None
    level: _Scalar = None
    operationId: _Scalar = None  # noqa: N815
    properties: _Object | None = None
    resourceGroup: _Scalar = None  # noqa: N815
    resourceGroupName: _Scalar = None  # noqa: N815
    resourceProviderName: _Object | None = None  # noqa: N815
    resourceType: _Object | None = None  # noqa: N815
    status: _Object | None = None
    subStatus: _Object | None = None  # noqa: N815
    submissionTimestamp: _Scalar = None  # noqa: N815
    subscriptionId: _Scalar = None  # noqa: N815
    tenantId: _Scalar = None  # noqa: N815
