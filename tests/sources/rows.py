"""One row of each format in Azure's shape, written by hand."""

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/shop"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-01"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/web-01-nic"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/web-nsg"
BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/shop-net/subnets/web"
TIME = "2026-03-02T08:14:05.1234567Z"

HEALTH: dict[str, object] = {
    "title": "Live Migration",
    "details": "LiveMigrationSucceeded",
    "currentHealthStatus": "Available",
    "previousHealthStatus": "Unavailable",
    "type": "Downtime",
    "cause": "PlatformInitiated",
}
ANNOTATION: dict[str, object] = {
    "targetResourceType": "Microsoft.Compute/virtualMachines",
    "targetResourceId": VM,
    "annotationName": "LiveMigrationSucceeded",
    "occurredTime": TIME,
    "reason": "Live Migration",
    "summary": "This virtual machine was paused because of a memory-preserving Live Migration operation.",
    "context": "Platform Initiated",
    "category": "Unplanned",
    "impactType": "Downtime Freeze",
}
EVENT: dict[str, object] = {
    "id": f"{VM}/events/e1/ticks/639080360451234567",
    "eventTimestamp": TIME,
    "resourceId": VM,
    "category": {"value": "Administrative", "localizedValue": "Administrative"},
    "operationName": {
        "value": "Microsoft.Compute/virtualMachines/restart/action",
        "localizedValue": "Restart Virtual Machine",
    },
    "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
    "subStatus": {"value": "OK", "localizedValue": "OK (HTTP Status Code: 200)"},
    "correlationId": "c1",
    "caller": "ops@contoso.example",
    "claims": {"name": "Olive Ops", "ipaddr": "203.0.113.9"},
    "httpRequest": {"clientIpAddress": "203.0.113.9"},
}
SCHEDULED: dict[str, object] = {
    "EventId": "3DA1B9AA-5204-4335-8C33-C54E315DCFFE",
    "EventType": "Freeze",
    "ResourceType": "VirtualMachine",
    "Resources": ["web-01"],
    "EventStatus": "Started",
    "NotBefore": "",
    "Description": "Virtual machine is being paused because of a memory-preserving Live Migration operation.",
    "EventSource": "Platform",
    "DurationInSeconds": 5,
}
CHANGE: dict[str, object] = {
    "id": f"{NSG}/providers/Microsoft.Resources/changes/c1",
    "type": "microsoft.resources/changes",
    "properties": {
        "targetResourceId": NSG,
        "targetResourceType": "microsoft.network/networksecuritygroups",
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": TIME,
            "changedBy": "ops@contoso.example",
            "clientType": "Azure Portal",
            "operation": "microsoft.network/networksecuritygroups/write",
        },
        "changes": {"properties.securityRules[0].properties.access": {"previousValue": "Allow", "newValue": "Deny"}},
    },
}

