"""One activity raises the same alerts in every shape in which its log is met, and a near miss none.

The rules are the seed's page as it stands, rules of SigmaHQ, rules that ship, and some of our own
for what those do not ask: nested fields, arrays of objects, claims whose names are addresses.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance.running import scan
from logs.azure_records import (
    APP,
    OBJECT,
    OID_CLAIM,
    TENANT,
    TIME,
    UPN_CLAIM,
    US_TIME,
    USER,
    VAULT,
    Record,
    activity_shapes,
    change_shapes,
    detection_shapes,
    sign_in_shapes,
    vault_shapes,
)

from tocsin import content

Shapes = dict[str, Record]

SHIPPED = Path(content.__path__[0]) / "packs" / "azure-keyvault"
SEED = "seed_page"

SIGMAHQ = """
azure_keyvault_secrets_modified_or_deleted
azure_keyvault_modified_or_deleted
azure_aadhybridhealth_adfs_service_delete
azure_dns_zone_modified_or_deleted
azure_granting_permission_detection
azure_ad_azurehound_discovery
azure_ad_device_registration_or_join_without_mfa
azure_ad_sign_ins_from_noncompliant_devices
azure_ad_sign_ins_from_unknown_devices
azure_login_to_disabled_account
azure_ad_new_root_ca_added
azure_ad_user_added_to_admin_role
azure_ad_users_added_to_device_admin_roles
azure_auditlogs_laps_credential_dumping
azure_tap_added
azure_user_account_mfa_disable
azure_identity_protection_anonymous_ip_address
azure_identity_protection_unfamilar_sign_in
""".split()

OURS = {
    "role_granted_by_user": f"""
        logsource: {{product: azure, service: activitylogs}}
        detection:
            selection:
                claims.{UPN_CLAIM}|endswith: '@contoso.example'
                authorization.scope|contains: /resourcegroups/rg-orders/
                operationName.value|endswith: /roleassignments/write
                status.value: Succeeded
            condition: selection
        """,
    "role_granted_with_tool": f"""
        logsource: {{product: azure, service: activitylogs}}
        detection:
            selection:
                identity.claims.{UPN_CLAIM}: {USER}
                identity.claims.appid: {APP}
                properties.eventCategory: administrative
                callerIpAddress|cidr: 192.0.2.0/24
            roles:
                identity.authorization.action|endswith: /roleassignments/write
            condition: selection and roles
        """,
    "policy_failed_behind_the_scenes": """
        logsource: {product: azure, service: signinlogs}
        detection:
            selection:
                category: NonInteractiveUserSignInLogs
                appliedConditionalAccessPolicies.result: failure
                appliedConditionalAccessPolicies.displayName|contains: MFA
                location.countryOrRegion: IL
            condition: selection
        """,
    "device_from_city": """
        logsource: {product: azure, service: signinlogs}
        detection:
            selection:
                properties.deviceDetail.operatingSystem|startswith: Windows
                deviceDetail.isManaged: false
                properties.location.city: Azor
                properties.status.errorCode: 0
                riskEventTypes_v2: unfamiliarFeatures
            condition: selection
        """,
    "credential_of_service": """
        logsource: {product: azure, service: signinlogs}
        detection:
            selection:
                category: ServicePrincipalSignInLogs
                servicePrincipalCredentialKeyId: 5eb0cf4e-0000-4bbb-8ccc-000000000001
                resourceDisplayName: Azure Key Vault
                ipAddress|cidr: 198.51.100.0/24
            condition: selection
        """,
    "identity_of_machine": """
        logsource: {product: azure, service: signinlogs}
        detection:
            selection:
                category: ManagedIdentitySignInLogs
                servicePrincipalName|startswith: vm-
                properties.resourceId: cfa8b339-82a2-471a-a3c9-0fc0be7a4093
            condition: selection
        """,
    "property_of_other_user": """
        logsource: {product: azure, service: auditlogs}
        detection:
            selection:
                targetResources.modifiedProperties.displayName: TargetId.UserType
                targetResources.modifiedProperties.newValue|contains: member
                targetResources.userPrincipalName|endswith: '@contoso.example'
                initiatedBy.user.userPrincipalName|contains: '@'
                initiatedBy.user.ipAddress|cidr: 192.0.2.0/24
                additionalDetails.key: User-Agent
                additionalDetails.value|startswith: axios/
            self:
                properties.targetResources.userPrincipalName|fieldref:
                    properties.initiatedBy.user.userPrincipalName
            condition: selection and not self
        """,
    "changed_by_application": """
        logsource: {product: azure, service: auditlogs}
        detection:
            selection:
                initiatedBy.app.displayName: Provisioner
                targetResources.type: ServicePrincipal
                targetResources.modifiedProperties.oldValue: '[]'
            condition: selection
        """,
    "risk_of_tool": """
        logsource: {product: azure, service: riskdetection}
        detection:
            selection:
                properties.riskLevel: high
                properties.location.countryOrRegion: IL
                location.city: Azor
                additionalInfo|contains: axios/
            condition: selection
        """,
    "vault_seen_by_object": f"""
        logsource: {{product: azure, service: keyvault}}
        detection:
            selection:
                identity.claim.{OID_CLAIM}: {OBJECT}
                operationName|startswith: Vault
                properties.requestUri|contains: vault.azure.net
            condition: selection
        """,
}
"""Rules for what no public rule asks for."""

FROM_OUR_PACK = """
access_denied access_self_granted network_opened secret_read vault_deleted vaults_listed
""".split()


def replaced(shapes: Shapes, *changes: tuple[str, str]) -> Shapes:
    """Change a text wherever it stands, be it inside of other text."""

    def change(record: Record) -> Record:
        text = json.dumps(record)
        for old, new in changes:
            text = text.replace(old, new)
        changed: Record = json.loads(text)
        return changed

    return {shape: change(record) for shape, record in shapes.items()}


def exported(row: Record) -> Record:
    """Write a table row as the portal's CSV export has it: zone in the name, times as in the US."""
    kept = {key: value for key, value in row.items() if key != "TimeGenerated"}
    return {**kept, "TimeGenerated [UTC]": US_TIME}


