"""What `tocsin rules check` says of SigmaHQ's rules holds."""

import re
from collections import Counter
from pathlib import Path

import pytest

from acceptance.running import Fields, check_records
from tocsin.engine.plan import select
from tocsin.logs.load import shipped_log_types
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import Input
from tocsin.run.log_types import choose_log_types

NO_LOG_TYPE = re.compile(r"no log type yet for (?P<source>\S+) \(--log-type (?P<hint>\S+) runs")
COVERED = {"aws", "azure", "gcp", "github", "kubernetes", "m365", "okta", "windows"}
"""Products of which every rule that runs meets a log type."""
TWO_LOGS = {
    ("kubernetes", "audit"): {"gcp.audit", "kubernetes.audit"},
    ("gcp", "google_workspace.admin"): {"gcp.audit", "google.workspace"},
    ("gcp", "google_workspace.login"): {"gcp.audit", "google.workspace"},
}
"""Product and service whose events are met in two logs; a record is one of them only."""
NO_RULES = {
    "azure.keyvault",
    "azure.storage",
    "gcp.logging",
    "m365.defender",
    "azure.platform",
    "azure.graphactivity",
    "azure.aadgraphactivity",
    "ecs",
    "panther.event",
    "panther.resource",
}
"""Log types that no rule of SigmaHQ is for."""


@pytest.fixture(scope="module")
def checked(sigma_corpus: Path) -> list[Fields]:
    return check_records(sigma_corpus)


@pytest.fixture(scope="module")
def inputs(sigma_corpus: Path) -> dict[str, tuple[Input, ...]]:
    """Return what each rule of the corpus waits for, by the rule's id."""
    return {rule.id: rule.inputs for rule in load_rules_cached([sigma_corpus], LoadOptions()).rules}


def test_every_rule_has_one_verdict_and_says_why_it_does_not_run(checked: list[Fields]) -> None:
    assert len(checked) > 3_700
    assert {record["verdict"] for record in checked} == {"runs", "approximate", "cannot"}
    unexplained = [
        record["path"]
        for record in checked
        if not record["reasons"] and (record["verdict"] != "runs" or not record["log_types"])
    ]
    assert unexplained == []


def test_a_rule_cannot_run_for_want_of_a_placeholder_only(checked: list[Fields]) -> None:
    for record in checked:
        if record["verdict"] == "cannot":
            assert all("needs placeholder" in reason for reason in record["reasons"])


def test_a_rule_is_for_one_log_type_but_where_two_logs_hold_its_events(
    checked: list[Fields], inputs: dict[str, tuple[Input, ...]]
) -> None:
    met = set()
    for record in checked:
        if len(record["log_types"]) > 1:
            (source,) = {(one.scope.product, one.scope.service) for one in inputs[record["id"]]}
            assert set(record["log_types"]) == TWO_LOGS[source], record["path"]
            met.add(source)
    assert met == TWO_LOGS.keys()


def test_rules_for_known_products_meet_a_log_type(
    checked: list[Fields], inputs: dict[str, tuple[Input, ...]]
) -> None:
    for record in checked:
        if {one.scope.product for one in inputs[record["id"]]} & COVERED:
            assert record["log_types"], record["path"]


def test_what_to_name_logs_can_be_typed_as_it_stands(
    checked: list[Fields], inputs: dict[str, tuple[Input, ...]]
) -> None:
    """The log source that a reason names selects the rule, and has no `*` for a shell to expand."""
    hints: Counter[str] = Counter()
    for record in checked:
        for found in filter(None, map(NO_LOG_TYPE.match, record["reasons"])):
            (log_type,) = choose_log_types(found["hint"])
            assert all(select(log_type, one) for one in inputs[record["id"]]), found["hint"]
            hints[found["hint"]] += 1
    assert hints.total() == sum(
        not record["log_types"] for record in checked if record["verdict"] != "cannot"
    )
    assert not [hint for hint in hints if "*" in hint]
    assert {"linux/process_creation/", "bitbucket//audit", "/webserver/"} <= set(hints)


def test_every_log_type_that_rules_address_ships(checked: list[Fields]) -> None:
    named = {name for record in checked for name in record["log_types"]}
    shipped = {one.name for one in shipped_log_types()}
    assert named == shipped - NO_RULES
