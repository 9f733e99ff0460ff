"""A rule in another language matches the same events, or what cannot be said is named."""

import json
from collections import Counter
from pathlib import Path

import duckdb
import orjson
import pytest

from catalog.conditions import ACTIVITY, asks, elastic, field, like, make_rule
from tocsin.catalog.convert import LANGUAGES, Conversion, convert
from tocsin.catalog.events import events_for
from tocsin.catalog.subject import Reading, readings
from tocsin.catalog.to_sigma import _text
from tocsin.catalog.translate import CannotSay
from tocsin.condition.tree import And, Field, FieldsCompare, Not, Op, Or, Predicate, Regex
from tocsin.jsontext import read_value
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.elastic.fields import field_type
from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader
from tocsin.rules.model import Indices, Input, LogSource, Rule

EQUALS = Op.EQUALS
EVENTS = 120
SHARE = 80
"""One rule of so many is tried."""
WEB = LogSource("acme", "web")


def events_of(rule: Rule, log_type: str) -> tuple[Reading, list[dict]]:
    reading = readings(rule)[log_type]
    condition = reading.condition
    return reading, list(events_for(condition, condition, reading.places, rule.id, EVENTS))


def as_record(event: dict) -> dict:
    return read_value(orjson.dumps(event, default=str))[0]


def judged(rule: Rule, found: Conversion, events: list[dict]) -> list[bool]:
    """Say which events the converted form matches."""
    if found.language == "sql":
        return run_sql(found, events)
    said = as_sigma(found) if found.language == "sigma" else as_kql(found)
    reading = readings(said)[found.log_type]
    return [reading.matches(as_record(event)) for event in events]


def as_sigma(found: Conversion) -> Rule:
    file = RuleFile(Path("rule.yml"), "converted", "rule.yml")
    rules, _ = RuleLoader(LoadOptions()).load_text(found.text, file)
    assert not rules[0].reasons, (rules[0].reasons, found.text)
    return rules[0]


def as_kql(found: Conversion) -> Rule:
    (indices,) = (note.removeprefix("indices: ") for note in found.notes)
    lowered = lower(parse(found.text.strip()), field_type, None)
    scope = Indices(tuple(indices.split(", ")))
    rule = elastic(lowered.condition, *scope.patterns)
    assert isinstance(rule.inputs[0], Input)
    return rule


