"""Rules that look for a vault's operations in the activity log find them in the vault's own log."""

import json
from pathlib import Path

import pytest
import yaml

from acceptance.running import check, check_records, run_scan, scan
from logs.azure_records import Record, vault_shapes
from tocsin.condition.evaluate import holds
from tocsin.condition.tree import TRUE
from tocsin.engine.bridging import actions_sought
from tocsin.engine.check import check as check_rule
from tocsin.engine.plan import select
from tocsin.jsontext import read
from tocsin.logs.bridges import Bridge, load_bridge
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import Variant
from tocsin.logs.view import RecordView, identify
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader, load_rules
from tocsin.rules.model import Rule, Verdict

SEED_ID = "b831353c-1971-477b-abb6-2828edc3bca1"
LOUD = {
    "SecretSet": "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    "SecretDelete": "Microsoft.KeyVault/vaults/secrets/delete",
    "SecretPurge": "Microsoft.KeyVault/vaults/secrets/purge/action",
}
QUIET = ("SecretGet", "SecretList", "KeyDelete", "VaultDelete", "Authentication")
SHAPES = tuple(vault_shapes(""))


@pytest.fixture(scope="module")
def seed(shared: Path) -> Path:
    (page,) = (shared / "seeds").glob("000_*")
    return page


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file per operation, a line per shape."""
    folder = tmp_path_factory.mktemp("logs")
    for operation in (*LOUD, *QUIET):
        lines = [json.dumps(record) for record in vault_shapes(operation).values()]
        (folder / f"{operation}.ndjson").write_text("\n".join(lines), "utf-8")
    return folder


def test_over_the_bridge_the_seed_finds_what_was_done_in_every_shape(
    seed: Path, logs: Path
) -> None:
    alerts = scan(logs, [seed], "--bridge", "keyvault")
    found = {
        (Path(event["source"]).stem, SHAPES[event["line"] - 1]): alert
        for alert in alerts
        for event in alert["events"]
    }
    assert len(alerts) == len(found)
    assert set(found) == {(operation, shape) for operation in LOUD for shape in SHAPES}
    for (operation, _), alert in found.items():
        assert alert["rule"]["id"] == SEED_ID
        assert alert["context"] == {"bridge": "keyvault"}
        assert [event["log_type"] for event in alert["events"]] == ["azure.keyvault"]
        assert [one["found"] for one in alert["matched"]] == [LOUD[operation]]


def test_the_bridge_leads_from_logs_that_are_named(seed: Path, logs: Path) -> None:
    options = ("--bridge", "keyvault", "--log-type", "azure.keyvault")
    assert scan(logs, [seed], *options)


def test_without_the_bridge_the_seed_finds_nothing_and_the_summary_says_so(
    seed: Path, logs: Path
) -> None:
    run = run_scan(logs, [seed])
    assert run.stdout == ""
    assert "no rule addresses azure.keyvault" in run.stderr


def test_the_check_of_the_seed_names_the_events_and_the_bridge(seed: Path) -> None:
    (record,) = check_records(seed)
    (reason,) = record["reasons"]
    assert (record["id"], record["verdict"]) == (SEED_ID, "approximate")
    assert record["log_types"] == ["azure.activity"]
    events = ("SecretUpdate", "SecretBackup", "SecretRestore", "SecretRecover")
    for word in (*LOUD, *events, "azure.activity", "azure.keyvault", "--bridge keyvault"):
        assert word in reason
    for word in QUIET:
        assert word not in reason
    text = check(seed)
    assert text.startswith("approximate Azure Keyvault Secrets Modified or Deleted")
    assert reason in text


def test_only_rules_that_look_for_a_vaults_operations_are_approximate(sigma_corpus: Path) -> None:
    folders = [path for path in sigma_corpus.glob("rules*/cloud/azure") if path.is_dir()]
    approximate = {
        record["name"] for record in check_records(*folders) if record["verdict"] == "approximate"
    }
    assert approximate == {
        "Azure Keyvault Key Modified or Deleted",
        "Azure Keyvault Secrets Modified or Deleted",
    }


def rule_text(detection: Record, service: str = "activitylogs") -> str:
    text: str = yaml.safe_dump(
        {
            "title": "Looked for",
            "logsource": {"product": "azure", "service": service},
            "detection": {"condition": "one", **detection},
        }
    )
    return text


def rule_of(detection: Record) -> Rule:
    file = RuleFile(Path("rule.yml"), "tests", "rule.yml")
    (rule,), _ = RuleLoader(LoadOptions()).load_text(rule_text(detection), file)
    assert not rule.reasons
    return rule


PURGE, DELETE = "Microsoft.KeyVault/vaults/secrets/purge/action", LOUD["SecretDelete"]
SECRETS = "Microsoft.KeyVault/vaults/secrets/"

SOUGHT: dict[str, tuple[Record, list[str]]] = {
    "one action": ({"one": {"operationName": DELETE.upper()}}, [DELETE]),
    "under another name": ({"one": {"properties.message": DELETE}}, [DELETE]),
    "two actions, in the table's order": (
        {"one": {"operationName": [PURGE, DELETE]}},
        [DELETE, PURGE],
    ),
    "the end of an action": (
        {"one": {"operationName|endswith": "secrets/delete"}},
        [DELETE],
    ),
    "a start that the end cannot have": (
        {
            "one": {
                "operationName|startswith": "Microsoft.Network",
                "operationName|endswith": "delete",
            }
        },
        [],
    ),
    "different actions under two names": (
        {"one": {"operationName": DELETE, "properties.message": PURGE}},
        [],
    ),
    "what is filtered out": (
        {
            "one": {"operationName|startswith": SECRETS},
            "two": {"OperationNameValue|contains": ["et", "action"]},
            "condition": "one and not two",
        },
        [],
    ),
    "what the filter leaves": (
        {
            "one": {"operationName": [DELETE, PURGE]},
            "two": {"OperationNameValue|endswith": "action"},
            "condition": "one and not two",
        },
        [DELETE],
    ),
    "an action beside what only the event can tell": (
        {
            "one": {"operationName": DELETE, "Status": "Success"},
            "two": ["keyword"],
            "condition": "one and two",
        },
        [DELETE],
    ),
    "an action or something else": (
        {"one": {"operationName": DELETE}, "two": {"Status": "Success"}, "condition": "one or two"},
        [DELETE],
    ),
    "anything but an action": (
        {
            "one": {"CategoryValue": "Administrative"},
            "two": {"operationName": DELETE},
            "condition": "one and not two",
        },
        [],
    ),
    "that there is an operation": ({"one": {"operationName|exists": True}}, []),
    "that there is no operation": ({"one": {"operationName": None}}, []),
    "the action in any field": ({"one": [DELETE]}, []),
    "the operation of the vault's own log": ({"one": {"operationName": "SecretDelete"}}, []),
}


@pytest.mark.parametrize(("detection", "actions"), SOUGHT.values(), ids=SOUGHT)
def test_a_rule_looks_for_an_action_if_its_whole_condition_can_hold(
    detection: Record, actions: list[str]
) -> None:
    (one,) = rule_of(detection).inputs
    assert actions_sought(one, load_bridge("keyvault")) == actions


VAULT_DELETE = "MICROSOFT.KEYVAULT/VAULTS/DELETE"
VERDICTS = {
    "recorded itself": ([VAULT_DELETE, "Microsoft.KeyVault/vaults/write"], Verdict.RUNS),
    "recorded in part": ([VAULT_DELETE, DELETE], Verdict.APPROXIMATE),
    "reads, which are never recorded": (["Microsoft.KeyVault/vaults/read"], Verdict.APPROXIMATE),
    "of no vault": (["Microsoft.Storage/storageAccounts/delete"], Verdict.RUNS),
}


@pytest.mark.parametrize(("actions", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_a_rule_is_approximate_if_the_activity_log_lacks_what_it_looks_for(
    actions: list[str], verdict: Verdict
) -> None:
    checked = check_rule(rule_of({"one": {"operationName": actions}}), shipped_log_types())
    assert checked.verdict is verdict
    assert not any(VAULT_DELETE.lower() in reason.lower() for reason in checked.reasons)


def test_the_bridge_is_for_rules_of_the_activity_log_alone(logs: Path, tmp_path: Path) -> None:
    file = tmp_path / "directory.yml"
    file.write_text(rule_text({"one": {"operationName": DELETE}}, "auditlogs"), "utf-8")
    run = run_scan(logs, [file], "--bridge", "keyvault")
    assert run.stdout == ""
    assert "no rule addresses azure.keyvault" in run.stderr
    assert check_records(file)[0]["verdict"] == "runs"


def test_no_event_over_the_bridge_is_lost(sigma_corpus: Path) -> None:
    """A rule is shown the events of the actions it looks for: it matches no others."""
    bridge = load_bridge("keyvault")
    activity = next(one for one in shipped_log_types() if one.name == bridge.target)
    rules = load_rules(sigma_corpus.glob("rules*/cloud/azure")).rules
    inputs = [one for rule in rules for one in rule.inputs if select(activity, one)]
    sought = [(one, set(actions_sought(one, bridge))) for one in inputs]
    assert len(inputs) > 30
    matched = 0
    for operation, actions in bridge.operations.items():
        view = over(bridge, vault_shapes(operation)["diagnostic"])
        for one, looked_for in sought:
            if holds(one.condition, view.read):
                matched += 1
                assert looked_for & set(actions), (operation, one)
    assert matched > 10


def over(bridge: Bridge, record: Record) -> RecordView:
    """See a record as a rule sees it over a bridge."""
    parsed = read(json.dumps(record)).value
    found = identify(parsed, shipped_log_types())
    assert found
    return RecordView(parsed, found[1], variant=Variant(TRUE, bridge.expressions()))
