"""Which rules of the corpus run, and which meet a log type."""

import json

import pytest

from docs.pages import generator
from generated.corpus import LEFT_OUT, PLACEHOLDERS
from tocsin.engine.check import check
from tocsin.logs.load import load_log_types
from tocsin.rules.load import LoadOptions, load_rules
from tocsin.rules.model import Verdict

LEAST = 0.999
ELSEWHERE = {
    "80eeab92-0979-4152-942d-96749e11df40": "azure.keyvault logs them as KeyCreate",
    "b831353c-1971-477b-abb6-2828edc3bca1": "azure.keyvault logs them as SecretSet",
}
"""Rules that look for what another log records, and what is said of them."""
OPEN = {
    "c4a1f389-2e6b-4d9a-8f0c-b73e5a12d947": "needs placeholder known_cdcs",
    "8b7e2c54-1f93-4a6d-b8e0-3c9d7f25a168": "needs placeholder known_cdcs",
}
"""Rules with a value that the user has to fill in, and what is said of them."""
WITH_LOG_TYPE = {
    ("azure", None, service)
    for service in ("activitylogs", "auditlogs", "pim", "riskdetection", "signinlogs")
} | {
    (None, "antivirus", None),
    ("aws", None, "cloudtrail"),
    ("gcp", None, "gcp.audit"),
    ("gcp", None, "google_workspace.admin"),
    ("gcp", None, "google_workspace.login"),
    ("github", None, "audit"),
    ("kubernetes", None, "audit"),
    ("kubernetes", "application", "audit"),
    ("m365", None, "audit"),
    ("m365", None, "exchange"),
    ("m365", None, "threat_detection"),
    ("m365", None, "threat_management"),
    ("okta", None, "okta"),
}
"""Log sources that have a log type, besides those of Windows."""


@pytest.fixture(scope="module")
def rules(sigma_corpus, tmp_path_factory):
    """Return the rules of the corpus as Tocsin loads them, with values for placeholders."""
    placeholders = tmp_path_factory.mktemp("rules") / "placeholders.yaml"
    placeholders.write_text(json.dumps(PLACEHOLDERS), "utf-8")
    folders = [path for path in sorted(sigma_corpus.iterdir()) if path.is_dir()]
    chosen = [path for path in folders if path.name != LEFT_OUT]
    return load_rules(chosen, LoadOptions(placeholders=placeholders)).rules


@pytest.fixture(scope="module")
def checked(rules):
    log_types = load_log_types()
    return [check(rule, log_types) for rule in rules]


def test_every_file_of_the_corpus_is_one_rule(rules, corpus):
    assert sorted(rule.id for rule in rules) == sorted(rule.id for rule in corpus)


def test_nearly_every_rule_runs_and_the_others_say_why_not(checked):
    others = {one.rule.id: one.reasons for one in checked if one.verdict is not Verdict.RUNS}
    assert others.keys() == ELSEWHERE.keys()
    assert all(text in " ".join(others[rule]) for rule, text in ELSEWHERE.items())
    assert len(checked) - len(others) >= LEAST * len(checked)


def test_a_rule_with_an_open_value_says_which(corpus):
    paths = [rule.path for rule in corpus if rule.id in OPEN]
    for rule in load_rules(paths).rules:
        assert rule.verdict is Verdict.CANNOT
        assert OPEN[rule.id] in rule.reasons[0]


def test_every_rule_for_a_known_log_has_a_log_type(checked):
    scopes = ((one, one.rule.inputs[0].scope) for one in checked)
    without = [
        one.rule.path
        for one, scope in scopes
        if scope.product == "windows"
        or (scope.product, scope.category, scope.service) in WITH_LOG_TYPE
        if not one.log_types
    ]
    assert not without


def test_a_rule_without_log_type_says_how_to_run_it(checked):
    for one in checked:
        assert one.log_types or "--log-type" in one.reasons[-1]


def test_the_table_counts_every_rule_once(rules, checked):
    table = generator().coverage(rules, load_log_types())
    assert sum(total for _, total, _ in table) == len(rules)
    assert sum(covered for *_, covered in table) == sum(bool(one.log_types) for one in checked)
    whole = {product for product, total, covered in table if total == covered}
    assert whole == {"windows", "azure", "aws", "gcp", "github", "kubernetes", "m365", "okta"}
