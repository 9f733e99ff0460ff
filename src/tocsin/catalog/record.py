"""A rule as a record: what `rules list` and `rules show` write, and the twin of a rule's page."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tocsin.alerts.attack import attack_records
from tocsin.alerts.model import rule_record
from tocsin.condition.describe import describe
from tocsin.rules.describe import describe_schedule, describe_stage, describe_suppression
from tocsin.rules.model import Rule

if TYPE_CHECKING:
    from tocsin.catalog.counts import Corpus, Related
    from tocsin.catalog.entries import Entry
    from tocsin.catalog.indicators import Counts, Indicator


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


def entry_record(
    entry: "Entry", corpus: "Corpus", related: "Sequence[Related] | None" = None
) -> dict[str, object]:
    """Return what the page of a rule shows, but its raw text, as a record.

    `related` are the rules that belong with it, where they are known already.
    """
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
        "indicators": [_indicator(*one) for one in corpus.counts(entry)],
        "operations": entry.operations,
        "has": entry.traits["has"],
        "related": [
            {
                "address": one.entry.address,
                "name": one.entry.rule.name,
                "kind": one.kind,
                "reasons": one.reasons,
            }
            for one in (corpus.related(entry) if related is None else related)
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


def _indicator(one: "Indicator", counts: "tuple[Counts, ...]") -> Mapping[str, object]:
    return {
        "field": one.field,
        "canonical": one.canonical,
        "op": one.op,
        "negated": one.negated,
        "case_matters": one.case_matters,
        "input": one.input,
        "values": [
            {
                "value": each.value or None,
                "same_test": each.same,
                "same_field_and_value": each.same_canonical,
                "same_value": each.same_value,
            }
            for each in counts
        ],
    }
