"""Records of Azure and Entra for tests: the same thing in every shape it is met in."""

import json
import re
from typing import Any

Record = dict[str, Any]

TENANT = "11111111-aaaa-4bbb-8ccc-000000000001"
SUBSCRIPTION = "22222222-aaaa-4bbb-8ccc-000000000002"
CORRELATION = "33333333-aaaa-4bbb-8ccc-000000000003"
APP = "44444444-aaaa-4bbb-8ccc-000000000004"
OBJECT = "55555555-aaaa-4bbb-8ccc-000000000005"
UPN_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
OID_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
TENANT_CLAIM = "http://schemas.microsoft.com/identity/claims/tenantid"
TIME = "2026-03-04T05:06:07.891Z"
US_TIME = "3/4/2026, 5:06:07.891 AM"
USER = "mira@contoso.example"
AGENT = "axios/1.7.9"


def dumped(value: object) -> object:
    """Write nested values as text, as exports of Log Analytics do."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def row(names: dict[str, Any]) -> Record:
    """Make a table row: keys with a capital, nested values as text."""
    return {key[:1].upper() + key[1:]: dumped(value) for key, value in names.items()}


def renamed(record: Record, names: dict[str, str]) -> Record:
    return {names.get(key, key): value for key, value in record.items()}


def snake(value: Any) -> Any:
    """Rename the keys of objects as the Elastic agent does."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): snake(inner)
        for key, inner in value.items()
    }


def numbered(items: list[Any]) -> Record:
    return {str(number): item for number, item in enumerate(items)}


LABELLED = ("diagnostic", "api", "datadog", "graph")
"""Shapes that are met within an object that says more of the record, too."""


def labelled(shapes: dict[str, Record]) -> dict[str, Record]:
    """Add the records within an object that holds a label beside each."""
    within = {
        f"{shape}_event": {"label": "exercise 7", "event": shapes[shape]}
        for shape in LABELLED
        if shape in shapes
    }
    return shapes | within


