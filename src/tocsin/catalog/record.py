"""A rule as a record: what `rules list` and `rules show` write, and the twin of a rule's page."""

from collections.abc import Mapping

from tocsin.alerts.attack import attack_records
from tocsin.alerts.model import rule_record
from tocsin.catalog.counts import Corpus, Shared
from tocsin.catalog.entries import Entry, Indicator
from tocsin.condition.describe import describe
from tocsin.rules.describe import describe_schedule, describe_stage, describe_suppression
from tocsin.rules.model import Rule


def rule_record_of(rule: Rule) -> dict[str, object]:
    """Return a rule as the record that `list` writes as JSON."""
    return {
        "schema": 1,
        **rule_record(rule),
        "severity": rule.severity.value,
        "status": rule.status,
        "description": rule.description,
        "date": rule.date,
        "modified": rule.modified,
        "attack": attack_records(rule.attack),
        "verdict": rule.verdict.value,
        "reasons": rule.reasons,
        "risk_score": rule.risk_score,
        "building_block": rule.building_block,
        "stage": describe_stage(rule.stage) if rule.stage else None,
        "suppression": describe_suppression(rule.suppression) if rule.suppression else None,
        "schedule": describe_schedule(rule.schedule) if rule.schedule else None,
        "guide": rule.guide,
        "setup": rule.setup,
    }


def entry_record(entry: Entry, corpus: Corpus) -> dict[str, object]:
    """Return what the page of a rule shows, but its raw text, as a record."""
    checked = entry.checked
    return {
        **rule_record_of(entry.rule),
        "address": entry.address,
        "license": entry.licence or None,
        "verdict": checked.verdict.value,
        "reasons": checked.reasons,
        "log_types": checked.log_types,
        "platforms": entry.traits["platform"],
        "sources": entry.traits["source"],
        "inputs": [_input(entry.rule, number) for number in range(len(entry.rule.inputs))],
        "indicators": [_indicator(one, corpus.shared(entry, one)) for one in entry.indicators],
        "operations": entry.operations,
        "has": entry.traits["has"],
        "related": [
            {"address": one.entry.address, "name": one.entry.rule.name, "reason": one.reason}
            for one in corpus.related(entry)
        ],
        "notes": entry.rule.notes,
    }


def _input(rule: Rule, number: int) -> Mapping[str, object]:
    one = rule.inputs[number]
    try:
        logic = describe(one.condition).split("\n")
    except RecursionError:
        logic = []
    return {"scope": str(one.scope), "vocabulary": one.vocabulary, "logic": logic}


def _indicator(one: Indicator, shared: Shared) -> Mapping[str, object]:
    return {
        "field": one.field,
        "canonical": one.canonical,
        "op": one.op,
        "value": one.value or None,
        "same_test": shared.triple,
        "same_field_and_value": shared.pair,
        "same_value": shared.value,
    }