def parsed(row: Record) -> Record:
    """Write a table row as queries return it: dynamic columns hold values."""
    return {key: _parsed(value) for key, value in row.items()}


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value


def suffixed(row: Record, suffix: str, *columns: str) -> Record:
    """Write a row of a union in which a column has another type in another table."""
    other = "string" if suffix == "dynamic" else "dynamic"
    kept = {key: value for key, value in row.items() if key not in columns}
    texts = {f"{name}_{suffix}": row[name] for name in columns}
    return {**kept, **texts, **{f"{name}_{other}": "" for name in columns}}


def without(row: Record, *columns: str) -> Record:
    return {key: value for key, value in row.items() if key not in columns}


NESTED_OF_SIGN_INS = ("ConditionalAccessPolicies", "DeviceDetail", "LocationDetails", "Status")
NESTED_OF_CHANGES = ("AdditionalDetails", "InitiatedBy", "TargetResources")


def activity(operation: str, resource: str = VAULT) -> Shapes:
    shapes = activity_shapes(operation, resource)
    row = shapes["log_analytics"]
    return {
        **shapes,
        "log_analytics, values": parsed(row),
        "log_analytics, texts alone": without(row, "Authorization_d", "Claims_d", "Properties_d"),
        "log_analytics, values alone": parsed(without(row, "Authorization", "Claims", "Properties")),
        "log_analytics, exported": exported(row),
    }


TABLES = {
    "SignInLogs": ("SigninLogs", "interactiveUser"),
    "NonInteractiveUserSignInLogs": ("AADNonInteractiveUserSignInLogs", "nonInteractiveUser"),
    "ServicePrincipalSignInLogs": ("AADServicePrincipalSignInLogs", "servicePrincipal"),
    "ManagedIdentitySignInLogs": ("AADManagedIdentitySignInLogs", "managedIdentity"),
}
"""Category of a sign-in → its table, and its type in Microsoft Graph."""


def sign_in(category: str, changes: Record) -> Shapes:
    table, kind = TABLES[category]
    shapes = sign_in_shapes(changes, category)
    row = {**shapes["log_analytics"], "Type": table}
    return {
        **shapes,
        "graph": {**shapes["graph"], "signInEventTypes": [kind]},
        "log_analytics": row,
        "log_analytics, values": parsed(row),
        "log_analytics, exported": exported(row),
        "log_analytics, union of texts": suffixed(row, "string", *NESTED_OF_SIGN_INS),
        "log_analytics, union of values": parsed(suffixed(row, "dynamic", *NESTED_OF_SIGN_INS)),
        "log_analytics, no category": without(row, "Category"),
    }


def change(changes: Record) -> Shapes:
    shapes = change_shapes(changes)
    row = shapes["log_analytics"]
    return {
        **shapes,
        "log_analytics, values": parsed(row),
        "log_analytics, exported": exported(row),
        "log_analytics, union": exported(suffixed(row, "dynamic", *NESTED_OF_CHANGES)),
    }