def activity_shapes(operation: str, resource: str, message: str = "") -> dict[str, Record]:
    """One operation on a resource; `message` where it differs from the operation's name."""
    claims = {"appid": APP, "name": "Mira", UPN_CLAIM: USER, TENANT_CLAIM: TENANT}
    authorization = {"action": operation, "scope": resource}
    properties = {
        "eventCategory": "Administrative",
        "entity": resource,
        "message": message or operation,
    }
    provider = resource.split("/providers/")[1].split("/")[0]
    group = "rg-orders"
    value = {key: {"value": text, "localizedValue": text} for key, text in {
        "operationName": operation,
        "category": "Administrative",
        "resourceProviderName": provider,
        "status": "Succeeded",
        "subStatus": "OK",
    }.items()}  # fmt: skip
    api = {
        **value,
        "authorization": authorization,
        "caller": USER,
        "claims": claims,
        "correlationId": CORRELATION,
        "eventDataId": OBJECT,
        "eventTimestamp": TIME,
        "httpRequest": {"clientIpAddress": "192.0.2.7", "method": "DELETE"},
        "level": "Informational",
        "properties": properties,
        "resourceGroupName": group,
        "resourceId": resource,
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
    }
    table = {
        "TenantId": "77777777-aaaa-4bbb-8ccc-000000000007",
        "CallerIpAddress": "192.0.2.7",
        "CorrelationId": CORRELATION,
        "Authorization": json.dumps(authorization, indent=2),
        "Claims": json.dumps(claims, indent=2),
        "Properties": json.dumps(properties, indent=2),
        "Caller": USER,
        "EventDataId": OBJECT,
        "ResourceGroup": group,
        "SubscriptionId": SUBSCRIPTION,
    }
    return {
        "diagnostic": {
            "time": TIME,
            "resourceId": resource.upper(),
            "operationName": operation.upper(),
            "category": "Administrative",
            "resultType": "Success",
            "resultSignature": "Succeeded.OK",
            "durationMs": "48",
            "callerIpAddress": "192.0.2.7",
            "correlationId": CORRELATION,
            "tenantId": TENANT,
            "identity": {"authorization": authorization, "claims": claims},
            "level": "Information",
            "properties": {**properties, "statusCode": "OK"},
        },
        "api": api,
        "sdk": {**snake(api), "claims": claims, "properties": properties},
        "log_analytics": {
            **table,
            "TimeGenerated": TIME,
            "OperationNameValue": operation.upper(),
            "CategoryValue": "Administrative",
            "ActivityStatusValue": "Success",
            "ActivitySubstatusValue": "OK",
            "ResourceProviderValue": provider.upper(),
            "_ResourceId": resource.lower(),
            "Authorization_d": json.dumps(authorization),
            "Claims_d": json.dumps(claims),
            "Properties_d": json.dumps(properties),
            "OperationName": "",
            "Category": "",
            "ResourceId": "",
            "Type": "AzureActivity",
        },
        "log_analytics of 2021": {
            **table,
            "TimeGenerated [UTC]": US_TIME,
            "OperationName": "Delete what there is",
            "Category": "Administrative",
            "ActivityStatus": "Succeeded",
            "ActivitySubstatus": "OK",
            "ResourceProvider": "Azure Something",
            "ResourceId": resource,
        },
        "ecs": {
            "@timestamp": TIME,
            "data_stream": {"dataset": "azure.activitylogs", "type": "logs"},
            "event": {"action": operation.upper(), "outcome": "success"},
            "log": {"level": "Information"},
            "source": {"ip": "192.0.2.7"},
            "user": {"email": USER, "name": "mira"},
            "azure": {
                "correlation_id": CORRELATION,
                "subscription_id": SUBSCRIPTION,
                "tenant_id": TENANT,
                "resource": {"id": resource.upper(), "group": group.upper()},
                "activitylogs": {
                    "operation_name": operation.upper(),
                    "category": "Administrative",
                    "event_category": "Administrative",
                    "result_type": "Success",
                    "result_signature": "Succeeded.OK",
                    "identity": {
                        "authorization": authorization,
                        "claims": {key.replace(".", "_"): text for key, text in claims.items()},
                    },
                    "properties": {"status_code": "OK", "entity": resource},
                },
            },
        },
        "datadog": {
            "time": TIME,
            "resourceId": resource.upper(),
            "evt": {
                "name": operation.upper(),
                "category": "Administrative",
                "outcome": "Success",
            },
            "network": {"client": {"ip": "192.0.2.7"}},
            "usr": {"name": USER},
            "correlationId": CORRELATION,
            "identity": {"authorization": authorization, "claims": claims},
            "properties": {**properties, "statusCode": "OK"},
        },
    }


VAULT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-orders"
    "/providers/Microsoft.KeyVault/vaults/orders"
)
ACTIVITY = activity_shapes("Microsoft.KeyVault/vaults/delete", VAULT)
DELETED = {"microsoft.keyvault/vaults/delete"}
SUCCESS = {"success", "succeeded"}
ACTIVITY_READINGS: dict[str, set[str]] = {
    "operationName": DELETED,
    "OperationName": DELETED,
    "OperationNameValue": DELETED,
    "operationName.value": DELETED,
    "properties.message": DELETED,
    "properties.operationName": DELETED,
    "Authorization.action": DELETED,
    "identity.authorization.action": DELETED,
    "authorization.scope": {VAULT},
    "category": {"Administrative"},
    "Category": {"Administrative"},
    "CategoryValue": {"Administrative"},
    "properties.eventCategory": {"Administrative"},
    "ResourceId": {VAULT},
    "resourceId": {VAULT},
    "_ResourceId": {VAULT},
    "ResourceProviderValue": {"Microsoft.KeyVault"},
    "ResourceProvider": {"Microsoft.KeyVault"},
    "resourceProviderName.value": {"Microsoft.KeyVault"},
    "ResourceGroup": {"rg-orders"},
    "SubscriptionId": {SUBSCRIPTION},
    "Status": SUCCESS,
    "status.value": SUCCESS,
    "ActivityStatusValue": SUCCESS,
    "ActivityStatus": SUCCESS,
    "resultType": SUCCESS,
    "ActivitySubstatusValue": {"OK"},
    "Caller": {USER},
    "callerIpAddress": {"192.0.2.7"},
    "CallerIpAddress": {"192.0.2.7"},
    "claims.appid": {APP},
    "identity.claims.appid": {APP},
    "claims.name": {"Mira"},
    "correlationId": {CORRELATION},
}


