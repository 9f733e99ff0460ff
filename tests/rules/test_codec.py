"""Rules survive their way through JSON, whatever they hold."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
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
from tocsin.rules.model import Input, LogSource, Rule, Severity, Technique, Verdict

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

RULE = Rule(
    id="i", name="n", ecosystem="e", kind="k", pack="p", path="f", digest="d",
    inputs=(Input(TRUE, LogSource("a", None, "c"), "ecs"), Input(FALSE, LogSource(None, "b"))),
    severity=Severity.CRITICAL, status="test", description="text\nof lines", author=("a", "b"),
    license="l", date="2026-01-02", modified="2026-01-03", tags=("t",), references=("r",),
    false_positives=("f",), attack=(Technique("TA0001", None), Technique(None, "T1")), guide="g",
    verdict=Verdict.APPROXIMATE, reasons=("why",), notes=("note",),
)  # fmt: skip


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
        yield replace(RULE, **{field.name: other})


@pytest.mark.parametrize("rule", list(variations()), ids=[field.name for field in fields(Rule)])
def test_every_part_of_a_rule_is_kept(rule: Rule) -> None:
    assert rule != RULE
    assert decode_rule(through_json(encode_rule(rule))) == rule


@pytest.mark.parametrize(
    "folder", ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder"]
)
def test_every_rule_of_the_corpus_survives(folder: str, sigma_corpus: Path) -> None:
    rules = load_rules([sigma_corpus / folder]).rules
    data = json.loads(json.dumps([encode_rule(rule) for rule in rules]))
    assert tuple(map(decode_rule, data)) == rules
