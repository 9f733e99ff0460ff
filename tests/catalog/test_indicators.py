"""The indicators of rules, and how many rules look for the same."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from catalog.conditions import ACTIVITY, asks, elastic, field, like, make_rule
from tocsin.catalog.indicators import Indicator, IndicatorIndex, indicators, stage_fields
from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
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
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.model import LogSource, LogTypes, Rule
from tocsin.rules.stages import Distinct, Suppression, Threshold

EQUALS, CONTAINS = Op.EQUALS, Op.CONTAINS
CLOUDTRAIL = LogSource("aws", None, "cloudtrail")
PROCESSES = LogSource("windows", "process_creation")
SAME = {
    "Azure's operation": [
        (ACTIVITY, "sigma", "operationName"),
        (ACTIVITY, "sigma", "properties.message"),
        (ACTIVITY, "ecs", "azure.activitylogs.operation_name"),
        (ACTIVITY, "ecs", "event.action"),
        (ACTIVITY, "panther", "operationName"),
        (CLOUDTRAIL, "sigma", "eventName"),
        (CLOUDTRAIL, "ecs", "event.action"),
        (LogTypes(("Azure.MonitorActivity",)), "panther", "operationName"),
        (LogTypes(("AWS.CloudTrail",)), "panther", "eventName"),
    ],
    "the outcome in Azure": [
        (ACTIVITY, "sigma", "Status"),
        (ACTIVITY, "sigma", "ActivityStatusValue"),
        (ACTIVITY, "ecs", "event.outcome"),
        (ACTIVITY, "ecs", "azure.activitylogs.result_type"),
        (ACTIVITY, "panther", "resultType"),
    ],
    "a command line": [
        (PROCESSES, "sigma", "CommandLine"),
        (PROCESSES, "ecs", "process.command_line"),
        (LogSource("linux", "process_creation"), "sigma", "CommandLine"),
    ],
    "who called": [
        (CLOUDTRAIL, "sigma", "userIdentity.type"),
        (CLOUDTRAIL, "ecs", "aws.cloudtrail.user_identity.type"),
    ],
    "a property without a name of its own": [
        (ACTIVITY, "sigma", "properties.requestbody"),
        (ACTIVITY, "ecs", "azure.activitylogs.properties.requestbody"),
    ],
}


@pytest.mark.parametrize("case", SAME)
def test_names_that_read_the_same_have_one_name(case: str) -> None:
    found = {
        indicators(make_rule(asks(name, EQUALS, "v"), scope, vocabulary))[0].canonical
        for scope, vocabulary, name in SAME[case]
    }
    assert len(found) == 1, found


@pytest.mark.parametrize(
    ("one", "other"),
    [("process.executable", "process.name"), ("process.executable", "process.parent.executable")],
)
def test_parts_of_a_value_have_names_of_their_own(one: str, other: str) -> None:
    names = [
        indicators(make_rule(asks(name, EQUALS, "v"), PROCESSES, "ecs"))[0].canonical
        for name in (one, other)
    ]
    assert names == [one, other]


def test_indicators_of_every_kind() -> None:
    rule = make_rule(
        And(
            (
                asks("operationName", EQUALS, "a", "b", via=("text",)),
                Not(asks("Caller", Op.STARTSWITH, "svc-", fold_case=False)),
                asks("x", Op.GLOB, like("*mid*"), like("a?b")),
                asks("y", Op.REGEX, Regex("^z", "i"), fold_case=False),
                asks("z", Op.EXISTS),
                AnyElement(("list",), Predicate(Field(("inner", "key")), EQUALS, (5,))),
                FieldsCompare(field("m"), EQUALS, field("n"), fold_case=True),
                asks("w", Op.GLOB, like("*")),
            )
        )
    )
    said = [(one.field, one.op, one.values, one.negated) for one in indicators(rule)]
    assert said == [
        ("operationName", "equals", ("a", "b"), False),
        ("Caller", "startswith", ("svc-",), True),
        ("x", "contains", ("mid",), False),
        ("x", "glob", ("a?b",), False),
        ("y", "regex", ("/^z/i",), False),
        ("z", "exists", (), False),
        ("list.inner.key", "equals", ("5",), False),
        ("m", "equals field", ("n",), False),
        ("w", "has a value", ("*",), False),
    ]
    assert [one.case_matters for one in indicators(rule)][:3] == [False, True, False]


def test_fields_of_stages_are_listed() -> None:
    rule = elastic(
        asks("azure.activitylogs.operation_name", EQUALS, "x", fold_case=False),
        "logs-azure.activitylogs-*",
    )
    threshold = Threshold(("source.ip",), 5, timedelta(hours=1), Distinct("event.action", 3))
    rule = replace(rule, stage=threshold, suppression=Suppression(("user.name",), timedelta(1)))
    assert [(one.field, one.canonical, one.role) for one in stage_fields(rule)] == [
        ("source.ip", "source.ip", "group"),
        ("event.action", "event.action", "different values"),
        ("user.name", "user.name", "suppression"),
    ]


@pytest.fixture(scope="module")
def corpus(sigma_corpus: Path, elastic_corpus: Path) -> IndicatorIndex:
    return IndicatorIndex(load_rules_cached([sigma_corpus, elastic_corpus]).rules)


def plain_texts(condition):
    """Yield field, operator and texts of every predicate, by other code than the catalogue's."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from plain_texts(part)
    elif isinstance(condition, Not):
        yield from plain_texts(condition.part)
    elif isinstance(condition, AnyElement):
        for name, op, text in plain_texts(condition.condition):
            yield ".".join((*condition.path, name)), op, text
    elif isinstance(condition, Predicate):
        name = ".".join(condition.field.path) or "any value"
        calls = [c.name for c in condition.field.via if c.name not in ("text", "number", "leaves")]
        name += f" ({', '.join(calls)})" if calls else ""
        for value in condition.values or ("",):
            yield name, *plain_value(condition.op, value)


