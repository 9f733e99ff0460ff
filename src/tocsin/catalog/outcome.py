"""Fields that say little of what a rule looks for: how something ended, what kind of event it is.

Languages and products spell the outcome differently, and most rules of a source ask for one kind.
"""

import re

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    Condition,
    FieldsCompare,
    Leaf,
    Not,
    Or,
    Predicate,
)

_OUTCOME = re.compile(
    r"(.*[ .])?(outcome|result|resulttype|resultstatus|status|activitystatus|activitystatusvalue|"
    r"errorcode|errormessage|statuscode|responsestatus)",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"(data_?stream|event\.(dataset|module|kind|category|type)|agent\.type|host\.os\.type|"
    r"channel|winlog\.channel)(?![^ .])",
    re.IGNORECASE,
)


def says_kind(name: str) -> bool:
    """Say whether a canonical field says what kind of event one is."""
    return bool(_KIND.match(name))


def is_outcome(leaf: Leaf) -> bool:
    """Say whether a predicate over canonical names asks how something ended."""
    if isinstance(leaf, FieldsCompare) or not leaf.field.path:
        return False
    return bool(_OUTCOME.fullmatch(leaf.field.path[-1].replace("_", "")))


def without_outcome(condition: Condition) -> Condition:
    """Return a condition as if every outcome were as it asks."""
    return simplify(_without(condition, met=TRUE, unmet=FALSE))


def _without(condition: Condition, *, met: Condition, unmet: Condition) -> Condition:
    match condition:
        case And(parts):
            return And(tuple(_without(part, met=met, unmet=unmet) for part in parts))
        case Or(parts):
            return Or(tuple(_without(part, met=met, unmet=unmet) for part in parts))
        case Not(part):
            return Not(_without(part, met=unmet, unmet=met))
        case Predicate() if is_outcome(condition):
            return met
        case _:
            return condition