SIGN_IN: Record = {
    "id": OBJECT,
    "createdDateTime": TIME,
    "userDisplayName": "Mira",
    "userPrincipalName": USER,
    "userId": "66666666-aaaa-4bbb-8ccc-000000000006",
    "userType": "member",
    "appId": APP,
    "appDisplayName": "Azure CLI",
    "ipAddress": "198.51.100.9",
    "clientAppUsed": "IMAP",
    "userAgent": AGENT,
    "correlationId": CORRELATION,
    "conditionalAccessStatus": "success",
    "isInteractive": False,
    "authenticationRequirement": "singleFactorAuthentication",
    "authenticationProtocol": "ropc",
    "riskState": "atRisk",
    "riskLevelDuringSignIn": "high",
    "riskEventTypes_v2": ["unfamiliarFeatures"],
    "resourceDisplayName": "Device Registration Service",
    "resourceId": "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9",
    "resourceTenantId": TENANT,
    "homeTenantId": TENANT,
    "servicePrincipalId": "",
    "networkLocationDetails": [],
    "appliedConditionalAccessPolicies": [{"displayName": "Require MFA", "result": "success"}],
    "deviceDetail": {
        "deviceId": "",
        "displayName": "WS-17",
        "operatingSystem": "Windows 10",
        "browser": "Edge 90.0.818",
        "isCompliant": False,
        "isManaged": False,
        "trustType": "",
    },
    "location": {"city": "Azor", "state": "Tel Aviv", "countryOrRegion": "IL"},
    "status": {"errorCode": 0},
}


def sign_in_shapes(changes: Record, category: str = "SignInLogs") -> dict[str, Record]:
    graph = {**SIGN_IN, **changes}
    code = str(graph["status"]["errorCode"])
    reason = graph["status"].get("failureReason", "")
    inner = {key: value for key, value in graph.items() if key != "location"}
    table = {
        **row(renamed(inner, {
            "ipAddress": "IPAddress",
            "resourceId": "ResourceIdentity",
            "appliedConditionalAccessPolicies": "conditionalAccessPolicies",
        })),
        "TenantId": "77777777-aaaa-4bbb-8ccc-000000000007",
        "AADTenantId": TENANT,
        "ResourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "TimeGenerated": TIME,
        "OperationName": "Sign-in activity",
        "Category": category,
        "ResultType": code,
        "ResultDescription": reason,
        "Location": "IL",
        "LocationDetails": json.dumps(graph["location"]),
        "Type": "SigninLogs",
    }  # fmt: skip
    suffixed = ("ConditionalAccessPolicies", "DeviceDetail", "LocationDetails", "Status")
    exported = {
        **{key: value for key, value in table.items() if key not in (*suffixed, "TimeGenerated")},
        **{f"{key}_dynamic": table[key] for key in suffixed},
        **{f"{key}_string": "" for key in suffixed},
        "CreatedDateTime [UTC]": US_TIME,
    }
    elastic = snake({
        key: value
        for key, value in inner.items()
        if key not in {"createdDateTime", "ipAddress", "userAgent", "riskLevelDuringSignIn"}
    })  # fmt: skip
    return {
        "diagnostic": {
            "time": TIME,
            "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "operationName": "Sign-in activity",
            "category": category,
            "tenantId": TENANT,
            "resultType": code,
            "resultSignature": "None",
            "resultDescription": reason,
            "callerIpAddress": "198.51.100.9:50111",
            "correlationId": CORRELATION,
            "identity": "Mira",
            "Level": 4,
            "location": "IL",
            "properties": graph,
        },
        "graph": graph,
        "log_analytics": table,
        "log_analytics with suffixes": exported,
        "ecs": {
            "@timestamp": TIME,
            "data_stream": {"dataset": "azure.signinlogs"},
            "event": {"action": "Sign-in activity", "id": OBJECT},
            "message": reason or "Sign-in activity",
            "source": {"ip": "198.51.100.9"},
            "user_agent": {"original": AGENT},
            "geo": {"city_name": "Azor", "region_name": "Tel Aviv", "country_iso_code": "IL"},
            "azure": {
                "correlation_id": CORRELATION,
                "tenant_id": TENANT,
                "resource": {"id": f"/tenants/{TENANT}/providers/Microsoft.aadiam"},
                "signinlogs": {
                    "category": category,
                    "operation_name": "Sign-in activity",
                    "result_type": code,
                    "result_description": reason,
                    "properties": {
                        **elastic,
                        "created_at": TIME,
                        "risk_level_during_signin": graph["riskLevelDuringSignIn"],
                    },
                },
            },
        },
    }


