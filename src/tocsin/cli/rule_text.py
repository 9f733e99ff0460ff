"""One rule as `tocsin rules show` prints it."""

import json
from collections.abc import Iterator, Sequence

from tocsin.catalog.record import rule_record_of
from tocsin.engine.check import Checked, check
from tocsin.logs.load import load_log_types
from tocsin.rules.describe import describe_schedule, describe_stage, describe_suppression
from tocsin.rules.model import Lifting, Overrides, Rule

_SHOWN = frozenset(
    """
    alert_suppression author building_block_type created_at description exceptions_list
    false_positives filters from history_window_start index interval investigation_fields language
    license max_signals name new_terms new_terms_fields note query references risk_score
    risk_score_mapping rule_id rule_name_override setup severity severity_mapping tags threat
    threat_filters threat_index threat_indicator_path threat_mapping threat_query threshold
    timestamp_override to type updated_at
    """.split()  # noqa: SIM905
)
"""Fields of a rule file that have a place of their own."""

_UNSHOWN_METADATA = {"creation_date", "maturity", "updated_date"}


def whole_record_of(rule: Rule) -> dict[str, object]:
    """Return the record with all that the rule's file says."""
    document = json.loads(rule.document) if rule.document else None
    return {**rule_record_of(rule), "document": document}


def rule_lines(rule: Rule) -> Iterator[str]:
    """Yield a rule as text for people."""
    from tocsin.condition.describe import describe

    checked = check(rule, load_log_types())
    yield rule.name
    yield "=" * len(rule.name)
    for title, value in (*_facts(rule, checked), *_behaviour(rule), *_beside(rule)):
        if value:
            yield f"{title:12} {value}"
    if rule.description:
        yield f"\n{rule.description}"
    for one in rule.inputs:
        yield f"\nWaits for, in {one.scope}:"
        yield describe(one.condition, indent="  ")
        if one.lifting:
            yield from _lifting_lines(one.lifting)
    if not rule.inputs and (query := _document(rule).get("query")):
        yield f"\nQuery:\n  {str(query).strip().replace(chr(10), chr(10) + '  ')}"
    yield from _lists(rule)
    for title, text in (("Setup", rule.setup), ("Guide", rule.guide)):
        if text:
            yield f"\n{title}:\n\n{text}"


def _lifting_lines(lifting: Lifting) -> Iterator[str]:
    """Say how far a condition says what code says, and what stood in the way."""
    exactly = "says exactly what its Python says" if lifting.exact else "is only necessary"
    yield f"\n  The condition {exactly} (tier {lifting.tier})."
    yield from (f"    {obstacle}" for obstacle in lifting.obstacles)
    if lifting.texts:
        yield f"  Said without Python: {', '.join(name for name, _ in lifting.texts)}"
    for name, why in lifting.untold:
        yield f"  Said by Python alone: {name}: {why}"


def _lists(rule: Rule) -> Iterator[str]:
    sections: tuple[tuple[str, Sequence[object]], ...] = (
        ("Look at", rule.investigation_fields),
        ("False positives", rule.false_positives),
        ("References", rule.references),
        ("Notes", rule.notes),
    )
    for title, items in sections:
        if items:
            yield f"\n{title}:"
            yield from (f"  {item}" for item in items)


def _facts(rule: Rule, checked: Checked) -> list[tuple[str, str]]:
    from tocsin.alerts.attack import attack_names

    own_risk = f", risk score {rule.risk_score}" if rule.own_risk_score is not None else ""
    return [
        ("id", rule.id),
        ("severity", f"{rule.severity.value}{own_risk}"),
        ("status", rule.status),
        ("ecosystem", f"{rule.ecosystem}, {rule.kind}"),
        ("author", ", ".join(rule.author)),
        ("license", rule.license or ""),
        ("date", rule.date or ""),
        ("modified", rule.modified or ""),
        ("ATT&CK", ", ".join(map(str, attack_names(rule.attack)))),
        ("path", rule.path),
        (
            "verdict",
            f"{checked.verdict.value}{': ' if checked.reasons else ''}"
            + "; ".join(checked.reasons),
        ),
        ("log types", ", ".join(checked.log_types)),
    ]


def _behaviour(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what the rule does with its matches."""
    if rule.stage:
        yield "stage", describe_stage(rule.stage)
    if rule.suppression:
        yield "suppression", describe_suppression(rule.suppression)
    if rule.schedule:
        yield "schedule", describe_schedule(rule.schedule)
    if rule.building_block:
        yield "alerts", "for other rules to read (building block)"
    yield "overrides", "; ".join(_overrides(rule.overrides))


def _overrides(overrides: Overrides) -> Iterator[str]:
    if overrides.name:
        yield f"name from {overrides.name}"
    for severity in overrides.severity:
        yield f"{severity.severity.value} if {severity.field} is {severity.value}"
    for risk in overrides.risk_score:
        when = f" if it is {risk.value}" if risk.value is not None else ""
        score = f" {risk.score}" if risk.score is not None else ""
        yield f"risk score{score} from {risk.field}{when}"


def _beside(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what else the rule's file says, by its own names."""
    fields = {key: value for key, value in _document(rule).items() if key not in _SHOWN}
    metadata = _document(rule, "metadata").items()
    fields |= {key: value for key, value in metadata if key not in _UNSHOWN_METADATA}
    for key, value in fields.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield key, shown


def _document(rule: Rule, part: str = "rule") -> dict[str, object]:
    found = json.loads(rule.document).get(part) if rule.document else None
    return found if isinstance(found, dict) else {}
