"""One activity, sign-in, change, detection and vault request in every shape it is met in."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_records import (
    ACTIVITY,
    APP,
    CHANGES,
    DELETED,
    DETECTIONS,
    OBJECT,
    OID_CLAIM,
    REQUESTS,
    SAMPLES,
    SECRET,
    SIGN_INS,
    TIME,
    UPN_CLAIM,
    USER,
    VAULT,
    Record,
    activity_shapes,
    change_shapes,
    renamed,
    row,
    sign_in_shapes,
    vault_shapes,
)
from seeing import accepting, kinds, parse, records_of, view

from tocsin.condition.evaluate import holds
from tocsin.condition.functions import fold
from tocsin.condition.tree import Call, Field
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import LogType
from tocsin.logs.view import RecordView
from tocsin.rules.load import load_rules
from tocsin.rules.model import Rule
from tocsin.times import format_time

OURS = ("azure.activity", "azure.keyvault", "entra.signin", "entra.audit", "entra.risk")


def each_shape() -> list[Any]:
    return [
        pytest.param(name, shape, id=f"{name}: {shape}")
        for name, (records, _) in SAMPLES.items()
        for shape in records
    ]


@cache
def ours() -> dict[str, LogType]:
    return {log_type.name: log_type for log_type in shipped_log_types() if log_type.name in OURS}


def reading(seen: RecordView, name: str, function: str = "leaves") -> set[str] | None:
    values = seen.read(Field((name,), (Call(function),)))
    return None if values is None else {fold(str(value)) for value in values}


@pytest.mark.parametrize(("name", "shape"), each_shape())
def test_every_shape_is_accepted_once(name, shape):
    assert kinds(parse(SAMPLES[name][0][shape])) == [f"{name}/{shape.split(' ')[0]}"]


def without(record: Record, *keys: str) -> Record:
    return {key: value for key, value in record.items() if key not in keys}


def capitalised(record: Record) -> Record:
    return renamed(record, {"category": "Category", "identity": "Identity", "level": "Level"})


VARIANTS: dict[str, tuple[Record, str]] = {
    **{
        f"activity of category {category}": (
            {**ACTIVITY["diagnostic"], "category": category},
            "azure.activity/diagnostic",
        )
        for category in (
            *("Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale"),
            *("ResourceHealth", "Action", "Write", "Delete", "administrative"),
        )
    },
    "activity whose category has a capital": (
        capitalised(ACTIVITY["diagnostic"]),
        "azure.activity/diagnostic",
    ),
    "activity row without its table's name": (
        without(ACTIVITY["log_analytics"], "Type"),
        "azure.activity/log_analytics",
    ),
    "activity row with three columns": (
        {"TimeGenerated": TIME, "OperationName": "Delete Key Vault", "Category": "Administrative"},
        "azure.activity/log_analytics",
    ),
    "activity document of Filebeat": (
        {"@timestamp": TIME, "event": {"dataset": "azure.activitylogs"}},
        "azure.activity/ecs",
    ),
    **{
        f"sign-in of category {category}": (
            {**SIGN_INS["diagnostic"], "category": category},
            "entra.signin/diagnostic",
        )
        for category in (
            *("NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs"),
            *("ManagedIdentitySignInLogs", "MicrosoftServicePrincipalSignInLogs"),
            "ADFSSignInLogs",
        )
    },
    **{
        f"sign-in row of table {table}": (
            {**without(SIGN_INS["log_analytics"], "Category"), "Type": table},
            "entra.signin/log_analytics",
        )
        for table in (
            *("AADNonInteractiveUserSignInLogs", "AADServicePrincipalSignInLogs"),
            *("AADManagedIdentitySignInLogs", "ADFSSignInLogs"),
        )
    },
    "sign-in row without its table's name": (
        without(SIGN_INS["log_analytics"], "Type"),
        "entra.signin/log_analytics",
    ),
    "sign-in whose category has a capital": (
        capitalised(SIGN_INS["diagnostic"]),
        "entra.signin/diagnostic",
    ),
    "change of policies in the shape of Microsoft Graph": (
        {**CHANGES["graph"], "category": "Policy"},
        "entra.audit/graph",
    ),
    "change row without its table's name": (
        without(CHANGES["log_analytics"], "Type"),
        "entra.audit/log_analytics",
    ),
    "change row with a type of the query's own": (
        {**CHANGES["log_analytics"], "Type": "Application"},
        "entra.audit/log_analytics",
    ),
    "activity row with the empty columns of other tables": (
        {**row(dict.fromkeys(CHANGES["log_analytics"], "")), **ACTIVITY["log_analytics"]},
        "azure.activity/log_analytics",
    ),
    "user at risk": (
        {
            **DETECTIONS["diagnostic"],
            "category": "RiskyUsers",
            "operationName": "Risky user",
            "properties": {"riskState": "atRisk", "riskLastUpdatedDateTime": TIME},
        },
        "entra.risk/diagnostic",
    ),
    "user at risk in the shape of Microsoft Graph": (
        {"id": OBJECT, "riskState": "atRisk", "riskLastUpdatedDateTime": TIME},
        "entra.risk/graph",
    ),
    "alert of privileged identity management": (
        {
            "@odata.type": "#microsoft.graph.noMfaOnRoleActivationAlertIncident",
            "id": OBJECT,
            "assigneeId": APP,
            "assigneeUserPrincipalName": USER,
            "roleDisplayName": "Global Administrator",
        },
        "entra.risk/graph_alert",
    ),
    "vault request without a resource": (
        without(REQUESTS["diagnostic"], "resourceId"),
        "azure.keyvault/diagnostic",
    ),
    "vault request of Filebeat": (
        {
            "@timestamp": TIME,
            "event": {"dataset": "azure.platformlogs", "action": "SecretGet"},
            "azure": {"platformlogs": {"category": "AuditEvent"}},
        },
        "azure.keyvault/ecs",
    ),
}


@pytest.mark.parametrize(("record", "kind"), VARIANTS.values(), ids=VARIANTS)
def test_what_varies_within_a_log_is_still_accepted_once(record, kind):
    assert kinds(parse(record)) == [kind]


FOREIGN: dict[str, Record] = {
    "storage": {"time": TIME, "operationName": "PutBlob", "category": "StorageWrite"},
    "automation": {
        "time": TIME,
        "operationName": "Update",
        "category": "AuditEvent",
        "resourceId": "/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.AUTOMATION/AUTOMATIONACCOUNTS/A",
    },
    "vault policy": {
        "operationName": "Evaluate",
        "category": "AzurePolicyEvaluationDetails",
        "resourceId": VAULT,
    },
    "vault policy row": {
        **REQUESTS["log_analytics"],
        "Category": "AzurePolicyEvaluationDetails",
    },
    "cluster": {
        "@timestamp": TIME,
        "data_stream": {"dataset": "azure.platformlogs"},
        "azure": {
            "platformlogs": {"category": "kube-audit"},
            "resource": {"provider": "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS"},
        },
    },
    "office": {"TimeGenerated": TIME, "Operation": "PageViewed", "OfficeWorkload": "SharePoint"},
    "provisioning": {"time": TIME, "operationName": "x", "category": "ProvisioningLogs"},
    "nothing": {},
}


@pytest.mark.parametrize("record", FOREIGN.values(), ids=FOREIGN)
def test_other_logs_of_azure_are_not_taken(record):
    assert not [kind for kind in kinds(parse(record)) if kind.split("/")[0] in OURS]


@pytest.mark.parametrize(("name", "shape"), each_shape())
def test_one_activity_reads_alike_in_every_shape(name, shape):
    records, readings = SAMPLES[name]
    seen = view(records[shape])
    got = {field: reading(seen, field) for field in readings}
    assert got == {field: {fold(text) for text in texts} for field, texts in readings.items()}


def test_an_empty_array_reads_as_its_text():
    for shape, record in SIGN_INS.items():
        assert reading(view(record), "NetworkLocationDetails", "text") == {"[]"}, shape


@pytest.mark.parametrize("record", SIGN_INS.values(), ids=SIGN_INS)
def test_a_sign_in_has_no_message(record):
    assert reading(view(record), "properties.message") is None


FAILED = sign_in_shapes({"status": {"errorCode": 50057, "failureReason": "Account is disabled."}})


@pytest.mark.parametrize("record", FAILED.values(), ids=FAILED)
def test_a_failed_sign_in_reads_its_code_and_reason(record):
    seen = view(record)
    assert reading(seen, "ResultType") == {"50057"}
    assert reading(seen, "ResultDescription") == {"account is disabled."}
    assert reading(seen, "Status") >= {"50057", "failure"}


DENIED = {"errorCode": 500121, "additionalDetails": "MFA denied; user declined"}


@pytest.mark.parametrize("record", sign_in_shapes({"status": DENIED}).values(), ids=SIGN_INS)
def test_the_status_of_a_sign_in_reads_every_text_of_its_object(record):
    assert reading(view(record), "Status") == {"500121", "failure", "mfa denied; user declined"}


def test_a_row_s_message_goes_before_the_action_that_was_authorised():
    """Deleting a resource group authorises the group; each resource has its own operation."""
    shapes = activity_shapes("Microsoft.Resources/subscriptions/resourceGroups/delete", VAULT,
                             message="Microsoft.KeyVault/vaults/delete")  # fmt: skip
    assert reading(view(shapes["log_analytics of 2021"]), "operationName") == DELETED


def test_the_operation_of_a_bare_row_is_what_there_is():
    bare = {"TimeGenerated": TIME, "Category": "Administrative"}
    assert reading(view({**bare, "OperationName": "Delete Vault"}), "operationName") == {
        "delete vault"
    }
    named = {**bare, "OperationName": "Microsoft.KeyVault/vaults/delete"}
    authorised = {**named, "Authorization": '{"action": "Microsoft.Resources/x/delete"}'}
    assert reading(view(authorised), "operationName") == DELETED


def test_vault_plane_claims_with_long_names_read_as_short_ones():
    claim = {UPN_CLAIM: USER, OID_CLAIM: OBJECT}
    records = vault_shapes("VaultGet")
    records["diagnostic"]["identity"] = {"claim": claim}
    records["ecs"]["azure"]["platformlogs"]["identity"] = {
        "claim": {key.replace(".", "_"): text for key, text in claim.items()}
    }
    columns = {f"identity_claim_{re.sub(r'[^a-z0-9]+', '_', UPN_CLAIM)}_s": USER}
    columns[f"identity_claim_{re.sub(r'[^a-z0-9]+', '_', OID_CLAIM)}_g"] = OBJECT
    records["log_analytics"] = {
        **without(records["log_analytics"], "identity_claim_upn_s", "identity_claim_oid_g"),
        **columns,
    }
    for shape in ("diagnostic", "log_analytics", "ecs"):
        seen = view(records[shape])
        for name in ("identity.claim.upn", f"identity.claim.{UPN_CLAIM}", "Caller"):
            assert reading(seen, name) == {USER}, (shape, name)
        for name in ("identity.claim.oid", f"identity.claim.{OID_CLAIM}"):
            assert reading(seen, name) == {OBJECT}, (shape, name)


def test_what_a_vault_s_access_policy_grants_reads_alike_in_rows():
    added = {"ObjectId": OBJECT, "Permissions": {"secrets": ["get", "list"]}}
    hub = {**REQUESTS["diagnostic"], "properties": {"addedAccessPolicy": added}}
    flat = {
        **REQUESTS["log_analytics"],
        "addedAccessPolicy_ObjectId_g": OBJECT,
        "addedAccessPolicy_Permissions_secrets_s": '["get","list"]',
    }
    for record in (hub, flat):
        seen = view(record)
        assert reading(seen, "properties.addedAccessPolicy.ObjectId") == {OBJECT}
        assert reading(seen, "properties.addedAccessPolicy.Permissions.secrets") == {"get", "list"}


def test_alerts_of_privileged_identity_management_are_named_by_their_type():
    seen = view(VARIANTS["alert of privileged identity management"][0])
    assert reading(seen, "riskEventType") == {"nomfaonroleactivationalertincident"}


@pytest.mark.parametrize(("name", "shape"), each_shape())
def test_every_shape_has_the_time(name, shape):
    when = view(SAMPLES[name][0][shape]).time()
    assert when
    assert format_time(when) == TIME


ENTITIES: dict[str, set[tuple[str, str]]] = {
    "azure.activity": {("user", USER), ("address", "192.0.2.7"), ("application", APP)},
    "entra.signin": {
        ("user", USER),
        ("address", "198.51.100.9"),
        ("application", "Azure CLI"),
        ("resource", "Device Registration Service"),
        ("host", "WS-17"),
    },
    "entra.audit": {
        ("user", USER),
        ("address", "192.0.2.7"),
        ("resource", "Administrators"),
        ("resource", "noor@contoso.example"),
    },
    "entra.risk": {("user", USER), ("address", "198.51.100.9")},
    "azure.keyvault": {("user", USER), ("address", "192.0.2.7"), ("resource", SECRET)},
}


@pytest.mark.parametrize(("name", "shape"), each_shape())
def test_every_shape_names_who_and_what(name, shape):
    assert set(view(SAMPLES[name][0][shape]).entities()) >= ENTITIES[name]


@pytest.mark.parametrize("shape", REQUESTS)
def test_the_vault_s_name_is_its_first_resource(shape):
    found = [value for kind, value in view(REQUESTS[shape]).entities() if kind == "resource"]
    assert fold(found[0]) == "orders"


@pytest.mark.parametrize(("name", "shape"), each_shape())
def test_every_shape_says_what_makes_a_record_one(name, shape):
    parsed = parse(SAMPLES[name][0][shape])
    ((_, accepted),) = accepting(parsed)
    seen = RecordView(parsed, accepted)
    assert accepted.unique
    assert all(seen.evaluate(expr) for expr in accepted.unique)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("activitylogs", "azure.activity"),
        ("azure.activitylogs", "azure.activity"),
        ("AzureActivity", "azure.activity"),
        ("signinlogs", "entra.signin"),
        ("azure.signinlogs", "entra.signin"),
        ("auditlogs", "entra.audit"),
        ("riskdetection", "entra.risk"),
        ("pim", "entra.risk"),
        ("keyvault", "azure.keyvault"),
        ("auditevent", "azure.keyvault"),
    ],
)
def test_a_service_selects_its_log_type_alone(service, name):
    selecting = [other for other, log_type in ours().items()
                 if log_type.select("Azure", None, service.upper())]  # fmt: skip
    assert selecting == [name]


def test_users_at_risk_are_no_detections():
    seen = view(VARIANTS["user at risk"][0])
    (detection,) = ours()["entra.risk"].services["riskdetection"]
    assert not holds(detection.condition, seen.read)
    assert holds(detection.condition, view(DETECTIONS["ecs"]).read)


NOWHERE = {
    # The display texts of protocols, such as "Device Code".
    ("signinlogs", "properties.message"),
    ("signinlogs", "activitydetails"),
    # The value of the changed property that bears this name.
    ("auditlogs", "consentcontext.isadminconsent"),
}
"""Fields of Azure rules that no record has, under any name."""


def fields_of(detection: Any) -> Iterator[str]:
    if isinstance(detection, list):
        for item in detection:
            yield from fields_of(item)
    elif isinstance(detection, dict):
        yield from (key.split("|")[0] for key in detection)


def azure_documents(sigma_corpus: Path) -> Iterator[Record]:
    for path in sorted(sigma_corpus.glob("rules*/**/azure/**/*.yml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        if document["logsource"].get("product") == "azure":
            yield document


def test_every_field_of_azure_rules_is_read_in_every_shape(sigma_corpus):
    used = {
        (document["logsource"]["service"], fold(field))
        for document in azure_documents(sigma_corpus)
        for key, detection in document["detection"].items()
        if key != "condition"
        for field in fields_of(detection)
    }
    tested = {
        (service, fold(field))
        for name, log_type in ours().items()
        for service in log_type.services
        for field in (*SAMPLES[name][1], "ResultDescription", "NetworkLocationDetails")
    }
    assert len(used) > 50
    assert used - tested == NOWHERE


@pytest.fixture(scope="module")
def azure_rules(sigma_corpus: Path) -> list[Rule]:
    loaded = load_rules(sorted(sigma_corpus.glob("rules*/cloud/azure"))).rules
    return [rule for rule in loaded if rule.inputs]


def hits(rules: list[Rule], record: Record) -> set[str]:
    """Return the file names of the rules that a record matches."""
    parsed = parse(record)
    ((log_type, shape),) = accepting(parsed)
    return {
        Path(rule.path).stem
        for rule in rules
        for one in rule.inputs
        for variant in log_type.select(one.scope.product, one.scope.category, one.scope.service)
        if holds(variant.condition, RecordView(parsed, shape).read)
        and holds(one.condition, RecordView(parsed, shape, variant=variant).read)
    }


HEALTH = (
    "/providers/Microsoft.ADHybridHealthService/services"
    "/AdFederationService-adfs.contoso.example/servicemembers/1"
)
WHAT_HAPPENS: dict[str, tuple[dict[str, Record], set[str]]] = {
    "a vault is deleted": (ACTIVITY, {"azure_keyvault_modified_or_deleted"}),
    "a health service is deleted": (
        activity_shapes("Microsoft.ADHybridHealthService/services/delete", HEALTH),
        {"azure_aadhybridhealth_adfs_service_delete"},
    ),
    "storage keys are listed": (
        activity_shapes("Microsoft.Storage/storageAccounts/listKeys/action", VAULT),
        {"azure_rare_operations"},
    ),
    "a risky sign-in over an old protocol succeeds": (
        SIGN_INS,
        {
            "azure_ad_device_registration_or_join_without_mfa",
            "azure_ad_only_single_factor_auth_required",
            "azure_ad_risky_sign_ins_with_singlefactorauth_from_unknown_devices",
            "azure_ad_sign_ins_from_noncompliant_devices",
            "azure_ad_sign_ins_from_unknown_devices",
        },
    ),
    "a user declines": (
        sign_in_shapes({"authenticationRequirement": "multiFactorAuthentication",
                        "deviceDetail": {}, "status": DENIED}),
        {"azure_mfa_denies"},
    ),
    "strong authentication of a user is switched off": (
        CHANGES,
        {"azure_user_account_mfa_disable"},
    ),
    "an owner is added to an application": (
        change_shapes({"activityDisplayName": "Add owner to application"}),
        {"azure_app_owner_added"},
    ),
    "an application gets a secret": (
        change_shapes({"activityDisplayName":
                       "Update application – Certificates and secrets management "}),
        {"azure_app_credential_added"},
    ),
    "a member is added to a role": (
        change_shapes({"activityDisplayName": "Add member to role"}),
        {"azure_ad_user_added_to_admin_role"},
    ),
    "a sign-in is unfamiliar": (DETECTIONS, {"azure_identity_protection_unfamilar_sign_in"}),
}  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), WHAT_HAPPENS.values(), ids=WHAT_HAPPENS)
def test_one_activity_meets_the_same_rules_in_every_shape(azure_rules, records, expected):
    found = {shape: hits(azure_rules, record) for shape, record in records.items()}
    first = next(iter(found.values()))
    assert first >= expected
    assert found == dict.fromkeys(records, first)


REAL = {
    "msdocs_keyvault_auditevent": {"azure.keyvault/diagnostic": 2},
    "otrf_AADAuditEvents": {"entra.audit/log_analytics": 4},
    "plaso_azure_activity_log": {"azure.activity/sdk": 4},
    "sentinel_training_AuditLogs_Hunting": {"entra.audit/log_analytics": 5},
    "sentinel_training_azureActivity_adele": {"azure.activity/log_analytics": 23},
    "sentinel_training_azure_activity": {"azure.activity/log_analytics": 325},
    "sentinel_training_disable_accounts": {"entra.signin/log_analytics": 4},
    "sentinel_training_sign-in_adelete": {"entra.signin/log_analytics": 56},
    "stratus_doc_samples_azure": {
        "azure.activity/datadog_event": 3,
        "azure.activity/api_event": 4,
        "azure.activity/diagnostic_event": 3,
        "azure.keyvault/diagnostic_event": 2,
    },
    "stratus_doc_samples_entra-id": {"entra.audit/graph_event": 1},
}


@pytest.mark.parametrize("name", REAL)
def test_real_records_are_what_their_source_says(shared, name):
    found = [
        kind
        for record in records_of(shared / "data" / "azure" / f"{name}.ndjson")
        for kind in kinds(record)
        if kind.split("/")[0] in OURS
    ]
    assert {kind: found.count(kind) for kind in found} == REAL[name]


def rows_of(shared: Path, name: str) -> list[RecordView]:
    path = shared / "data" / "azure" / f"sentinel_training_{name}.ndjson"
    return [RecordView(record, accepting(record)[0][1]) for record in records_of(path)]


def test_every_real_activity_row_reads_an_action_a_caller_and_a_time(shared):
    rows = [*rows_of(shared, "azure_activity"), *rows_of(shared, "azureActivity_adele")]
    for seen in rows:
        (operation,) = reading(seen, "operationName") or {""}
        assert re.fullmatch(r"microsoft\.[a-z]+/.+/(write|delete|action)", operation)
        assert reading(seen, "Caller")
        assert reading(seen, "CategoryValue") in ({"administrative"}, {"policy"})
        assert seen.time()


def test_the_six_vaults_that_adele_deleted_are_found(shared, azure_rules):
    path = shared / "data" / "azure" / "sentinel_training_azureActivity_adele.ndjson"
    found = [hits(azure_rules, record) for record in records_of(path)]
    assert sum("azure_keyvault_modified_or_deleted" in names for names in found) == 6


def test_the_real_sign_ins_of_a_disabled_account_are_found(shared, azure_rules):
    path = shared / "data" / "azure" / "sentinel_training_disable_accounts.ndjson"
    found = [hits(azure_rules, record) for record in records_of(path)]
    assert all("azure_login_to_disabled_account" in names for names in found)


def test_real_application_secrets_are_found(shared, azure_rules):
    path = shared / "data" / "azure" / "sentinel_training_AuditLogs_Hunting.ndjson"
    found = [hits(azure_rules, record) for record in records_of(path)]
    assert all("azure_app_credential_added" in names for names in found)
