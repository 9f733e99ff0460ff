"""Our rule in Panther's language: which actions it names, and what its alerts say."""

import ast
from pathlib import Path

import pytest
import yaml

from cli.calling import PACKS, tocsin
from tocsin.logs.bridges import load_bridge

FILE = PACKS / "azure-keyvault" / "secret_accessed_or_recovered.yml"
OPERATIONS = ("SecretGet", "SecretRecover", "SecretRestore")

SAID = {
    "a person reads a secret": {
        "ExpectedTitle": "Secret read in key vault ridgeline-orders by "
        "jonas.lindqvist@ridgeline.example",
        "ExpectedSeverity": "Medium",
        "ExpectedDedup": "ridgeline-orders jonas.lindqvist@ridgeline.example",
        "ExpectedAlertContext": {
            "action": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "vault": "ridgeline-orders",
            "secret": "sql-connection",
            "caller": "jonas.lindqvist@ridgeline.example",
            "address": "203.0.113.77",
            "correlation": "5f0b3c52-3f0e-4a36-9f0a-2a2f7a7f1d11",
        },
    },
    "an application brings a deleted secret back": {
        "ExpectedTitle": "Secret recovered in key vault RIDGELINE-SHARED by "
        "639994fe-33c1-52d5-8d2e-be6fa39cbace",
    },
    "a backup is restored, in the shape of the vault's own log": {
        "ExpectedTitle": "Secret restored in key vault RIDGELINE-ORDERS by "
        "736a423d-356d-5969-b386-d5dcac49e09a",
        "ExpectedDedup": "ridgeline-orders 736a423d-356d-5969-b386-d5dcac49e09a",
    },
    "a record with next to nothing": {
        "ExpectedResult": True,
        "ExpectedTitle": "Secret read in key vault unknown by unknown",
        "Log": {
            "operationName": "microsoft.keyvault/vaults/secrets/getsecret/action",
            "resultType": "success",
            "resourceId": "/vaults",
        },
    },
}  # fmt: skip


@pytest.fixture
def document():
    return yaml.safe_load(FILE.read_text("utf-8"))


def test_its_alerts_say_who_did_what_to_which_vault(document, tmp_path: Path):
    tests = {test["Name"]: test for test in document["Tests"]}
    document["Tests"] = [
        {"Name": name, **tests.get(name, {}), **said} for name, said in SAID.items()
    ]
    (tmp_path / FILE.name).write_text(yaml.safe_dump(document), "utf-8")
    code = FILE.with_suffix(".py")
    (tmp_path / code.name).write_text(code.read_text("utf-8"), "utf-8")
    result = tocsin("test", tmp_path, "--without-isolation")
    assert result.text == f"{len(SAID)} passed, 0 failed, 0 skipped\n"


def test_it_names_the_actions_that_the_bridge_gives_to_audit_events():
    tree = ast.parse(FILE.with_suffix(".py").read_text("utf-8"))
    (verbs,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VERBS"
    )
    bridge = load_bridge("keyvault")
    given = {action.lower() for name in OPERATIONS for action in bridge.operations[name]}
    assert given == verbs.keys()


def test_it_is_off_as_applications_read_secrets_all_day(document):
    assert document["Enabled"] is False