SIGN_INS = sign_in_shapes({})
SIGN_IN_READINGS: dict[str, set[str]] = {
    "operationName": {"Sign-in activity"},
    "category": {"SignInLogs"},
    "Category": {"SignInLogs"},
    "ResultType": {"0"},
    "resultType": {"0"},
    "status.errorCode": {"0"},
    "properties.status.errorCode": {"0"},
    "Status": {"0", "Success"},
    "userAgent": {AGENT},
    "UserAgent": {AGENT},
    "callerIpAddress": {"198.51.100.9"},
    "IPAddress": {"198.51.100.9"},
    "location": {"IL"},
    "location.city": {"Azor"},
    "LocationDetails.countryOrRegion": {"IL"},
    "properties.location.city": {"Azor"},
    "Username": {USER},
    "UserPrincipalName": {USER},
    "properties.userPrincipalName": {USER},
    "UserType": {"member"},
    "AppId": {APP},
    "properties.appId": {APP},
    "AppDisplayName": {"Azure CLI"},
    "ClientApp": {"IMAP"},
    "ClientAppUsed": {"IMAP"},
    "ResourceDisplayName": {"Device Registration Service"},
    "properties.resourceId": {"01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9"},
    "AuthenticationRequirement": {"singleFactorAuthentication"},
    "properties.authenticationRequirement": {"singleFactorAuthentication"},
    "authenticationProtocol": {"ropc"},
    "conditionalAccessStatus": {"success"},
    "ConditionalAccessStatus": {"success"},
    "appliedConditionalAccessPolicies": {"Require MFA", "success"},
    "ConditionalAccessPolicies": {"Require MFA", "success"},
    "isInteractive": {"false"},
    "RiskState": {"atRisk"},
    "riskLevelDuringSignIn": {"high"},
    "riskEventTypes_v2": {"unfamiliarFeatures"},
    "DeviceDetail.deviceId": {""},
    "properties.deviceDetail.deviceId": {""},
    "DeviceDetail.trusttype": {""},
    "DeviceDetail.isCompliant": {"false"},
    "DeviceDetail.displayName": {"WS-17"},
    "homeTenantId": {TENANT},
    "resourceTenantId": {TENANT},
    "tenantId": {TENANT},
    "correlationId": {CORRELATION},
    "id": {OBJECT},
}


CHANGE: Record = {
    "id": "Directory_33333333_0001",
    "category": "UserManagement",
    "correlationId": CORRELATION,
    "result": "success",
    "resultReason": "Admin registered temporary access pass method for user",
    "activityDisplayName": "Update user ",
    "activityDateTime": TIME,
    "loggedByService": "Core Directory",
    "operationType": "Update",
    "userAgent": AGENT,
    "initiatedBy": {"user": {"id": OBJECT, "userPrincipalName": USER, "ipAddress": "192.0.2.7"}},
    "targetResources": [
        {
            "id": "7698a772-787b-4ac8-901f-60d6b08affd2",
            "displayName": "Administrators",
            "type": "User",
            "userPrincipalName": "noor@contoso.example",
            "modifiedProperties": [
                {
                    "displayName": "StrongAuthenticationRequirement",
                    "oldValue": "[]",
                    "newValue": '[{"RelyingParty":"*","State":0}]',
                },
                {"displayName": "TargetId.UserType", "newValue": '"Member"'},
            ],
        },
        {"id": APP, "displayName": "Orders", "type": "ServicePrincipal", "modifiedProperties": []},
    ],
    "additionalDetails": [
        {"key": "additionalInfo", "value": "Successfully recovered local credential by device id"},
        {"key": "User-Agent", "value": AGENT},
    ],
}


