"""What happens in a tenant, each next to something that is nearly the same, and what it raises."""

from dataclasses import dataclass

from acceptance.shapes import (
    TABLES,
    Shapes,
    activity,
    change,
    detection,
    replaced,
    request,
    sign_in,
    vault_request,
    with_evidence,
)
from logs.azure_records import APP, OBJECT, TENANT, USER, VAULT, Record, labelled


@dataclass(frozen=True)
class Activity:
    """An activity in its shapes, and the rules that it meets, by their file's name."""

    shapes: Shapes
    raises: frozenset[str]


def raises(shapes: Shapes, *rules: str) -> Activity:
    return Activity(labelled(shapes), frozenset(rules))


SEED = "seed_page"
"""The name under which the tests lay out the seed's page."""

HEALTH = (
    "/providers/Microsoft.ADHybridHealthService/services"
    "/AdFederationService-adfs.contoso.example/servicemembers/1"
)
ZONE = VAULT.replace(
    "Microsoft.KeyVault/vaults/orders", "Microsoft.Network/dnszones/contoso.example"
)
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
ASSIGNMENT = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/{OBJECT}"
SCOPE = VAULT.split("/resourceGroups")[0]

RESOURCES: dict[str, Activity] = {
    "a secret is deleted": raises(
        activity("Microsoft.KeyVault/vaults/secrets/delete", f"{VAULT}/secrets/db"),
        SEED,
        "azure_keyvault_secrets_modified_or_deleted",
    ),
    "a secret is read": raises(
        activity("Microsoft.KeyVault/vaults/secrets/read", f"{VAULT}/secrets/db")
    ),
    "a vault is deleted": raises(
        activity("Microsoft.KeyVault/vaults/delete"),
        "azure_keyvault_modified_or_deleted",
        "vault_deleted",
    ),
    "a vault is not deleted after all": raises(
        replaced(
            activity("Microsoft.KeyVault/vaults/delete"),
            ("Succeeded", "Failed"),
            ("Success", "Failure"),
            ("success", "failure"),
        ),
        "azure_keyvault_modified_or_deleted",
    ),
    "a federation service is deleted": raises(
        activity("Microsoft.ADHybridHealthService/services/delete", HEALTH),
        "azure_aadhybridhealth_adfs_service_delete",
    ),
    "a domain service is deleted": raises(
        replaced(
            activity("Microsoft.ADHybridHealthService/services/delete", HEALTH),
            ("AdFederationService", "AdDomainService"),
            ("ADFEDERATIONSERVICE", "ADDOMAINSERVICE"),
            ("adfederationservice", "addomainservice"),
        )
    ),
    "a zone is written": raises(
        activity("Microsoft.Network/dnszones/A/write", ZONE), "azure_dns_zone_modified_or_deleted"
    ),
    "a zone is read": raises(activity("Microsoft.Network/dnszones/A/read", ZONE)),
    "a role is granted": raises(
        activity(ASSIGN, ASSIGNMENT),
        "azure_granting_permission_detection",
        "role_granted_by_user",
        "role_granted_with_tool",
    ),
    "a role is granted by a guest": raises(
        replaced(activity(ASSIGN, ASSIGNMENT), ("contoso.example", "fabrikam.example")),
        "azure_granting_permission_detection",
    ),
    "a role is taken": raises(activity(ASSIGN.replace("write", "delete"), ASSIGNMENT)),
    "a service uses its role": raises(
        with_evidence(
            activity("Microsoft.KeyVault/vaults/read"),
            {"principalType": "ServicePrincipal", "roleAssignmentScope": SCOPE},
        ),
        "role_used_by_service",
    ),
    "a user uses his role": raises(
        with_evidence(
            activity("Microsoft.KeyVault/vaults/read"),
            {"principalType": "User", "roleAssignmentScope": SCOPE},
        )
    ),
}


DISABLED = "User account is disabled. The account has been disabled by an administrator."
KNOWN: Record = {
    "authenticationRequirement": "multiFactorAuthentication",
    "riskEventTypes_v2": [],
    "deviceDetail": {"deviceId": OBJECT, "isCompliant": True, "isManaged": True},
}
"""A sign-in at which nothing is remarkable."""


def failed(code: int) -> Record:
    return {**KNOWN, "status": {"errorCode": code, "failureReason": DISABLED}}


