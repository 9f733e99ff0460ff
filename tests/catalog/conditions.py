"""Conditions and rules, written shortly."""

from tocsin.condition.tree import And, Call, Condition, Field, Glob, Op, Predicate, Wild
from tocsin.rules.model import Indices, Input, LogSource, Rule

ACTIVITY = LogSource("azure", None, "activitylogs")


def field(name: str, *functions: str) -> Field:
    return Field((name,), tuple(map(Call, functions)))


def asks(name: str, op: Op, *values, fold_case: bool = True, via: tuple[str, ...] = ()):
    return Predicate(field(name, *via), op, values, fold_case)


def like(text: str) -> Glob:
    """Write a glob as text."""
    parts: list[str | Wild] = []
    for letter in text:
        if letter in "*?":
            parts.append(Wild(letter))
        elif parts and isinstance(parts[-1], str):
            parts[-1] += letter
        else:
            parts.append(letter)
    return Glob(tuple(parts))


def make_rule(condition: Condition, scope=ACTIVITY, vocabulary="sigma", **more) -> Rule:
    known = {"id": "r", "name": "a rule", "ecosystem": "sigma", "kind": "detection"}
    known |= {"pack": "p", "path": "r.yml", "digest": "d", **more}
    return Rule(**known, inputs=(Input(condition, scope, vocabulary),))


def panther(name: str, operation: str) -> Rule:
    """Return what a rule of Panther's on the activity log becomes, lifted from its Python."""
    condition = And(
        (
            Predicate(field("operationName", "upper"), Op.EQUALS, (operation,)),
            Predicate(field("resultType"), Op.EQUALS, ("Success", "Succeeded")),
        )
    )
    return make_rule(
        condition, vocabulary="panther", id=name, name=name, ecosystem="panther", pack="panther"
    )


def elastic(condition: Condition, *patterns: str, **more) -> Rule:
    return make_rule(condition, Indices(patterns), "ecs", ecosystem="elastic", **more)
