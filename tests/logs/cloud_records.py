"""Records of clouds and services for tests: the same thing in every shape it is met in."""

import json
from typing import Any

from microsoft_records import DEFENDER, OFFICE, STORAGE
from record_envelopes import ADDRESS, ID, TIME, USER, Record, Shapes, in_event

MILLISECONDS = 1_772_600_767_891
ACCOUNT = "123456789012"
AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"


def in_log_group(record: Record) -> Record:
    """Write a record as an event of a CloudWatch log group."""
    return {"id": "3701", "timestamp": MILLISECONDS, "message": json.dumps(record)}


def in_event_bridge(record: Record) -> Record:
    return {
        "version": "0",
        "id": ID,
        "detail-type": "Some Log",
        "source": "some.source",
        "time": TIME,
        "region": "eu-central-1",
        "detail": record,
    }


def trail(name: str, source: str, **more: Any) -> Shapes:
    """Write a call of an AWS interface."""
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/mira",
            "accountId": ACCOUNT,
            "userName": "mira",
        },
        "eventTime": TIME,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": ADDRESS,
        "userAgent": "aws-cli/2.30.0",
        "requestParameters": None,
        "responseElements": None,
        "eventID": ID,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        **more,
    }
    looked_up = {
        "EventId": ID,
        "EventName": name,
        "EventSource": record["eventSource"],
        "EventTime": "2026-03-04 06:06:07+01:00",
        "Username": "mira",
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }
    return {
        "record": record,
        "event": in_event(record),
        "eventbridge": in_event_bridge(record),
        "cloudwatch": in_log_group(record),
        "lookup": looked_up,
    }


TRAIL = {
    "a trail is stopped": trail(
        "StopLogging", "cloudtrail", requestParameters={"name": "arn:aws:cloudtrail:x:trail/main"}
    ),
    "a trail is looked at": trail("GetTrailStatus", "cloudtrail", readOnly=True),
    "a trail is not stopped": trail(
        "StopLogging", "cloudtrail", errorCode="AccessDenied", errorMessage="is not authorized"
    ),
    "a bucket is opened": trail(
        "PutBucketPolicy",
        "s3",
        requestParameters={
            "bucketName": "orders",
            "bucketPolicy": {"Statement": [{"Effect": "Allow", "Principal": "*"}]},
        },
    ),
}


def entry(method: str, service: str, name: str, **payload: Any) -> Shapes:
    """Write an audit log entry of Google Cloud."""
    audit = {
        "@type": AUDIT_LOG,
        "authenticationInfo": {"principalEmail": USER},
        "requestMetadata": {"callerIp": ADDRESS, "callerSuppliedUserAgent": "gcloud/500"},
        "serviceName": service,
        "methodName": method,
        "resourceName": name,
        **payload,
    }
    written = {
        "insertId": "q7",
        "logName": "projects/p7/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": TIME,
        "receiveTimestamp": TIME,
        "severity": "NOTICE",
        "resource": {"type": "project", "labels": {"project_id": "p7"}},
    }
    whole = {**written, "protoPayload": audit}
    flexible = {"request", "response", "metadata"}
    row = {key: value for key, value in audit.items() if key not in {*flexible, "@type"}}
    row |= {f"{key}Json": json.dumps(audit[key]) for key in flexible & audit.keys()}
    return {
        "entry": whole,
        "event": in_event(whole),
        "data": {"data": whole},
        "bigquery": {**written, "protopayload_auditlog": row},
    }


GOOGLE_CLOUD = {
    "a firewall rule is added": entry(
        "v1.compute.firewalls.insert",
        "compute.googleapis.com",
        "projects/p7/global/firewalls/open",
        authorizationInfo=[
            {"permission": "compute.firewalls.create", "granted": True},
            {"permission": "compute.networks.updatePolicy", "granted": True},
        ],
        request={"sourceRanges": ["0.0.0.0/0"]},
    ),
    "a firewall rule is read": entry(
        "v1.compute.firewalls.get", "compute.googleapis.com", "projects/p7/global/firewalls/open"
    ),
    "a shell is opened in a pod": entry(
        "io.k8s.core.v1.pods.exec.create",
        "k8s.io",
        "core/v1/namespaces/shop/pods/web/exec",
        response={"code": 101},
    ),
    "an administrator is made": entry(
        "google.admin.AdminService.grantAdminPrivilege",
        "admin.googleapis.com",
        "organizations/7/delegatedAdminSettings",
        metadata={
            "@type": "type.googleapis.com/ccc_hosted_reporting.ActivityProto",
            "event": [
                {
                    "eventType": "DELEGATED_ADMIN_SETTINGS",
                    "eventName": "GRANT_ADMIN_PRIVILEGE",
                    "parameter": [
                        {"name": "USER_EMAIL", "value": "noor@contoso.example"},
                        {"name": "NEW_VALUE", "value": "true"},
                    ],
                }
            ],
        },
    ),
}