def change_shapes(changes: Record) -> dict[str, Record]:
    graph = {**CHANGE, **changes}
    targets = numbered([
        {**snake(target), "modified_properties": numbered(snake(target["modifiedProperties"]))}
        for target in graph["targetResources"]
    ])  # fmt: skip
    kept = ("category", "correlationId", "id", "loggedByService", "operationType", "resultReason")
    return {
        "diagnostic": {
            "time": TIME,
            "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "operationName": graph["activityDisplayName"],
            "category": "AuditLogs",
            "tenantId": TENANT,
            "resultSignature": "None",
            "correlationId": CORRELATION,
            "identity": "Mira",
            "Level": 4,
            "properties": {**graph, "tenantId": TENANT},
        },
        "graph": graph,
        "log_analytics": {
            **row(renamed(graph, {"operationType": "AADOperationType"})),
            "AADTenantId": TENANT,
            "TenantId": "77777777-aaaa-4bbb-8ccc-000000000007",
            "TimeGenerated": TIME,
            "OperationName": graph["activityDisplayName"],
            "Type": "AuditLogs",
        },
        "ecs": {
            "@timestamp": TIME,
            "event": {
                "dataset": "azure.auditlogs",
                "action": graph["activityDisplayName"],
                "outcome": graph["result"],
            },
            "azure": {
                "correlation_id": CORRELATION,
                "tenant_id": TENANT,
                "auditlogs": {
                    "category": "AuditLogs",
                    "operation_name": graph["activityDisplayName"],
                    "identity": "Mira",
                    "properties": {
                        **snake({key: graph[key] for key in kept}),
                        "activity_datetime": TIME,
                        "activity_display_name": graph["activityDisplayName"],
                        "userAgent": AGENT,
                        "initiated_by": graph["initiatedBy"],
                        "additional_details": graph["additionalDetails"],
                        "target_resources": targets,
                    },
                },
            },
        },
    }


CHANGES = change_shapes({})
UPDATED = {"Update user", "Update user "}
TARGETS = {
    "7698a772-787b-4ac8-901f-60d6b08affd2",
    "Administrators",
    "User",
    "noor@contoso.example",
    "StrongAuthenticationRequirement",
    "[]",
    '[{"RelyingParty":"*","State":0}]',
    "TargetId.UserType",
    '"Member"',
    APP,
    "Orders",
    "ServicePrincipal",
}
PROPERTIES = {"StrongAuthenticationRequirement", "TargetId.UserType"}
NEW_VALUES = {'[{"RelyingParty":"*","State":0}]', '"Member"'}
REASON = "Admin registered temporary access pass method for user"
INITIATOR = {OBJECT, USER, "192.0.2.7"}
DETAILS = {"Successfully recovered local credential by device id", AGENT}
CHANGE_READINGS: dict[str, set[str]] = {
    "operationName": UPDATED,
    "OperationName": UPDATED,
    "OperationNameValue": UPDATED,
    "properties.message": UPDATED,
    "properties.operationName": UPDATED,
    "ActivityDisplayName": UPDATED,
    "properties.activityDisplayName": UPDATED,
    "ActivityType": UPDATED,
    "activityType": UPDATED,
    "Category": {"UserManagement"},
    "category": {"UserManagement"},
    "CategoryValue": {"UserManagement"},
    "properties.category": {"UserManagement"},
    "Status": {"success", REASON},
    "properties.result": {"success"},
    "Result": {"success"},
    "resultReason": {REASON},
    "failure_status_reason": {REASON},
    "LoggedByService": {"Core Directory"},
    "properties.loggedByService": {"Core Directory"},
    "operationType": {"Update"},
    "AADOperationType": {"Update"},
    "TargetResources": TARGETS,
    "Target": TARGETS,
    "properties.targetResources": TARGETS,
    "targetResources.type": {"User", "ServicePrincipal"},
    "properties.targetResources.type": {"User", "ServicePrincipal"},
    "TargetResources.displayName": {"Administrators", "Orders"},
    "TargetResources.modifiedProperties": PROPERTIES | NEW_VALUES | {"[]"},
    "TargetResources.modifiedProperties.newValue": NEW_VALUES,
    "TargetResources.ModifiedProperties.NewValue": NEW_VALUES,
    "TargetResources.ModifiedProperties.DisplayName": PROPERTIES,
    "additionalDetails.additionalInfo": DETAILS,
    "additionalDetails.value": DETAILS,
    "initiatedBy": INITIATOR,
    "Initiatedby": INITIATOR,
    "Initiatied.By": INITIATOR,
    "properties.initiatedBy": INITIATOR,
    "InitiatedBy.user.userPrincipalName": {USER},
    "properties.initiatedBy.user.userPrincipalName": {USER},
    "userAgent": {AGENT},
    "correlationId": {CORRELATION},
}


