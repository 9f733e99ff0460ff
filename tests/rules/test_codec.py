"""Rules survive their way through JSON, whatever they hold."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Wild,
)
from tocsin.rules.codec import decode_condition, decode_rule, encode_condition, encode_rule
from tocsin.rules.load import load_rules
from tocsin.rules.model import (
    Indices,
    Input,
    LogSource,
    LogTypes,
    Overrides,
    RiskFrom,
    Rule,
    Severity,
    SeverityFrom,
    Technique,
    Verdict,
)
from tocsin.rules.stages import (
    Comparison,
    Deduplication,
    Distinct,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Stage,
    Suppression,
    Threshold,
)

NAME = Field(("a",), (Call("text"),))
PATH = Field(("a", "b.c"), (Call("split", ("/", 2)), Call("lower")))

CONDITIONS: dict[str, Condition] = {
    "true": TRUE,
    "false": FALSE,
    "empty and": And(()),
    "empty or": Or(()),
    "exists": Predicate(Field(("a",)), Op.EXISTS),
    "texts": Predicate(PATH, Op.CONTAINS, ("", "x", "Ω\x00"), fold_case=True),
    "numbers": Predicate(NAME, Op.EQUALS, (0, -1, 2**70, Decimal("1.50"), Decimal("1E+400"))),
    "booleans": Predicate(NAME, Op.EQUALS, (True, False)),
    "regex": Predicate(NAME, Op.REGEX, (Regex("a.*b", "i"), Regex("[", ""))),
    "glob": Predicate(NAME, Op.GLOB, (Glob(("a", Wild.ANY, "b", Wild.ONE)), Glob((Wild.ANY,)))),
    "texts like names of wildcards": Predicate(NAME, Op.GLOB, (Glob(("ANY", Wild.ANY, "ONE")),)),
    "compare": FieldsCompare(NAME, Op.STARTSWITH, PATH, fold_case=True),
    "element": AnyElement(("a", "b"), Or((Not(Predicate(NAME, Op.IS_NULL)), TRUE))),
    "nested": Not(And((Or((Predicate(NAME, Op.LESS, (3,)), FALSE)), Not(TRUE)))),
}

HOUR = timedelta(hours=1)
RULE = Rule(
    id="i", name="n", ecosystem="e", kind="k", pack="p", path="f", digest="d",
    inputs=(Input(TRUE, LogSource("a", None, "c"), "ecs"), Input(FALSE, LogSource(None, "b")),
            Input(TRUE, LogTypes(("A.B", "resource:C")), "panther")),
    severity=Severity.CRITICAL, status="test", description="text\nof lines", author=("a", "b"),
    license="l", date="2026-01-02", modified="2026-01-03", tags=("t",), references=("r",),
    false_positives=("f",), investigation_fields=("user.name",), collections=("c",),
    attack=(Technique("TA0001", None), Technique(None, "T1")), guide="g",
    verdict=Verdict.APPROXIMATE, reasons=("why",), notes=("note",), setup="s",
    stage=NewTerms(("a", "b"), timedelta(days=7)), own_risk_score=12, document='{"a":[1]}',
    suppression=Suppression(("a",), timedelta(seconds=1)), schedule=Schedule(HOUR, 2 * HOUR),
    overrides=Overrides("f", (SeverityFrom("s", "1", Severity.LOW),), (RiskFrom("r"),)),
)  # fmt: skip

STAGES: dict[str, Stage | None] = {
    "none": None,
    "new terms": NewTerms(("a",), timedelta(milliseconds=1)),
    "threshold": Threshold(("a", "b"), 3, HOUR),
    "threshold of all": Threshold((), 1, HOUR, Distinct("c", 2)),
    "indicators": IndicatorMatch(
        ((Comparison("a", "b"), Comparison("c", "d", negated=True)), (Comparison("e", "f"),)),
        ("logs-ti_*",), CONDITIONS["nested"], "other",
    ),
    "deduplication": Deduplication(3, HOUR),
}  # fmt: skip

OTHERS: dict[str, object] = {
    "stage": STAGES["threshold"],
    "suppression": Suppression((), timedelta(days=2), missing_is_a_value=False),
    "schedule": Schedule(HOUR, HOUR, timedelta(seconds=5), ("a", "b"), 7),
    "overrides": Overrides(risk_score=(RiskFrom("r", "v", 0), RiskFrom("r", "", None))),
    "own_risk_score": 0,
    "building_block": True,
    "confirm": True,
}


def through_json(data: object) -> object:
    return orjson.loads(orjson.dumps(data))


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_survives(name: str) -> None:
    condition = CONDITIONS[name]
    assert decode_condition(through_json(encode_condition(condition))) == condition


def test_a_value_keeps_its_type() -> None:
    numbers = CONDITIONS["numbers"]
    decoded = decode_condition(through_json(encode_condition(numbers)))
    assert isinstance(decoded, Predicate)
    assert list(map(type, decoded.values)) == [int, int, int, Decimal, Decimal]
    decoded = decode_condition(through_json(encode_condition(CONDITIONS["booleans"])))
    assert isinstance(decoded, Predicate)
    assert [value is True or value is False for value in decoded.values] == [True, True]


def test_a_rule_survives_whole() -> None:
    assert decode_rule(through_json(encode_rule(RULE))) == RULE


def variations() -> Iterator[Rule]:
    """Yield the rule with each of its parts changed."""
    for field in fields(Rule):
        value = getattr(RULE, field.name)
        other: object = value[:1] + value[:1] if isinstance(value, tuple) else f"{value}!"
        if isinstance(value, Severity | Verdict):
            other = Severity.LOW if isinstance(value, Severity) else Verdict.CANNOT
        other = OTHERS.get(field.name, other)
        yield replace(RULE, **{field.name: other})


@pytest.mark.parametrize("rule", list(variations()), ids=[field.name for field in fields(Rule)])
def test_every_part_of_a_rule_is_kept(rule: Rule) -> None:
    assert rule != RULE
    assert decode_rule(through_json(encode_rule(rule))) == rule


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_survives(name: str) -> None:
    rule = replace(RULE, stage=STAGES[name])
    assert decode_rule(through_json(encode_rule(rule))) == rule


@pytest.mark.parametrize("scope", [Indices(("a-*", "-b")), LogSource()], ids=str)
def test_a_scope_survives(scope: Indices | LogSource) -> None:
    rule = replace(RULE, inputs=(Input(TRUE, scope),))
    assert decode_rule(through_json(encode_rule(rule))) == rule


@pytest.mark.parametrize(
    "folder", ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder"]
)
def test_every_rule_of_the_corpus_survives(folder: str, sigma_corpus: Path) -> None:
    rules = load_rules([sigma_corpus / folder]).rules
    data = json.loads(json.dumps([encode_rule(rule) for rule in rules]))
    assert tuple(map(decode_rule, data)) == rules