def policy(result: str) -> Record:
    policies = [
        {"displayName": "Block legacy clients", "result": "success"},
        {"displayName": "Require MFA", "result": result},
    ]
    return {**KNOWN, "appliedConditionalAccessPolicies": policies}


def service(name: str, key: int, resource: str) -> Record:
    return {
        **KNOWN,
        "userPrincipalName": "",
        "servicePrincipalId": OBJECT,
        "servicePrincipalName": name,
        "servicePrincipalCredentialKeyId": f"5eb0cf4e-0000-4bbb-8ccc-{key:012}",
        "resourceDisplayName": "Azure Key Vault",
        "resourceId": resource,
    }


VAULTS = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
SERVICE, MACHINE = "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs"
UNATTENDED = "NonInteractiveUserSignInLogs"

SIGN_INS: dict[str, Activity] = {
    **{
        f"a disabled account is tried, {category}": raises(
            sign_in(category, failed(50057)), "azure_login_to_disabled_account"
        )
        for category in TABLES
    },
    **{
        f"a sign-in is interrupted, {category}": raises(sign_in(category, failed(50058)))
        for category in TABLES
    },
    **{
        f"a collector signs in, {category}": raises(
            sign_in(category, {**KNOWN, "userAgent": "AzureHound/v2.1"}),
            "azure_ad_azurehound_discovery",
        )
        for category in TABLES
    },
    "a device is joined with one factor": raises(
        sign_in("SignInLogs", {}),
        "azure_ad_device_registration_or_join_without_mfa",
        "azure_ad_sign_ins_from_noncompliant_devices",
        "azure_ad_sign_ins_from_unknown_devices",
        "device_from_city",
    ),
    "a device is joined with two factors": raises(sign_in("SignInLogs", KNOWN)),
    "a policy fails unattended": raises(
        sign_in(UNATTENDED, policy("failure")), "policy_failed_behind_the_scenes"
    ),
    "a policy holds unattended": raises(sign_in(UNATTENDED, policy("success"))),
    "a policy fails before someone": raises(sign_in("SignInLogs", policy("failure"))),
    "a service uses a credential": raises(
        sign_in(SERVICE, service("orders", 1, OBJECT)), "credential_of_service"
    ),
    "a service uses another credential": raises(sign_in(SERVICE, service("orders", 2, OBJECT))),
    "a machine uses that credential": raises(sign_in(MACHINE, service("orders", 1, OBJECT))),
    "a machine signs in to vaults": raises(
        sign_in(MACHINE, service("vm-orders", 2, VAULTS)), "identity_of_machine"
    ),
    "a machine signs in elsewhere": raises(sign_in(MACHINE, service("vm-orders", 2, OBJECT))),
}


def target(name: str, new_value: str, **more: object) -> Record:
    properties = [
        {"displayName": name, "oldValue": "[]", "newValue": new_value},
        {"displayName": "Included Updated Properties", "newValue": '"All"'},
    ]
    whole = {"id": OBJECT, "displayName": "noor", "type": "User", "modifiedProperties": properties}
    return {"targetResources": [whole | more]}


def by_application(name: str) -> Record:
    return {
        "activityDisplayName": "Update service principal",
        "initiatedBy": {"app": {"displayName": name, "servicePrincipalId": OBJECT}},
        **target("AppAddress", '["https://contoso.example"]', type="ServicePrincipal"),
    }


ROLE: Record = {"category": "RoleManagement", "activityDisplayName": "Add member to role"}
INFORMATION: Record = {"activityDisplayName": "Admin registered security info"}
COMPANY: Record = {"activityDisplayName": "Set Company Information"}
RECOVERY: Record = {
    "category": "Device",
    "activityDisplayName": "Recover device local administrator password",
    **target("Device", '"WS-17"'),
}