def detection(changes: Record) -> Shapes:
    shapes = detection_shapes(changes)
    row = shapes["log_analytics"]
    return {
        **shapes,
        "log_analytics, values": parsed(row),
        "log_analytics, exported": exported(row),
    }


def request(operation: str) -> Shapes:
    shapes = vault_shapes(operation)
    own = shapes["log_analytics in its own table"]
    return {
        **shapes,
        "log_analytics, exported": exported(shapes["log_analytics"]),
        "log_analytics in its own table, values": parsed(own),
    }


def vault_plane(operation: str) -> Shapes:
    """Write claims under their long names, as requests to a vault itself do."""
    claim = {UPN_CLAIM: USER, OID_CLAIM: OBJECT, "appid": APP, "ipaddr": "192.0.2.7"}
    shapes = request(operation)
    del shapes["diagnostic of a managed HSM"]
    shapes["diagnostic"]["identity"] = {"claim": claim}
    shapes["ecs"]["azure"]["platformlogs"]["identity"] = {
        "claim": {key.replace(".", "_"): text for key, text in claim.items()}
    }
    columns = {
        f"identity_claim_{re.sub(r'[^a-z0-9]+', '_', UPN_CLAIM)}_s": USER,
        f"identity_claim_{re.sub(r'[^a-z0-9]+', '_', OID_CLAIM)}_g": OBJECT,
    }
    for shape in ("log_analytics", "log_analytics, exported"):
        row = without(shapes[shape], "identity_claim_upn_s", "identity_claim_oid_g")
        shapes[shape] = {**row, **columns}
    shapes["log_analytics in its own table"]["Identity"] = json.dumps({"claim": claim})
    shapes["log_analytics in its own table, values"]["Identity"] = {"claim": claim}
    return shapes


def with_properties(shapes: Shapes, properties: Record, columns: Record) -> Shapes:
    """Add properties to a vault's request, and what AzureDiagnostics makes of them."""
    for shape in ("diagnostic", "log_analytics in its own table"):
        shapes[shape] = {**shapes[shape], "properties": {**shapes[shape].get("properties", {})}}
    shapes["diagnostic"]["properties"] |= properties
    shapes["ecs"]["azure"]["platformlogs"]["properties"] |= properties
    for shape in ("log_analytics", "log_analytics, exported"):
        shapes[shape] |= columns
    own = without(shapes["log_analytics in its own table"], "properties")
    shapes["log_analytics in its own table"] = {**own, "Properties": json.dumps(properties)}
    shapes["log_analytics in its own table, values"] |= {"Properties": properties}
    return shapes


@dataclass(frozen=True)
class Case:
    """An activity in its shapes, and the rules that it meets."""

    shapes: Shapes
    fires: frozenset[str]


def case(shapes: Shapes, *fires: str) -> Case:
    return Case(shapes, frozenset(fires))


HEALTH = (
    "/providers/Microsoft.ADHybridHealthService/services"
    "/AdFederationService-adfs.contoso.example/servicemembers/1"
)
ZONE = VAULT.replace("Microsoft.KeyVault/vaults/orders", "Microsoft.Network/dnszones/contoso.example")
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
ASSIGNMENT = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/{OBJECT}"
DISABLED = "User account is disabled. The account has been disabled by an administrator."
KNOWN: Record = {
    "authenticationRequirement": "multiFactorAuthentication",
    "riskEventTypes_v2": [],
    "deviceDetail": {"deviceId": OBJECT, "isCompliant": True, "isManaged": True},
}
"""A sign-in at which nothing is remarkable."""


def disabled(code: int) -> Record:
    return {**KNOWN, "status": {"errorCode": code, "failureReason": DISABLED}}


def policy(result: str) -> Record:
    policies = [
        {"displayName": "Block legacy clients", "result": "success"},
        {"displayName": "Require MFA", "result": result},
    ]
    return {**KNOWN, "appliedConditionalAccessPolicies": policies}


def service(key: str, name: str, resource: str) -> Record:
    return {
        **KNOWN,
        "userPrincipalName": "",
        "servicePrincipalId": OBJECT,
        "servicePrincipalName": name,
        "servicePrincipalCredentialKeyId": f"5eb0cf4e-0000-4bbb-8ccc-00000000000{key}",
        "resourceDisplayName": "Azure Key Vault",
        "resourceId": resource,
    }