DETECTION: Record = {
    "id": OBJECT,
    "requestId": CORRELATION,
    "correlationId": CORRELATION,
    "riskEventType": "unfamiliarFeatures",
    "riskState": "atRisk",
    "riskLevel": "high",
    "riskDetail": "none",
    "detectionTimingType": "realtime",
    "activity": "signin",
    "tokenIssuerType": "AzureAD",
    "ipAddress": "198.51.100.9",
    "activityDateTime": TIME,
    "detectedDateTime": TIME,
    "lastUpdatedDateTime": TIME,
    "userId": "66666666-aaaa-4bbb-8ccc-000000000006",
    "userDisplayName": "Mira",
    "userPrincipalName": USER,
    "additionalInfo": '[{"Key":"userAgent","Value":"axios/1.7.9"}]',
    "location": {"city": "Azor", "countryOrRegion": "IL"},
}


def detection_shapes(changes: Record) -> dict[str, Record]:
    graph = {**DETECTION, **changes}
    return {
        "diagnostic": {
            "time": US_TIME.replace(",", ""),
            "resourceId": f"/tenants/{TENANT}/providers/microsoft.aadiam",
            "operationName": "User Risk Detection",
            "category": "UserRiskEvents",
            "tenantId": TENANT,
            "callerIpAddress": "198.51.100.9",
            "identity": "mira",
            "properties": graph,
        },
        "graph": graph,
        "log_analytics": {
            **row(graph),
            "TimeGenerated": TIME,
            "OperationName": "User Risk Detection",
            "Type": "AADUserRiskEvents",
        },
        "ecs": {
            "@timestamp": TIME,
            "data_stream": {"dataset": "azure.identity_protection"},
            "event": {"action": "User Risk Detection"},
            "source": {"ip": "198.51.100.9"},
            "azure": {
                "tenant_id": TENANT,
                "identityprotection": {
                    "category": "UserRiskEvents",
                    "operation_name": "User Risk Detection",
                    "properties": {
                        **snake({key: graph[key] for key in graph if not key.endswith("Time")}),
                        "additional_info": json.loads(graph["additionalInfo"]),
                        "location": graph["location"],
                        "detected_datetime": TIME,
                        "last_updated_datetime": TIME,
                    },
                },
            },
        },
    }


DETECTIONS = detection_shapes({})
DETECTION_READINGS: dict[str, set[str]] = {
    "riskEventType": {"unfamiliarFeatures"},
    "RiskEventType": {"unfamiliarFeatures"},
    "properties.riskEventType": {"unfamiliarFeatures"},
    "category": {"UserRiskEvents"},
    "riskState": {"atRisk"},
    "riskLevel": {"high"},
    "riskDetail": {"none"},
    "ipAddress": {"198.51.100.9"},
    "callerIpAddress": {"198.51.100.9"},
    "location": {"IL"},
    "properties.location.city": {"Azor"},
    "userPrincipalName": {USER},
    "detectionTimingType": {"realtime"},
}


SECRET = "https://orders.vault.azure.net/secrets/db/0123456789abcdef"


