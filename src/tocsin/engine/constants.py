"""What is known of a log type's events before any is read, such as which data set they are.

Elastic's rules choose events by their data set, most in the condition. So index patterns alone say
little about which log types a rule is for: `filebeat-*` names all that an agent ships.
"""

from functools import lru_cache

from tocsin.condition.evaluate import compile_test, holds
from tocsin.condition.functions import apply
from tocsin.condition.geoip import in_use
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import FALSE, And, Condition, Not, Op, Or, Predicate
from tocsin.jsontext import Json
from tocsin.logs.logtype import LogType, Variant
from tocsin.logs.mapping import Const, Expr, First, Table, Via, When, first, send_through
from tocsin.logs.values import Values
from tocsin.rules.model import Input

KINDS = ("data_stream.dataset", "data_stream.type", "event.dataset", "event.module")
"""The fields that say what kind of event one is."""
_SHIPPERS = frozenset(("filebeat",))
"""What ships events that have a data set of their own; other agents read the hosts they are on."""


def may_hold(log_type: LogType, one: Input, variant: Variant) -> bool:
    """Say whether any event of a variant can meet a condition, by what is known of its kind."""
    known = {name: _texts_of(log_type, one.vocabulary, name) for name in KINDS}
    if known[KINDS[0]]:
        known["agent.type"] = _SHIPPERS
    return simplify(_reduced(And((variant.condition, one.condition)), known)) != FALSE


def _reduced(condition: Condition, known: dict[str, frozenset[str]]) -> Condition:
    """Replace predicates on kinds that no event can meet by what is never true."""
    match condition:
        case And(parts):
            return And(tuple(_reduced(part, known) for part in parts))
        case Or(parts):
            return Or(tuple(_reduced(part, known) for part in parts))
        case Not(part):
            return Not(_reduced(part, known))
        case Predicate(field, op, values, fold_case) if len(field.path) == 1:
            texts = known.get(field.path[0])
            if not texts or op in {Op.EXISTS, Op.IS_NULL}:
                return condition
            test = compile_test(op, values, fold_case)
            met = any(map(test, apply(field.via, sorted(texts))))
            return condition if met else FALSE
        case _:
            return condition


def outcome(expr: Expr, condition: Predicate) -> bool | None:
    """Return how a predicate ends on every event; None if it depends on the event."""
    fixed = _fixed(expr)
    if fixed is _DEPENDS:
        return None
    return holds(condition, lambda field: None if fixed is None else apply(field.via, fixed))


_DEPENDS: list[Json] = ["depends on the event"]


def _fixed(expr: Expr) -> Values:
    """Return what an expression reads in every record; `_DEPENDS` if that depends on it."""
    match expr:
        case Const(value):
            return [value]
        case First(parts) if not parts:
            return None
        case First((only,)):
            return _fixed(only)
        case First(parts):
            found = [_fixed(part) for part in parts]
            return _DEPENDS if any(one is _DEPENDS for one in found) else first(found)
        case Via(_, calls) if any(call.name == "geoip" for call in calls) and not in_use():
            return None
        case Via(of, calls):
            values = _fixed(of)
            return values if values is _DEPENDS else send_through(calls, values)
        case _:
            return _DEPENDS


@lru_cache(maxsize=1024)
def _texts_of(log_type: LogType, vocabulary: str, name: str) -> frozenset[str]:
    """Return the values that a name can have, as far as shapes fix it; empty if none does."""
    found: set[str] = set()
    for shape in log_type.shapes:
        found |= _texts(shape.expression(vocabulary, name))
    return frozenset(found)


def _texts(expr: Expr) -> frozenset[str]:
    match expr:
        case Const(value):
            return frozenset((value,))
        case First(parts):
            return frozenset().union(*map(_texts, parts))
        case When(_, then, otherwise):
            return _texts(then) | (_texts(otherwise) if otherwise else frozenset())
        case Via(of, calls):
            found = apply(calls, sorted(_texts(of)))
            return frozenset(text for text in found if isinstance(text, str))
        case Table(_, rows, default):
            return frozenset(default or ()).union(*(values for _, values in rows))
        case _:
            return frozenset()
