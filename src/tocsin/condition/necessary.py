"""What must hold for a condition to hold: a weaker condition, cheap to refute.

`clauses` gives it as a conjunction of alternatives: each clause is a set of leaves of which at
least one must be true. The engine skips an input as soon as one clause has no hit in a batch.
"""

from collections.abc import Sequence

from tocsin.condition.tree import And, AnyElement, Condition, FieldsCompare, Leaf, Or, Predicate


def clauses(condition: Condition) -> list[frozenset[Leaf]]:
    """Return clauses of which each must have a true leaf; none if nothing is known to be needed."""
    if isinstance(condition, Predicate | FieldsCompare):
        return [frozenset((condition,))]
    if isinstance(condition, And):
        return [clause for part in condition.parts for clause in clauses(part)]
    if isinstance(condition, Or):
        return _of_alternatives([clauses(part) for part in condition.parts])
    if isinstance(condition, AnyElement):
        return []
    return []


def _of_alternatives(parts: Sequence[list[frozenset[Leaf]]]) -> list[frozenset[Leaf]]:
    """Join the shortest clause of every alternative; one without any leaves nothing to ask."""
    if not all(parts):
        return []
    shortest = [min(part, key=len) for part in parts]
    return [frozenset().union(*shortest)]