def activity(name: str, application: str, *parameters: Record) -> Shapes:
    """Write an activity of Google Workspace as the Reports API returns it."""
    record = {
        "kind": "admin#reports#activity",
        "id": {
            "time": TIME,
            "uniqueQualifier": "-77",
            "applicationName": application,
            "customerId": "C07",
        },
        "actor": {"email": USER, "profileId": "7"},
        "ipAddress": ADDRESS,
        "events": [{"type": "SOME", "name": name, "parameters": list(parameters)}],
    }
    return {"report": record, "event": in_event(record)}


NOOR = {"name": "USER_EMAIL", "value": "noor@contoso.example"}
WORKSPACE = {
    "an administrator is made": activity("GRANT_ADMIN_PRIVILEGE", "admin", NOOR),
    "two factors are not asked for any more": activity(
        "ENFORCE_STRONG_AUTHENTICATION", "admin", {"name": "NEW_VALUE", "value": "false"}
    ),
    "two factors are asked for": activity(
        "ENFORCE_STRONG_AUTHENTICATION",
        "admin",
        {"name": "OLD_VALUE", "value": "false"},
        {"name": "NEW_VALUE", "value": "true"},
    ),
    "a sign-in is strange": activity("suspicious_login", "login"),
}


def request(verb: str, target: Record, uri: str, **more: Any) -> Shapes:
    """Write a request to a cluster; `more` has the last word."""
    record = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": ID,
        "stage": "ResponseComplete",
        "requestURI": uri,
        "verb": verb,
        "user": {"username": USER, "groups": ["system:authenticated"]},
        "sourceIPs": [ADDRESS],
        "userAgent": "kubectl/v1.34.0",
        "objectRef": target,
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": TIME,
        "stageTimestamp": TIME,
        **more,
    }
    aks = {
        "time": TIME,
        "resourceId": "/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/K",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "category": "kube-audit",
        "properties": {"log": json.dumps(record), "stream": "stdout", "pod": "kube-apiserver-7"},
    }
    old_row = {"TimeGenerated": TIME, "Category": "kube-audit", "log_s": json.dumps(record)}
    row = {
        "Type": "AKSAudit",
        "TimeGenerated": TIME,
        "AuditId": ID,
        "Level": record["level"],
        "Stage": record["stage"],
        "RequestUri": uri,
        "Verb": verb,
        "User": json.dumps(record["user"]),
        "SourceIps": json.dumps(record["sourceIPs"]),
        "UserAgent": record["userAgent"],
        "ObjectRef": json.dumps(target),
        "ResponseStatus": json.dumps(record["responseStatus"]),
        "RequestObject": json.dumps(record.get("requestObject", {})),
    }
    return {
        "record": record,
        "event": in_event(record),
        "cloudwatch": in_log_group(record),
        "aks": aks,
        "aks_row": {**old_row, "Type": "AzureDiagnostics"},
        "log_analytics": row,
        **datadog(record),
    }


def datadog(record: Record) -> Shapes:
    moved = ("verb", "userAgent", "responseStatus", "sourceIPs")
    kept = {key: value for key, value in record.items() if key not in moved}
    http = {
        "url_details": {"path": record["requestURI"]},
        "method": record["verb"],
        "useragent": record["userAgent"],
        "status_code": record["responseStatus"]["code"],
    }
    network = {"client": {"ip": ADDRESS}}
    flat = {**kept, "http": http, "network": network}
    return {"datadog": flat, "datadog_event": in_event(flat)}


