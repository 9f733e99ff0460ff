"""What records of Azure read as under the names of the Elastic Common Schema."""

from typing import Any

from azure_records import (
    ACTIVITY,
    APP,
    CHANGES,
    CORRELATION,
    DETECTIONS,
    OBJECT,
    REQUESTS,
    SIGN_INS,
    SUBSCRIPTION,
    TENANT,
    TIME,
    USER,
    VAULT,
)

Record = dict[str, Any]
Fact = tuple[Record, dict[str, list[str] | None]]
"""A record, and names with the texts of their values; None for what is absent."""

HUB = ACTIVITY["diagnostic"]
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
CLAIM_NAMES = "azure.activitylogs.identity.claims.http://schemas_xmlsoap_org/ws/2005/05/identity"
BY_USER = "azure.activitylogs.identity.claims_initiated_by_user"
SIGN_IN = SIGN_INS["diagnostic"]
CHANGE = CHANGES["diagnostic"]
DETECTION = DETECTIONS["diagnostic"]
REQUEST = REQUESTS["diagnostic"]


def activity(**more: Any) -> Record:
    return {**HUB, **more}


def claimed(claims: Record, **identity: Any) -> Record:
    return activity(identity={"claims": claims, **identity})


def acting(**properties: Any) -> Record:
    return activity(properties=properties)


def signing_in(**properties: Any) -> Record:
    return {**SIGN_IN, "properties": {**SIGN_IN["properties"], **properties}}


def changing(**properties: Any) -> Record:
    return {**CHANGE, "properties": {**CHANGE["properties"], **properties}}


def at_resource(resource: str) -> Record:
    return activity(resourceId=resource)