def vault_shapes(operation: str) -> dict[str, Record]:
    claim = {"upn": USER, "appid": APP, "oid": OBJECT, "ipaddr": "192.0.2.7"}
    properties = {
        "id": SECRET,
        "requestUri": f"{SECRET}?api-version=7.4",
        "clientInfo": "AZURECLI/2.60.0",
        "httpStatusCode": 200,
        "isAccessPolicyMatch": True,
    }
    table = {
        "TimeGenerated": TIME,
        "OperationName": operation,
        "ResultType": "Success",
        "ResultSignature": "OK",
        "CorrelationId": CORRELATION,
        "DurationMs": 9,
    }
    return {
        "diagnostic": {
            "time": TIME,
            "category": "AuditEvent",
            "operationName": operation,
            "resultType": "Success",
            "resultSignature": "OK",
            "correlationId": CORRELATION,
            "callerIpAddress": "192.0.2.7",
            "identity": {"claim": claim},
            "properties": properties,
            "resourceId": VAULT.upper(),
            "durationMs": "9",
        },
        "diagnostic of a managed HSM": {
            **properties,
            "TenantId": TENANT,
            "time": TIME,
            "category": "AuditEvent",
            "operationName": operation,
            "resultType": "Success",
            "resultSignature": "OK",
            "correlationId": CORRELATION,
            "callerIpAddress": "192.0.2.7",
            "identity": json.dumps(
                {
                    "claim": {
                        "appid": APP,
                        "ipaddr": "192.0.2.7",
                        "http_schemas_microsoft_com_identity": {
                            "claims": {"objectidentifier": OBJECT}
                        },
                        "http_schemas_xmlsoap_org_ws_2005_05_identity": {"claims": {"upn": USER}},
                    }
                }
            ),
            "properties": {"PoolType": "M-HSM", "sku_Family": "B"},
            "resourceId": VAULT.replace("vaults", "managedHSMs").upper(),
        },
        "log_analytics": {
            **table,
            "Category": "AuditEvent",
            "ResourceProvider": "MICROSOFT.KEYVAULT",
            "ResourceType": "VAULTS",
            "Resource": "ORDERS",
            "ResourceGroup": "RG-ORDERS",
            "ResourceId": VAULT.upper(),
            "CallerIPAddress": "192.0.2.7",
            **{f"identity_claim_{key}_s": claim[key] for key in ("upn", "ipaddr")},
            **{f"identity_claim_{key}_g": claim[key] for key in ("appid", "oid")},
            "id_s": properties["id"],
            "requestUri_s": properties["requestUri"],
            "clientInfo_s": properties["clientInfo"],
            "httpStatusCode_d": 200,
            "isAccessPolicyMatch_b": True,
            "Type": "AzureDiagnostics",
        },
        "log_analytics in its own table": {
            **table,
            **row(properties),
            "CallerIpAddress": "192.0.2.7",
            "Identity": json.dumps({"claim": claim}),
            "_ResourceId": VAULT.lower(),
            "Type": "AZKVAuditLogs",
        },
        "ecs": {
            "@timestamp": TIME,
            "data_stream": {"dataset": "azure.platformlogs"},
            "event": {"action": operation, "outcome": "success"},
            "source": {"ip": "192.0.2.7"},
            "azure": {
                "correlation_id": CORRELATION,
                "resource": {
                    "id": VAULT.upper(),
                    "group": "RG-ORDERS",
                    "name": "ORDERS",
                    "provider": "MICROSOFT.KEYVAULT/VAULTS",
                },
                "platformlogs": {
                    "category": "AuditEvent",
                    "operation_name": operation,
                    "result_type": "Success",
                    "result_signature": "OK",
                    "identity": {"claim": claim},
                    "properties": {**properties, "httpStatusCode": "200"},
                },
            },
        },
    }


REQUESTS = vault_shapes("SecretGet")
REQUEST_READINGS: dict[str, set[str]] = {
    "operationName": {"SecretGet"},
    "OperationNameValue": {"SecretGet"},
    "properties.message": {"SecretGet"},
    "category": {"AuditEvent"},
    "CategoryValue": {"AuditEvent"},
    "resultType": {"Success"},
    "Status": {"Success"},
    "ResultSignature": {"OK"},
    "callerIpAddress": {"192.0.2.7"},
    "CallerIPAddress": {"192.0.2.7"},
    "ResourceProviderValue": {"Microsoft.KeyVault"},
    "VaultName": {"orders"},
    "Caller": {USER},
    "identity.claim.upn": {USER},
    "identity.claim.oid": {OBJECT},
    "identity.claim.appid": {APP},
    "properties.id": {SECRET},
    "properties.requestUri": {f"{SECRET}?api-version=7.4"},
    "properties.clientInfo": {"AZURECLI/2.60.0"},
    "properties.httpStatusCode": {"200"},
    "httpStatusCode": {"200"},
    "properties.isAccessPolicyMatch": {"true"},
    "correlationId": {CORRELATION},
}


SAMPLES: dict[str, tuple[dict[str, Record], dict[str, set[str]]]] = {
    "azure.activity": (labelled(ACTIVITY), ACTIVITY_READINGS),
    "entra.signin": (labelled(SIGN_INS), SIGN_IN_READINGS),
    "entra.audit": (labelled(CHANGES), CHANGE_READINGS),
    "entra.risk": (labelled(DETECTIONS), DETECTION_READINGS),
    "azure.keyvault": (labelled(REQUESTS), REQUEST_READINGS),
}