EXAMPLES: dict[str, dict[str, object]] = {
    "activity-log": EVENT,
    "alerts": {"schemaId": "Microsoft.Insights/activityLogs", "data": {"context": {"activityLog": EVENT}}},
    "azure-activity": {
        "TimeGenerated": TIME,
        "CategoryValue": "Administrative",
        "OperationNameValue": "MICROSOFT.COMPUTE/VIRTUALMACHINES/RESTART/ACTION",
        "ActivityStatusValue": "Success",
        "_ResourceId": VM.lower(),
        "Properties": '{"statusCode":"OK"}',
        "CorrelationId": "c1",
    },
    "azure-metrics": {
        "TimeGenerated": TIME,
        "MetricName": "network in total",
        "Total": 1200.0,
        "Average": 600.0,
        "TimeGrain": "PT1M",
        "_ResourceId": VM.lower(),
    },
    "balancer-health": {
        "up": 1,
        "down": 1,
        "loadBalancerBackendAddresses": [
            {
                "ipAddress": "10.4.1.6",
                "networkInterfaceIPConfigurationId": f"{NIC}/ipConfigurations/ip1",
                "state": "Down",
                "reason": "Down_Platform",
            },
            {
                "ipAddress": "10.4.1.7",
                "networkInterfaceIPConfigurationId": f"{NIC}-2/ipConfigurations/ip1",
                "state": "Up",
                "reason": "Up_Probe_Success",
            },
        ],
    },
    "balancer-metrics": {
        "id": f"{BALANCER}/providers/Microsoft.Insights/metrics/DipAvailability",
        "name": {"value": "DipAvailability", "localizedValue": "Health Probe Status"},
        "unit": "Count",
        "timeseries": [
            {
                "metadatavalues": [
                    {"name": {"value": "backendipaddress"}, "value": "10.4.1.6"},
                    {"name": {"value": "backendport"}, "value": "443"},
                ],
                "data": [{"timeStamp": TIME, "average": 100.0}, {"timeStamp": "2026-03-02T08:15:00Z"}],
            }
        ],
        "errorCode": "Success",
    },
    "connection-monitor": {
        "TimeGenerated": TIME,
        "TestGroupName": "web",
        "TestConfigurationName": "https",
        "SourceType": "AzureVM",
        "SourceResourceId": f"{VM}-peer",
        "SourceName": "web-01-peer(shop)",
        "DestinationResourceId": VM,
        "DestinationIP": "10.4.1.6",
        "DestinationPort": 443,
        "Protocol": "TCP",
        "TestResult": "Fail",
        "ChecksTotal": 10,
        "ChecksFailed": 10,
        "Type": "NWConnectionMonitorTestResult",
    },
    "serial-log": {"serialEvent": "data-path-failed", "serialUptime": 8130.25, "computer": "web-01", "says": "eth0"},
    "event-grid": {
        "topic": SUBSCRIPTION,
        "subject": VM,
        "eventType": "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
        "eventTime": TIME,
        "data": {"resourceInfo": {"id": f"{VM}/providers/Microsoft.ResourceHealth/x/1", "properties": ANNOTATION}},
    },
    "exported-records": {
        "time": TIME,
        "resourceId": VM.upper(),
        "operationName": "Microsoft.Resourcehealth/healthevent/Updated/action",
        "category": "ResourceHealth",
        "resultType": "Updated",
        "properties": {"eventCategory": "ResourceHealth", "eventProperties": HEALTH},
    },
    "flow-logs": {
        "time": TIME,
        "flowLogVersion": 4,
        "macAddress": "00224871C205",
        "category": "FlowLogFlowEvent",
        "flowLogResourceID": f"{GROUP}/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/W",
        "targetResourceID": SUBNET,
        "operationName": "FlowLogFlowEvent",
        "flowRecords": {
            "flows": [
                {
                    "aclID": "a1",
                    "flowGroups": [
                        {
                            "rule": "DefaultRule_AllowInternetOutBound",
                            "flowTuples": [
                                "1772439245000,203.0.113.9,10.4.1.6,50100,443,6,I,C,NX,5,900,4,800",
                                "1772439250000,10.4.1.9,10.4.1.6,50101,443,6,I,E,NX_SW_NOT_READY,2,90,1,80",
                                "1772439310000,10.4.1.9,10.4.1.6,50102,443,6,I,B,NX_SW_NOT_READY,0,0,0,0",
                            ],
                        }
                    ],
                }
            ]
        },
    },
    "gateway-health": {
        "backendAddressPools": [
            {"backendHttpSettingsCollection": [{"servers": [{"address": "10.4.1.6", "health": "Down"}]}]},
        ],
    },
    "guest-counters": {
        "TimeGenerated": TIME,
        "Computer": "web-01",
        "Origin": "vm.azm.ms",
        "Namespace": "Network",
        "Name": "ReadBytesPerSecond",
        "Val": 512.5,
        "Tags": '{"vm.azm.ms/networkDeviceId":"eth0","vm.azm.ms/bytes":30750}',
        "_ResourceId": VM.lower(),
        "Type": "InsightsMetrics",
    },
    "heartbeat": {
        "TimeGenerated": TIME,
        "Computer": "web-01",
        "Category": "Azure Monitor Agent",
        "OSType": "Linux",
        "_ResourceId": VM.lower(),
    },
    "metrics": {
        "id": f"{VM}/providers/Microsoft.Insights/metrics/Network In Total",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": "Network In Total", "localizedValue": "Network In Total"},
        "timeseries": [{"metadatavalues": [], "data": [{"timeStamp": "2026-03-02T08:14:00Z", "total": 1200.0}]}],
        "errorCode": "Success",
    },
    "powershell-activity-log": {
        "Authorization": {"Action": "Microsoft.Compute/virtualMachines/restart/action", "Scope": VM, "Role": None},
        "Caller": "ops@contoso.example",
        "Claims": {"Content": {"name": "Olive Ops", "ipaddr": "203.0.113.9"}},
        "Category": "Verwaltung",
        "CorrelationId": "c1",
        "EventDataId": "e1",
        "EventName": "Anforderung beenden",
        "EventTimestamp": TIME,
        "HttpRequest": {"ClientId": "x", "Method": "POST", "Url": "https://x", "ClientIpAddress": "203.0.113.9"},
        "Id": f"{VM}/events/e1/ticks/639080360451234567",
        "Level": 3,
        "OperationName": "Virtuellen Computer neu starten",
        "Properties": {"Content": {"statusCode": "OK"}},
        "ResourceGroupName": "shop",
        "ResourceId": VM,
        "ResourceType": None,
        "Status": "Erfolgreich",
        "SubStatus": "OK (HTTP-Statuscode: 200)",
        "SubscriptionId": "11111111-2222-3333-4444-555555555555",
        "TenantId": None,
    },
    "powershell-metrics": {
        "Id": f"{VM}/providers/Microsoft.Insights/metrics/Network In Total",
        "Name": {"LocalizedValue": "Network In Total", "Value": "Network In Total"},
        "Type": "Microsoft.Insights/metrics",
        "Unit": "Bytes",
        "Data": [{"TimeStamp": "2026-03-02T08:14:00Z", "Average": None, "Total": 1200.0, "Count": None}],
        "Timeseries": [
            {
                "Metadatavalues": [],
                "Data": [{"TimeStamp": "2026-03-02T08:14:00Z", "Average": None, "Total": 1200.0, "Count": None}],
            }
        ],
    },
    "powershell-virtual-machine": {
        "ResourceGroupName": "shop",
        "Name": "web-01",
        "ComputerName": "web-01",
        "VMAgent": {
            "VmAgentVersion": "2.9",
            "Statuses": [{"Code": "ProvisioningState/Unavailable", "Level": 1, "DisplayStatus": "Not Ready"}],
        },
        "Statuses": [
            {"Code": "ProvisioningState/succeeded", "Level": 0, "Time": TIME},
            {"Code": "PowerState/running", "Level": 0, "DisplayStatus": "VM running", "Time": None},
        ],
    },
    "portal-csv": {
        "Correlation id": "c1",
        "Operation name": "Restart Virtual Machine",
        "Status": "Succeeded",
        "Event category": "Administrative",
        "Level": "Informational",
        "Time": TIME,
        "Subscription": "11111111-2222-3333-4444-555555555555",
        "Event initiated by": "ops@contoso.example",
        "Resource type": "Microsoft.Compute/virtualMachines",
        "Resource group": "shop",
        "Resource": "web-01",
    },
    "resource-changes": CHANGE,
    "resource-events": {
        "id": "4db48cba-50a2-455a-93b4-de41a3b5b7f6",
        "topic": SUBSCRIPTION,
        "subject": VM,
        "eventType": "Microsoft.Resources.ResourceActionSuccess",
        "eventTime": TIME,
        "data": {
            "authorization": {"scope": VM, "action": "Microsoft.Compute/virtualMachines/deallocate/action"},
            "claims": {"name": "Olive Ops", "ipaddr": "203.0.113.9"},
            "correlationId": "c1",
            "httpRequest": {"clientIpAddress": "203.0.113.9", "method": "POST", "url": "https://management.azure.com"},
            "resourceProvider": "Microsoft.Compute",
            "resourceUri": VM,
            "operationName": "Microsoft.Compute/virtualMachines/deallocate/action",
            "status": "Succeeded",
        },
    },
    "resource-graph-health": {
        "id": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current",
        "name": "current",
        "type": "microsoft.resourcehealth/resourceannotations",
        "properties": ANNOTATION,
    },
    "resource-graph-health-changes": {
        "id": "c2",
        "type": "microsoft.resources/changes",
        "properties": {
            "targetResourceId": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current",
            "targetResourceType": "microsoft.resourcehealth/resourceannotations",
            "changeType": "Update",
            "changeAttributes": {"timestamp": "2026-03-02T08:15:00Z"},
            "changes": {
                "properties.annotationName": {"newValue": "LiveMigrationSucceeded", "previousValue": "Other"},
                "properties.occurredTime": {"newValue": TIME},
            },
        },
    },
    "resource-health": {
        "id": f"{VM}/providers/Microsoft.ResourceHealth/availabilityStatuses/2026-03-02+08%3a14%3a05Z",
        "name": "2026-03-02+08%3a14%3a05Z",
        "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
        "properties": {"availabilityState": "Unavailable", "title": "Unavailable", "occuredTime": TIME},
    },
    "resources": {
        "id": NIC,
        "type": "microsoft.network/networkinterfaces",
        "subscriptionId": "11111111-2222-3333-4444-555555555555",
        "properties": {
            "virtualMachine": {"id": VM},
            "networkSecurityGroup": {"id": NSG},
            "ipConfigurations": [{"properties": {"subnet": {"id": SUBNET}}}],
        },
    },
    "scheduled-events": {"DocumentIncarnation": 3, "Events": [SCHEDULED]},
    "scheduled-events-event-grid": {
        "id": "5f0c",
        "topic": SUBSCRIPTION,
        "subject": VM.lower(),
        "eventType": "Microsoft.ResourceNotifications.MaintenanceResources.ScheduledEventEmitted",
        "eventTime": "2026-03-02T08:14:06Z",
        "data": {
            "apiVersion": "2020-03-01",
            "operationalInfo": {"resourceEventTime": TIME},
            "resourceInfo": {
                "id": f"{VM.lower()}/providers/microsoft.maintenance/scheduledevents/3da1b9aa",
                "name": "3da1b9aa",
                "type": "microsoft.maintenance/scheduledevents",
                "properties": SCHEDULED,
            },
        },
    },
    "scheduled-events-resource-graph": {
        "id": f"{VM}/providers/microsoft.maintenance/scheduledevents/3da1b9aa",
        "name": "3da1b9aa",
        "type": "microsoft.maintenance/scheduledevents",
        "resourceGroup": "shop",
        "subscriptionId": "11111111-2222-3333-4444-555555555555",
        "properties": {**SCHEDULED, "EventStatus": "Completed"},
    },
    "service-events": {
        "id": f"{SUBSCRIPTION}/providers/Microsoft.ResourceHealth/events/T-1",
        "name": "T-1",
        "type": "/providers/Microsoft.ResourceHealth/events",
        "properties": {
            "eventType": "ServiceIssue",
            "eventSource": "ServiceHealth",
            "status": "Active",
            "title": "Network trouble",
            "impactStartTime": TIME,
            "impact": [
                {"impactedService": "Virtual Machines", "impactedRegions": [{"impactedRegion": "West Europe"}]},
                {"impactedService": "Virtual Network", "impactedRegions": [{"impactedRegion": "West Europe"}]},
            ],
        },
    },
    "transcripts": {
        "schema": "vmdiag.transcript/1",
        "window": {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"},
        "vm": {"id": VM, "location": None, "os": None, "size": None, "power_state": None, "network": []},
        "records": [],
        "series": [],
        "gaps": [],
    },
    "virtual-machine": {
        "id": VM,
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"osDisk": {"osType": "Linux"}},
            "networkProfile": {"networkInterfaces": [{"id": NIC}]},
            "instanceView": {
                "vmAgent": {"statuses": [{"code": "ProvisioningState/Unavailable", "displayStatus": "Not Ready"}]},
                "statuses": [
                    {"code": "ProvisioningState/failed/1", "time": TIME},
                    {"code": "PowerState/running", "displayStatus": "VM running"},
                ],
            },
        },
    },
}
