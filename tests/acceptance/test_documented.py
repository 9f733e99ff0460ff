"""Rules of Elastic alert on records of Azure as Microsoft documents and publishes them."""

import json
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

import tocsin
from tocsin.rules.model import Rule

TOLD: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("documented.yaml").read_text("utf-8")
)
RECORDS, CASES = TOLD["records"], TOLD["cases"]
LEAST = 12


@pytest.fixture(scope="module")
def rules(elastic_corpus: Path) -> dict[str, Rule]:
    """Return the rules by the names of their files."""
    return {Path(rule.path).stem: rule for rule in tocsin.load_rules(elastic_corpus)}


def with_values(record: object, values: dict[str, object]) -> Any:
    changed = deepcopy(record)
    for path, value in values.items():
        changed = with_value(changed, path.split("."), value)
    return changed


def with_value(at: Any, path: list[str], value: object) -> Any:
    """Put a value in place of another; there must be one, and it must be no object and no list."""
    if not path:
        assert not isinstance(at, dict | list)
        return value
    if isinstance(at, str):
        return json.dumps(with_value(json.loads(at), path, value))
    key = int(path[0]) if isinstance(at, list) else path[0]
    at[key] = with_value(at[key], path[1:], value)
    return at


def raises(rule: Rule, record: object) -> bool:
    result = tocsin.scan([record], [rule], cold_start="alert")
    assert not result.unreadable
    assert not result.summary.unidentified
    return len(result) > 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']} on {case['record']}")
def test_a_documented_record_raises_a_rule(rules: dict[str, Rule], case: dict[str, Any]) -> None:
    rule = rules[case["rule"]]
    record = with_values(RECORDS[case["record"]]["record"], case["values"])
    assert raises(rule, record)
    for miss in case["misses"]:
        assert not raises(rule, with_values(record, miss)), miss


def test_enough_rules_are_met() -> None:
    assert len({case["rule"] for case in CASES}) >= LEAST
    assert {case["record"] for case in CASES} == RECORDS.keys() - {"vault"}
    assert all(one["source"].startswith("https://learn.microsoft.com/") for one in RECORDS.values())


def test_all_rules_for_key_vault_in_kql_are_met(rules: dict[str, Rule]) -> None:
    about = {
        name
        for name, rule in rules.items()
        if "KEYVAULT/VAULTS" in rule.document or '\\"KeyGet' in rule.document
        if rule.kind in {"query", "new_terms", "threshold"} and "/azure/" in rule.path
    }
    assert about
    assert about <= {case["rule"] for case in CASES}


def test_a_claim_named_by_an_address_is_no_identity_to_the_rule(rules: dict[str, Rule]) -> None:
    rule = rules["credential_access_key_vault_retrieval_from_rare_identity"]
    assert not raises(rule, RECORDS["vault"]["record"])


def keys_of(value: object) -> object:
    """Return a record without its values."""
    if isinstance(value, dict):
        return {key: keys_of(one) for key, one in value.items()}
    return None


def test_the_record_of_a_vault_has_the_keys_that_are_published(shared: Path) -> None:
    path = shared / "data" / "azure" / "msdocs_keyvault_auditevent.ndjson"
    if not path.exists():
        pytest.skip("no data at data/azure")
    with path.open(encoding="utf-8") as lines:
        published = json.loads(next(lines))
    assert keys_of(RECORDS["vault"]["record"]) == keys_of(published)


PUBLISHED = {
    "sentinel_training_azureActivity_adele.ndjson": {
        "impact_key_vault_modified_by_unusual_user": 1,
        "impact_resources_resource_group_deletion": 1,
    },
}
"""Rows that Microsoft publishes for training, and the rules that they raise."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows_raise_rules_as_they_are(
    rules: dict[str, Rule], shared: Path, name: str
) -> None:
    path = shared / "data" / "azure" / name
    if not path.exists():
        pytest.skip("no data at data/azure")
    azure = [rule for rule in rules.values() if "/azure/" in rule.path]
    raised = Counter(
        Path(alert.rule.path).stem for alert in tocsin.scan(path, azure, cold_start="alert")
    )
    assert raised == PUBLISHED[name]