def plain_value(op, value):
    if isinstance(value, Regex):
        return op, f"/{value.pattern}/{value.flags}"
    if not isinstance(value, Glob):
        return op, str(value)
    text = "".join(p.value if isinstance(p, Wild) else p for p in value.parts)
    stars = [part is Wild.ANY for part in value.parts]
    if text == "*":
        return "has a value", "*"
    if sum(isinstance(part, Wild) for part in value.parts) != sum(stars):
        return op, text
    inner = text.strip("*")
    ways = {
        (True, False, True): "contains",
        (False, True): "startswith",
        (True, False): "endswith",
        (False,): "equals",
    }
    way = ways.get(tuple(stars))
    return (way, inner) if way else (op, text)


def test_counts_are_those_of_a_brute_force(corpus: IndicatorIndex) -> None:
    triples, values = [], []
    for rule in corpus.rules:
        found = [one for part in rule.inputs for one in plain_texts(part.condition)]
        triples.append({(lower(f), str(op), lower(text)) for f, op, text in found})
        values.append({lower(text) for _, _, text in found if text})
    chance = Random(7)
    holders = [number for number, found in enumerate(corpus.indicators) if found]
    for number in chance.sample(holders, 150):
        rule = corpus.rules[number]
        indicator = chance.choice(corpus.indicators[number])
        if indicator.op.endswith(" field"):
            continue
        for counts in corpus.counts(rule, indicator)[:3]:
            text = lower(counts.value)
            wanted = (lower(indicator.field), indicator.op, text)
            assert counts.same == tally(corpus, number, triples, wanted)
            if text:
                assert counts.same_value == tally(corpus, number, values, text)


def lower(text: str) -> str:
    return "".join(letter.lower() for letter in text)


def tally(corpus: IndicatorIndex, own: int, sets, wanted) -> dict[str, int]:
    """Count the other rules that have something, by ecosystem, one after the other."""
    found = Counter(
        rule.ecosystem
        for number, (rule, one) in enumerate(zip(corpus.rules, sets, strict=True))
        if number != own and wanted in one
    )
    return dict(sorted(found.items()))


def test_counts_of_canonical_fields_are_those_of_a_brute_force(corpus: IndicatorIndex) -> None:
    chance = Random(11)
    holders = [number for number, found in enumerate(corpus.indicators) if found]
    for number in chance.sample(holders, 40):
        rule = corpus.rules[number]
        indicator = chance.choice(corpus.indicators[number])
        if not indicator.values:
            continue
        counts = corpus.counts(rule, indicator)[0]
        found: Counter[str] = Counter()
        for other, others in zip(corpus.rules, corpus.indicators, strict=True):
            if other is not rule and any(
                same_place(one, indicator, counts.value) for one in others
            ):
                found[other.ecosystem] += 1
        assert counts.same_canonical == dict(sorted(found.items()))
        assert sum(found.values()) <= len(corpus.with_canonical(indicator.canonical, counts.value))


def same_place(one: Indicator, wanted: Indicator, value: str) -> bool:
    return one.canonical == wanted.canonical and any(
        lower(text) == lower(value) for text in one.values
    )


def test_rules_of_two_ecosystems_meet_in_canonical_fields(corpus: IndicatorIndex) -> None:
    rules = corpus.with_canonical("event.action", "microsoft.keyvault/vaults/secrets/write")
    assert {rule.ecosystem for rule in rules} >= {"sigma"}
    rules = corpus.with_canonical("event.action", "DeleteTrail")
    assert {rule.ecosystem for rule in rules} == {"sigma", "elastic"}
    assert len(corpus.with_value("DeleteTrail")) >= len(rules)
    assert corpus.with_triple("eventName", "equals", "deletetrail")


def test_the_index_is_fast(corpus: IndicatorIndex) -> None:
    from time import process_time

    start = process_time()
    IndicatorIndex(corpus.rules)
    assert process_time() - start < 20, "some seconds, on any machine"


def test_an_unknown_rule_counts_all_others() -> None:
    known = make_rule(asks("a", EQUALS, "x"))
    index = IndicatorIndex([known])
    stranger: Rule = replace(known, id="other")
    (counts,) = index.counts(stranger, indicators(stranger)[0])
    assert counts.same == counts.same_canonical == counts.same_value == {"sigma": 1}


def test_a_changed_case_counts_as_the_same_value() -> None:
    scope, upper = LogTypes(("Azure.MonitorActivity",)), asks("operationName", EQUALS, "A/B")
    upper = replace(upper, field=Field(("operationName",), (Call("str.upper"),)), fold_case=False)
    lifted = make_rule(upper, scope, "panther", id="p", ecosystem="panther")
    index = IndicatorIndex([lifted, make_rule(asks("operationName", EQUALS, "a/b"))])
    (counts,) = index.counts(lifted, indicators(lifted)[0])
    assert counts.same_canonical == {"sigma": 1}


def test_functions_are_shown_with_their_arguments() -> None:
    has_key = Field(
        ("requestParameters",), (Call("has_key", ("kmsKeyId",)), Call("python", ("[]",)))
    )
    (found,) = indicators(make_rule(Predicate(has_key, EQUALS, (True,)), vocabulary="panther"))
    assert found.field == 'requestParameters (has_key "kmsKeyId", python)'
