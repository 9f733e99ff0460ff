"""Records of Microsoft 365, Defender and Azure Storage for tests, in every shape."""

import json
from typing import Any

from record_envelopes import ADDRESS, ID, TIME, USER, Shapes, in_event


def operation(name: str, workload: str, **more: Any) -> Shapes:
    """Write an operation of Microsoft 365."""
    record = {
        "CreationTime": "2026-03-04T05:06:07.891",
        "Id": ID,
        "Operation": name,
        "OrganizationId": "22222222-aaaa",
        "RecordType": 1,
        "ResultStatus": "Succeeded",
        "UserKey": "q7",
        "UserType": 2,
        "Version": 1,
        "Workload": workload,
        "ClientIP": f"{ADDRESS}:51234",
        "ObjectId": "contoso.example",
        "UserId": USER,
        **more,
    }
    moved = {"Workload": "OfficeWorkload", "ObjectId": "OfficeObjectId", "Id": "OfficeId"}
    row = {
        moved.get(key, key): json.dumps(value) if isinstance(value, list) else value
        for key, value in record.items()
        if key not in {"CreationTime", "Version"}
    }
    row |= {"TimeGenerated": TIME, "Type": "OfficeActivity", "UserType": "Admin"}
    searched = {
        "RecordType": "ExchangeAdmin",
        "CreationDate": "2026-03-04T05:06:07Z",
        "UserIds": USER,
        "Operations": name,
        "AuditData": json.dumps(record),
        "Identity": ID,
    }
    hunted = {"Timestamp": TIME, "ActionType": name, "ReportId": "7", "RawEventData": record}
    return {
        "record": record,
        "event": in_event(record),
        "audit_data": searched,
        "cloud_app_events": hunted,
        "log_analytics": row,
    }


FORWARD = [{"Name": "Identity", "Value": "x"}, {"Name": "ForwardTo", "Value": "z@evil.example"}]
OFFICE = {
    "mail is forwarded": operation(
        "New-InboxRule", "Exchange", ResultStatus="True", Parameters=FORWARD
    ),
    "mail is not forwarded": operation(
        "New-InboxRule", "Exchange", ResultStatus="False", Parameters=FORWARD
    ),
    "an alert is raised": operation(
        "AlertTriggered",
        "SecurityComplianceCenter",
        Name="Impossible travel activity",
        ObjectId="alert",
    ),
    "a device is registered": operation(
        "UserLoggedIn",
        "AzureActiveDirectory",
        ExtendedProperties=[
            {"Name": "UserAgent", "Value": "axios/1.7.9"},
            {"Name": "RequestType", "Value": "Cmsi:Cmsi"},
        ],
    ),
}


def stored(operation: str, category: str) -> Shapes:
    """Write a request to a storage account."""
    record = {
        "time": TIME,
        "resourceId": "/subscriptions/s/providers/Microsoft.Storage/storageAccounts/orders",
        "category": category,
        "operationName": operation,
        "statusCode": 202,
        "callerIpAddress": f"{ADDRESS}:51234",
        "correlationId": ID,
        "identity": {"type": "OAuth", "requester": {"upn": USER, "appId": "app", "tenantId": "t"}},
        "properties": {"accountName": "orders", "objectKey": "/orders/2026/a.pdf"},
    }
    row = {
        "TimeGenerated": TIME,
        "Type": "StorageBlobLogs",
        "Category": category,
        "OperationName": operation,
        "StatusCode": 202,
        "CallerIpAddress": f"{ADDRESS}:51234",
        "CorrelationId": ID,
        "RequesterUpn": USER,
        "RequesterAppId": "app",
        "RequesterTenantId": "t",
        "AccountName": "orders",
        "ObjectKey": "/orders/2026/a.pdf",
    }
    document = {
        "@timestamp": TIME,
        "event": {"action": operation},
        "source": {"ip": ADDRESS},
        "azure": {
            "resource": {"id": record["resourceId"]},
            "correlation_id": ID,
            "tenant_id": "t",
            "platformlogs": {
                "category": category,
                "statusCode": 202,
                "identity": record["identity"],
                "properties": record["properties"],
            },
        },
    }
    return {
        "diagnostic": record,
        "diagnostic_event": in_event(record),
        "log_analytics": row,
        "ecs": document,
        "hit": {"_index": "logs", "_source": document},
    }


STORAGE = {"a blob is deleted": stored("DeleteBlob", "StorageDelete")}

HUNTED = {
    "Timestamp": TIME,
    "ActionType": "ProcessCreated",
    "DeviceId": "7",
    "DeviceName": "ws-17",
    "ReportId": 77,
    "AccountUpn": USER,
    "RemoteIP": ADDRESS,
    "RawEventData": None,
}
DEFENDER = {
    "a process starts": {"row": HUNTED},
    "an activity holds no record": {"row": {**HUNTED, "RawEventData": '{"Operation": "x"}'}},
}