def target(name: str, new_value: str, **more: object) -> Record:
    properties = [
        {"displayName": "Included Updated Properties", "newValue": f'"{name}"'},
        {"displayName": name, "oldValue": "[]", "newValue": new_value},
    ]
    whole = {"id": OBJECT, "displayName": "noor", "type": "User", "modifiedProperties": properties}
    return {"targetResources": [whole | more]}


def by_application(name: str) -> Record:
    return {
        "activityDisplayName": "Update service principal",
        "initiatedBy": {"app": {"displayName": name, "servicePrincipalId": OBJECT}},
        **target("AppAddress", '["https://contoso.example"]', type="ServicePrincipal"),
    }


SAME_ROLE = {"displayName": "Cloud readers", "id": OBJECT}
POLICY_ADDED = {"addedAccessPolicy": {"ObjectId": OBJECT, "TenantId": TENANT}}
SELF = {"addedAccessPolicy_ObjectId_g": OBJECT}
OTHER_ADDED = {"addedAccessPolicy": {"ObjectId": APP, "TenantId": TENANT}}
OTHER = {"addedAccessPolicy_ObjectId_g": APP}
OPENED = {"properties": {"networkAcls": {"defaultAction": "Allow"}}}
CLOSED = {"properties": {"networkAcls": {"defaultAction": "Deny"}}}
ACLS = "properties_networkAcls_defaultAction_s"

