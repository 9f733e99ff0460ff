"""The table between Key Vault's audit events and the RBAC actions that rules look for."""

import json
import re
from dataclasses import FrozenInstanceError

import pytest
import yaml
from azure_records import vault_shapes

from tocsin.condition.functions import fold
from tocsin.condition.tree import TRUE, Field
from tocsin.errors import LogTypeError, UsageError
from tocsin.jsontext import read
from tocsin.logs.bridges import Bridge, bridge_names, load_bridge, parse_bridge
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import Variant
from tocsin.logs.view import RecordView, identify


def words(text: str) -> list[str]:
    return text.split()


DOCUMENTED = words("""
Authentication VaultGet VaultPut VaultDelete VaultPatch VaultList VaultPurge VaultRecover
VaultGetDeleted VaultListDeleted VaultAccessPolicyChangedEventGridNotification
KeyCreate KeyGet KeyImport KeyDelete KeySign KeyVerify KeyWrap KeyUnwrap KeyEncrypt KeyDecrypt
KeyUpdate KeyList KeyListVersions KeyPurge KeyBackup KeyRestore KeyRecover KeyGetDeleted
KeyListDeleted KeyNearExpiryEventGridNotification KeyExpiredEventGridNotification KeyRotate
KeyRotateIfDue KeyRotationPolicyGet KeyRotationPolicySet
SecretSet SecretGet SecretUpdate SecretDelete SecretList SecretListVersions SecretPurge
SecretBackup SecretRestore SecretRecover SecretGetDeleted SecretListDeleted
SecretNearExpiryEventGridNotification SecretExpiredEventGridNotification
CertificateGet CertificateCreate CertificateImport CertificateUpdate CertificateList
CertificateListVersions CertificateDelete CertificatePurge CertificateBackup CertificateRestore
CertificateRecover CertificateGetDeleted CertificateListDeleted CertificatePolicyGet
CertificatePolicyUpdate CertificatePolicySet CertificateContactsGet CertificateContactsSet
CertificateContactsDelete CertificateIssuerGet CertificateIssuerSet CertificateIssuerUpdate
CertificateIssuerDelete CertificateIssuersList CertificateEnroll CertificateRenew
CertificatePendingGet CertificatePendingMerge CertificatePendingUpdate CertificatePendingDelete
CertificateNearExpiryEventGridNotification CertificateExpiredEventGridNotification
BackupCreate
""")
"""The operations that Microsoft documents for AuditEvent, now or in former editions."""

PROVIDER_OPERATIONS = words("""
deletedVaults/read locations/deletedVaults/read locations/deletedVaults/purge/action
vaults/read vaults/write vaults/delete
vaults/certificatecas/delete vaults/certificatecas/read vaults/certificatecas/write
vaults/certificatecontacts/write
vaults/certificates/delete vaults/certificates/read vaults/certificates/backup/action
vaults/certificates/purge/action vaults/certificates/update/action
vaults/certificates/create/action vaults/certificates/import/action
vaults/certificates/recover/action vaults/certificates/restore/action
vaults/keyrotationpolicies/read vaults/keyrotationpolicies/write
vaults/keys/read vaults/keys/update/action vaults/keys/create/action vaults/keys/import/action
vaults/keys/recover/action vaults/keys/restore/action vaults/keys/delete
vaults/keys/backup/action vaults/keys/purge/action vaults/keys/encrypt/action
vaults/keys/decrypt/action vaults/keys/wrap/action vaults/keys/unwrap/action
vaults/keys/sign/action vaults/keys/verify/action vaults/keys/release/action
vaults/keys/rotate/action
vaults/secrets/delete vaults/secrets/backup/action vaults/secrets/purge/action
vaults/secrets/update/action vaults/secrets/recover/action vaults/secrets/restore/action
vaults/secrets/readMetadata/action vaults/secrets/getSecret/action
vaults/secrets/setSecret/action
managedHsm/backup/start/action
""")
"""What Microsoft.KeyVault offers to roles, as far as an audit event exercises it."""

NO_COUNTERPART = {"Authentication"} | {
    operation for operation in DOCUMENTED if operation.endswith("EventGridNotification")
}


@pytest.fixture(scope="module")
def keyvault() -> Bridge:
    return load_bridge("keyvault")


def bridged(bridge: Bridge, record: dict, name: str) -> list[str] | None:
    """Read a name of a record as a rule sees it over the bridge."""
    parsed = read(json.dumps(record)).value
    log_type, shape = identify(parsed, shipped_log_types())
    assert log_type.name == bridge.source
    variant = Variant(TRUE, bridge.expressions())
    return RecordView(parsed, shape, variant=variant).read(Field((name,)))


def test_the_bridge_leads_from_one_shipped_log_type_to_another(keyvault):
    shipped = {log_type.name for log_type in shipped_log_types()}
    assert (keyvault.source, keyvault.target) == ("azure.keyvault", "azure.activity")
    assert {keyvault.source, keyvault.target} <= shipped


def test_every_documented_operation_is_in_the_table(keyvault):
    assert set(DOCUMENTED) <= set(keyvault.operations)


