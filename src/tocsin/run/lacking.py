"""How many events a rule's stage leaves out because they lack one of its fields.

A new-terms rule can only find what names all its terms, and its condition often asks for that too.
So the events in question are those that meet the rest of the condition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import And, Condition, Glob, Predicate, Wild
from tocsin.engine.stages.compose import fields_of, stage_fields
from tocsin.engine.stages.hits import Hit
from tocsin.logs.logtype import LogType
from tocsin.rules.model import Rule
from tocsin.rules.stages import NewTerms, Threshold
from tocsin.run.scan import ScanOptions, catch


@dataclass(slots=True)
class Lacking:
    """The events that a rule is about, and how many of them lack which of its stage's fields."""

    events: int = 0
    without: dict[str, int] = field(default_factory=dict)


def count_lacking(
    rules: Sequence[Rule], paths: Sequence[Path], log_types: Sequence[LogType]
) -> Mapping[int, Lacking]:
    """Return, by the number of a rule that has a stage with fields, what its events lack."""
    numbers = [at for at, rule in enumerate(rules) if _has_fields(rule)]
    if not numbers:
        return {}
    relaxed = [_relaxed(rules[at]) for at in numbers]
    names = [fields_of(rule) for rule in relaxed]
    found = [Lacking() for _ in relaxed]

    def take(number: int, hit: Hit) -> None:
        of = found[number]
        of.events += 1
        for name, values in zip(names[number], hit.values, strict=True):
            if not values:
                of.without[name] = of.without.get(name, 0) + 1

    catch(paths, ScanOptions(relaxed, log_types), take)
    for of, in_order in zip(found, names, strict=True):
        of.without = {name: of.without[name] for name in in_order if name in of.without}
    return dict(zip(numbers, found, strict=True))


def _has_fields(rule: Rule) -> bool:
    return isinstance(rule.stage, NewTerms | Threshold) and bool(rule.inputs and rule.stage.fields)


def _relaxed(rule: Rule) -> Rule:
    """Return a rule that does not ask whether the fields of its stage are there."""
    names = set(stage_fields(rule))
    inputs = tuple(replace(one, condition=_without(one.condition, names)) for one in rule.inputs)
    return replace(rule, inputs=inputs, suppression=None)


def _without(condition: Condition, names: set[str]) -> Condition:
    if not isinstance(condition, And):
        return condition
    return simplify(And(tuple(part for part in condition.parts if not _asks(part, names))))


def _asks(part: Condition, names: set[str]) -> bool:
    """Say whether a part asks nothing but whether one of some fields has a value."""
    return (
        isinstance(part, Predicate)
        and part.field.path[:1] in {(name,) for name in names}
        and part.values == (Glob((Wild.ANY,)),)
    )