CASES: dict[str, Case] = {
    "a secret is deleted": case(
        activity("Microsoft.KeyVault/vaults/secrets/delete", f"{VAULT}/secrets/db"),
        SEED,
        "azure_keyvault_secrets_modified_or_deleted",
    ),
    "a secret is read": case(
        activity("Microsoft.KeyVault/vaults/secrets/read", f"{VAULT}/secrets/db")
    ),
    "a vault is deleted": case(
        activity("Microsoft.KeyVault/vaults/delete"),
        "azure_keyvault_modified_or_deleted",
        "vault_deleted",
    ),
    "a vault is not deleted after all": case(
        replaced(
            activity("Microsoft.KeyVault/vaults/delete"),
            ("Succeeded", "Failed"),
            ("Success", "Failure"),
            ("success", "failure"),
        ),
        "azure_keyvault_modified_or_deleted",
    ),
    "a health service is deleted": case(
        activity("Microsoft.ADHybridHealthService/services/delete", HEALTH),
        "azure_aadhybridhealth_adfs_service_delete",
    ),
    "another health service is deleted": case(
        replaced(
            activity("Microsoft.ADHybridHealthService/services/delete", HEALTH),
            ("AdFederationService", "AdDomainService"),
            ("ADFEDERATIONSERVICE", "ADDOMAINSERVICE"),
            ("adfederationservice", "addomainservice"),
        )
    ),
    "a zone is written": case(
        activity("Microsoft.Network/dnszones/A/write", ZONE), "azure_dns_zone_modified_or_deleted"
    ),
    "a zone is read": case(activity("Microsoft.Network/dnszones/A/read", ZONE)),
    "a role is granted": case(
        activity(ASSIGN, ASSIGNMENT),
        "azure_granting_permission_detection",
        "role_granted_by_user",
        "role_granted_with_tool",
    ),
    "a role is granted by a guest": case(
        replaced(activity(ASSIGN, ASSIGNMENT), ("contoso.example", "fabrikam.example")),
        "azure_granting_permission_detection",
    ),
    "a role is taken": case(activity(ASSIGN.replace("write", "delete"), ASSIGNMENT)),
    **{
        f"{category}: a disabled account is tried": case(
            sign_in(category, disabled(50057)), "azure_login_to_disabled_account"
        )
        for category in TABLES
    },
    **{
        f"{category}: another error": case(sign_in(category, disabled(50058))) for category in TABLES
    },
    **{
        f"{category}: a collector signs in": case(
            sign_in(category, {**KNOWN, "userAgent": "AzureHound/v2.1"}),
            "azure_ad_azurehound_discovery",
        )
        for category in TABLES
    },
    "a device is joined with one factor": case(
        sign_in("SignInLogs", {}),
        "azure_ad_device_registration_or_join_without_mfa",
        "azure_ad_sign_ins_from_noncompliant_devices",
        "azure_ad_sign_ins_from_unknown_devices",
        "device_from_city",
    ),
    "a device is joined with two factors": case(sign_in("SignInLogs", KNOWN)),
    "a policy fails behind the scenes": case(
        sign_in("NonInteractiveUserSignInLogs", policy("failure")),
        "policy_failed_behind_the_scenes",
    ),
    "a policy holds behind the scenes": case(
        sign_in("NonInteractiveUserSignInLogs", policy("success"))
    ),
    "a policy fails on stage": case(sign_in("SignInLogs", policy("failure"))),
    "a service uses a credential": case(
        sign_in("ServicePrincipalSignInLogs", service("1", "orders", OBJECT)),
        "credential_of_service",
    ),
    "a service uses another credential": case(
        sign_in("ServicePrincipalSignInLogs", service("2", "orders", OBJECT))
    ),
    "a machine signs in to vaults": case(
        sign_in(
            "ManagedIdentitySignInLogs",
            service("2", "vm-orders", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
        ),
        "identity_of_machine",
    ),
    "a machine signs in elsewhere": case(
        sign_in("ManagedIdentitySignInLogs", service("2", "vm-orders", OBJECT))
    ),
    "strong authentication is switched off": case(
        change({}), "azure_user_account_mfa_disable", "property_of_other_user"
    ),
    "strong authentication is switched on": case(
        change(
            target("StrongAuthenticationRequirement", '[{"RelyingParty":"*","State":1}]')
            | {"initiatedBy": {"user": {"userPrincipalName": USER}}}
        )
    ),
    "someone changes himself": case(
        change(
            target("TargetId.UserType", '"Member"', userPrincipalName=USER),
        )
    ),
    "a member is added to a role": case(
        change({"category": "RoleManagement", "activityDisplayName": "Add member to role"}),
        "azure_ad_user_added_to_admin_role",
        "azure_ad_users_added_to_device_admin_roles",
        "property_of_other_user",
    ),
    "a member is added to a small role": case(
        change(
            {"category": "RoleManagement", "activityDisplayName": "Add member to role"}
            | target("Role.DisplayName", '"Readers"', **SAME_ROLE)
        )
    ),
    "a pass is registered": case(
        change({"activityDisplayName": "Admin registered security info"} | target("Pass", '"1"')),
        "azure_tap_added",
    ),
    "a phone is registered": case(
        change(
            {
                "activityDisplayName": "Admin registered security info",
                "resultReason": "Admin registered phone method for user",
            }
            | target("Pass", '"1"')
        )
    ),
    "an authority is added": case(
        change(
            {"activityDisplayName": "Set Company Information"}
            | target("Included Updated Properties", '"TrustedCAsForPasswordlessAuth"')
        ),
        "azure_ad_new_root_ca_added",
    ),
    "a company is renamed": case(
        change(
            {"activityDisplayName": "Set Company Information"}
            | target("TrustedCAsForPasswordlessAuth", '"DisplayName"', displayName="TrustedCAs")
        ),
    ),
    "a local password is recovered": case(
        change(
            {
                "category": "Device",
                "activityDisplayName": "Recover device local administrator password",
            }
            | target("Device", '"WS-17"')
        ),
        "azure_auditlogs_laps_credential_dumping",
    ),
    "a local password is not recovered": case(
        change(
            {
                "category": "Device",
                "activityDisplayName": "Recover device local administrator password",
                "additionalDetails": [{"key": "additionalInfo", "value": "Not found"}],
            }
            | target("Device", '"WS-17"')
        ),
    ),
    "an application changes a service": case(
        change(by_application("Provisioner")), "changed_by_application"
    ),
    "another application changes a service": case(change(by_application("Deprovisioner"))),
    "a sign-in is unfamiliar": case(
        detection({}), "azure_identity_protection_unfamilar_sign_in", "risk_of_tool"
    ),
    "a sign-in is anonymous": case(
        detection(
            {
                "riskEventType": "anonymizedIPAddress",
                "location": {"city": "Oslo", "countryOrRegion": "NO"},
            }
        ),
        "azure_identity_protection_anonymous_ip_address",
    ),
    "a sign-in travels": case(detection({"riskEventType": "x", "riskLevel": "low"})),
    "a secret is read with a tool": case(request("SecretGet"), "secret_read"),
    "a secret is read by an application": case(
        replaced(request("SecretGet"), ("AZURECLI/2.60.0", "orders/1.0"))
    ),
    "a secret is refused": case(replaced(request("SecretGet"), ("200", "403")), "access_denied"),
    "vaults are listed": case(vault_plane("VaultList"), "vaults_listed", "vault_seen_by_object"),
    "vaults are listed by another": case(
        replaced(vault_plane("VaultList"), (OBJECT, APP), ("AZURECLI/2.60.0", "orders/1.0"))
    ),
    "someone grants himself access": case(
        with_properties(vault_plane("VaultPatch"), POLICY_ADDED, SELF),
        "access_self_granted",
        "vault_seen_by_object",
    ),
    "someone grants another access": case(
        with_properties(vault_plane("VaultPatch"), OTHER_ADDED, OTHER), "vault_seen_by_object"
    ),
    "a vault's firewall is opened": case(
        with_properties(vault_plane("VaultPatch"), OPENED, {ACLS: "Allow"}),
        "network_opened",
        "vault_seen_by_object",
    ),
    "a vault's firewall is closed": case(
        with_properties(vault_plane("VaultPatch"), CLOSED, {ACLS: "Deny"}), "vault_seen_by_object"
    ),
}

BESIDE: Record = {
    "time": TIME,
    "operationName": "Sign-in activity",
    "category": "ManagedIdentitySignInLogs",
    "resultType": "0",
    "properties": {"id": APP},
}
"""What stands in a wrapper beside the record that counts."""

WRAPPERS: Mapping[str, Callable[[Record], str]] = {
    "wrapped on a line": lambda record: json.dumps({"records": [BESIDE, record]}),
    "wrapped over lines": lambda record: json.dumps({"records": [record, BESIDE]}, indent=2),
}


def texts(shapes: Shapes) -> dict[str, str]:
    """Write a case's files: a line in each shape, and export records in their wrappers."""
    lines = {shape: json.dumps(record) + "\n" for shape, record in shapes.items()}
    wrapped = {name: wrap(shapes["diagnostic"]) for name, wrap in WRAPPERS.items()}
    return {**lines, **wrapped}


@pytest.fixture(scope="module")
def rules(shared: Path, sigma_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Lay out the rules, each a pack of its own, so that alerts name it."""
    folder = tmp_path_factory.mktemp("rules")
    (page,) = (shared / "seeds").glob("000_*")
    shutil.copy(page, folder / f"{SEED}.md")
    for name, text in OURS.items():
        (folder / f"{name}.yml").write_text(f"title: {name}\n{_dedented(text)}", "utf-8")
    azure = {path.stem: path for path in sigma_corpus.glob("rules*/cloud/azure/**/*.yml")}
    shipped = [SHIPPED / f"{name}.yml" for name in FROM_OUR_PACK]
    return [*sorted(folder.iterdir()), *(azure[name] for name in SIGMAHQ), *shipped]


def _dedented(text: str) -> str:
    return re.sub("^ {8}", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def found(
    rules: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Scan every case in every shape at once; case → shape → pack and time of each alert."""
    logs = tmp_path_factory.mktemp("logs")
    files: dict[str, tuple[str, str]] = {}
    for number, (name, one) in enumerate(CASES.items()):
        for at, (shape, text) in enumerate(texts(one.shapes).items()):
            file = f"{number:02}-{at:02}.json"
            (logs / file).write_text(text, "utf-8")
            files[file] = name, shape
    fired: dict[str, dict[str, list[tuple[str, str]]]] = {name: {} for name in CASES}
    for name, shape in files.values():
        fired[name][shape] = []
    for alert in scan(logs, rules):
        (event,) = alert["events"]
        name, shape = files[Path(event["source"]).name]
        fired[name][shape].append((alert["rule"]["pack"], alert["time"]))
    return fired


@pytest.mark.parametrize("name", CASES)
def test_an_activity_raises_the_same_alerts_in_every_shape(name, found):
    expected = Counter(CASES[name].fires)
    counted = {shape: Counter(pack for pack, _ in of) for shape, of in found[name].items()}
    assert counted == dict.fromkeys(counted, expected)
    assert {when for of in found[name].values() for _, when in of} <= {TIME}


def test_every_rule_is_met_and_missed(rules):
    packs = {path.stem for path in rules}
    assert packs == {pack for one in CASES.values() for pack in one.fires}
    assert all(any(pack not in one.fires for one in CASES.values()) for pack in packs)


def test_the_seeds_page_and_todays_form_are_one_rule(rules):
    seed, today = (next(path for path in rules if path.stem == name)
                   for name in (SEED, "azure_keyvault_secrets_modified_or_deleted"))  # fmt: skip
    ids = {re.search(r"^id: (.+)$", path.read_text("utf-8"), re.MULTILINE)[1] for path in (seed, today)}
    assert len(ids) == 1
    assert "properties.message" in seed.read_text("utf-8")
    assert "operationName" in today.read_text("utf-8")
