"""A comparison of two rules for people, line by line, and as a record."""

from collections.abc import Iterator

import orjson

from tocsin.catalog.implies import UndecidedError, implies
from tocsin.catalog.overlap import Comparison, OnLogType, Relation, Trial
from tocsin.condition.describe import describe, in_one_line
from tocsin.condition.tree import And, Condition
from tocsin.rules.model import Rule

_SHOWN = 200
_SENTENCES = {
    Relation.EQUAL: "they are equal: every event that one matches the other matches too",
    Relation.EQUAL_BUT_OUTCOME: "they are equal but for the outcome that they ask for",
    Relation.IMPLIES: "the first implies the second: what it matches the second matches too",
    Relation.IMPLIED: "the second implies the first: what it matches the first matches too",
    Relation.OVERLAPS: "they overlap, neither implied: some events meet both, others only one",
    Relation.APART: "no event was found that meets both for a common reason",
    Relation.ELSEWHERE: "they are about different logs, so they have no event in common",
    Relation.UNKNOWN: "they cannot be compared",
}


def title(rule: Rule) -> str:
    """Return what a rule is called among rules of several packs."""
    return f"{rule.name} ({rule.ecosystem}, {rule.pack})"


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield the relation of two rules, the reasoning and what it was tried on."""
    yield f"A  {title(found.one)}"
    yield f"B  {title(found.other)}"
    yield f"\n{found.relation.value}: {_SENTENCES[found.relation]}"
    if found.one.id == found.other.id:
        yield "Both have the same id: they are versions of one rule."
    yield from found.reasons
    for part in found.on:
        yield from _on_lines(part)
    yield from _elsewhere(found)


def _elsewhere(found: Comparison) -> Iterator[str]:
    if not found.on and found.relation is not Relation.ELSEWHERE:
        return
    if found.only_one:
        yield f"\nA alone is about {', '.join(found.only_one)}."
    if found.only_other:
        yield f"\nB alone is about {', '.join(found.only_other)}."
    if found.everywhere is not found.relation:
        yield f"With these logs, {_SENTENCES[found.everywhere]}."


def _on_lines(part: OnLogType) -> Iterator[str]:
    yield f"\nOn {part.log_type}, as its shape {part.shape}: {part.relation.value}"
    for letter, condition in (("A", part.one), ("B", part.other)):
        yield f"  {letter} asks:"
        yield describe(condition, indent="    ")
    yield from _proof_lines(part.one, part.other, ("A", "B"), single=part.single)
    yield from _proof_lines(part.other, part.one, ("B", "A"), single=part.single)
    for shared in part.shared:
        values = ", ".join(shared.values[:10])
        yield f"  Both look in {shared.field} for {values}"
    yield from (f"  {reason}" for reason in part.reasons)
    yield from _trial_lines(part.trial)


def _proof_lines(
    one: Condition, other: Condition, letters: tuple[str, str], *, single: bool
) -> Iterator[str]:
    """Yield what of the other condition follows from one, and from which part of it."""
    mine, theirs = letters
    for goal in other.parts if isinstance(other, And) else (other,):
        shown = _short(goal)
        if _follows(one, goal, single=single):
            because = next((p for p in _parts(one) if _follows(p, goal, single=single)), None)
            by = _short(because) if because is not None else f"all that {mine} asks"
            yield f"  {mine} gives {theirs}'s “{shown}” by “{by}”"
        else:
            yield f"  {mine} does not give {theirs}'s “{shown}”"


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, And) else (condition,)


def _follows(one: Condition, goal: Condition, *, single: bool) -> bool:
    try:
        return implies(one, goal, 2000, single=single)
    except (UndecidedError, RecursionError):
        return False


def _short(condition: Condition) -> str:
    text = in_one_line(condition)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _trial_lines(trial: Trial) -> Iterator[str]:
    yield (
        f"  Tried on {trial.events:,} generated events: both match {trial.both:,}, "
        f"only A {trial.one:,}, only B {trial.other:,}"
    )
    for word, event in (("A", trial.only_one), ("B", trial.only_other)):
        if event is not None:
            yield f"  Only {word} matches {orjson.dumps(event, default=str).decode()}"


def comparison_record(found: Comparison) -> dict[str, object]:
    """Return a comparison as JSON data."""
    return {
        "schema": 1,
        "a": _rule_record(found.one),
        "b": _rule_record(found.other),
        "relation": found.relation.name.lower(),
        "everywhere": found.everywhere.name.lower(),
        "same_id": found.one.id == found.other.id,
        "only_a": found.only_one,
        "only_b": found.only_other,
        "reasons": found.reasons,
        "log_types": [_on_record(part) for part in found.on],
    }


def _rule_record(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "ecosystem": rule.ecosystem,
        "pack": rule.pack,
        "path": rule.path,
    }


def _on_record(part: OnLogType) -> dict[str, object]:
    proof = [
        *_proof_lines(part.one, part.other, ("A", "B"), single=part.single),
        *_proof_lines(part.other, part.one, ("B", "A"), single=part.single),
    ]
    return {
        "log_type": part.log_type,
        "shape": part.shape,
        "relation": part.relation.name.lower(),
        "a_asks": describe(part.one),
        "b_asks": describe(part.other),
        "reasoning": [line.strip() for line in proof],
        "shared": {one.field: one.values for one in part.shared},
        "reasons": part.reasons,
        "events": {
            "tried": part.trial.events,
            "both": part.trial.both,
            "only_a": part.trial.one,
            "only_b": part.trial.other,
        },
        "examples": {
            "both": part.trial.example,
            "only_a": part.trial.only_one,
            "only_b": part.trial.only_other,
        },
    }