CHANGES: dict[str, Activity] = {
    "strong authentication is switched off": raises(
        change({}), "azure_user_account_mfa_disable", "property_of_other_user"
    ),
    "strong authentication is switched on": raises(
        change(target("StrongAuthenticationRequirement", '[{"RelyingParty":"*","State":1}]'))
    ),
    "someone changes himself": raises(
        change(target("TargetId.UserType", '"Member"', userPrincipalName=USER))
    ),
    "a member is added to a role": raises(
        change(ROLE),
        "azure_ad_user_added_to_admin_role",
        "azure_ad_users_added_to_device_admin_roles",
        "property_of_other_user",
    ),
    "a member is added to a small role": raises(
        change(ROLE | target("Role.DisplayName", '"Readers"'))
    ),
    "a pass is registered": raises(
        change(INFORMATION | target("Method", '"Pass"')), "azure_tap_added"
    ),
    "a phone is registered": raises(
        change(
            INFORMATION
            | target("Method", '"Phone"')
            | {"resultReason": "Admin registered phone method for user"}
        )
    ),
    "an authority is added": raises(
        change(COMPANY | target("Flags", '"TrustedCAsForPasswordlessAuth"')),
        "azure_ad_new_root_ca_added",
    ),
    "a flag is renamed": raises(
        change(COMPANY | target("TrustedCAsForPasswordlessAuth", '"Flags"')),
    ),
    "a local password is recovered": raises(
        change(RECOVERY), "azure_auditlogs_laps_credential_dumping"
    ),
    "a local password is not recovered": raises(
        change(RECOVERY | {"additionalDetails": [{"key": "additionalInfo", "value": "Not found"}]})
    ),
    "an application changes a service": raises(
        change(by_application("Provisioner")), "changed_by_application"
    ),
    "another application changes a service": raises(change(by_application("Deprovisioner"))),
}

RISKS: dict[str, Activity] = {
    "a sign-in is unfamiliar": raises(
        detection({}), "azure_identity_protection_unfamilar_sign_in", "risk_of_tool"
    ),
    "a sign-in is anonymous": raises(
        detection(
            {
                "riskEventType": "anonymizedIPAddress",
                "location": {"city": "Oslo", "countryOrRegion": "NO"},
            }
        ),
        "azure_identity_protection_anonymous_ip_address",
    ),
    "a sign-in is hardly remarkable": raises(
        detection({"riskEventType": "generic", "riskLevel": "low"})
    ),
}


def policy_for(identity: str) -> dict[str, Record]:
    added = {"addedAccessPolicy": {"ObjectId": identity, "TenantId": TENANT}}
    return {
        "diagnostic": added,
        "log_analytics": {"addedAccessPolicy_ObjectId_g": identity},
        "log_analytics in its own table": {"Properties": added},
    }


def firewall(action: str) -> dict[str, Record]:
    inner = {"networkAcls": {"defaultAction": action}}
    return {
        "diagnostic": {"properties": inner},
        "log_analytics": {"properties_networkAcls_defaultAction_s": action},
        "log_analytics in its own table": {"NetworkAcls": inner["networkAcls"]},
    }


REQUESTS: dict[str, Activity] = {
    "a secret is read with a tool": raises(request("SecretGet"), "secret_read"),
    "a secret is read by an application": raises(
        replaced(request("SecretGet"), ("AZURECLI/2.60.0", "orders/1.0"))
    ),
    "a secret is refused": raises(replaced(request("SecretGet"), ("200", "403")), "access_denied"),
    "vaults are listed": raises(
        vault_request("VaultList"), "vaults_listed", "vault_seen_by_object"
    ),
    "vaults are listed by another": raises(
        replaced(vault_request("VaultList"), (OBJECT, APP), ("AZURECLI/2.60.0", "orders/1.0"))
    ),
    "someone grants himself access": raises(
        vault_request("VaultPatch", policy_for(OBJECT)),
        "access_self_granted",
        "vault_seen_by_object",
    ),
    "someone grants another access": raises(
        vault_request("VaultPatch", policy_for(APP)), "vault_seen_by_object"
    ),
    "a vault's firewall is opened": raises(
        vault_request("VaultPatch", firewall("Allow")), "network_opened", "vault_seen_by_object"
    ),
    "a vault's firewall is closed": raises(
        vault_request("VaultPatch", firewall("Deny")), "vault_seen_by_object"
    ),
}

LOGS: dict[str, dict[str, Activity]] = {
    "azure.activity": RESOURCES,
    "entra.signin": SIGN_INS,
    "entra.audit": CHANGES,
    "entra.risk": RISKS,
    "azure.keyvault": REQUESTS,
}
"""Log type → its activities."""

ACTIVITIES = {name: one for log in LOGS.values() for name, one in log.items()}