def test_every_action_is_spelled_as_the_provider_does(keyvault):
    used = {action for actions in keyvault.operations.values() for action in actions}
    assert used == {f"Microsoft.KeyVault/{operation}" for operation in PROVIDER_OPERATIONS}
    assert keyvault.actions == {fold(action) for action in used}


def test_only_notifications_and_authentication_have_no_action(keyvault):
    empty = {operation for operation, actions in keyvault.operations.items() if not actions}
    assert empty == NO_COUNTERPART


def test_actions_of_resource_manager_are_in_the_activity_log_too(keyvault):
    assert set(map(fold, keyvault.written)) < keyvault.actions
    assert all(
        re.match(r"Microsoft.KeyVault/(vaults|locations/deletedVaults)/[^/]+(/action)?$", action)
        for action in keyvault.written
    )


@pytest.mark.parametrize(
    ("action", "events"),
    [
        ("Microsoft.KeyVault/vaults/secrets/getSecret/action", ("SecretGet",)),
        ("MICROSOFT.KEYVAULT/VAULTS/SECRETS/DELETE", ("SecretDelete",)),
        (
            "MICROSOFT.KEYVAULT/VAULTS/SECRETS/READMETADATA/ACTION",
            ("SecretList", "SecretListVersions", "SecretGetDeleted", "SecretListDeleted"),
        ),
        ("Microsoft.KeyVault/vaults/secrets/delete/action", ()),
        ("Microsoft.Storage/storageAccounts/listKeys/action", ()),
    ],
)
def test_an_action_leads_back_to_its_events_in_any_case(keyvault, action, events):
    assert keyvault.events_of(action) == events


@pytest.mark.parametrize("shape", vault_shapes(""))
def test_an_event_of_any_shape_reads_as_its_action(keyvault, shape):
    record = vault_shapes("SecretGet")[shape]
    for name in (*keyvault.names, "OPERATIONNAME"):
        assert bridged(keyvault, record, name) == [
            "Microsoft.KeyVault/vaults/secrets/getSecret/action"
        ]


@pytest.mark.parametrize("operation", DOCUMENTED)
def test_every_operation_reads_as_what_its_row_says(keyvault, operation):
    actions = bridged(keyvault, vault_shapes(operation)["diagnostic"], "operationName")
    assert actions == (list(keyvault.operations[operation]) or None)


def test_an_operation_that_is_not_listed_reads_as_itself(keyvault):
    record = vault_shapes("SecretTeleport")["diagnostic"]
    assert bridged(keyvault, record, "properties.message") == ["SecretTeleport"]


def test_other_names_are_not_touched(keyvault):
    record = vault_shapes("SecretGet")["diagnostic"]
    assert bridged(keyvault, record, "CategoryValue") == ["AuditEvent"]


LEGACY = {
    # Neither is an action of the provider: other lines of the same rules say what is meant.
    "microsoft.keyvault/vaults/keys/create",
    # Creating a secret and granting access through Resource Manager: the activity log has them.
    "microsoft.keyvault/vaults/secrets/write",
    "microsoft.keyvault/vaults/accesspolicies/write",
    "microsoft.keyvault/vaults/deploy/action",
}


def test_the_bridge_knows_what_rules_look_for(keyvault, sigma_corpus):
    sought = {
        fold(action)
        for path in sigma_corpus.glob("rules/cloud/azure/**/azure_keyvault_*.yml")
        for action in yaml.safe_load(path.read_text("utf-8"))["detection"]["selection"][
            "operationName"
        ]
    }
    assert len(sought) > 15
    assert sought - keyvault.actions == LEGACY


def test_an_unknown_bridge_is_refused_with_the_known_ones():
    assert bridge_names() == ("keyvault",)
    with pytest.raises(UsageError, match="'kayvault' is no bridge; known: keyvault"):
        load_bridge("kayvault")


def test_a_bridge_cannot_be_changed(keyvault):
    with pytest.raises(FrozenInstanceError):
        keyvault.name = "other"


SMALL = {
    "name": "small",
    "title": "A small one",
    "from": "a",
    "to": "b",
    "names": ["operation"],
    "written": [],
    "operations": {"Get": ["x/read"]},
}


def test_a_file_is_read_as_it_stands():
    bridge = parse_bridge(json.dumps(SMALL), "small.yaml")
    assert bridge == Bridge("small", "A small one", "a", "b", ("operation",), {"Get": ("x/read",)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operations": {"Get": "x/read"}}, "operations.Get: needs a list"),
        ({"operations": ["Get"]}, "operations: needs a mapping"),
        ({"operations": {1: []}}, "operations: needs a mapping with text keys"),
        ({"names": [7]}, "names: needs text"),
        ({"title": ""}, "title: needs text"),
        ({"form": "a"}, "'form' is missing or not known"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_key(change, message):
    text = yaml.safe_dump({**SMALL, **change})
    with pytest.raises(LogTypeError, match=f"small.yaml: {re.escape(message)}"):
        parse_bridge(text, "small.yaml")


@pytest.mark.parametrize("text", ["[", "- a list", "name: small"])
def test_what_is_no_bridge_file_is_refused(text):
    with pytest.raises(LogTypeError, match=r"small\.yaml: "):
        parse_bridge(text, "small.yaml")
