"""What changed between two versions of rules is said as meaning."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.conditions import asks, make_rule
from tocsin.catalog.diff import (
    Change,
    Reach,
    diff_lines,
    diff_packs,
    diff_record,
    diff_rules,
    texts_below,
)
from tocsin.condition.tree import And, AnyElement, Field, Not, Op, Or, Predicate
from tocsin.rules.model import Input, LogSource, Rule, Severity, Technique
from tocsin.rules.stages import NewTerms, Suppression, Threshold

EQUALS = Op.EQUALS
READ = asks("operationName", EQUALS, "A/READ")
WRITE = asks("operationName", EQUALS, "A/READ", "A/WRITE")
CALLER = asks("Caller", EQUALS, "me")
BEFORE = make_rule(READ)


def changed(**parts) -> Rule:
    return replace(BEFORE, digest="new", **parts)


def asking(condition, scope=BEFORE.inputs[0].scope) -> Rule:
    return changed(inputs=(Input(condition, scope),))


MANY = Threshold(("Caller",), 5, timedelta(minutes=10))
CASES = {
    "nothing": (BEFORE, changed(description="other words"), [], None),
    "a value more": (
        BEFORE,
        asking(WRITE),
        ['values of operationName (equals) added: "A/WRITE"'],
        Reach.MORE,
    ),
    "a value less": (
        asking(WRITE),
        asking(READ),
        ['values of operationName (equals) removed: "A/WRITE"'],
        Reach.FEWER,
    ),
    "a predicate more": (
        BEFORE,
        asking(And((READ, CALLER))),
        ['predicate added: Caller is "me"'],
        Reach.FEWER,
    ),
    "a filter less": (
        asking(And((READ, Not(CALLER)))),
        BEFORE,
        ['predicate removed: not Caller is "me"'],
        Reach.MORE,
    ),
    "another value": (
        BEFORE,
        asking(asks("operationName", EQUALS, "A/WRITE")),
        [
            'values of operationName (equals) removed: "A/READ"',
            'values of operationName (equals) added: "A/WRITE"',
        ],
        Reach.OTHER,
    ),
    "another operator": (
        BEFORE,
        asking(asks("operationName", Op.STARTSWITH, "A/READ")),
        [
            'predicate removed: operationName is "A/READ"',
            'predicate added: operationName starts with "A/READ"',
        ],
        Reach.MORE,
    ),
    "another way to join": (
        asking(And((READ, CALLER))),
        asking(Or((READ, CALLER))),
        [
            (
                "how predicates are joined: "
                'operationName is "A/READ" and Caller is "me" → '
                'operationName is "A/READ" or Caller is "me"'
            )
        ],
        Reach.MORE,
    ),
    "the same said otherwise": (
        asking(Or((And((READ, CALLER)), READ))),
        asking(READ),
        ['predicate removed: Caller is "me"'],
        Reach.SAME,
    ),
    "an element": (
        BEFORE,
        asking(And((READ, AnyElement(("list",), Predicate(Field(("k",)), EQUALS, ("v",)))))),
        ['predicate added: one element of list: k is "v" (case matters)'],
        Reach.FEWER,
    ),
    "the scope": (
        BEFORE,
        asking(READ, LogSource("azure", None, "keyvault")),
        ["scope: azure/*/activitylogs → azure/*/keyvault"],
        None,
    ),
    "a threshold": (
        changed(stage=MANY),
        changed(stage=replace(MANY, count=9)),
        [
            (
                "stage: 5 or more with the same Caller within 10 minutes → "
                "9 or more with the same Caller within 10 minutes"
            )
        ],
        None,
    ),
    "a stage": (
        BEFORE,
        changed(stage=NewTerms(("Caller",), timedelta(days=7))),
        ["stage added: values of Caller that are new within 7 days"],
        None,
    ),
    "a severity": (
        BEFORE,
        changed(severity=Severity.HIGH),
        ["severity: medium → high", "risk score: 47 → 73"],
        None,
    ),
    "tags": (
        changed(tags=("a", "b")),
        changed(tags=("b", "c")),
        ["tag removed: a", "tag added: c"],
        None,
    ),
    "ATT&CK": (
        BEFORE,
        changed(attack=(Technique("TA0006", "T1552"),)),
        ["ATT&CK:  → T1552, TA0006"],
        None,
    ),
    "suppression": (
        BEFORE,
        changed(suppression=Suppression(("Caller",), timedelta(hours=1))),
        ["suppression added: one alert for all with the same Caller within 1 hour"],
        None,
    ),
    "an input more": (
        BEFORE,
        changed(inputs=(*BEFORE.inputs, Input(CALLER, LogSource("azure")))),
        ['input 2, condition added: Caller is "me"'],
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_changed(case: str) -> None:
    before, after, said, reach = CASES[case]
    found = diff_rules(before, after)
    assert [str(change) for change in found.changes] == said
    if case != "an input more":
        assert found.reach is reach


def test_packs_are_compared_rule_by_rule() -> None:
    old = [
        BEFORE,
        replace(BEFORE, id="gone", name="gone"),
        replace(BEFORE, id="same", name="same"),
        replace(BEFORE, id="words", name="words"),
    ]
    new = [
        changed(severity=Severity.HIGH),
        replace(BEFORE, id="come", name="come"),
        old[2],
        replace(old[3], digest="new"),
    ]
    found = diff_packs(old, new)
    assert [rule.id for rule in found.added] == ["come"]
    assert [rule.id for rule in found.removed] == ["gone"]
    assert [one.after.id for one in found.changed] == ["r"]
    assert [one.after.id for one in found.reworded] == ["words"]
    assert found.same == 1
    lines = [*diff_lines(found)]
    assert lines[0] == "added    come (medium, r.yml)"
    assert "         severity: medium → high" in lines
    assert lines[-1] == "reworded, with the same meaning: words"
    record = diff_record(found)
    assert record["schema"] == 1
    assert record["changed"][0]["changes"][0] == {
        "what": "severity",
        "before": "medium",
        "after": "high",
    }


def test_texts_are_shown_beside(tmp_path: Path) -> None:
    for name, text in (("old", "level: low\n"), ("new", "level: high\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "r.yml").write_text(text)
    shown = texts_below(tmp_path / "old", tmp_path / "new")
    found = diff_packs([BEFORE], [changed(severity=Severity.HIGH)], shown)
    assert found.changed[0].text[-2:] == ("-level: low", "+level: high")
    assert str(Change("x", None, "y")) == "x added: y"