def run_sql(found: Conversion, events: list[dict]) -> list[bool]:
    """Run SQL over events in a file; what two events look alike in is told by their count."""
    import tempfile

    texts = [orjson.dumps(event, default=str).decode() for event in events]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.ndjson")
        path.write_text("".join(f"{text}\n" for text in texts))
        with duckdb.connect() as connection:
            rows = connection.execute(found.text.replace("events.ndjson", str(path))).fetchall()
    matched = Counter(row[0] for row in rows)
    return [matched[text] > 0 for text in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_forms_match_the_same_events(
    language: str, sigma_corpus: Path, elastic_corpus: Path
) -> None:
    rules = load_rules_cached([sigma_corpus, elastic_corpus]).rules
    said = matching = 0
    for rule in rules[5::SHARE]:
        try:
            found = convert(rule, language)
        except CannotSay:
            continue
        if found.text is None:
            assert found.lost
            continue
        reading, events = events_of(rule, found.log_type)
        expected = [reading.matches(as_record(event)) for event in events]
        if reading.log_type.documents:
            events = [event for event, met in zip(events, expected, strict=True) if met]
            expected = [True] * len(events)
        assert judged(rule, found, events) == expected, (rule.path, found.text)
        said += 1
        matching += any(expected)
    assert said > {"sigma": 40, "kql": 5, "sql": 40}[language]
    assert matching > 0.8 * said


def test_most_rules_of_sigma_are_said_again_in_sigma(sigma_corpus: Path) -> None:
    rules = [rule for rule in load_rules_cached([sigma_corpus]).rules[::SHARE] if rule.inputs]
    found = [convert(rule, "sigma") for rule in rules]
    assert sum(one.text is not None for one in found) > 0.98 * len(found)


KINDS = {
    "values": asks("x", EQUALS, "a", "b", via=("text",)),
    "wildcards": asks("x", Op.GLOB, like("a*b?c"), via=("text",)),
    "letters that are wildcards": asks("x", Op.CONTAINS, "a*b?", via=("text",)),
    "a backslash": asks("x", EQUALS, "C:\\a", via=("text",)),
    "two backslashes": asks("x", Op.STARTSWITH, "\\\\server\\x", via=("text",)),
    "a backslash before a wildcard": asks("x", Op.GLOB, like("a\\*b"), via=("text",)),
    "a backslash at the end": asks("x", Op.ENDSWITH, "a\\", via=("text",)),
    "quotes": asks("x", EQUALS, "it's \"so\"", via=("text",)),
    "case": asks("x", EQUALS, "aB", fold_case=False, via=("text",)),
    "a regex": asks("x", Op.REGEX, Regex("^a'b"), fold_case=False, via=("text",)),
    "a number": asks("x", EQUALS, 5, fold_case=False, via=("number",)),
    "an order": asks("x", Op.GREATER, 5, fold_case=False, via=("number",)),
    "presence": asks("x", Op.EXISTS, fold_case=False),
    "null or absent": Or((Not(asks("x", Op.EXISTS, fold_case=False)),
                          asks("x", Op.IS_NULL, fold_case=False))),
    "a negation": And((asks("x", EQUALS, "a", via=("text",)),
                       Not(asks("y", EQUALS, "b", via=("text",))))),
    "alternatives": And((asks("x", EQUALS, "a", via=("text",)),
                         Or((asks("y", EQUALS, "b", via=("text",)),
                             asks("z", Op.CONTAINS, "c", via=("text",)))))),
    "two fields": FieldsCompare(field("x", "text"), EQUALS, field("y", "text"), fold_case=True),
    "dotted names": asks("a.b", EQUALS, "c", via=("text",)),
}  # fmt: skip


@pytest.mark.parametrize("language", ["sigma", "sql"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_predicate_is_said(kind: str, language: str) -> None:
    rule = make_rule(KINDS[kind], WEB)
    found = convert(rule, language)
    assert found.text is not None, found.lost
    reading, events = events_of(rule, found.log_type)
    expected = [reading.matches(as_record(event)) for event in events]
    assert any(expected)
    assert not all(expected)
    assert judged(rule, found, events) == expected, found.text


def test_what_gets_lost_is_named() -> None:
    part, reason = lost("sql", asks("x", Op.CIDR, "10.0.0.0/8", fold_case=False))
    assert part == 'x is in network "10.0.0.0/8"'
    assert "extension" in reason
    part, reason = lost("sql", Predicate(Field(()), Op.CONTAINS, ("word",), fold_case=True))
    assert (part, reason) == (
        'any value contains "word"',
        "SQL has no word for the text of a whole record",
    )


def lost(language: str, condition) -> tuple[str, str]:
    found = convert(make_rule(condition, WEB), language)
    assert found.text is None
    return found.lost[0].part, found.lost[0].reason


def test_kql_minds_the_case_of_letters() -> None:
    found = convert(make_rule(asks("correlationId", EQUALS, "ab-5")), "kql")
    assert found.text is None
    (one,) = found.lost
    assert (one.part, one.reason) == (
        'azure.correlation.id is "ab-5"',
        "KQL minds the case of letters here",
    )


def test_names_are_translated_both_ways() -> None:
    sigma = make_rule(asks("operationName", EQUALS, "Microsoft.KeyVault/vaults/write"))
    assert convert(sigma, "kql").text == 'event.action: "MICROSOFT.KEYVAULT/VAULTS/WRITE"\n'
    query = And(
        (
            asks("event.action", EQUALS, "A/B", fold_case=False, via=("text",)),
            asks("event.outcome", EQUALS, "success", fold_case=False, via=("text",)),
        )
    )
    found = convert(elastic(query, "logs-azure.activitylogs-*"), "sigma")
    assert "operationName: a/b" in found.text.replace("A/B", "a/b")
    assert "product: azure\n  service: activitylogs" in found.text
    assert found.log_type == "azure.activity"


def test_what_is_beside_the_condition_is_named(elastic_corpus: Path) -> None:
    (path,) = elastic_corpus.rglob("impact_key_vault_modified_by_unusual_user.toml")
    (rule,) = load_rules_cached([path]).rules
    found = convert(rule, "sigma")
    assert found.text
    assert found.beside[0].startswith("alerts only on: values of")


def test_a_rule_without_condition_cannot_be_said() -> None:
    from dataclasses import replace

    rule = replace(make_rule(asks("x", EQUALS, "a")), inputs=(), reasons=("EQL does not run yet",))
    with pytest.raises(CannotSay, match="EQL does not run yet"):
        convert(rule, "sql")
    with pytest.raises(CannotSay, match=r"is not about windows, but about azure\.activity"):
        convert(make_rule(asks("x", EQUALS, "a"), ACTIVITY), "sql", "windows")


def test_texts_are_escaped_as_sigma_reads_them() -> None:
    assert _text("a\\b") == "a\\b"
    assert _text("a\\*") == "a\\\\\\*"
    assert _text(like("a\\*")) == "a\\\\*"
    assert json.loads(json.dumps(_text("\\\\x"))) == "\\\\\\\\x"