ACTIVITIES: dict[str, Fact] = {
    "an-operation-of-an-export-is-in-capitals": (
        HUB,
        {
            "event.action": ["MICROSOFT.KEYVAULT/VAULTS/DELETE"],
            "azure.activitylogs.operation_name": ["MICROSOFT.KEYVAULT/VAULTS/DELETE"],
        },
    ),
    "success-is-lower-case": (activity(resultType="Success"), {"event.outcome": ["success"]}),
    "failure-is-lower-case": (activity(resultType="Failure"), {"event.outcome": ["failure"]}),
    "a-start-has-no-outcome": (
        activity(resultType="Start"),
        {"event.outcome": None, "azure.activitylogs.result_type": ["Start"]},
    ),
    "zero-has-no-outcome": (activity(resultType="0"), {"event.outcome": None}),
    "an-administrative-event-has-no-type": (HUB, {"event.type": None, "event.category": None}),
    "a-write-is-a-change": (activity(category="Write"), {"event.type": ["change"]}),
    "an-action-is-a-change": (activity(category="Action"), {"event.type": ["change"]}),
    "a-delete-is-a-deletion": (activity(category="Delete"), {"event.type": ["deletion"]}),
    "the-key-of-the-category-may-have-a-capital": (
        {**{key: one for key, one in HUB.items() if key != "category"}, "Category": "Policy"},
        {"azure.activitylogs.category": ["Policy"]},
    ),
    "policies-make-the-category-of-the-event": (
        acting(policies="[]"),
        {"azure.activitylogs.event_category": ["Policy"]},
    ),
    "the-category-of-the-event-is-administrative-else": (
        acting(a="b"),
        {"azure.activitylogs.event_category": ["Administrative"]},
    ),
    "the-category-of-the-event-leaves-the-properties": (
        acting(eventCategory="Administrative"),
        {"azure.activitylogs.properties.eventCategory": None},
    ),
    "dots-in-the-names-of-claims-become-underscores": (
        claimed({f"{CLAIMS}/upn": USER, "appid": APP}),
        {
            f"{CLAIM_NAMES}/claims/upn": [USER],
            f"azure.activitylogs.identity.claims.{CLAIMS}/upn": None,
            "azure.activitylogs.identity.claims.appid": [APP],
        },
    ),
    "claims-of-a-user-have-names-of-their-own": (
        claimed(
            {
                f"{CLAIMS}/name": f" {USER} ",
                f"{CLAIMS}/givenname": "Mira",
                f"{CLAIMS}/surname": "Lind",
                "name": "Mira Lind",
            }
        ),
        {
            f"{BY_USER}.name": [f" {USER} "],
            f"{BY_USER}.givenname": ["Mira"],
            f"{BY_USER}.surname": ["Lind"],
            f"{BY_USER}.fullname": ["Mira Lind"],
            f"{BY_USER}.schema": [CLAIMS],
            "user.full_name": ["Mira Lind"],
            "user.email": [USER],
            "user.name": ["mira"],
            "user.domain": ["contoso.example"],
        },
    ),
    "claims-of-an-application-name-no-user": (
        claimed({"appid": APP}),
        {f"{BY_USER}.name": None, f"{BY_USER}.schema": None, "user.name": None},
    ),
    "evidence-is-spelled-in-snake-case": (
        claimed(
            {},
            authorization={
                "action": "a/b",
                "scope": "/s",
                "evidence": {"principalId": "p", "principalType": "User", "roleDefinitionId": "r"},
            },
        ),
        {
            "azure.activitylogs.identity.authorization.action": ["a/b"],
            "azure.activitylogs.identity.authorization.scope": ["/s"],
            "azure.activitylogs.identity.authorization.evidence.principal_id": ["p"],
            "azure.activitylogs.identity.authorization.evidence.principal_type": ["User"],
            "azure.activitylogs.identity.authorization.evidence.role_definition_id": ["r"],
            "related.entity": [VAULT.upper(), "p"],
        },
    ),
    "an-identity-may-be-text": (
        activity(identity="someone"),
        {"azure.activitylogs.identity_name": ["someone"]},
    ),
    "keys-of-properties-are-kept-but-for-two": (
        acting(statusCode="OK", serviceRequestId="1", hierarchy="a/b", appId=APP),
        {
            "azure.activitylogs.properties.status_code": ["OK"],
            "azure.activitylogs.properties.service_request_id": ["1"],
            "azure.activitylogs.properties.statusCode": None,
            "azure.activitylogs.properties.hierarchy": ["a/b"],
            "azure.activitylogs.properties.appId": [APP],
        },
    ),
    "the-text-of-a-request-is-read-and-kept": (
        acting(requestbody='{"properties":{"roleDefinitionId":"r1"}}', responseBody='{"a":"b"}'),
        {
            "azure.activitylogs.properties.requestbody.properties.roleDefinitionId": ["r1"],
            "azure.activitylogs.properties.responseBody": ['{"a":"b"}', '{"a":"b"}', "b"],
            "azure.activitylogs.response_body.a": ["b"],
        },
    ),
    "milliseconds-as-text-become-nanoseconds": (
        activity(durationMs="2592000001"),
        {"event.duration": ["2592000001000000"]},
    ),
    "a-port-is-split-off": (
        activity(callerIpAddress="192.0.2.7:443"),
        {
            "source.ip": ["192.0.2.7"],
            "source.port": ["443"],
            "client.ip": ["192.0.2.7"],
            "related.ip": ["192.0.2.7"],
        },
    ),
    "a-port-of-ip6-is-split-off": (
        activity(callerIpAddress="[2001:db8::1]:443"),
        {"source.ip": ["2001:db8::1"], "source.port": ["443"]},
    ),
    "what-is-no-address-is-no-ip": (
        activity(callerIpAddress="hidden"),
        {"source.ip": None, "source.address": ["hidden"], "source.port": None},
    ),
    "a-level-is-text": (activity(level=4), {"log.level": ["4"]}),
    "a-numeric-level-stays-a-number": (
        activity(level=4),
        {"azure.activitylogs.level": ["4"]},
    ),
    "the-tenant-is-with-the-stream-too": (
        HUB,
        {"azure.tenant_id": [TENANT], "azure.activitylogs.tenant_id": [TENANT]},
    ),
    "an-id-gives-its-parts": (
        at_resource(VAULT),
        {
            "azure.resource.id": [VAULT],
            "cloud.resource_id": [VAULT],
            "azure.subscription_id": [SUBSCRIPTION],
            "azure.subscription.id": [SUBSCRIPTION],
            "cloud.account.id": [SUBSCRIPTION],
            "azure.resource.group": ["rg-orders"],
            "azure.resource_group.name": ["rg-orders"],
            "azure.resource.provider": ["Microsoft.KeyVault/vaults"],
            "azure.resource.name": ["orders"],
        },
    ),
    "words-of-an-id-are-read-in-any-case": (
        at_resource(f"/SuBscriptions/{SUBSCRIPTION}/resourcegroups/g/PROVIDERS/P.Q/r/n/s/m"),
        {
            "azure.subscription_id": [SUBSCRIPTION],
            "azure.resource.group": ["g"],
            "azure.resource.provider": ["P.Q/r/s"],
            "azure.resource.name": ["m"],
        },
    ),
    "a-subscription-is-a-guid": (
        at_resource("/subscriptions/x/resourceGroups/g/providers/P/q/r"),
        {"azure.subscription_id": None, "azure.resource.provider": ["P/q"]},
    ),
    "an-id-may-end-with-the-provider": (
        at_resource(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.X"),
        {"azure.resource.provider": ["Microsoft.X"], "azure.resource.name": None},
    ),
    "an-authorisation-rule-has-no-name": (
        at_resource("/x/PROVIDERS/MICROSOFT.EVENTHUB/NAMESPACES/n/AUTHORIZATIONRULES/r"),
        {
            "azure.resource.provider": ["MICROSOFT.EVENTHUB"],
            "azure.resource.namespace": ["n"],
            "azure.resource.authorization_rule": ["r"],
            "azure.resource.name": None,
        },
    ),
    "constants-are-there": (
        HUB,
        {
            "data_stream.type": ["logs"],
            "data_stream.namespace": ["default"],
            "data_stream.dataset": ["azure.activitylogs"],
            "event.dataset": ["azure.activitylogs"],
            "event.module": ["azure"],
            "event.kind": ["event"],
            "cloud.provider": ["azure"],
            "event.ingested": None,
        },
    ),
    "an-unknown-key-is-kept-in-snake-case": (
        activity(releaseVersion="6.0"),
        {"azure.activitylogs.release_version": ["6.0"]},
    ),
    "the-interface-writes-no-capitals-but-rules-read-some": (
        ACTIVITY["api"],
        {
            "event.action": ["MICROSOFT.KEYVAULT/VAULTS/DELETE"],
            "azure.resource.name": ["ORDERS"],
            "azure.activitylogs.result_type": ["Success"],
            "event.outcome": ["success"],
        },
    ),
}

SIGN_IN_FACTS: dict[str, Fact] = {
    "the-operation-is-what-the-export-says": (
        {**SIGN_IN, "operationName": "Sign-in again"},
        {
            "event.action": ["Sign-in again"],
            "azure.signinlogs.operation_name": ["Sign-in again"],
        },
    ),
    "no-code-is-a-success": (
        {**signing_in(status={}), "resultType": ""},
        {"event.outcome": ["success"]},
    ),
    "an-interrupt-is-a-failure": (
        {**signing_in(status={"errorCode": 50140}), "resultType": "50140"},
        {
            "event.outcome": ["failure"],
            "azure.signinlogs.properties.status.error_code": ["50140"],
            "azure.signinlogs.result_type": ["50140"],
        },
    ),
    "a-sign-in-is-an-authentication": (
        SIGN_IN,
        {"event.category": ["authentication"], "event.type": ["info"], "event.id": [OBJECT]},
    ),
    "some-properties-have-names-of-their-own": (
        signing_in(processingTimeInMilliseconds=12),
        {
            "azure.signinlogs.properties.created_at": [TIME],
            "azure.signinlogs.properties.processing_time_ms": ["12"],
            "azure.signinlogs.properties.risk_level_during_signin": ["high"],
            "azure.signinlogs.properties.risk_event_types_v2": ["unfamiliarFeatures"],
            "azure.signinlogs.properties.created_date_time": None,
        },
    ),
    "the-address-is-there-thrice": (
        SIGN_IN,
        {
            "source.ip": ["198.51.100.9"],
            "source.address": ["198.51.100.9"],
            "azure.signinlogs.caller_ip_address": ["198.51.100.9"],
            "source.port": ["50111"],
        },
    ),
    "the-agent-leaves-the-properties": (
        signing_in(userAgent="curl"),
        {"user_agent.original": ["curl"], "azure.signinlogs.properties.user_agent": None},
    ),
    "the-place-is-at-the-root": (
        SIGN_IN,
        {
            "geo.city_name": ["Azor"],
            "geo.region_name": ["Tel Aviv"],
            "geo.country_iso_code": ["IL"],
            "azure.signinlogs.properties.location.city": None,
        },
    ),
    "a-principal-name-is-split-at-its-at": (
        SIGN_IN,
        {"user.name": ["mira"], "user.domain": ["contoso.example"], "user.full_name": ["Mira"]},
    ),
    "a-principal-name-may-be-a-guid": (
        signing_in(userPrincipalName=OBJECT),
        {"user.name": [OBJECT], "user.domain": None},
    ),
    "keys-in-details-are-spelled-in-snake-case": (
        signing_in(
            authenticationDetails=[{"authenticationMethod": "Password", "StatusSequence": 0}],
            appliedConditionalAccessPolicies=[
                {"result": "success", "enforcedGrantControls": ["Mfa", "Block"]}
            ],
        ),
        {
            "azure.signinlogs.properties.authentication_details.authentication_method": [
                "Password"
            ],
            "azure.signinlogs.properties.authentication_details.status_sequence": ["0"],
            "azure.signinlogs.properties.applied_conditional_access_policies.result": ["success"],
            "azure.signinlogs.properties.applied_conditional_access_policies"
            ".enforced_grant_controls": ["Mfa", "Block"],
        },
    ),
    "processing-details-are-an-object": (
        signing_in(
            authenticationProcessingDetails=[
                {"key": "Legacy TLS", "value": "False"},
                {"key": "Oauth Scope Info", "value": '["User.Read","Mail.Read"]'},
            ]
        ),
        {
            "azure.signinlogs.properties.authentication_processing_details.Legacy TLS": ["False"],
            "azure.signinlogs.properties.authentication_processing_details.Oauth Scope Info": [
                "[User.Read,Mail.Read]"
            ],
        },
    ),
    "an-empty-text-is-absent": (
        SIGN_IN,
        {"azure.signinlogs.properties.device_detail.device_id": None},
    ),
    "a-truth-value-stays-one": (
        SIGN_IN,
        {"azure.signinlogs.properties.is_interactive": ["false"]},
    ),
    "the-tenant-is-that-of-the-id-where-none-is-said": (
        {key: value for key, value in SIGN_IN.items() if key != "tenantId"},
        {"azure.tenant_id": [TENANT], "cloud.account.id": [TENANT]},
    ),
    "the-record-s-own-number-of-the-network-is-read": (
        signing_in(autonomousSystemNumber=64500),
        {"source.as.number": ["64500"]},
    ),
    "nothing-of-the-record-is-a-name-of-its-own": (
        SIGN_IN,
        {"category": None, "properties.appId": None, "appId": None},
    ),
}

TARGETS = "azure.auditlogs.properties.target_resources"
CHANGE_FACTS: dict[str, Fact] = {
    "the-operation-needs-no-name-of-an-activity": (
        {"category": "AuditLogs", "operationName": "Add owner", "properties": {"id": OBJECT}},
        {"event.action": ["Add owner"], "azure.auditlogs.operation_name": ["Add owner"]},
    ),
    "targets-are-numbered": (
        CHANGE,
        {
            f"{TARGETS}.0.display_name": ["Administrators"],
            f"{TARGETS}.0.modified_properties.0.new_value": ['[{"RelyingParty":"*","State":0}]'],
            f"{TARGETS}.display_name": None,
        },
    ),
    "values-of-changed-properties-keep-their-quotes": (
        CHANGE,
        {
            f"{TARGETS}.*.modified_properties.*.new_value": [
                '[{"RelyingParty":"*","State":0}]',
                '"Member"',
            ]
        },
    ),
    "an-empty-old-value-is-one": (
        changing(targetResources=[{"modifiedProperties": [{"oldValue": ""}]}]),
        {f"{TARGETS}.0.modified_properties.0.old_value": [""]},
    ),
    "the-initiator-keeps-its-keys": (
        CHANGE,
        {
            "azure.auditlogs.properties.initiated_by.user.userPrincipalName": [USER],
            "azure.auditlogs.properties.initiated_by.user.user_principal_name": None,
        },
    ),
    "the-time-of-an-activity-has-no-underscore": (
        CHANGE,
        {
            "azure.auditlogs.properties.activity_datetime": [TIME],
            "azure.auditlogs.properties.activity_display_name": ["Update user "],
        },
    ),
    "the-agent-keeps-its-key": (
        changing(userAgent="curl"),
        {
            "azure.auditlogs.properties.userAgent": ["curl"],
            "azure.auditlogs.properties.user_agent": None,
        },
    ),
    "details-are-two-sets": (
        changing(additionalDetails=[{"key": "a", "value": "b"}, {"key": "c", "value": "d"}]),
        {
            "azure.auditlogs.properties.additional_details.key": ["a", "c"],
            "azure.auditlogs.properties.additional_details.value": ["b", "d"],
        },
    ),
    "a-result-is-the-outcome": (changing(result="failure"), {"event.outcome": ["failure"]}),
    "a-reason-is-that-of-the-event": (
        changing(resultReason="it had to be"),
        {
            "event.reason": ["it had to be"],
            "azure.auditlogs.properties.result_reason": ["it had to be"],
        },
    ),
    "no-reason-is-none": (changing(resultReason=""), {"event.reason": None}),
    "both-categories-are-there": (
        CHANGE,
        {
            "azure.auditlogs.category": ["AuditLogs"],
            "azure.auditlogs.properties.category": ["UserManagement"],
            "event.category": None,
        },
    ),
}

RISK = "azure.identityprotection.properties"
RISK_FACTS: dict[str, Fact] = {
    "a-detection-has-an-action": (
        DETECTION,
        {"event.action": ["User Risk Detection"], "event.outcome": None},
    ),
    "a-user-at-risk-has-another": (
        {**DETECTION, "category": "RiskyUsers", "operationName": "x"},
        {"event.action": ["Risky user"]},
    ),
    "times-are-written-alike": (
        {**DETECTION, "properties": {"detectedDateTime": "8/2/2022 6:07:16 PM"}},
        {f"{RISK}.detected_datetime": ["2022-08-02T18:07:16.000Z"]},
    ),
    "information-is-opened-and-keeps-its-keys": (
        DETECTION,
        {f"{RISK}.additional_info.Key": ["userAgent"], f"{RISK}.additional_info.key": None},
    ),
    "the-place-keeps-its-keys": (
        DETECTION,
        {f"{RISK}.location.countryOrRegion": ["IL"], f"{RISK}.location.country_or_region": None},
    ),
    "the-user-goes-by-the-principal-name": (
        DETECTION,
        {"user.name": [USER], "user.email": [USER], "user.full_name": ["Mira"]},
    ),
    "some-tenants-are-not-kept": (
        {**DETECTION, "properties": {"homeTenantId": TENANT, "riskState": "atRisk"}},
        {f"{RISK}.home_tenant_id": None, f"{RISK}.risk_state": ["atRisk"]},
    ),
}

LOG = "azure.platformlogs.properties.log"
AKS_RESOURCE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers"
    "/Microsoft.ContainerService/managedClusters/c"
)
AKS: Record = {
    "time": TIME,
    "category": "kube-audit",
    "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
    "resourceId": AKS_RESOURCE.upper(),
    "ccpNamespace": "n1",
    "properties": {
        "pod": "kube-apiserver-1",
        "log": '{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","stage":'
        '"ResponseComplete","requestURI":"/api/v1/pods/p/exec","verb":"create","user":{"username":'
        '"mira"},"objectRef":{"resource":"pods","subresource":"exec","name":"p"},"responseStatus":'
        '{"code":200},"userAgent":"kubectl"}',
    },
}
PLATFORM_FACTS: dict[str, Fact] = {
    "an-operation-of-a-vault-keeps-its-case": (
        REQUEST,
        {
            "event.action": ["SecretGet"],
            "event.outcome": ["success"],
            "azure.platformlogs.category": ["AuditEvent"],
            "azure.resource.provider": ["MICROSOFT.KEYVAULT/VAULTS"],
            "azure.platformlogs.identity.claim.upn": [USER],
        },
    ),
    "a-claim-named-by-a-url-is-no-upn": (
        {**REQUEST, "identity": {"claim": {f"{CLAIMS}/upn": USER}}},
        {
            "azure.platformlogs.identity.claim.upn": None,
            f"azure.platformlogs.identity.claim.{CLAIMS}/upn": [USER],
        },
    ),
    "an-identity-may-be-the-text-of-one": (
        {**REQUEST, "identity": '{"claim": {"appid": "a1"}}'},
        {"azure.platformlogs.identity.claim.appid": ["a1"]},
    ),
    "properties-keep-their-keys": (
        {
            **REQUEST,
            "properties": {"clientInfo": "x", "statusCode": 200, "isAccessPolicyMatch": True},
        },
        {
            "azure.platformlogs.properties.clientInfo": ["x"],
            "azure.platformlogs.properties.status_code": ["200"],
            "azure.platformlogs.properties.isAccessPolicyMatch": ["true"],
        },
    ),
    "the-outcome-may-stand-in-the-properties": (
        {**REQUEST, "resultType": "", "properties": {"result": "Failed"}},
        {"event.outcome": ["failure"]},
    ),
    "the-log-of-a-cluster-is-opened": (
        AKS,
        {
            f"{LOG}.verb": ["create"],
            f"{LOG}.objectRef.subresource": ["exec"],
            f"{LOG}.responseStatus.code": ["200"],
            "azure.platformlogs.ccpNamespace": ["n1"],
            "azure.platformlogs.category": ["kube-audit"],
            "event.dataset": ["azure.platformlogs"],
            "azure.resource.id": [AKS_RESOURCE.upper()],
            "event.action": ["Microsoft.ContainerService/managedClusters/diagnosticLogs/Read"],
        },
    ),
    "keys-at-the-top-keep-their-case": (
        {
            "time": TIME,
            "Category": "OperationalLogs",
            "resourceId": VAULT,
            "EventName": "Delete Queue",
            "EventProperties": '{"Queue": "q1"}',
            "Status": "Succeeded",
            "Caller": "me",
            "ActivityId": "7",
            "Region": "West Europe",
            "Host": "h1",
            "EventIpAddress": "192.0.2.9",
        },
        {
            "azure.platformlogs.Caller": ["me"],
            "azure.platformlogs.ActivityId": ["7"],
            "event.action": ["Delete Queue"],
            "azure.platformlogs.properties.Queue": ["q1"],
            "azure.platformlogs.status": ["Succeeded"],
            "event.outcome": ["success"],
            "cloud.region": ["West Europe"],
            "host.name": ["h1"],
            "source.ip": ["192.0.2.9"],
            "azure.platformlogs.category": ["OperationalLogs"],
        },
    ),
    "a-request-to-storage-has-its-status-at-the-top": (
        {
            "time": TIME,
            "category": "StorageRead",
            "operationName": "GetBlob",
            "resourceId": VAULT,
            "statusCode": 200,
            "callerIpAddress": "192.0.2.9:5000",
            "identity": {"type": "SAS"},
            "properties": {"accountName": "acc", "userAgentHeader": "azcopy"},
        },
        {
            "event.action": ["GetBlob"],
            "azure.platformlogs.statusCode": ["200"],
            "azure.platformlogs.identity.type": ["SAS"],
            "azure.platformlogs.properties.accountName": ["acc"],
            "azure.platformlogs.properties.userAgentHeader": ["azcopy"],
            "source.ip": ["192.0.2.9"],
        },
    ),
    "other-categories-are-in-other-data-sets": (
        {"time": TIME, "category": "AZFWDnsQuery", "resourceId": VAULT, "properties": {}},
        {"data_stream.dataset": ["azure.firewall_logs"]},
    ),
}

