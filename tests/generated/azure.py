"""Azure and Entra events for rules, raw, in the shapes that Azure delivers.

Where a field of the rules stands in a record is written down here from the documentation of Azure's
diagnostic settings, of its tables in Log Analytics and of Microsoft Graph.
"""

import json
from collections.abc import Callable, Mapping

from generated.corpus import CorpusRule
from generated.generator import MISSING, Values, World, fold

TIME = "2026-03-04T05:06:07.891Z"
SUBSCRIPTION = "22222222-aaaa-4bbb-8ccc-000000000002"
Path = tuple[str | int, ...]

SLOTS = {
    "activitylogs": {
        "operation": ("operationName", "OperationNameValue", "properties.message"),
        "category": ("CategoryValue",),
        "resource": ("ResourceId",),
        "provider": ("ResourceProviderValue",),
    },
    "auditlogs": {
        "operation": ("operationName",),
        "activity": ("properties.message", "ActivityDisplayName", "ActivityType"),
        "category": ("Category",),
        "service": ("LoggedByService",),
        "status": ("Status", "properties.result"),
        "reason": ("failure_status_reason",),
        "targets": ("TargetResources", "properties.targetResources", "Target"),
        "target type": ("targetResources.type",),
        "changes": ("TargetResources.modifiedProperties",),
        "changed": ("TargetResources.modifiedProperties.displayName",),
        "new value": ("TargetResources.modifiedProperties.newValue",),
        "initiator": ("initiatedBy",),
        "details": ("additionalDetails.additionalInfo",),
        "consent": ("ConsentContext.IsAdminConsent",),
    },
    "signinlogs": {
        "code": ("resultType",),
        "description": ("resultDescription",),
        "status": ("Status",),
        "agent": ("userAgent",),
        "resource": ("ResourceDisplayName",),
        "access": ("conditionalAccessStatus",),
        "requirement": ("AuthenticationRequirement",),
        "risk": ("RiskState",),
        "trust": ("DeviceDetail.trustType",),
        "compliant": ("DeviceDetail.isCompliant",),
        "device": ("DeviceDetail.deviceId",),
        "networks": ("NetworkLocationDetails",),
        "client": ("ClientApp",),
        "user": ("Username",),
        "message": ("properties.message",),
        "activity details": ("ActivityDetails",),
    },
    "riskdetection": {"risk": ("riskEventType",)},
    "pim": {"risk": ("riskEventType",)},
}
"""Service → slot → the names that the rules have for it."""


def make_world(rule: CorpusRule) -> World:
    slots = {fold(name): slot for slot, names in SLOTS[rule.service].items() for name in names}
    gates = [{"category": one} for one in ("Administrative", "Policy", "Security")]
    activity = rule.service == "activitylogs"
    return World(
        slot=lambda name: slots[fold(name)],
        gates=gates if activity else [{}],
        free=("operation",),
        always=frozenset({"provider"}),
        elsewhere=[{"log": "KubeAudit"}, {"log": "AADProvisioningLogs"}],
    )


def place(values: Values, paths: Mapping[str, Path]) -> dict:
    """Write values where their slots stand."""
    record: dict = {}
    for slot, value in values.items():
        if slot in paths:
            put(record, paths[slot], value)
    return record


def put(record: object, path: Path, value: object) -> None:
    *outer, last = path
    for key, following in zip(outer, path[1:], strict=True):
        inner = [] if isinstance(following, int) else {}
        if isinstance(key, int) and len(record) == key:
            record.append(inner)
        record = record[key] if isinstance(key, int) else record.setdefault(key, inner)
    if isinstance(last, int):
        record.append(value)
    else:
        record[last] = value


def dotted(**paths: str) -> dict[str, Path]:
    """Read paths: keys with dots between them, numbers are places in a list."""
    return {
        slot.replace("_", " "): tuple(int(k) if k.isdigit() else k for k in path.split("."))
        for slot, path in paths.items()
    }


def given(**columns: object) -> dict:
    """Return the columns that hold something."""
    return {name: value for name, value in columns.items() if value is not MISSING}


def resource_id(values: Values) -> object:
    """Write the resource: its id tells its provider as well."""
    if "resource" not in values and "provider" not in values:
        return MISSING
    provider, name = values.get("provider", "Microsoft.Some"), values.get("resource", "things/one")
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/{provider}/{name}"


def activity_diagnostic(values: Values) -> dict:
    record = {"time": TIME, "operationName": values.get("operation", "MICROSOFT.SOME/READ")}
    record |= {"category": values.get("log", values["category"]), "resultType": "Success"}
    return record | given(resourceId=resource_id(values))


def activity_api(values: Values) -> dict | None:
    if "log" in values:
        return None
    operation = values.get("operation", "Microsoft.Some/read")
    record: dict = {"eventTimestamp": TIME, "operationName": {"value": operation}}
    record |= {"category": {"value": values["category"]}, "status": {"value": "Succeeded"}}
    if "provider" in values:
        record["resourceProviderName"] = {"value": values["provider"]}
    return record | given(resourceId=resource_id(values))


def activity_row(values: Values) -> dict:
    record = {"TimeGenerated": TIME, "Type": values.get("log", "AzureActivity")}
    record |= {"OperationNameValue": values.get("operation", "MICROSOFT.SOME/READ")}
    record |= {"CategoryValue": values["category"], "ActivityStatusValue": "Success"}
    provider = values.get("provider", MISSING)
    return record | given(ResourceProviderValue=provider, _ResourceId=resource_id(values))


