"""Two rules are compared by what they mean."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.conditions import asks, elastic, field, like, make_rule, panther
from tocsin.catalog.overlap import Comparison, Relation, compare
from tocsin.catalog.overlap_text import comparison_lines, comparison_record
from tocsin.condition.tree import And, Call, Field, FieldsCompare, Not, Op, Or, Predicate, Regex
from tocsin.rules.load import load_rules
from tocsin.rules.model import LogSource, Rule, Verdict
from tocsin.rules.stages import Deduplication, NewTerms, Threshold

EQUALS, CONTAINS, ENDS = Op.EQUALS, Op.CONTAINS, Op.ENDSWITH
EVENTS = 1000
WRITE, DELETE = "MICROSOFT.KEYVAULT/VAULTS/WRITE", "MICROSOFT.KEYVAULT/VAULTS/DELETE"
VAULTS = "rules/cloud/azure/activity_logs/azure_keyvault_modified_or_deleted.yml"
SECRETS = "rules/cloud/azure/activity_logs/azure_keyvault_secrets_modified_or_deleted.yml"


def load(path: Path) -> Rule:
    (rule,) = load_rules([path]).rules
    return rule


def page(shared: Path, number: str) -> Rule:
    """Load the rule that a page of another catalogue quotes."""
    (path,) = (shared / "seeds").glob(f"{number}_*")
    return load(path)


def tried(found: Comparison) -> int:
    """Return the fewest events that a relation was tried on."""
    return min(part.trial.events for part in found.on)


def test_a_page_of_an_old_version_equals_the_rule_of_today(
    shared: Path, sigma_corpus: Path
) -> None:
    old, new = page(shared, "000"), load(sigma_corpus / SECRETS)
    found = compare(old, new)
    assert old.id == new.id
    assert (found.relation, found.everywhere) == (Relation.EQUAL, Relation.EQUAL)
    assert tried(found) >= EVENTS
    assert "Both have the same id: they are versions of one rule." in [*comparison_lines(found)]


def test_a_rule_of_panther_implies_one_of_sigma(sigma_corpus: Path) -> None:
    found = compare(panther("deleted", DELETE), load(sigma_corpus / VAULTS))
    assert (found.relation, found.everywhere) == (Relation.IMPLIES, Relation.IMPLIES)
    assert tried(found) >= EVENTS
    assert found.on[0].trial.one == 0
    assert found.on[0].trial.both > 50


def lifted(panther_analysis: Path, name: str) -> Rule:
    return load(panther_analysis / "rules" / "azure_activity_rules" / f"{name}.yml")


def test_a_rule_lifted_from_python_implies_one_of_sigma(
    panther_analysis: Path, sigma_corpus: Path
) -> None:
    found = compare(lifted(panther_analysis, "azure_keyvault_deleted"), load(sigma_corpus / VAULTS))
    assert found.relation is Relation.IMPLIES
    assert found.reasons == (), "one alert for several matches takes none away"
    (part,) = (one for one in found.on if one.log_type == "azure.activity")
    assert part.shared[0].field == "event.action"
    assert part.trial.one == 0
    assert part.trial.both > 50


def test_a_rule_lifted_from_python_equals_one_of_elastic_but_for_the_outcome(
    panther_analysis: Path, elastic_corpus: Path
) -> None:
    (path,) = elastic_corpus.rglob("defense_evasion_insights_diagnostic_settings_deletion.toml")
    found = compare(lifted(panther_analysis, "azure_diagnostic_settings_deleted"), load(path))
    assert found.relation is Relation.EQUAL_BUT_OUTCOME


GUARDS = {
    "kind": Predicate(Field(("operationName",), (Call("kind"),)), EQUALS, ("text",)),
    "truth": Predicate(Field(("operationName",), (Call("truth"),)), EQUALS, (True,)),
    "there": Predicate(field("operationName"), Op.EXISTS),
    "not null": Not(Predicate(field("operationName"), Op.IS_NULL)),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_a_value_meets_anyway_changes_nothing(guard: str) -> None:
    exact = asks("operationName", EQUALS, DELETE, fold_case=False, via=("str.upper",))
    guarded = make_rule(
        And((GUARDS[guard], exact)), vocabulary="panther", ecosystem="panther", id="g"
    )
    assert compare(guarded, operation(DELETE)).relation is Relation.EQUAL


def test_python_that_is_asked_too_may_say_no() -> None:
    exact = asks("operationName", EQUALS, DELETE, fold_case=False, via=("str.upper",))
    asking = make_rule(exact, vocabulary="panther", ecosystem="panther", id="g", confirm=True)
    found = compare(asking, operation(DELETE))
    assert found.relation is Relation.IMPLIES
    assert "alerts only where its Python says so too" in found.reasons[0]


@pytest.mark.parametrize(("count", "relation"), [(1, Relation.EQUAL), (2, Relation.IMPLIES)])
def test_deduplication_limits_a_rule_that_waits_for_several(count: int, relation: Relation) -> None:
    stage = Deduplication(count, timedelta(hours=1))
    one = make_rule(asks("operationName", EQUALS, DELETE), id="d", stage=stage)
    assert compare(one, operation(DELETE)).relation is relation


def test_rules_that_differ_in_how_they_spell_the_outcome(elastic_corpus: Path) -> None:
    name = "defense_evasion_insights_diagnostic_settings_deletion.toml"
    (path,) = elastic_corpus.rglob(name)
    found = compare(panther("gone", "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE"), load(path))
    assert found.relation is Relation.EQUAL_BUT_OUTCOME
    assert tried(found) >= EVENTS
    (part,) = found.on
    assert part.log_type == "azure.activity"
    said = [reason for reason in part.reasons if reason.startswith("of the outcome")]
    assert len(said) == 2
    assert all("resultType is any of" in one for one in said)


def test_rules_with_an_operation_in_common_overlap(shared: Path, sigma_corpus: Path) -> None:
    sigma, old = load(sigma_corpus / VAULTS), page(shared, "001")
    found = compare(old, sigma)
    assert found.everywhere is Relation.OVERLAPS
    assert found.relation is Relation.IMPLIES, "on the activity log alone it does imply"
    assert found.only_one == ("ecs",)
    assert any("neither implied" in line for line in comparison_lines(found))


def test_the_rule_of_today_overlaps_too(sigma_corpus: Path, elastic_corpus: Path) -> None:
    (path,) = elastic_corpus.rglob("impact_key_vault_modified_by_unusual_user.toml")
    found = compare(load(path), load(sigma_corpus / VAULTS))
    assert (found.relation, found.everywhere) == (Relation.OVERLAPS, Relation.OVERLAPS)
    (part,) = found.on
    assert part.trial.only_one
    assert part.trial.only_other
    assert part.shared[0].field == "event.action"


def operation(*values: str, op: Op = EQUALS, **more) -> Rule:
    return make_rule(asks("operationName", op, *values, via=("text",)), **more)


KQL = ("logs-azure.activitylogs-*",)


def kql_operation(*values: str) -> Rule:
    name = "azure.activitylogs.operation_name"
    condition = asks(name, EQUALS, *values, fold_case=False, via=("text",))
    return elastic(condition, *KQL, id="e", name="of Elastic")


CASES = {
    "fewer operations": (operation(WRITE), operation(WRITE, DELETE), Relation.IMPLIES),
    "more operations": (operation(WRITE, DELETE), operation(WRITE), Relation.IMPLIED),
    "letters in other case": (operation(WRITE.lower()), operation(WRITE), Relation.EQUAL),
    "names of two vocabularies": (operation(WRITE), kql_operation(WRITE), Relation.EQUAL),
    "one in common": (operation(WRITE, "A/B"), operation(WRITE, "C/D"), Relation.OVERLAPS),
    "none in common": (operation("A/B"), operation("C/D"), Relation.APART),
    "a pattern": (operation(WRITE), operation("VAULTS/", op=CONTAINS), Relation.IMPLIES),
    "other logs": (
        operation(WRITE),
        operation(WRITE, scope=LogSource("aws", None, "cloudtrail")),
        Relation.ELSEWHERE,
    ),
    "a filter more": (
        make_rule(And((asks("operationName", EQUALS, WRITE), Not(asks("Caller", EQUALS, "me"))))),
        operation(WRITE),
        Relation.IMPLIES,
    ),
    "two ways to join": (
        make_rule(
            Or(
                (
                    And((asks("a", EQUALS, "1x"), asks("b", EQUALS, "2x"))),
                    And((asks("a", EQUALS, "1x"), asks("c", EQUALS, "3x"))),
                )
            )
        ),
        make_rule(
            And((asks("a", EQUALS, "1x"), Or((asks("b", EQUALS, "2x"), asks("c", EQUALS, "3x")))))
        ),
        Relation.EQUAL,
    ),
    "two fields of one event": (
        make_rule(FieldsCompare(field("a"), EQUALS, field("b"), fold_case=True)),
        make_rule(FieldsCompare(field("a"), EQUALS, field("b"), fold_case=True)),
        Relation.EQUAL,
    ),
    "logs without log type": (
        make_rule(asks("x", ENDS, "abc"), LogSource("acme", "web")),
        make_rule(asks("x", CONTAINS, "b"), LogSource("acme", "web")),
        Relation.IMPLIES,
    ),
    "a narrower log source": (
        make_rule(asks("x", EQUALS, "abc"), LogSource("acme", "web")),
        make_rule(asks("x", EQUALS, "abc"), LogSource(None, "web")),
        Relation.EQUAL,
    ),
    "two log sources without log type": (
        make_rule(asks("x", EQUALS, "abc"), LogSource("acme", "web")),
        make_rule(asks("x", EQUALS, "abc"), LogSource("emca", "web")),
        Relation.ELSEWHERE,
    ),
    "paths of keys": (
        make_rule(Predicate(Field(("properties", "a")), EQUALS, ("v",)), vocabulary="panther"),
        make_rule(asks("properties.a", EQUALS, "v", fold_case=False, via=("text",))),
        Relation.EQUAL,
    ),
    "a regex": (
        make_rule(asks("a", Op.REGEX, Regex(r"^x[0-9]{2,}$"), fold_case=False)),
        make_rule(asks("a", Op.REGEX, Regex(r"^x[0-9]{2,}$"), fold_case=False)),
        Relation.EQUAL,
    ),
    "a pattern in a pattern": (
        make_rule(asks("a", Op.GLOB, like("ab*cd*"))),
        make_rule(asks("a", Op.GLOB, like("a*d*"))),
        Relation.IMPLIES,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_relation(case: str) -> None:
    one, other, expected = CASES[case]
    other = replace(other, id="other")
    found = compare(one, other)
    assert found.relation is expected, found.on
    assert compare(other, one).relation is expected.turned
    if expected in {Relation.EQUAL, Relation.IMPLIES, Relation.IMPLIED}:
        assert tried(found) >= EVENTS
        assert all(part.trial.both for part in found.on)


def test_documents_of_no_log_type_decide_only_if_there_are_no_others() -> None:
    action = asks("event.action", EQUALS, "A/B", fold_case=False, via=("text",))
    dataset = [
        And((asks(f"{name}.dataset", EQUALS, "azure.activitylogs", fold_case=False), action))
        for name in ("event", "data_stream")
    ]
    one, other = (
        elastic(condition, "filebeat-*", id=str(number)) for number, condition in enumerate(dataset)
    )
    found = compare(one, other)
    assert found.relation is Relation.EQUAL
    assert {part.log_type for part in found.on} == {"azure.activity", "ecs"}
    assert found.everywhere is Relation.OVERLAPS
    one, other = (elastic(action, pattern, id=pattern) for pattern in ("logs-x-*", "logs-*"))
    assert compare(one, other).relation is Relation.IMPLIES


def test_what_a_stage_leaves_out_is_taken_into_account() -> None:
    many = replace(operation(WRITE), stage=Threshold((), 5, timedelta(hours=1)))
    new = replace(operation(WRITE), id="n", stage=NewTerms(("Caller",), timedelta(days=7)))
    assert compare(many, operation(WRITE, id="o")).relation is Relation.IMPLIES
    assert compare(many, new).relation is Relation.OVERLAPS
    assert compare(many, replace(many, id="m")).relation is Relation.EQUAL
    more = replace(operation(WRITE, DELETE), id="m", stage=many.stage)
    assert compare(many, more).relation is Relation.IMPLIES
    assert any("alerts only on: 5 or more" in line for line in compare(many, new).reasons)


def test_the_little_that_differs_is_said() -> None:
    exact = make_rule(asks("a", EQUALS, "xY", fold_case=False), id="e")
    (part,) = compare(make_rule(asks("a", EQUALS, "xy")), exact).on
    assert part.reasons == ("they differ only in whether the case of letters matters",)
    success = And((asks("operationName", EQUALS, WRITE), asks("resultType", EQUALS, "Success")))
    (part,) = compare(operation(WRITE), make_rule(success, id="s")).on
    assert part.reasons == ("they differ only in what they ask of the outcome",)


def test_one_event_refutes_what_reasoning_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.catalog import overlap

    monkeypatch.setattr(overlap, "implies", lambda one, other, single: True)
    found = compare(operation(WRITE, DELETE), operation(WRITE, id="o"))
    assert found.relation is Relation.IMPLIED
    (part,) = found.on
    assert "but an event refutes that" in part.reasons[0]
    assert part.trial.only_one


def test_what_no_event_confirms_is_not_said() -> None:
    strange = asks("a", Op.REGEX, Regex(r"^\b\B"), fold_case=False)
    found = compare(make_rule(strange), make_rule(strange, id="o"))
    assert found.relation is Relation.UNKNOWN
    assert found.on[0].reasons == (
        "by reasoning it is equal, but no event could be made that meets both",
    )


def test_a_rule_without_condition_cannot_be_compared() -> None:
    broken = replace(operation(WRITE), inputs=(), verdict=Verdict.CANNOT, reasons=("is EQL",))
    found = compare(broken, operation(WRITE, id="o"))
    assert found.relation is Relation.UNKNOWN
    assert found.reasons == ("a rule: is EQL",)


def test_the_reasoning_is_shown() -> None:
    lines = "\n".join(comparison_lines(compare(operation(WRITE), operation(WRITE, DELETE, id="o"))))
    assert 'A gives B\'s “event.action is any of "microsoft.keyvault/vaults/delete"' in lines
    assert 'B does not give A\'s “event.action is "microsoft.keyvault/vaults/write"”' in lines
    assert "Tried on 1,000 generated events: both match" in lines
    assert 'Only B matches {"operationName":' in lines


def test_a_comparison_is_a_record() -> None:
    record = comparison_record(compare(operation(WRITE), operation(WRITE, DELETE, id="o")))
    assert record["schema"] == 1
    assert (record["relation"], record["everywhere"]) == ("implies", "implies")
    (part,) = record["log_types"]
    assert part["events"]["only_a"] == 0
    assert part["shared"] == {"event.action": (f'"{WRITE.lower()}"',)}


def test_an_array_refutes_nothing_that_is_shown() -> None:
    both = And((asks("a", EQUALS, "x"), Not(asks("a", EQUALS, "y"))))
    found = compare(make_rule(asks("a", EQUALS, "x")), make_rule(both, id="o"))
    assert found.relation is Relation.IMPLIED, "a field may hold x and y"