GRAPH: Record = {
    "time": TIME,
    "category": "MicrosoftGraphActivityLogs",
    "operationName": "Microsoft Graph Activity",
    "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
    "tenantId": TENANT,
    "resultSignature": "200",
    "durationMs": 5,
    "callerIpAddress": "192.0.2.7",
    "correlationId": CORRELATION,
    "location": "West US",
    "properties": {
        "requestUri": "https://graph.microsoft.com/v1.0//users/<pii>x</pii>?$top=1",
        "requestMethod": "GET",
        "requestId": "r1",
        "responseStatusCode": 404,
        "responseSizeBytes": 12,
        "userId": OBJECT,
        "servicePrincipalId": "",
        "appId": APP,
        "C_DeviceId": "d1",
        "c_Sid": "s1",
        "C_Idtyp": "user",
        "UserPrincipalObjectID": OBJECT,
        "clientAuthMethod": 0,
        "scopes": "User.Read Mail.Read",
        "roles": "",
        "userAgent": "curl",
        "signInActivityId": "t1",
    },
}
GRAPHS = "azure.graphactivitylogs.properties"
OLD_GRAPHS = "azure.aadgraphactivitylogs.properties"
OLD_GRAPH: Record = {
    "time": TIME,
    "category": "AzureADGraphActivityLogs",
    "tenantId": TENANT,
    "properties": {
        "callerIpAddress": "192.0.2.7",
        "requestUri": "/contoso.example/tenantDetails?api-version=1.6",
        "httpMethod": "GET",
        "httpStatusCode": 202,
        "requestId": "r1",
        "appId": APP,
        "userId": OBJECT,
        "apiVersion": "1.61-internal",
        "actorType": "User",
        "sessionId": "s1",
        "issuedAt": "8/2/2022 6:07:16 PM",
        "roles": "a,b c",
    },
}
GRAPH_FACTS: dict[str, Fact] = {
    "a-request-is-a-url": (
        GRAPH,
        {
            "url.original": ["https://graph.microsoft.com/v1.0//users/<pii>x</pii>?$top=1"],
            "url.scheme": ["https"],
            "url.domain": ["graph.microsoft.com"],
            "url.path": ["/v1.0//users/x"],
            "url.query": ["$top=1"],
            "http.request.method": ["GET"],
            "http.request.id": ["r1"],
            "http.response.status_code": ["404"],
            "http.response.bytes": ["12"],
        },
    ),
    "a-status-from-400-is-a-failure": (GRAPH, {"event.outcome": ["failure"]}),
    "a-request-is-an-access": (
        GRAPH,
        {
            "event.category": ["api"],
            "event.type": ["access"],
            "cloud.service.name": ["Microsoft Graph"],
            "data_stream.dataset": ["azure.graphactivitylogs"],
        },
    ),
    "claims-are-spelled-in-snake-case": (
        GRAPH,
        {
            f"{GRAPHS}.c_idtyp": ["user"],
            f"{GRAPHS}.c_sid": ["s1"],
            f"{GRAPHS}.c_device_id": ["d1"],
            f"{GRAPHS}.user_principal_object_id": [OBJECT],
            f"{GRAPHS}.client_auth_method": ["0"],
            "session.id": ["s1"],
            "device.id": ["d1"],
            "token.id": ["t1"],
        },
    ),
    "scopes-are-several-values": (
        GRAPH,
        {f"{GRAPHS}.scopes": ["User.Read", "Mail.Read"], f"{GRAPHS}.roles": None},
    ),
    "the-user-is-known": (GRAPH, {"user.id": [OBJECT], "client.user.id": [OBJECT]}),
    "the-older-graph-s-action-is-derived": (
        OLD_GRAPH,
        {
            "event.action": ["tenant-details-read"],
            "event.category": ["iam", "web"],
            "event.type": ["access", "info"],
            "event.outcome": ["success"],
            "event.id": ["r1"],
            "url.path": ["/contoso.example/tenantDetails"],
            "url.domain": None,
            "source.ip": ["192.0.2.7"],
            "session.id": ["s1"],
            f"{OLD_GRAPHS}.actor_type": ["User"],
            f"{OLD_GRAPHS}.api_version": ["1.61-internal"],
            f"{OLD_GRAPHS}.roles": ["a", "b", "c"],
            f"{OLD_GRAPHS}.token_issued_at": ["2022-08-02T18:07:16.000Z"],
            "cloud.service.name": ["Azure AD Graph"],
        },
    ),
    "a-change-is-none-that-reads": (
        {**OLD_GRAPH, "properties": {**OLD_GRAPH["properties"], "httpMethod": "PATCH",
         "requestUri": "/x/applications/1", "httpStatusCode": 403}},
        {
            "event.action": ["applications-update"],
            "event.type": ["access", "change"],
            "event.outcome": ["failure"],
        },
    ),
}  # fmt: skip

FACTS = {
    **{f"activity: {name}": fact for name, fact in ACTIVITIES.items()},
    **{f"sign-in: {name}": fact for name, fact in SIGN_IN_FACTS.items()},
    **{f"change: {name}": fact for name, fact in CHANGE_FACTS.items()},
    **{f"risk: {name}": fact for name, fact in RISK_FACTS.items()},
    **{f"resource: {name}": fact for name, fact in PLATFORM_FACTS.items()},
    **{f"graph: {name}": fact for name, fact in GRAPH_FACTS.items()},
}