POD = {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"}
SOCKET = {"name": "run", "hostPath": {"path": "/var/run/docker.sock"}}
KUBERNETES = {
    "a shell is opened in a pod": request(
        "create", {**POD, "subresource": "exec"}, "/api/v1/namespaces/shop/pods/web/exec?command=sh"
    ),
    "a pod is looked at": request("get", POD, "/api/v1/namespaces/shop/pods/web"),
    "a pod with a path of its node is made": request(
        "create",
        POD,
        "/api/v1/namespaces/shop/pods",
        requestObject={"kind": "Pod", "spec": {"volumes": [{"name": "x"}, SOCKET]}},
    ),
    "roles are bound without leave": request(
        "create",
        {
            "resource": "clusterrolebindings",
            "apiGroup": "rbac.authorization.k8s.io",
            "apiVersion": "v1",
            "name": "all",
        },
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        responseStatus={"metadata": {}, "status": "Failure", "code": 403},
    ),
}


def logged(event_type: str, message: str, **more: Any) -> Shapes:
    """Write an event of Okta."""
    record = {
        "uuid": ID,
        "published": TIME,
        "eventType": event_type,
        "version": "0",
        "severity": "INFO",
        "displayMessage": message,
        "legacyEventType": "core.some.thing",
        "actor": {"id": "00u7", "type": "User", "alternateId": USER, "displayName": "Mira"},
        "client": {"ipAddress": ADDRESS, "userAgent": {"rawUserAgent": "axios/1.7.9"}},
        "outcome": {"result": "SUCCESS", "reason": None},
        "target": [
            {"id": "0oa1", "type": "AppInstance", "displayName": "Shop"},
            {
                "id": "0oa2",
                "type": "AppInstance",
                "alternateId": "console",
                "displayName": "Okta Admin Console",
            },
        ],
        "debugContext": {"debugData": {"requestUri": "/idp/idx/identify"}},
        "securityContext": {"isProxy": False},
        **more,
    }
    return {
        "record": record,
        "event": in_event(record),
        "eventbridge": in_event_bridge(record),
    }


OKTA = {
    "a token is made": logged("system.api_token.create", "Create API token"),
    "a session starts behind a proxy": logged(
        "user.session.start", "User login to Okta", securityContext={"isProxy": True}
    ),
    "a session starts": logged("user.session.start", "User login to Okta"),
    "a sign-on is new": logged(
        "policy.evaluate_sign_on",
        "Evaluation of sign-on policy",
        debugContext={"debugData": {"behaviors": "{New Device=POSITIVE, New IP=NEGATIVE}"}},
    ),
}


def audited(action: str, **more: Any) -> Shapes:
    """Write an event of GitHub."""
    record = {
        "@timestamp": MILLISECONDS,
        "_document_id": "q7dM4",
        "action": action,
        "actor": "mira",
        "actor_id": 7,
        "actor_ip": ADDRESS,
        "created_at": MILLISECONDS,
        "org": "contoso",
        "repo": "contoso/shop",
        **more,
    }
    return {"record": record, "event": in_event(record)}


GITHUB = {
    "a repository is made public": audited(
        "repo.access", visibility="public", previous_visibility="private"
    ),
    "a repository is made private": audited(
        "repo.access", visibility="private", previous_visibility="public"
    ),
    "protection is overridden": audited("protected_branch.policy_override", branch="main"),
    "a secret is made": audited("org.create_actions_secret", name="DEPLOY"),
}


WRITTEN = {
    "insertId": "q7",
    "logName": "projects/p7/logs/syslog",
    "timestamp": TIME,
    "resource": {"type": "gce_instance", "labels": {"project_id": "p7"}},
    "jsonPayload": {"connection": {"src_ip": ADDRESS}},
}
LOGGING = {
    "a line is written": {"entry": WRITTEN, "event": in_event(WRITTEN), "data": {"data": WRITTEN}}
}

LOGS: dict[str, dict[str, Shapes]] = {
    "aws.cloudtrail": TRAIL,
    "azure.storage": STORAGE,
    "gcp.audit": GOOGLE_CLOUD,
    "gcp.logging": LOGGING,
    "github.audit": GITHUB,
    "google.workspace": WORKSPACE,
    "kubernetes.audit": KUBERNETES,
    "m365.audit": OFFICE,
    "m365.defender": DEFENDER,
    "okta.system": OKTA,
}
"""Log type → what happens → shape → record."""
