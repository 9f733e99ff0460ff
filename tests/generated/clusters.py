"""Events of Google Cloud, Google Workspace and Kubernetes for rules, raw, in all their shapes."""

import json
from dataclasses import replace

from generated.azure import given
from generated.cloud import LABELLED, LOG_GROUP, TIME, Record, Source, of, plain, within
from generated.generator import MISSING, Values

AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
SERVICE = "protoPayload.serviceName"
EVENT = "protoPayload.metadata.event.0.eventName"
PERMISSION = "protoPayload.authorizationInfo.0"


def write_entry(record: Record) -> None:
    """Write where a log is kept, and the parameters of a Google Workspace event."""
    if isinstance(record.get("logName"), str):
        record["logName"] = f"projects/p7/logs/{record['logName']}"
    named = {key: record.pop(key) for key in ("SETTING_NAME", "NEW_VALUE") if key in record}
    if named:
        parameters = [{"name": name, "value": value} for name, value in named.items()]
        event = record["protoPayload"]["metadata"]["event"]
        event[0]["parameter"] = [{"name": "OTHER", "value": "q7"}, *parameters]


def big_query_row(source: Source, values: Values) -> Record:
    """Write a row of an export to BigQuery: what has no fixed form is text."""
    record = source.record(values)
    payload = record.pop("protoPayload")
    for key in {"metadata", "request", "response"} & payload.keys():
        payload[f"{key}Json"] = json.dumps(payload.pop(key))
    del payload["@type"]
    return {**record, "protopayload_auditlog": {"methodName": "some.method", **payload}}


GOOGLE_CLOUD = Source(
    base={
        "insertId": "q7",
        "timestamp": TIME,
        "receiveTimestamp": TIME,
        "protoPayload": {"@type": AUDIT_LOG, "resourceName": "projects/p7"},
    },
    slots={
        "gcp.audit.method_name": "protoPayload.methodName",
        "data.protopayload.authorizationinfo.permission": f"{PERMISSION}.permission",
        "data.protopayload.authorizationinfo.granted": f"{PERMISSION}.granted",
        "data.protopayload.servicename": SERVICE,
        "data.protopayload.resource.type": "resource.type",
        "data.protopayload.logname": "logName",
        "data.protopayload.methodname": "protoPayload.methodName",
        "eventservice": SERVICE,
        "protopayload.servicename": SERVICE,
        "eventname": EVENT,
        "protopayload.metadata.event.eventname": EVENT,
        "setting_name": "SETTING_NAME",
        "new_value": "NEW_VALUE",
    },
    finish=write_entry,
    defaults={EVENT: "SOMETHING"},
    free=("protoPayload.status.message",),
    shapes={
        "entry": plain,
        "event": LABELLED,
        "data": within({}, "data"),
        "bigquery": of(big_query_row),
    },
)


def report(source: Source, values: Values) -> Record:
    """Write an activity as the Reports API returns it."""
    payload = source.record(values)["protoPayload"]
    service = payload["serviceName"].removesuffix(".googleapis.com")
    event = payload["metadata"]["event"][0]
    activity = {"name": event.get("eventName"), "parameters": event.get("parameter", [])}
    identity = {"time": TIME, "uniqueQualifier": "-7", "applicationName": service}
    return {"kind": "admin#reports#activity", "id": identity, "events": [activity]}


WORKSPACE = replace(
    GOOGLE_CLOUD,
    elsewhere=[{SERVICE: "drive.googleapis.com"}],
    always=frozenset({EVENT}),
    shapes={**GOOGLE_CLOUD.shapes, "report": of(report)},
)
ADMIN = replace(WORKSPACE, gate={SERVICE: "admin.googleapis.com"})
LOGIN = replace(WORKSPACE, gate={SERVICE: "login.googleapis.com"})


def write_pod(record: Record) -> None:
    """Write what rules want of a pod as its specification has it."""
    spec: Record = {}
    if "hostPath" in record:
        spec["volumes"] = [{"name": "q7", "hostPath": part("path", record.pop("hostPath"))}]
    if "capabilities" in record:
        context = {"capabilities": part("add", record.pop("capabilities"))}
        spec["containers"] = [{"name": "q7", "securityContext": context}]
    if spec:
        record["requestObject"] = {"kind": "Pod", "spec": spec}


def part(key: str, value: object) -> object:
    return value if value is None else {key: value}


COLUMNS = {
    "auditID": "AuditId",
    "requestURI": "RequestUri",
    "requestObject": "RequestObject",
    "responseStatus": "ResponseStatus",
    "objectRef": "ObjectRef",
    "userAgent": "UserAgent",
    "verb": "Verb",
    "stage": "Stage",
    "level": "Level",
}


def aks_table_row(source: Source, values: Values) -> Record:
    record = source.record(values)
    cells = {
        column: json.dumps(value) if isinstance(value := record[key], dict) else value
        for key, column in COLUMNS.items()
        if key in record
    }
    return {"Type": "AKSAudit", "TimeGenerated": TIME, **cells}


def datadog(source: Source, values: Values) -> Record:
    record = source.record(values)
    http = {"url_details": {"path": record["requestURI"]}}
    http |= given(method=record.pop("verb", MISSING), useragent=record.pop("userAgent", MISSING))
    http |= given(status_code=record.pop("responseStatus", {}).get("code", MISSING))
    return {**record, "http": http}


def gke_entry(source: Source, values: Values) -> Record | None:
    """Write an entry of Cloud Logging: the request is told by a method and a resource's name."""
    record = source.record(values)
    target, verb = record.get("objectRef", {}), record.get("verb")
    told = {**target, "verb": verb, "resource": target.get("resource")}
    if values["requestURI"] != URI or not all(map(is_a_word, told.values())):
        return None
    group, namespace = target.get("apiGroup", "core"), target.get("namespace")
    inside = f"namespaces/{namespace}/" if namespace else ""
    below = [target["subresource"]] if "subresource" in target else []
    kind = ".".join([target["resource"], *below])
    name = "/".join([target["resource"], "q7", *below])
    payload = {
        "@type": AUDIT_LOG,
        "serviceName": "k8s.io",
        "methodName": f"io.k8s.{group}.v1.{kind}.{verb}",
        "resourceName": f"{group}/v1/{inside}{name}",
        "request": record.get("requestObject", {}),
        "response": record.get("responseStatus", {}),
    }
    if "userAgent" in record:
        payload["requestMetadata"] = {"callerSuppliedUserAgent": record["userAgent"]}
    return {"insertId": "q7", "timestamp": TIME, "protoPayload": payload}


def is_a_word(value: object) -> bool:
    """Say whether a value can stand in a name of several parts."""
    return isinstance(value, str) and value != "" and "/" not in value


URI = "/api/v1/things"
KUBERNETES = Source(
    base={
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": "55555555-aaaa-4bbb-8ccc-000000000005",
        "stage": "ResponseComplete",
        "level": "RequestResponse",
        "requestReceivedTimestamp": TIME,
    },
    slots={"apigroup": "objectRef.apiGroup"},
    finish=write_pod,
    defaults={"requestURI": URI, "verb": "get", "objectRef.resource": "things"},
    always=frozenset({"requestURI"}),
    shapes={
        "record": plain,
        "event": LABELLED,
        "cloudwatch": LOG_GROUP,
        "aks": within({"category": "kube-audit", "time": TIME}, "properties.log", text=True),
        "aks_row": within({"Category": "kube-audit"}, "log_s", text=True),
        "log_analytics": of(aks_table_row),
        "datadog": of(datadog),
        "gke": of(gke_entry),
    },
)
