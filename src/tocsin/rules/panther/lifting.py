"""Rules of Panther with conditions in front of their Python, or in its place where these are exact.

Rules see more than their record: fields that are added to it. What a condition asks of those is
left to the Python.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Condition,
    Field,
    Not,
    Or,
    fields,
)
from tocsin.rules.model import Input, Lifting, LogTypes, Rule, RuleSet
from tocsin.rules.panther.kinds import WITH_PYTHON
from tocsin.rules.panther.lift import Lifted, lift_rules, read_parts

ADDED = ("p_log_type", "p_event_time", "p_any_")
"""How the names of fields begin that are added to records."""
ENRICHED = ("p_enrichment",)
"""The same of those that lookup tables add, where there are any."""


def with_lifted(loaded: RuleSet) -> RuleSet:
    """Return rules with what their Python says as conditions; those without Python as they are."""
    found: dict[str, Rule] = {}
    for pack in dict.fromkeys(rule.pack for rule in loaded.rules if rule.kind in WITH_PYTHON):
        rules = [rule for rule in loaded.rules if rule.pack == pack]
        parts = read_parts([part for part in loaded.parts if part.pack == pack], rules)
        own = {rule.key: rule for rule in rules}
        for key, by_log_type in lift_rules(rules, parts).items():
            found[key] = _with(own[key], by_log_type)
    return replace(loaded, rules=tuple(found.get(rule.key, rule) for rule in loaded.rules))


def _with(rule: Rule, lifted: Mapping[str, Lifted]) -> Rule:
    if not any(isinstance(one.scope, LogTypes) and one.scope.names for one in rule.inputs):
        return rule
    inputs = tuple(_inputs(rule.inputs[0], lifted))
    exact = all(one.lifting and one.lifting.exact for one in inputs)
    return replace(rule, inputs=inputs, confirm=not exact)


def _inputs(own: Input, lifted: Mapping[str, Lifted]) -> Iterator[Input]:
    """Yield an input for each group of names that the rule sees alike."""
    assert isinstance(own.scope, LogTypes)
    groups: dict[int, tuple[Lifted, list[str]]] = {}
    for name in own.scope.names:
        groups.setdefault(id(lifted[name]), (lifted[name], []))[1].append(name)
    for one, names in groups.values():
        known = _of_record(one.condition, ADDED, positive=True)
        lifting = _lifting(one, exact=one.exact and known == one.condition)
        condition = simplify(And((own.condition, known)))
        yield Input(condition, LogTypes(tuple(names)), own.vocabulary, lifting)


def with_lookups(rule: Rule) -> Rule:
    """Return a rule whose conditions leave to its Python what lookup tables add to records."""
    inputs = tuple(map(_without_enrichment, rule.inputs))
    exact = all(one.lifting is None or one.lifting.exact for one in inputs)
    return replace(rule, inputs=inputs, confirm=rule.confirm or not exact)


def _without_enrichment(one: Input) -> Input:
    condition = simplify(_of_record(one.condition, ENRICHED, positive=True))
    if one.lifting is None or condition == one.condition:
        return one
    return replace(one, condition=condition, lifting=replace(one.lifting, exact=False))


def _of_record(condition: Condition, added: tuple[str, ...], *, positive: bool) -> Condition:
    """Return a weaker condition that asks for nothing that is added to records."""
    match condition:
        case And(parts):
            return And(tuple(_of_record(part, added, positive=positive) for part in parts))
        case Or(parts):
            return Or(tuple(_of_record(part, added, positive=positive) for part in parts))
        case Not(part):
            return Not(_of_record(part, added, positive=not positive))
        case AnyElement(path):
            asked = [Field(path)]
        case _:
            asked = fields(condition)
    if any(field.path and field.path[0].lower().startswith(added) for field in asked):
        return TRUE if positive else FALSE
    return condition


def _lifting(lifted: Lifted, *, exact: bool) -> Lifting:
    obstacles = lifted.obstacles
    if lifted.exact and not exact:
        obstacles = ("it asks for fields that are added to the record",)
    return Lifting(
        tier=lifted.tier.value if exact or not lifted.exact else "B",
        exact=exact,
        obstacles=obstacles,
        texts=tuple(sorted(lifted.texts.items())),
        untold=tuple(sorted(lifted.untold.items())),
    )
