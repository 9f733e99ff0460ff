"""Rules that say the same are found among many, and so is what a pack would add."""

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.conditions import asks, elastic, make_rule, panther
from tocsin.catalog.duplicates import Candidates, additions, duplicates, may_relate, read_rules
from tocsin.catalog.overlap import Relation
from tocsin.catalog.related import relate
from tocsin.condition.tree import And, Op
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.model import Rule, Severity, Technique

EQUALS = Op.EQUALS
WRITE, DELETE = "MICROSOFT.KEYVAULT/VAULTS/WRITE", "MICROSOFT.KEYVAULT/VAULTS/DELETE"


def operation(pack: str, *values: str, **more) -> Rule:
    said = {"pack": pack, "id": f"{pack}-{values[0]}", "name": f"{values[0]} of {pack}", **more}
    return make_rule(asks("operationName", EQUALS, *values, via=("text",)), **said)


def others(count: int) -> list[Rule]:
    return [operation("many", f"A.B/THING{number}/WRITE") for number in range(count)]


def test_pairs_of_different_packs_are_found() -> None:
    rules = [
        operation("one", WRITE, DELETE),
        operation("two", WRITE),
        panther("gone", DELETE),
        elastic(
            asks("event.action", EQUALS, WRITE, fold_case=False, via=("text",)),
            "logs-azure.activitylogs-*",
            pack="three",
            id="e",
        ),
        *others(80),
    ]
    found = {(one.one.pack, one.other.pack): one.relation for one in duplicates(rules)}
    assert found == {
        ("one", "two"): Relation.IMPLIED,
        ("one", "panther"): Relation.IMPLIED,
        ("one", "three"): Relation.IMPLIED,
        ("two", "three"): Relation.EQUAL,
    }


def test_rules_of_one_pack_are_compared_if_wanted() -> None:
    rules = [operation("one", WRITE), operation("one", WRITE, DELETE, id="o")]
    assert not list(duplicates(rules))
    (found,) = duplicates(rules, within=True)
    assert found.relation is Relation.IMPLIES


def test_what_a_pack_adds() -> None:
    there = [operation("there", WRITE, DELETE), *others(60)]
    coming = [
        operation("new", WRITE),
        operation("new", WRITE, DELETE, "A.B/C/PURGE/ACTION", id="wide"),
        operation("new", "A.B/QUITE/ELSE"),
        replace(operation("new", "x"), id="unread", inputs=()),
    ]
    found = additions(there, coming)
    assert [one.one.id for one in found.covered] == [f"new-{WRITE}"]
    assert [one.one.id for one in found.wider] == ["wide"]
    assert [rule.id for rule in found.new] == ["new-A.B/QUITE/ELSE"]
    assert [rule.id for rule in found.unread] == ["unread"]


def test_the_first_look_misses_nothing(sigma_corpus: Path) -> None:
    """What is passed over at first is not shown by reasoning either."""
    from tocsin.catalog.implies import UndecidedError, implies

    folder = sigma_corpus / "rules" / "cloud"
    read = read_rules(load_rules_cached([folder]).rules)
    pairs = Candidates(read).pairs(within=True)
    assert len(pairs) > 300
    for one, other in pairs[::3]:
        mine, theirs = read[one].readings, read[other].readings
        if may_relate(mine, theirs):
            continue
        for name in mine.keys() & theirs.keys():
            try:
                shown = implies(mine[name].condition, theirs[name].condition)
            except UndecidedError:
                continue
            assert not shown, (read[one].rule.name, read[other].rule.name)


@pytest.fixture(scope="module")
def corpora(sigma_corpus: Path, elastic_corpus: Path) -> tuple[Rule, ...]:
    return load_rules_cached([sigma_corpus / "rules" / "cloud", elastic_corpus]).rules


def test_pairs_of_the_corpora(corpora: tuple[Rule, ...]) -> None:
    found = {
        (one.one.name, one.other.name): one
        for one in duplicates(corpora)
        if "trail" in one.one.name.lower()
    }
    names = [pair for pair in found if pair[0] == "AWS CloudTrail Important Change"]
    assert len(names) >= 3
    for pair in names:
        assert found[pair].relation is Relation.IMPLIED
        assert all(part.trial.events >= 1000 and not part.trial.other for part in found[pair].on)


def test_related_rules_have_reasons() -> None:
    technique = (Technique("TA0006", "T1552"),)
    rule = operation("one", WRITE, attack=technique)
    version = replace(rule, pack="old", severity=Severity.LOW, digest="other")
    shared = operation("two", WRITE)
    same_technique = operation("two", "A.B/C/OTHER", attack=technique)
    pattern = make_rule(
        asks("operationName", Op.STARTSWITH, "MICROSOFT.KEYVAULT/"), id="p", name="pattern"
    )
    stranger = make_rule(asks("Caller", EQUALS, "someone"), id="s", name="stranger")
    index = relate([rule, version, shared, same_technique, pattern, stranger, *others(150)])
    found = {one.rule.key: one for one in index.related(rule)}
    assert list(found) == [version.key, shared.key, pattern.key, same_technique.key]
    assert found[version.key].reasons[0] == (
        "a version of the same rule in pack old, there: severity: medium → low; risk score: 47 → 21"
    )
    assert found[shared.key].reasons == [
        f"looks for the same operation: event.action {WRITE!r}, as 3 rules do"
    ]
    assert found[pattern.key].reasons == [
        f"the operations that 'MICROSOFT.KEYVAULT/' covers include {WRITE!r}"
    ]
    assert found[same_technique.key].reasons == ["about T1552 in azure.activity, too"]


def test_what_kind_an_event_is_relates_no_rules() -> None:
    def rule(number: int) -> Rule:
        kind = asks("data_stream.dataset", EQUALS, "azure.activitylogs", fold_case=False)
        action = asks("event.action", EQUALS, f"A.B/C{number}", fold_case=False)
        return elastic(And((kind, action)), "logs-azure.activitylogs-*", id=str(number))

    assert not relate([rule(1), rule(2)]).related(rule(1))
