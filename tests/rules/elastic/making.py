"""Make rules of Elastic as files and exports, and load them."""

import json
from pathlib import Path

from tocsin.rules.elastic.render import render_toml
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader

QUERY = {
    "rule_id": "5f0c1b52-3c40-4a2e-9c10-0a4a4f0f6f01",
    "name": "Example",
    "type": "query",
    "language": "kuery",
    "query": "event.action: delete",
    "index": ["logs-a-*"],
    "risk_score": 47,
    "severity": "medium",
}
PRODUCTION = {"maturity": "production"}


def toml(metadata=PRODUCTION, transform=None, **fields):
    """Return the text of a rule file; a field that is None is left out."""
    rule = {key: value for key, value in (QUERY | fields).items() if value is not None}
    parts = {"metadata": metadata, "rule": rule, "transform": transform}
    return render_toml({name: part for name, part in parts.items() if part})


def ndjson(*objects):
    """Return the text of an export."""
    return "".join(f"{json.dumps(one)}\n" for one in objects)


def load_all(text, name="rule.toml"):
    """Load the rules of a text as of a file of some name."""
    return RuleLoader(LoadOptions()).load_text(text, RuleFile(Path(name), "pack", name))


def load_one(text, name="rule.toml"):
    (rule,), skipped = load_all(text, name)
    assert skipped is None
    return rule


def load_rule(**fields):
    """Load a rule file whose rule has some fields besides the usual ones."""
    return load_one(toml(**fields))


def load_export(*objects):
    """Load the rules of an export."""
    rules, _ = load_all(ndjson(*objects), "rules.ndjson")
    return rules