def audit_object(values: Values) -> dict:
    """Write an audit record as Microsoft Graph has it, and every export in its `properties`."""
    record = place(values, AUDIT)
    if "status" in values:
        known = fold(str(values["status"])) in {"success", "failure"}
        record["result" if known else "resultReason"] = values["status"]
    record["activityDisplayName"] = values.get("activity", values.get("operation", "Do something"))
    return {"activityDateTime": TIME, **record}


AUDIT = dotted(
    category="category",
    service="loggedByService",
    reason="resultReason",
    targets="targetResources.0.displayName",
    target_type="targetResources.0.type",
    changes="targetResources.0.modifiedProperties.0.displayName",
    changed="targetResources.0.modifiedProperties.0.displayName",
    new_value="targetResources.0.modifiedProperties.0.newValue",
    initiator="initiatedBy.user.userPrincipalName",
    details="additionalDetails.0.value",
    consent="ConsentContext.IsAdminConsent",
)


def audit_graph(values: Values) -> dict | None:
    if "log" in values or {"operation", "activity"} <= values.keys():
        return None
    return {"loggedByService": "Some Service", **audit_object(values)}


def audit_diagnostic(values: Values) -> dict:
    record = {"time": TIME, "category": values.get("log", "AuditLogs")}
    operation = values.get("operation", values.get("activity", "Do something"))
    return record | {"operationName": operation, "properties": audit_object(values)}


def audit_row(values: Values) -> dict:
    record = table_row(audit_object(values), values.get("log", "AuditLogs"))
    return record | {"OperationName": values.get("operation", record["ActivityDisplayName"])}


def table_row(properties: dict, table: str) -> dict:
    """Write a row: columns start with a capital, what is nested is text."""
    row: dict = {"TimeGenerated": TIME, "Type": table}
    for key, value in properties.items():
        nested = isinstance(value, dict | list)
        row[key[:1].upper() + key[1:]] = json.dumps(value) if nested else value
    return row


SIGN_IN = dotted(
    agent="userAgent",
    resource="resourceDisplayName",
    access="conditionalAccessStatus",
    requirement="authenticationRequirement",
    risk="riskState",
    trust="deviceDetail.trustType",
    compliant="deviceDetail.isCompliant",
    device="deviceDetail.deviceId",
    networks="networkLocationDetails",
    client="clientAppUsed",
    user="userPrincipalName",
    message="message",
    activity_details="activityDetails",
)
PORTAL_WORDS = {"success": "0", "failure": "50126"}
"""The portal's words for a result → a code that they stand for."""


def sign_in_object(values: Values) -> dict:
    record = place(values, SIGN_IN)
    if values.get("compliant") == "false":
        record["deviceDetail"]["isCompliant"] = False
    if values.get("networks") == "[]":
        record["networkLocationDetails"] = []
    if "status" in values and fold(str(values["status"])) not in PORTAL_WORDS:
        record["status"] = {"additionalDetails": values["status"]}
    return record


def code_of(values: Values) -> object:
    """Write the result: a code, which is text in every export."""
    if "code" in values:
        code = values["code"]
        return code if code is None else str(code)
    return PORTAL_WORDS.get(fold(str(values.get("status"))), MISSING)


def sign_in_diagnostic(values: Values) -> dict:
    record = {"time": TIME, "category": values.get("log", "SignInLogs")}
    record |= {"operationName": "Sign-in activity", "properties": sign_in_object(values)}
    description = values.get("description", MISSING)
    return record | given(resultType=code_of(values), resultDescription=description)


def sign_in_row(values: Values) -> dict | None:
    """Write a row; no column holds what the portal calls a sign-in's message."""
    if "message" in values:
        return None
    record = table_row(sign_in_object(values), values.get("log", "SigninLogs"))
    description = values.get("description", MISSING)
    return record | given(ResultType=code_of(values), ResultDescription=description)


def risk_diagnostic(values: Values) -> dict:
    category = values.get("log", "UserRiskEvents")
    return {"time": TIME, "category": category, "properties": risk_object(values)}


def risk_row(values: Values) -> dict:
    return table_row(risk_object(values), values.get("log", "AADUserRiskEvents"))


def risk_object(values: Values) -> dict:
    return {"riskEventType": values["risk"]} if "risk" in values else {}


def pim_alert(values: Values) -> dict | None:
    """Write an alert of Privileged Identity Management: rules look for its type."""
    if "log" in values:
        return None
    kind = {"@odata.type": f"#microsoft.graph.{values['risk']}"} if "risk" in values else {}
    return {**kind, "assigneeId": "66666666-aaaa", "lastActivationDateTime": TIME}


SHAPES: Mapping[str, Mapping[str, Callable[[Values], dict | None]]] = {
    "activitylogs": {
        "diagnostic": activity_diagnostic,
        "table": activity_row,
        "api": activity_api,
    },
    "auditlogs": {"diagnostic": audit_diagnostic, "table": audit_row, "graph": audit_graph},
    "signinlogs": {"diagnostic": sign_in_diagnostic, "table": sign_in_row},
    "riskdetection": {"diagnostic": risk_diagnostic, "table": risk_row},
    "pim": {"diagnostic": risk_diagnostic, "graph": pim_alert},
}
"""Service → shape → how a record is written; none where the shape cannot say it."""
