"""What the Azure SDKs invite to: a loop over the VMs that asks four things of each: `python sdk.py ARM SUB HOURS`."""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resourcehealth import ResourceHealthMgmtClient

METRICS = "Network In Total,Inbound Flows,VmAvailabilityMetric,Percentage CPU,Disk Read Bytes,Disk Write Bytes"


def main() -> None:
    """Print how many VMs, events and points were read."""
    arm, subscription, hours = sys.argv[1:4]
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    cloud: dict[str, Any] = {"base_url": arm, "credential_scopes": [f"{arm}/.default"]}
    compute = ComputeManagementClient(credential, subscription, **cloud)
    monitor = MonitorManagementClient(credential, subscription, **cloud)
    health = ResourceHealthMgmtClient(credential, subscription, **cloud)
    now = datetime.now(UTC)
    span = f"{now - timedelta(hours=int(hours)):%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}"
    begin, end = span.split("/")
    vms = events = points = 0
    found: Any = compute.virtual_machines.list_all()
    for vm in found:
        vms += 1
        group = vm.id.split("/")[4]
        compute.virtual_machines.get(group, vm.name, expand="instanceView")
        within = f"eventTimestamp ge '{begin}' and eventTimestamp le '{end}' and resourceUri eq '{vm.id}'"
        events += sum(1 for _ in monitor.activity_logs.list(filter=within))
        events += sum(1 for _ in health.availability_statuses.list(vm.id.lstrip("/")))
        answer = monitor.metrics.list(
            vm.id, metricnames=METRICS, timespan=span, interval="PT1M", aggregation="Total,Average"
        )
        points += sum(len(series.data) for metric in answer.value for series in metric.timeseries)
    print(vms, events, points)


if __name__ == "__main__":
    main()
